/* go_semaphore. `held` and the queue are guarded by `lock`. Nobody is let in before one who came
 * first, so the queue's head is the only one that a release looks at, again and again. Lifetime:
 * the release of `lock` is the last access, before anybody is made ready. */
#include "gofer/semaphore.h"

#include "panic/panic.h"
#include "sync/sync.h"
#include "sync/waiters.h"

static gofer_spin *lock_of(go_semaphore *s)
{
    return (gofer_spin *)(void *)&s->lock;
}

static void check_weight(int64_t n)
{
    if (gofer_unlikely(n < 0))
        gofer_panic_text("semaphore: n < 0");
}

void go_semaphore_init(go_semaphore *s, int64_t n)
{
    if (n < 0)
        gofer_panic_text("semaphore: size < 0");
    *s = (go_semaphore)GO_SEMAPHORE(n);
}

/* `lock` is held. */
static bool take(go_semaphore *s, int64_t n)
{
    if (s->waiters || s->size - s->held < n)
        return false;
    s->held += n;
    return true;
}

/* `lock` is held: lets in whom there is room for. */
static void let_in(go_semaphore *s, struct gofer_sync_batch *batch)
{
    struct gofer_sync_waiter *waiter;
    while ((waiter = s->waiters) && s->size - s->held >= waiter->weight) {
        gofer_waiters_pop(&s->waiters);
        if (!gofer_waiter_claim(waiter))
            continue;
        s->held += waiter->weight;
        gofer_batch_add(batch, waiter);
    }
}

int go_semaphore_try_acquire(go_semaphore *s, int64_t n)
{
    check_weight(n);
    gofer_spin_lock(lock_of(s));
    bool taken = take(s, n);
    gofer_spin_unlock(lock_of(s));
    return taken;
}

void go_semaphore_release(go_semaphore *s, int64_t n)
{
    struct gofer_sync_batch batch = { 0 };
    check_weight(n);
    gofer_spin_lock(lock_of(s));
    s->held -= n;
    bool too_much = s->held < 0;
    if (!too_much && s->waiters)
        let_in(s, &batch);
    gofer_spin_unlock(lock_of(s));
    if (gofer_unlikely(too_much))
        gofer_panic_text("semaphore: released more than held");
    gofer_batch_ready(&batch);
}

/* The waiter was cancelled; if it stood in front of others and something is free, they may go on.
 */
static gofer_cold void withdraw(go_semaphore *s, struct gofer_sync_waiter *waiter)
{
    struct gofer_sync_batch batch = { 0 };
    gofer_spin_lock(lock_of(s));
    bool was_first = s->waiters == waiter;
    gofer_waiters_remove(&s->waiters, waiter);
    if (was_first && s->size > s->held)
        let_in(s, &batch);
    gofer_spin_unlock(lock_of(s));
    gofer_batch_ready(&batch);
}

/* 0, or why it was cancelled. */
static int acquire(go_semaphore *s, int64_t n, gofer_cancel *source, enum gofer_reason reason)
{
    struct gofer_sync_waiter waiter = { .g = gofer_self(), .weight = n };
    gofer_spin_lock(lock_of(s));
    if (take(s, n)) {
        gofer_spin_unlock(lock_of(s));
        return 0;
    }
    /* One that asks for more than there is waits beside the queue, so that it stops nobody. */
    bool doomed = n > s->size;
    if (doomed && !source && reason == GOFER_WAIT_SELECT)
        reason = GOFER_WAIT_CHAN_RECV_NIL; /* Go waits for a context that is never done */
    gofer_waiter_prepare(&waiter, source, reason);
    if (!doomed)
        gofer_waiters_push(&s->waiters, &waiter);
    gofer_spin_unlock(lock_of(s));
    int error = gofer_park_cancellable(waiter.g, source);
    if (gofer_unlikely(error))
        withdraw(s, &waiter);
    else if (gofer_unlikely((error = gofer_cancel_error(source))))
        go_semaphore_release(s, n); /* both came: cancellation wins */
    return error;
}

int gofer_semaphore_acquire_as(go_semaphore *s, int64_t n, gofer_cancel *source,
                               enum gofer_reason reason)
{
    check_weight(n);
    int error = gofer_cancel_error(source);
    if (!error)
        error = acquire(s, n, source, reason);
    return error ? gofer_cancelled(error) : 0;
}

void go_semaphore_acquire(go_semaphore *s, int64_t n)
{
    gofer_semaphore_acquire_as(s, n, NULL, GOFER_WAIT_SELECT);
}

int gofer_semaphore_acquire_cancellable(go_semaphore *s, int64_t n, gofer_cancel *source)
{
    return gofer_semaphore_acquire_as(s, n, source, GOFER_WAIT_SELECT);
}

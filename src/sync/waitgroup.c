/* go_waitgroup. state: the counter in the upper 32 bits, the number of waiters in the lower; one
 * atomic each for add and done. `waiters` is guarded by `lock`. A counter of zero with waiters
 * counted: whoever brought it to zero is about to wake them all, and until then nobody leaves.
 *
 * Lifetime: the decrement to zero without waiters is the last access. With waiters it is the
 * release of `lock`, before they are made ready. A waiter may touch the group until its call has
 * returned: a late one sees the zero before `lock` is free, one that was cancelled takes `lock`,
 * one that was the only waiter looks once more, for a reuse too early. So the group stays until
 * all waits are over (docs/memory.md). spec/waitgroup.pml is the model. */
#include "gofer/sync.h"

#include "gofer/panic.h"
#include "panic/panic.h"
#include "sync/group_call.h"
#include "sync/sync.h"
#include "sync/waiters.h"

#define COUNT_ONE ((uint64_t)1 << 32)

static _Atomic uint64_t *state_of(go_waitgroup *wg)
{
    return (_Atomic uint64_t *)(void *)&wg->state;
}

static gofer_spin *lock_of(go_waitgroup *wg)
{
    return (gofer_spin *)(void *)&wg->lock;
}

static int32_t count_in(uint64_t state)
{
    return (int32_t)(state >> 32);
}

static uint32_t waiters_in(uint64_t state)
{
    return (uint32_t)state;
}

/* The counter came to zero with waiters counted. They stay until the lock is had: see withdraw. */
static gofer_cold void wake_all(go_waitgroup *wg)
{
    struct gofer_sync_batch batch = { 0 };
    gofer_spin_lock(lock_of(wg));
    struct gofer_sync_waiter *waiter = wg->waiters;
    bool alone = waiter && !waiter->next;
    while ((waiter = gofer_waiters_pop(&wg->waiters))) {
        if (gofer_waiter_claim(waiter)) {
            waiter->handed = alone;
            gofer_batch_add(&batch, waiter);
        }
    }
    atomic_store_explicit(state_of(wg), 0, memory_order_release);
    gofer_spin_unlock(lock_of(wg));
    gofer_batch_ready(&batch);
}

void go_waitgroup_add(go_waitgroup *wg, int delta)
{
    /* acq_rel: what was done before Done is visible after Wait */
    uint64_t state = atomic_fetch_add_explicit(state_of(wg), (uint64_t)(int64_t)delta << 32,
                                               memory_order_acq_rel) +
                     ((uint64_t)(int64_t)delta << 32);
    int32_t count = count_in(state);
    if (gofer_unlikely(count < 0))
        gofer_panic_text("sync: negative WaitGroup counter");
    if (gofer_unlikely(waiters_in(state) != 0 && delta > 0 && count == delta))
        gofer_panic_text("sync: WaitGroup misuse: Add called concurrently with Wait");
    if (count > 0 || waiters_in(state) == 0)
        return;
    wake_all(wg);
}

void go_waitgroup_done(go_waitgroup *wg)
{
    go_waitgroup_add(wg, -1);
}

/* Counts the waiter and queues it; false: the counter is zero and nobody is still to be woken. */
static bool queue(go_waitgroup *wg, struct gofer_sync_waiter *waiter)
{
    gofer_spin_lock(lock_of(wg));
    uint64_t state = atomic_load_explicit(state_of(wg), memory_order_acquire);
    while (state != 0 &&
           !atomic_compare_exchange_weak_explicit(state_of(wg), &state, state + 1,
                                                  memory_order_acq_rel, memory_order_acquire))
        ;
    if (state != 0)
        gofer_waiters_push(&wg->waiters, waiter);
    gofer_spin_unlock(lock_of(wg));
    return state != 0;
}

/* The waiter was cancelled. True: it is no longer counted. False: the counter is zero, and who made
 * it so is about to wake everybody; the group must be there until then. */
static bool uncount(go_waitgroup *wg, struct gofer_sync_waiter *waiter)
{
    uint64_t state = atomic_load_explicit(state_of(wg), memory_order_acquire);
    while (count_in(state) > 0 &&
           !atomic_compare_exchange_weak_explicit(state_of(wg), &state, state - 1,
                                                  memory_order_acq_rel, memory_order_acquire))
        ;
    if (count_in(state) > 0)
        gofer_waiters_remove(&wg->waiters, waiter);
    return count_in(state) > 0;
}

/* 0 where the group came to zero after all. */
static gofer_cold int withdraw(go_waitgroup *wg, struct gofer_sync_waiter *waiter, int error)
{
    gofer_spin_lock(lock_of(wg));
    if (!waiter->queued) { /* everybody was woken meanwhile */
        gofer_spin_unlock(lock_of(wg));
        return 0;
    }
    if (uncount(wg, waiter)) {
        gofer_spin_unlock(lock_of(wg));
        return error;
    }
    gofer_waiter_prepare(waiter, NULL, GOFER_WAIT_WAITGROUP);
    gofer_spin_unlock(lock_of(wg));
    gofer_park(waiter->g);
    return 0;
}

static int wait(go_waitgroup *wg, gofer_cancel *source)
{
    struct gofer_sync_waiter waiter = { .g = gofer_self() };
    gofer_waiter_prepare(&waiter, source, GOFER_WAIT_WAITGROUP);
    if (!queue(wg, &waiter)) {
        gofer_cancel_park(waiter.g);
        return 0;
    }
    int error = gofer_park_cancellable(waiter.g, source);
    if (gofer_unlikely(error))
        return withdraw(wg, &waiter, error);
    /* Of several waiters another may have let the group go. */
    if (waiter.handed && atomic_load_explicit(state_of(wg), memory_order_relaxed) != 0)
        gofer_panic_text("sync: WaitGroup is reused before previous Wait has returned");
    return 0;
}

void go_waitgroup_wait(go_waitgroup *wg)
{
    /* pairs with the release in go_waitgroup_add */
    if (atomic_load_explicit(state_of(wg), memory_order_acquire) != 0)
        wait(wg, NULL);
}

int gofer_waitgroup_wait_cancellable(go_waitgroup *wg, gofer_cancel *source)
{
    int error = gofer_cancel_error(source);
    if (!error && atomic_load_explicit(state_of(wg), memory_order_acquire) != 0)
        error = wait(wg, source);
    return error ? gofer_cancelled(error) : 0;
}

/* ---- go_waitgroup_go ---------------------------------------------------------------------- */

/* The function returned, called Goexit, or panicked: then the process ends by that, and to count it
 * as done would let somebody who waits be faster. */
static void finish(gofer_group_call *kept)
{
    const go_panic_value *panic = go_recover();
    if (panic)
        go_repanic(panic);
    go_waitgroup *wg = kept->group;
    free(kept);
    go_waitgroup_done(wg);
}

static void run(void *kept)
{
    go_defer(finish, (gofer_group_call *)kept);
    gofer_group_call_replay(kept);
}

void gofer_deliver_waitgroup(gofer_call *call, const void *stack)
{
    gofer_group_record *record = gofer_container(call, gofer_group_record, call);
    go_waitgroup_add(record->group, 1);
    gofer_group_call_start(record, stack, false, run);
}

void go_waitgroup_spawn(go_waitgroup *wg, void (*fn)(void *), void *arg)
{
    gofer_group_record record = { .group = wg };
    record.call.fn = (void (*)(void))fn;
    record.call.integer[0] = (uint64_t)(uintptr_t)arg;
    gofer_deliver_waitgroup(&record.call, NULL);
}

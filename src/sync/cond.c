/* go_cond. `waiters` is guarded by its lot's lock; `waiting`, whether it is not empty, is written
 * under it.
 *
 * A waiter queues itself before it unlocks the locker, so no signal that comes after is lost; but
 * to unlock may itself wake or wait, so it parks only later, under the lock again. Who pops it
 * before then just says so (handed); after, claims it and makes it ready. Where unlock does not
 * return (it panics, ends the goroutine, throws), the waiter leaves the queue.
 *
 * Lifetime: who has woken all may let the condition go, although they have not run since: those
 * that had not parked yet, those that were cancelled. So the locks are no part of it: they lie in
 * lots, found by the condition's address, and a waiter touches the condition only while it is
 * queued. Who wakes touches it last before the release of the lock. */
#include "gofer/sync.h"

#include "gofer/panic.h"
#include "panic/panic.h"
#include "sync/sync.h"
#include "sync/waiters.h"

static struct cond_lot {
    _Alignas(GOFER_CACHE_LINE) gofer_spin lock;
} cond_lots[GOFER_MUTEX_LOTS]; /* by the same hash */

struct cond_waiter {
    struct gofer_sync_waiter waiter; /* first: the queue links these */
    bool parks, unlocked;
};

static gofer_spin *lock_of(const go_cond *c)
{
    return &cond_lots[GOFER_MUTEX_LOT(c)].lock;
}

static _Atomic(void *) *self_of(go_cond *c)
{
    return (_Atomic(void *) *)(void *)&c->self;
}

/* The first use writes the object's address into it: a copy has another one's. */
static gofer_cold void check_copy_slow(go_cond *c)
{
    void *self = NULL;
    if (!atomic_compare_exchange_strong_explicit(self_of(c), &self, c, memory_order_relaxed,
                                                 memory_order_relaxed) &&
        self != c)
        gofer_panic_text("sync.Cond is copied");
}

static inline void check_copy(go_cond *c)
{
    if (gofer_unlikely(atomic_load_explicit(self_of(c), memory_order_relaxed) != c))
        check_copy_slow(c);
}

/* Whether the popped waiter is the caller's to make ready; false: it was told, or is cancelled and
 * *told stays as it is. The lock is held. */
static bool wake(struct gofer_sync_waiter *waiter, bool *told)
{
    if (!gofer_container(waiter, struct cond_waiter, waiter)->parks) {
        waiter->handed = *told = true;
        return false;
    }
    return *told = gofer_waiter_claim(waiter);
}

/* Pops the first waiter that was not cancelled; NULL: none, or it had not parked yet. */
static struct gofer_sync_waiter *wake_one(go_cond *c)
{
    struct gofer_sync_waiter *waiter;
    bool told = false;
    while (!told && (waiter = gofer_waiters_pop(&c->waiters)))
        if (wake(waiter, &told))
            return waiter;
    return NULL;
}

static _Atomic uint32_t *waiting_of(go_cond *c)
{
    return (_Atomic uint32_t *)(void *)&c->waiting;
}

/* The lock is released after a change of the queue. */
static void unlock(go_cond *c)
{
    atomic_store_explicit(waiting_of(c), c->waiters != NULL, memory_order_relaxed);
    gofer_spin_unlock(lock_of(c));
}

/* A waiter that the caller must know of queued before it unlocked what the caller has locked
 * since: that lock brings the order. */
static bool nobody_waits(go_cond *c)
{
    return !atomic_load_explicit(waiting_of(c), memory_order_relaxed);
}

void go_cond_signal(go_cond *c)
{
    check_copy(c);
    if (nobody_waits(c))
        return;
    gofer_spin_lock(lock_of(c));
    struct gofer_sync_waiter *waiter = wake_one(c);
    unlock(c);
    if (waiter)
        gofer_ready(waiter->g);
}

void go_cond_broadcast(go_cond *c)
{
    struct gofer_sync_batch batch = { 0 };
    check_copy(c);
    if (nobody_waits(c))
        return;
    gofer_spin_lock(lock_of(c));
    for (struct gofer_sync_waiter *waiter; (waiter = gofer_waiters_pop(&c->waiters));) {
        bool told;
        if (wake(waiter, &told))
            gofer_batch_add(&batch, waiter);
    }
    unlock(c);
    gofer_batch_ready(&batch);
}

/* Nobody finds the waiter any more. */
static gofer_cold void leave(go_cond *c, struct cond_waiter *self)
{
    gofer_spin_lock(lock_of(c));
    if (self->waiter.queued) {
        gofer_waiters_remove(&c->waiters, &self->waiter);
        unlock(c);
    } else {
        gofer_spin_unlock(lock_of(c));
    }
}

static void leave_unless_unlocked(go_cond *c, struct cond_waiter *self)
{
    if (gofer_unlikely(!self->unlocked))
        leave(c, self);
}

static gofer_noinline void unlock_guarded(go_cond *c, go_locker locker, struct cond_waiter *self)
{
    go_defer(leave_unless_unlocked, c, self);
    GOFER_DEFERS_FOR_EXCEPTIONS();
    locker.unlock(locker.object);
    self->unlocked = true;
}

/* Our own return, or the process ends. But a nil dereference may be recovered. */
static bool always_unlocks(go_locker locker)
{
    return locker.object && (locker.unlock == gofer_locker_mutex_unlock ||
                             locker.unlock == gofer_locker_rwmutex_unlock ||
                             locker.unlock == gofer_locker_rwmutex_runlock);
}

/* 0, or why it was cancelled. */
static int park(go_cond *c, struct cond_waiter *self, gofer_cancel *source)
{
    gofer_spin *lock = lock_of(c);
    gofer_spin_lock(lock);
    if (self->waiter.handed) {
        gofer_spin_unlock(lock);
        return 0;
    }
    gofer_waiter_prepare(&self->waiter, source, GOFER_WAIT_COND);
    self->parks = true;
    gofer_spin_unlock(lock);
    int error = gofer_park_cancellable(self->waiter.g, source);
    if (gofer_unlikely(error))
        leave(c, self);
    return error;
}

static int wait(go_cond *c, gofer_cancel *source)
{
    struct cond_waiter self = { .waiter = { .g = gofer_self() } };
    go_locker locker = c->locker; /* c may be gone when this wakes */
    gofer_spin_lock(lock_of(c));
    gofer_waiters_push(&c->waiters, &self.waiter);
    unlock(c);
    if (gofer_likely(always_unlocks(locker)))
        locker.unlock(locker.object);
    else
        unlock_guarded(c, locker, &self);
    int error = park(c, &self, source);
    locker.lock(locker.object);
    return error;
}

void go_cond_wait(go_cond *c)
{
    check_copy(c);
    wait(c, NULL);
}

int gofer_cond_wait_cancellable(go_cond *c, gofer_cancel *source)
{
    check_copy(c);
    int error = gofer_cancel_error(source);
    if (!error)
        error = wait(c, source);
    return error ? gofer_cancelled(error) : 0;
}

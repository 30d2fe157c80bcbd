/* go_mutex. state: LOCKED, WAITERS (the queue is not empty), STARVING (the next unlock hands
 * over). `waiters` and the WAITERS and STARVING bits are written under `lock`.
 *
 * A free mutex is taken by one compare-and-swap, by newcomers too: that keeps a busy mutex from
 * being passed through the scheduler at each turn. A waiter that has waited 1 ms turns it to
 * STARVING: unlock then hands the mutex to the queue's head, until a waiter is served quickly or
 * the queue ends. Go's rule. Lifetime: the swap that frees the mutex, or the making ready of the
 * waiter, is unlock's last access; where all waiters were cancelled, unlock starts again. A waiter
 * that is cancelled was not woken: nothing is lost with it. */
#include "gofer/sync.h"

#include "panic/panic.h"
#include "sync/sync.h"
#include "sync/waiters.h"

enum { LOCKED = 1, WAITERS = 2, STARVING = 4, SPINS = 4, PAUSES = 30 };

static _Atomic uint32_t *state_of(go_mutex *m)
{
    return (_Atomic uint32_t *)(void *)&m->state;
}

static gofer_spin *lock_of(go_mutex *m)
{
    return (gofer_spin *)(void *)&m->lock;
}

static uint32_t load_state(go_mutex *m)
{
    return atomic_load_explicit(state_of(m), memory_order_relaxed);
}

static bool try_lock(go_mutex *m)
{
    uint32_t state = load_state(m);
    /* acquire: pairs with the release in go_mutex_unlock */
    return !(state & (LOCKED | STARVING)) &&
           atomic_compare_exchange_strong_explicit(state_of(m), &state, state | LOCKED,
                                                   memory_order_acquire, memory_order_relaxed);
}

int go_mutex_trylock(go_mutex *m)
{
    return try_lock(m);
}

/* Whether it pays to spin: the holder runs on another processor and no one starves. */
static bool spin_for_it(go_mutex *m)
{
    if (atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed) == 1)
        return false;
    for (int i = 0; i < SPINS; i++) {
        if (load_state(m) & STARVING)
            return false;
        if (!(load_state(m) & LOCKED) && try_lock(m))
            return true;
        for (int pause = 0; pause < PAUSES; pause++)
            gofer_cpu_relax();
    }
    return false;
}

/* Queues the waiter, unless the mutex came free meanwhile: then it is taken, and true. */
static bool take_or_queue(go_mutex *m, struct gofer_sync_waiter *waiter, bool again,
                          gofer_cancel *source)
{
    gofer_waiter_prepare(waiter, source, GOFER_WAIT_MUTEX);
    gofer_spin_lock(lock_of(m));
    uint32_t state = load_state(m), wanted;
    bool starves = again && gofer_nanotime() - waiter->since > GOFER_STARVING_AFTER;
    do {
        bool free_ = !(state & (LOCKED | STARVING));
        wanted = free_ ? state | LOCKED : state | WAITERS | (starves ? STARVING : 0u);
    } while (!atomic_compare_exchange_weak_explicit(state_of(m), &state, wanted,
                                                    memory_order_acquire, memory_order_relaxed));
    bool taken = !(state & (LOCKED | STARVING));
    if (!taken && again)
        gofer_waiters_push_front(&m->waiters, waiter);
    else if (!taken)
        gofer_waiters_push(&m->waiters, waiter);
    gofer_spin_unlock(lock_of(m));
    if (taken)
        gofer_cancel_park(waiter->g);
    return taken;
}

/* The waiter was cancelled, and nobody hands it the mutex any more. */
static gofer_cold void withdraw(go_mutex *m, struct gofer_sync_waiter *waiter)
{
    gofer_spin_lock(lock_of(m));
    gofer_waiters_remove(&m->waiters, waiter);
    if (!m->waiters)
        atomic_fetch_and_explicit(state_of(m), ~(uint32_t)(WAITERS | STARVING),
                                  memory_order_relaxed);
    gofer_spin_unlock(lock_of(m));
}

/* 0, or why it was cancelled. */
static gofer_cold int lock_slow(go_mutex *m, gofer_cancel *source)
{
    if (spin_for_it(m))
        return 0;
    struct gofer_sync_waiter waiter = { .g = gofer_self(), .since = gofer_nanotime() };
    for (bool again = false; !take_or_queue(m, &waiter, again, source); again = true) {
        int error = gofer_park_cancellable(waiter.g, source);
        if (gofer_unlikely(error)) {
            withdraw(m, &waiter);
            return error;
        }
        if (waiter.handed || try_lock(m))
            return 0;
    }
    return 0;
}

void go_mutex_lock(go_mutex *m)
{
    uint32_t free_ = 0;
    if (gofer_likely(atomic_compare_exchange_strong_explicit(
            state_of(m), &free_, LOCKED, memory_order_acquire, memory_order_relaxed)))
        return;
    lock_slow(m, NULL);
}

int gofer_mutex_lock_cancellable(go_mutex *m, gofer_cancel *source)
{
    int error = gofer_cancel_error(source);
    if (!error && !try_lock(m))
        error = lock_slow(m, source);
    return error ? gofer_cancelled(error) : 0;
}

/* Wakes the queue's head: with the mutex if somebody starves, else to compete for it. False: nobody
 * waits any more, and the mutex is still held. */
static gofer_cold bool unlock_slow(go_mutex *m)
{
    gofer_spin_lock(lock_of(m));
    uint32_t state = load_state(m);
    if (!(state & LOCKED)) {
        gofer_spin_unlock(lock_of(m));
        gofer_fatal_misuse("sync: unlock of unlocked mutex");
    }
    struct gofer_sync_waiter *waiter = gofer_waiters_claim(&m->waiters);
    if (!waiter) { /* to free it here would not be the last access */
        atomic_store_explicit(state_of(m), LOCKED, memory_order_relaxed);
        gofer_spin_unlock(lock_of(m));
        return false;
    }
    uint32_t wanted = m->waiters ? WAITERS : 0;
    if (state & STARVING) {
        waiter->handed = true;
        wanted |= LOCKED;
        if (m->waiters && gofer_nanotime() - waiter->since > GOFER_STARVING_AFTER)
            wanted |= STARVING;
    }
    /* Nobody else writes while LOCKED is ours and the lock is held; release: pairs with lock. */
    gofer_g *g = waiter->g;
    atomic_store_explicit(state_of(m), wanted, memory_order_release);
    gofer_spin_unlock(lock_of(m));
    gofer_ready(g);
    return true;
}

void go_mutex_unlock(go_mutex *m)
{
    uint32_t locked;
    do {
        locked = LOCKED;
        if (gofer_likely(atomic_compare_exchange_strong_explicit(
                state_of(m), &locked, 0, memory_order_release, memory_order_relaxed)))
            return;
    } while (!unlock_slow(m));
}

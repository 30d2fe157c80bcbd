/* go_mutex. state: LOCKED, WAITERS (the queue is not empty), STARVING (the next unlock hands
 * over). `waiters` and the WAITERS and STARVING bits are written under `lock`.
 *
 * A free mutex is taken by one compare-and-swap, by newcomers too: that keeps a busy mutex from
 * being passed through the scheduler at each turn. A waiter that has waited 1 ms turns it to
 * STARVING: unlock then hands the mutex to the queue's head, until a waiter is served quickly or
 * the queue ends. Go's rule. Lifetime: the swap that frees the mutex, or the making ready of the
 * waiter, is unlock's last access. */
#include "gofer/sync.h"

#include "panic/panic.h"
#include "sync/waiters.h"

enum { LOCKED = 1, WAITERS = 2, STARVING = 4, STARVING_AFTER = 1000000, SPINS = 4, PAUSES = 30 };

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
static bool take_or_queue(go_mutex *m, struct gofer_sync_waiter *waiter, bool again)
{
    gofer_prepare_park(waiter->g, GOFER_WAIT_MUTEX);
    gofer_spin_lock(lock_of(m));
    uint32_t state = load_state(m), wanted;
    bool starves = again && gofer_nanotime() - waiter->since > STARVING_AFTER;
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

static gofer_cold void lock_slow(go_mutex *m)
{
    if (spin_for_it(m))
        return;
    struct gofer_sync_waiter waiter = { .g = gofer_self(), .since = gofer_nanotime() };
    for (bool again = false; !take_or_queue(m, &waiter, again); again = true) {
        gofer_park(waiter.g);
        if (waiter.handed)
            return;
        if (try_lock(m))
            return;
    }
}

void go_mutex_lock(go_mutex *m)
{
    uint32_t free_ = 0;
    if (gofer_likely(atomic_compare_exchange_strong_explicit(
            state_of(m), &free_, LOCKED, memory_order_acquire, memory_order_relaxed)))
        return;
    lock_slow(m);
}

/* Wakes the queue's head: with the mutex if somebody starves, else to compete for it. */
static gofer_cold void unlock_slow(go_mutex *m)
{
    gofer_spin_lock(lock_of(m));
    uint32_t state = load_state(m);
    if (!(state & LOCKED)) {
        gofer_spin_unlock(lock_of(m));
        gofer_fatal_misuse("sync: unlock of unlocked mutex");
    }
    struct gofer_sync_waiter *waiter = gofer_waiters_pop(&m->waiters);
    uint32_t wanted = m->waiters ? WAITERS : 0;
    if (waiter && (state & STARVING)) {
        waiter->handed = true;
        wanted |= LOCKED;
        if (m->waiters && gofer_nanotime() - waiter->since > STARVING_AFTER)
            wanted |= STARVING;
    }
    /* Nobody else writes while LOCKED is ours and the lock is held; release: pairs with lock. */
    gofer_g *g = waiter ? waiter->g : NULL;
    atomic_store_explicit(state_of(m), wanted, memory_order_release);
    gofer_spin_unlock(lock_of(m));
    if (g)
        gofer_ready(g);
}

void go_mutex_unlock(go_mutex *m)
{
    uint32_t locked = LOCKED;
    if (gofer_likely(atomic_compare_exchange_strong_explicit(
            state_of(m), &locked, 0, memory_order_release, memory_order_relaxed)))
        return;
    unlock_slow(m);
}

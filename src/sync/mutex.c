/* go_mutex. state: LOCKED, WAITERS (the queue may not be empty), STARVING (the next unlock hands
 * over).
 *
 * A free mutex is taken by one compare-and-swap, by newcomers too: that keeps a busy mutex from
 * being passed through the scheduler at each turn. A waiter that has waited 1 ms turns it to
 * STARVING: unlock then hands the mutex to the queue's head, until a waiter is served quickly or
 * the queue ends. Go's rule.
 *
 * **Unlock without a locked instruction.** Who unlocks reads the state, and if it is LOCKED alone
 * stores 0. A waiter may have set WAITERS in between; the store undoes that, and nobody would wake
 * the waiter. So the queues lie in lots, found by the mutex's address, and a lot with waiters is
 * watched: unlock looks, after the store, whether it is, and if so comes to see whether the mutex
 * has a queue (gofer_mutex_unlocked). Store, then load: the waiter makes that an order with a
 * membarrier when it starts the watch. After it, whose look is still to come will find it set, and
 * whose look is over has stored before: the waiter's compare-and-swap finds the mutex free. Who
 * finds the watch on before the store unlocks with a compare-and-swap, which undoes nothing. The
 * monitor ends watches without waiters a hundred times a second, so a lot costs as many membarriers
 * at most. spec/mutex.pml is the model.
 *
 * A lot's lock guards the queues, the list of mutexes that have one, and all writes to WAITERS and
 * STARVING but the one above. Lifetime: unlock's last access to a mutex is the store that frees it,
 * or the last before its waiter is made ready; a mutex found in a lot has a waiter, so it lives. */
#include "gofer/sync.h"

#include "panic/panic.h"
#include "sync/sync.h"
#include "sync/waiters.h"

enum { LOCKED = 1, WAITERS = 2, STARVING = 4 };

/* Pauses while it may pay to wait for the holder: between the looks, and in all. */
enum { FIRST_PAUSES = 8, MOST_PAUSES = 64, ALL_PAUSES = 184 };

/* One byte for each lot, so that all that unlocks read stays in four cache lines. */
uint8_t gofer_mutex_watched[GOFER_MUTEX_LOTS];

static struct lot {
    _Alignas(GOFER_CACHE_LINE) gofer_spin lock;
    go_mutex *queued; /* those with waiters, through `next` and back through `link` */
} lots[GOFER_MUTEX_LOTS];

static _Atomic uint32_t *state_of(go_mutex *m)
{
    return (_Atomic uint32_t *)(void *)&m->state;
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
    for (int step = FIRST_PAUSES, left = ALL_PAUSES; left > 0;) {
        if (load_state(m) & STARVING)
            return false;
        if (!(load_state(m) & LOCKED) && try_lock(m))
            return true;
        for (int pause = 0; pause < step; pause++)
            gofer_cpu_relax();
        left -= step;
        step = step < MOST_PAUSES ? 2 * step : MOST_PAUSES;
    }
    return false;
}

/* ---- lots --------------------------------------------------------------------------------- */

/* Written under the lot's lock: who holds it and reads 1 knows that everybody else does too. */
static void set_watched(const struct lot *lot, bool on)
{
    __atomic_store_n(&gofer_mutex_watched[lot - lots], on, __ATOMIC_RELAXED);
}

static bool is_watched(const struct lot *lot)
{
    return __atomic_load_n(&gofer_mutex_watched[lot - lots], __ATOMIC_RELAXED);
}

/* The lot of m, locked. */
static struct lot *lock_lot(const go_mutex *m)
{
    struct lot *lot = &lots[GOFER_MUTEX_LOT(m)];
    gofer_spin_lock(&lot->lock);
    return lot;
}

/* Before a waiter queues. Where the kernel refuses a membarrier the watch never ends. */
static gofer_cold void watch(struct lot *lot)
{
    set_watched(lot, true);
    gofer_fence_others();
}

void gofer_mutexes_unwatch(void)
{
    for (struct lot *lot = lots; lot < lots + GOFER_MUTEX_LOTS; lot++) {
        if (!is_watched(lot) || !gofer_spin_try(&lot->lock))
            continue;
        if (!lot->queued && !atomic_load_explicit(&gofer_sched.need_fences, memory_order_relaxed))
            set_watched(lot, false);
        gofer_spin_unlock(&lot->lock);
    }
}

/* Under the lot's lock, as all below. */
static bool has_queue(const struct lot *lot, const go_mutex *m)
{
    const go_mutex *at = lot->queued;
    while (at && at != m)
        at = at->next;
    return at != NULL;
}

static void push(struct lot *lot, go_mutex *m, struct gofer_sync_waiter *waiter, bool front)
{
    if (!m->waiters) {
        m->next = lot->queued;
        m->link = &lot->queued;
        if (m->next)
            m->next->link = &m->next;
        lot->queued = m;
    }
    if (front)
        gofer_waiters_push_front(&m->waiters, waiter);
    else
        gofer_waiters_push(&m->waiters, waiter);
}

/* After a waiter left m's queue. */
static void forget_if_empty(go_mutex *m)
{
    if (m->waiters)
        return;
    *m->link = m->next;
    if (m->next)
        m->next->link = m->link;
}

/* ---- lock --------------------------------------------------------------------------------- */

/* Queues the waiter, unless the mutex came free meanwhile: then it is taken, and true. */
static bool take_or_queue(go_mutex *m, struct gofer_sync_waiter *waiter, bool again,
                          gofer_cancel *source)
{
    gofer_waiter_prepare(waiter, source, GOFER_WAIT_MUTEX);
    struct lot *lot = lock_lot(m);
    if (!is_watched(lot))
        watch(lot);
    uint32_t state = load_state(m), wanted;
    bool starves = again && gofer_nanotime() - waiter->since > GOFER_STARVING_AFTER, taken;
    do {
        taken = !(state & (LOCKED | STARVING));
        wanted = taken ? state | LOCKED : state | WAITERS | (starves ? STARVING : 0u);
    } while (!atomic_compare_exchange_weak_explicit(state_of(m), &state, wanted,
                                                    memory_order_acquire, memory_order_relaxed));
    if (!taken)
        push(lot, m, waiter, again);
    gofer_spin_unlock(&lot->lock);
    if (taken)
        gofer_cancel_park(waiter->g);
    return taken;
}

/* The waiter was cancelled, and nobody hands it the mutex any more. */
static gofer_cold void withdraw(go_mutex *m, struct gofer_sync_waiter *waiter)
{
    struct lot *lot = lock_lot(m);
    if (waiter->queued) {
        gofer_waiters_remove(&m->waiters, waiter);
        forget_if_empty(m);
    }
    if (!m->waiters)
        atomic_fetch_and_explicit(state_of(m), ~(uint32_t)(WAITERS | STARVING),
                                  memory_order_relaxed);
    gofer_spin_unlock(&lot->lock);
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

gofer_cold void gofer_mutex_lock_slow(go_mutex *m)
{
    lock_slow(m, NULL);
}

/* As in the header. */
void go_mutex_lock(go_mutex *m)
{
    uint32_t unlocked = 0;
    if (gofer_unlikely(!atomic_compare_exchange_strong_explicit(
            state_of(m), &unlocked, LOCKED, memory_order_acquire, memory_order_relaxed)))
        gofer_mutex_lock_slow(m);
}

int gofer_mutex_lock_cancellable(go_mutex *m, gofer_cancel *source)
{
    int error = gofer_cancel_error(source);
    if (!error && !try_lock(m))
        error = lock_slow(m, source);
    return error ? gofer_cancelled(error) : 0;
}

/* ---- unlock ------------------------------------------------------------------------------- */

/* The queue's head that was not cancelled, out of the queue; NULL: nobody. */
static struct gofer_sync_waiter *claim(go_mutex *m)
{
    if (!m->waiters)
        return NULL;
    struct gofer_sync_waiter *waiter = gofer_waiters_claim(&m->waiters);
    forget_if_empty(m);
    return waiter;
}

/* Wakes the queue's head: with the mutex if somebody starves, else to compete for it. */
static gofer_cold void pass_on(go_mutex *m)
{
    struct lot *lot = lock_lot(m);
    uint32_t state = load_state(m), wanted = 0;
    if (!(state & LOCKED)) {
        gofer_spin_unlock(&lot->lock);
        gofer_fatal_misuse("sync: unlock of unlocked mutex");
    }
    struct gofer_sync_waiter *waiter = claim(m);
    gofer_g *g = waiter ? waiter->g : NULL;
    if (m->waiters)
        wanted = WAITERS;
    if (waiter && (state & STARVING)) {
        waiter->handed = true;
        wanted |= LOCKED;
        if (m->waiters && gofer_nanotime() - waiter->since > GOFER_STARVING_AFTER)
            wanted |= STARVING;
    }
    /* Nobody else writes while LOCKED is ours and the lot is locked; release: pairs with lock. */
    atomic_store_explicit(state_of(m), wanted, memory_order_release);
    gofer_spin_unlock(&lot->lock);
    if (g)
        gofer_ready(g);
}

void gofer_mutex_unlock_slow(go_mutex *m)
{
    uint32_t locked = LOCKED;
    if (gofer_unlikely(!atomic_compare_exchange_strong_explicit(
            state_of(m), &locked, 0, memory_order_release, memory_order_relaxed)))
        pass_on(m);
}

/* After the store that freed m, in a watched lot: if the store undid a waiter's WAITERS, sets it
 * again and wakes one to compete. m may be gone, or another mutex at the same place. Who takes the
 * lot's lock after us finds the mutex free; who took it before us is in the queue. */
gofer_cold void gofer_mutex_unlocked(const go_mutex *m)
{
    struct lot *lot = lock_lot(m);
    gofer_g *g = NULL;
    if (has_queue(lot, m)) {
        go_mutex *alive = (go_mutex *)(uintptr_t)m;
        struct gofer_sync_waiter *waiter = claim(alive);
        g = waiter ? waiter->g : NULL;
        if (alive->waiters)
            atomic_fetch_or_explicit(state_of(alive), WAITERS, memory_order_relaxed);
    }
    gofer_spin_unlock(&lot->lock);
    if (g)
        gofer_ready(g);
}

/* As in the header. */
void go_mutex_unlock(go_mutex *m)
{
    const uint8_t *watched = &gofer_mutex_watched[GOFER_MUTEX_LOT(m)];
    if (gofer_unlikely(__atomic_load_n(watched, __ATOMIC_RELAXED) || load_state(m) != LOCKED)) {
        gofer_mutex_unlock_slow(m);
        return;
    }
    atomic_store_explicit(state_of(m), 0, memory_order_release);
    gofer_compiler_barrier();
    if (gofer_unlikely(__atomic_load_n(watched, __ATOMIC_RELAXED)))
        gofer_mutex_unlocked(m);
}

/* go_waitgroup. state: the counter in the upper 32 bits, the number of waiters in the lower; one
 * atomic each for add and done. `waiters` is guarded by `lock`.
 *
 * Lifetime: the decrement to zero without waiters is the last access. With waiters, they sleep
 * until they are made ready one by one, and by then the group is no longer looked at. */
#include "gofer/sync.h"

#include "panic/panic.h"
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

static gofer_cold void wake_all(go_waitgroup *wg)
{
    /* Taking the lock waits for the last waiter to be queued. */
    gofer_spin_lock(lock_of(wg));
    struct gofer_sync_waiter *waiter = wg->waiters;
    wg->waiters = NULL;
    atomic_store_explicit(state_of(wg), 0, memory_order_release);
    gofer_spin_unlock(lock_of(wg));
    while (waiter) {
        struct gofer_sync_waiter *next = waiter->next;
        gofer_ready(waiter->g);
        waiter = next;
    }
}

void go_waitgroup_add(go_waitgroup *wg, int delta)
{
    /* acq_rel: what was done before Done is visible after Wait */
    uint64_t state = atomic_fetch_add_explicit(state_of(wg), (uint64_t)(int64_t)delta << 32,
                                               memory_order_acq_rel) +
                     ((uint64_t)(int64_t)delta << 32);
    int32_t count = count_in(state);
    if (gofer_unlikely(count < 0))
        gofer_panic_runtime("sync: negative WaitGroup counter");
    if (gofer_unlikely(waiters_in(state) != 0 && delta > 0 && count == delta))
        gofer_panic_runtime("sync: WaitGroup misuse: Add called concurrently with Wait");
    if (count > 0 || waiters_in(state) == 0)
        return;
    wake_all(wg);
}

void go_waitgroup_done(go_waitgroup *wg)
{
    go_waitgroup_add(wg, -1);
}

void go_waitgroup_wait(go_waitgroup *wg)
{
    /* pairs with the release in go_waitgroup_add */
    if (count_in(atomic_load_explicit(state_of(wg), memory_order_acquire)) == 0)
        return;
    struct gofer_sync_waiter waiter = { .g = gofer_self() };
    gofer_prepare_park(waiter.g, GOFER_WAIT_WAITGROUP);
    gofer_spin_lock(lock_of(wg));
    uint64_t state = atomic_load_explicit(state_of(wg), memory_order_acquire);
    do {
        if (count_in(state) == 0) {
            gofer_spin_unlock(lock_of(wg));
            gofer_cancel_park(waiter.g);
            return;
        }
    } while (!atomic_compare_exchange_weak_explicit(state_of(wg), &state, state + 1,
                                                    memory_order_acq_rel, memory_order_acquire));
    gofer_waiters_push(&wg->waiters, &waiter);
    gofer_spin_unlock(lock_of(wg));
    gofer_park(waiter.g);
}

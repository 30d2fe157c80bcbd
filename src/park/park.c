/* See park.h. */
#include "park/park.h"

void gofer_cancel_park(gofer_g *self)
{
    gofer_state_set(self, GOFER_RUNNING);
}

void gofer_park_thread(gofer_g *self)
{
    gofer_fork_check();
    gofer_state_leaves_running(self, GOFER_WAITING); /* or RUNNABLE already: gofer_wake_thread */
    /* pairs with the release in gofer_wake_thread */
    while (atomic_load_explicit(&self->wake, memory_order_acquire) == 0)
        gofer_futex_wait(&self->wake, 0, -1);
    gofer_state_set(self, GOFER_RUNNING);
}

/* The futex's address may be unmapped by the time of the wake: harmless for FUTEX_WAKE, which
 * looks the address up by value; a spurious wake-up is one that every waiter bears. */
void gofer_wake_thread(gofer_g *g)
{
    gofer_state_set(g, GOFER_RUNNABLE);
    atomic_fetch_add_explicit(&gofer_sched.thread_wakes, 1, memory_order_seq_cst);
    atomic_store_explicit(&g->wake, 1, memory_order_release);
    gofer_futex_wake(&g->wake, 1);
}

void gofer_settle(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

/* A goroutine's life: the only file that assigns a state.
 *
 *   from      to        by whom, and when
 *   DEAD      RUNNABLE  its creator, before the goroutine enters a run queue (born)
 *   RUNNABLE  RUNNING   the thread that took it from a queue, before the switch (resumed)
 *   RUNNING   RUNNABLE  itself: go_gosched, or it found its processor handed off (yields)
 *   RUNNING   WAITING   itself, before it is findable (waits)
 *   WAITING   RUNNABLE  who took it out of the wait queue, before it enters a run queue (woken)
 *   WAITING   RUNNING   itself: it need not wait after all (resumed)
 *   RUNNING   DETACHED  the monitor, handing its processor off while it runs foreign code
 *   DETACHED  RUNNING   itself, having got a processor at its next call into the runtime
 *   DETACHED  RUNNABLE, WAITING   as from RUNNING
 *   RUNNING   DEAD      itself, having left every structure but its stack (ends)
 *
 * A plain thread's stand-in is WAITING only once it was made findable and has nothing else to do:
 * the deadlock check takes a thread that waits for one that wakes nobody. So its waker may find it
 * RUNNING, and the thread does not wait then.
 *
 * States are atomics only because dumps and the monitor read them; who may write one is said
 * above, and each hand-over goes through a queue with its own lock or the freeze protocol. */
#ifndef GOFER_SRC_STATE_H
#define GOFER_SRC_STATE_H

#include "sched/sched.h"

static inline enum gofer_state gofer_state_of(const gofer_g *g)
{
    return (enum gofer_state)atomic_load_explicit(&g->state, memory_order_relaxed);
}

static inline void gofer_state_set(gofer_g *g, enum gofer_state state)
{
    atomic_store_explicit(&g->state, (uint8_t)state, memory_order_relaxed);
}

/* RUNNING to `to`, unless somebody else was faster: the monitor detaches a goroutine that may have
 * said already that it waits; a plain thread may have been woken before it waited. */
static inline void gofer_state_leaves_running(gofer_g *g, enum gofer_state to)
{
    uint8_t running = GOFER_RUNNING;
    /* acq_rel: what led to the state before is visible to whoever reads this one */
    atomic_compare_exchange_strong_explicit(&g->state, &running, (uint8_t)to, memory_order_acq_rel,
                                            memory_order_relaxed);
}

static inline void gofer_state_waits(gofer_g *g, enum gofer_reason reason)
{
    atomic_store_explicit(&g->reason, (uint8_t)reason, memory_order_relaxed);
    gofer_state_set(g, GOFER_WAITING);
}

#endif

/* The one primitive on which everything blocks and wakes.
 *
 * To wait: make yourself findable (a wait queue, a timer), then gofer_park. To wake: be the one
 * who took the waiter out of where it was findable, then gofer_ready: exactly once for each park.
 * The wake may come before the park; it is not lost. */
#ifndef GOFER_SRC_PARK_H
#define GOFER_SRC_PARK_H

#include "panic/panic.h"
#include "sched/sched.h"
#include "sched/state.h"

/* The calling goroutine, or the calling plain thread's stand-in. Never NULL. */
static inline gofer_g *gofer_self(void)
{
    return gofer_m_attached()->g;
}

/* For a plain thread, which is WAITING only in gofer_park_thread. */
GOFER_UNSEEN static inline void gofer_prepare_park_thread(gofer_g *self, enum gofer_reason reason)
{
    atomic_store_explicit(&self->wake, 0, memory_order_relaxed);
    atomic_store_explicit(&self->reason, (uint8_t)reason, memory_order_relaxed);
    /* pairs with gofer_plain_threads_wait: who finds what it waits for sees the reason */
    atomic_thread_fence(memory_order_release);
}

/* Says that the caller is about to wait. Must come before it is made findable. */
GOFER_UNSEEN static inline void gofer_prepare_park(gofer_g *self, enum gofer_reason reason)
{
    gofer_check_jumps(self, __builtin_frame_address(0));
    self->waiting_since = atomic_load_explicit(&gofer_sched.coarse_now, memory_order_relaxed);
    if (gofer_unlikely(self->is_thread))
        gofer_prepare_park_thread(self, reason);
    else
        gofer_state_waits(self, reason);
}

/* Takes gofer_prepare_park back: the caller found, before it was findable by anybody or after it
 * made itself unfindable again, that it need not wait. */
void gofer_cancel_park(gofer_g *self);

void gofer_park_thread(gofer_g *self);
GOFER_UNSEEN static inline void gofer_park_by(gofer_g *self, void (*schedule_away)(void))
{
    if (gofer_unlikely(self->is_thread))
        gofer_park_thread(self);
    else
        schedule_away();
    GOFER_TSAN_ACQUIRE(self);
}

/* Waits until gofer_ready(self). */
static inline void gofer_park(gofer_g *self)
{
    gofer_park_by(self, gofer_schedule_away_parked);
}

/* The same for functions that gofer_jumps_back. */
static inline void gofer_park_jumping(gofer_g *self)
{
    gofer_park_by(self, gofer_schedule_away_jumping);
}

/* Wakes a waiter. The waiter's stack and what lies on it may be gone as soon as this is called. */
void gofer_wake_thread(gofer_g *g);
GOFER_UNSEEN static inline void gofer_ready_at(gofer_g *g, bool front)
{
    bool is_thread = g->is_thread; /* read before the release: a thread may end once it is awake */
    GOFER_TSAN_RELEASE(g);
    if (gofer_unlikely(is_thread))
        gofer_wake_thread(g);
    else
        gofer_enqueue(g, front);
}

static inline void gofer_ready(gofer_g *g) /* it runs next here: Go's ready */
{
    gofer_ready_at(g, true);
}

static inline void gofer_ready_last(gofer_g *g) /* it runs after those that are ready already */
{
    gofer_ready_at(g, false);
}

/* What the caller did before is seen by all before it looks again, as if it did both under locks:
 * of two that each leave something and then look at what the other left, one finds it. A function,
 * for TSan knows no fences. */
void gofer_settle(void);

#endif

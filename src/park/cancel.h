/* Being woken by more than one: claims, and cancellation built on them.
 *
 * A waiter that several may wake (a select, a wait with a timeout or a context) says so where it is
 * queued, calls gofer_prepare_claim before it is findable, and is made ready only by who won
 * gofer_claim. Who lost leaves it alone and goes on to the next waiter.
 *
 * A gofer_cancel is a source of cancellation: a context has one. gofer_park_cancellable waits for
 * a claim by anybody, the source among them, so each blocking call that can be cancelled is: queue
 * yourself as claimable, park so, and where it returns an error take yourself out of the queue. */
#ifndef GOFER_SRC_CANCEL_H
#define GOFER_SRC_CANCEL_H

#include "park/park.h"

typedef struct gofer_cancel_watch gofer_cancel_watch;

/* All zero: not cancelled. */
typedef struct gofer_cancel {
    gofer_spin lock;   /* guards all below; errors are peeked at */
    _Atomic int error; /* 0, or why it was cancelled, as errno has it; set once */
    gofer_cancel_watch *watches;
} gofer_cancel;

GOFER_UNSEEN static inline void gofer_prepare_claim(gofer_g *self)
{
    atomic_store_explicit(&self->selected, 0, memory_order_relaxed);
    self->woken_by = NULL;
}

/* True: the caller, and nobody else, makes g ready; `by` is what g finds in woken_by. acq_rel: what
 * the claimant wrote for g before is ordered by gofer_ready; the losers see who won. */
GOFER_UNSEEN static inline bool gofer_claim(gofer_g *g, void *by)
{
    uint32_t unclaimed = 0;
    if (!atomic_compare_exchange_strong_explicit(&g->selected, &unclaimed, 1, memory_order_acq_rel,
                                                 memory_order_relaxed))
        return false;
    g->woken_by = by;
    return true;
}

/* Cancels for good: everybody who waits with this source is claimed and made ready. Later calls do
 * nothing. From any thread; takes the source's lock alone. */
void gofer_cancel_fire(gofer_cancel *source, int error);

/* The same in two steps, for who guards more by the source's lock: the first with the lock held,
 * for a source that is not cancelled yet; the second, with no lock held, makes ready whom the first
 * claimed. */
gofer_cancel_watch *gofer_cancel_claim_all(gofer_cancel *source, int error);
void gofer_cancel_ready_all(gofer_cancel_watch *claimed);

static inline int gofer_cancel_error(const gofer_cancel *source)
{
    /* pairs with the release in gofer_cancel_claim_all */
    int error = source ? atomic_load_explicit(&source->error, memory_order_acquire) : 0;
    if (gofer_unlikely(error))
        GOFER_TSAN_ACQUIRE((void *)(uintptr_t)source);
    return error;
}

/* In gofer_park's place, for one that is queued as claimable: 0 where somebody claimed and woke it,
 * else the error of the source, which may be NULL, and nobody else will wake it any more. */
int gofer_park_cancellable(gofer_g *self, gofer_cancel *source);

#endif

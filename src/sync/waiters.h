/* A first-in, first-out queue of goroutines that wait for one thing. The records lie on the
 * waiters' own stacks; whoever owns the queue says by what lock it is guarded, and holds it for
 * each call here.
 *
 * A waiter with a source of cancellation is claimable: who pops it must win the claim before, so
 * gofer_waiters_claim leaves out those that were cancelled. Such a waiter takes itself out of the
 * queue, where it still is there, before its call returns. A waiter that was popped is only made
 * ready; its record may be gone right after that. */
#ifndef GOFER_SRC_SYNC_WAITERS_H
#define GOFER_SRC_SYNC_WAITERS_H

#include "park/cancel.h"
#include "park/park.h"

/* One that has waited so long, in nanoseconds, gets the thing next: Go's rule. */
enum { GOFER_STARVING_AFTER = 1000000 };

struct gofer_sync_waiter {
    gofer_g *g;
    struct gofer_sync_waiter *next, *previous;
    struct gofer_sync_waiter *last; /* kept right in the head alone */
    int64_t since;
    int64_t weight; /* how much it waits for */
    bool claimable; /* the waker must win gofer_claim first */
    bool queued;
    bool handed; /* the thing is the waiter's already */
};

static inline void gofer_waiters_push(void **head, struct gofer_sync_waiter *waiter)
{
    struct gofer_sync_waiter *first = *head;
    waiter->next = NULL;
    waiter->queued = true;
    if (first) {
        waiter->previous = first->last;
        first->last->next = waiter;
        first->last = waiter;
    } else {
        waiter->previous = NULL;
        waiter->last = waiter;
        *head = waiter;
    }
}

static inline void gofer_waiters_push_front(void **head, struct gofer_sync_waiter *waiter)
{
    struct gofer_sync_waiter *first = *head;
    waiter->next = first;
    waiter->previous = NULL;
    waiter->queued = true;
    waiter->last = first ? first->last : waiter;
    if (first)
        first->previous = waiter;
    *head = waiter;
}

static inline void gofer_waiters_remove(void **head, struct gofer_sync_waiter *waiter)
{
    struct gofer_sync_waiter *first = *head;
    if (!waiter->queued)
        return;
    waiter->queued = false;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else if (waiter != first)
        first->last = waiter->previous;
    if (waiter->previous) {
        waiter->previous->next = waiter->next;
    } else {
        *head = waiter->next;
        if (waiter->next)
            waiter->next->last = first->last;
    }
}

static inline struct gofer_sync_waiter *gofer_waiters_pop(void **head)
{
    struct gofer_sync_waiter *first = *head;
    if (!first)
        return NULL;
    first->queued = false;
    if (first->next) {
        first->next->last = first->last;
        first->next->previous = NULL;
    }
    *head = first->next;
    return first;
}

/* The caller, and nobody else, makes the waiter ready. */
static inline bool gofer_waiter_claim(struct gofer_sync_waiter *waiter)
{
    return !waiter->claimable || gofer_claim(waiter->g, waiter);
}

/* The first waiter that is not cancelled, popped and claimed, or NULL. */
static inline struct gofer_sync_waiter *gofer_waiters_claim(void **head)
{
    struct gofer_sync_waiter *waiter;
    while ((waiter = gofer_waiters_pop(head)) && !gofer_waiter_claim(waiter))
        ;
    return waiter;
}

/* Says that the caller will wait; before it is pushed. */
static inline void gofer_waiter_prepare(struct gofer_sync_waiter *waiter, gofer_cancel *source,
                                        enum gofer_reason reason)
{
    waiter->claimable = source != NULL;
    if (source)
        gofer_prepare_claim(waiter->g);
    gofer_prepare_park(waiter->g, reason);
}

/* A list of claimed waiters through `next`, to be made ready when no lock is held any more. */
struct gofer_sync_batch {
    struct gofer_sync_waiter *first, *last;
};

static inline void gofer_batch_add(struct gofer_sync_batch *batch, struct gofer_sync_waiter *waiter)
{
    waiter->next = NULL;
    if (batch->last)
        batch->last->next = waiter;
    else
        batch->first = waiter;
    batch->last = waiter;
}

/* In their order; the last thing that is done for each. */
static inline void gofer_batch_ready(const struct gofer_sync_batch *batch)
{
    struct gofer_sync_waiter *waiter = batch->first;
    while (waiter) {
        struct gofer_sync_waiter *next = waiter->next;
        gofer_ready(waiter->g);
        waiter = next;
    }
}

#endif

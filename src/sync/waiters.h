/* A first-in, first-out queue of goroutines that wait for one thing. The records lie on the
 * waiters' own stacks; whoever owns the queue says by what lock it is guarded. */
#ifndef GOFER_SRC_SYNC_WAITERS_H
#define GOFER_SRC_SYNC_WAITERS_H

#include "park/park.h"

struct gofer_sync_waiter {
    gofer_g *g;
    struct gofer_sync_waiter *next, *last; /* last: kept right in the head alone */
    int64_t since;
    bool handed; /* the thing is the waiter's already */
};

static inline void gofer_waiters_push(void **head, struct gofer_sync_waiter *waiter)
{
    struct gofer_sync_waiter *first = *head;
    waiter->next = NULL;
    if (first) {
        first->last->next = waiter;
        first->last = waiter;
    } else {
        waiter->last = waiter;
        *head = waiter;
    }
}

static inline void gofer_waiters_push_front(void **head, struct gofer_sync_waiter *waiter)
{
    struct gofer_sync_waiter *first = *head;
    waiter->next = first;
    waiter->last = first ? first->last : waiter;
    *head = waiter;
}

static inline struct gofer_sync_waiter *gofer_waiters_pop(void **head)
{
    struct gofer_sync_waiter *first = *head;
    if (!first)
        return NULL;
    if (first->next)
        first->next->last = first->last;
    *head = first->next;
    return first;
}

#endif

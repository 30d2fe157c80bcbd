/* A channel, as chan.c and select.c see it.
 *
 * One spin lock guards all fields but the constant ones, the references too. While it is free: of
 * recvq and sendq at least one is empty, unless one select waits in both; if the buffer holds a
 * value, no receiver waits; if it has room, no sender waits. Waiters queue first in, first out;
 * their records lie on their own stacks.
 *
 * Lifetime. A verb's last access to the channel is the release of its lock, and a waiter is made
 * ready only after that; so who observed the event that a verb brought about (took the lock after
 * it, or was made ready by it) may drop the last reference. A waiter is woken out of the queue and
 * does not look at the channel again. A select waits in several: each of its waiters holds a
 * reference, which who claims one of them takes back for it, and the select the others. */
#ifndef GOFER_SRC_CHAN_H
#define GOFER_SRC_CHAN_H

#include "gofer/chan.h"
#include "park/cancel.h"

struct gofer_chan;

/* One waiter in one queue. */
typedef struct gofer_waiter {
    gofer_g *g;
    void *value; /* send: where the value is; receive: where it goes, or NULL */
    struct gofer_waiter *next, *previous;
    struct gofer_chan *chan;
    uint32_t index; /* select: which case */
    bool claimable; /* the waker must win gofer_claim first */
    bool queued;
    bool success; /* set by the waker: a value was passed, not the channel closed */
} gofer_waiter;

typedef struct gofer_waitq {
    gofer_waiter
        *_Atomic first; /* peeked at without the lock; relaxed, as what it points at is not */
    gofer_waiter *last;
} gofer_waitq;

typedef struct gofer_chan {
    gofer_spin lock;
    _Atomic uint32_t closed;
    _Atomic size_t count; /* values in the buffer; peeked at without the lock */
    size_t capacity;      /* constant */
    size_t size;          /* constant: bytes an element takes in the buffer, 0 for go_unit */
    size_t element;       /* constant: sizeof the element, to check callers */
    size_t head, tail;    /* where in the buffer the next value is taken and put, in bytes */
    size_t end;           /* constant: the buffer's size, in bytes */
    gofer_waitq recvq, sendq;
    uint32_t references;
    bool moves;        /* constant: one move copies an element: of 0, 4 or 8 bytes */
    bool hides_buffer; /* constant: a timer's: its length and capacity show as 0 */
    void *block;       /* constant: what is freed with the last reference */
    _Alignas(16) char buffer[];
} gofer_chan;

/* What an attempt under the lock came to. */
enum gofer_attempt {
    GOFER_BLOCKS, /* it would have to wait */
    GOFER_PASSED,
    GOFER_IS_CLOSED, /* receive: zero value; send: the caller panics */
};

static inline gofer_waiter *gofer_waitq_first(const gofer_waitq *queue)
{
    return atomic_load_explicit(&queue->first, memory_order_relaxed);
}

static inline void gofer_waitq_set_first(gofer_waitq *queue, gofer_waiter *waiter)
{
    atomic_store_explicit(&queue->first, waiter, memory_order_relaxed);
}

/* The lock is held. False: an attempt would block. */
static inline bool gofer_chan_can_send(const gofer_chan *c)
{
    return gofer_waitq_first(&c->recvq) || atomic_load_explicit(&c->closed, memory_order_relaxed) ||
           atomic_load_explicit(&c->count, memory_order_relaxed) < c->capacity;
}

static inline bool gofer_chan_can_recv(const gofer_chan *c)
{
    return gofer_waitq_first(&c->sendq) || atomic_load_explicit(&c->closed, memory_order_relaxed) ||
           atomic_load_explicit(&c->count, memory_order_relaxed) > 0;
}

/* The lock is held; *ready is who must be made ready after it was released, or NULL. */
enum gofer_attempt gofer_chan_attempt_send(gofer_chan *c, const void *value, gofer_g **ready);
enum gofer_attempt gofer_chan_attempt_recv(gofer_chan *c, void *value, gofer_g **ready);

/* Without the lock, as Go does: an answer was true at some moment of the call. A closed channel
 * neither opens nor becomes unready, so it is enough that it was open before it was found unready,
 * or after. Who shall believe that it would block looks twice, with
 * gofer_settle in between. */
static inline bool gofer_chan_send_would_block(const gofer_chan *c)
{
    if (atomic_load_explicit(&c->closed, memory_order_acquire))
        return false;
    return c->capacity ? atomic_load_explicit(&c->count, memory_order_relaxed) == c->capacity
                       : gofer_waitq_first(&c->recvq) == NULL;
}

static inline bool gofer_chan_is_empty(const gofer_chan *c)
{
    return c->capacity ? atomic_load_explicit(&c->count, memory_order_acquire) == 0
                       : atomic_load_explicit(&c->sendq.first, memory_order_acquire) == NULL;
}

/* Without the lock: GOFER_BLOCKS; GOFER_IS_CLOSED, and then it is empty for good and an attempt
 * needs no lock; or, GOFER_PASSED, it must be attempted. */
static inline enum gofer_attempt gofer_chan_peek_recv(const gofer_chan *c)
{
    if (!gofer_chan_is_empty(c))
        return GOFER_PASSED;
    /* pairs with the release in go_close */
    if (!atomic_load_explicit(&c->closed, memory_order_acquire))
        return GOFER_BLOCKS;
    return gofer_chan_is_empty(c) ? GOFER_IS_CLOSED : GOFER_PASSED;
}

/* The lock is held. */
static inline void gofer_waitq_push(gofer_waitq *queue, gofer_waiter *waiter)
{
    waiter->next = NULL;
    waiter->previous = queue->last;
    if (queue->last)
        queue->last->next = waiter;
    else
        gofer_waitq_set_first(queue, waiter);
    queue->last = waiter;
    waiter->queued = true;
}

static inline void gofer_waitq_remove(gofer_waitq *queue, gofer_waiter *waiter)
{
    if (!waiter->queued)
        return;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        gofer_waitq_set_first(queue, waiter->next);
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        queue->last = waiter->previous;
    waiter->queued = false;
}

/* Makes a channel of go_unit, unbuffered, with one reference, in memory that is part of `block`. */
void gofer_chan_place(gofer_chan *c, void *block);

/* Puts a value in the buffer or a waiting receiver's hands; does nothing where that is not possible
 * at once, or the channel is closed. For timers: makes the receiver ready behind the others. */
void gofer_chan_offer(gofer_chan *c, const void *value);

/* Takes back what gofer_chan_offer left in the buffer. False: there was nothing. */
bool gofer_chan_withdraw(gofer_chan *c);

/* go_send and go_recv_ok that the source, which may be NULL, cuts short: -1 and its error as errno,
 * at once where it is cancelled already. Else 0; 1 for a value and 0 for closed. */
int gofer_chan_send_cancellable(gofer_chan *c, const void *value, size_t size,
                                gofer_cancel *source);
int gofer_chan_recv_cancellable(gofer_chan *c, void *value, size_t size, gofer_cancel *source);

/* Drops one reference; the last one frees the channel. */
void gofer_chan_release(gofer_chan *c);

/* Whether somebody waits for a value. Takes the lock. */
bool gofer_chan_has_receivers(gofer_chan *c);

/* Whether the caller's reference is the only one. Takes the lock. */
bool gofer_chan_is_alone(gofer_chan *c);

/* Fatal where `size` is not the channel's element size. */
void gofer_chan_check(const gofer_chan *c, size_t size, const char *verb);

#endif

/* Channels: make, send, receive, close. See chan.h for the invariants. */
#include "chan/chan.h"

#include "panic/panic.h"
#include "park/cancel.h"

#define MOST_BYTES ((size_t)1 << 47)

/* ---- queues of waiters -------------------------------------------------------------------- */

/* Claims a waiter's wake-up. A select waits in several queues and may be claimed in one. */
static inline bool claim(gofer_chan *c, gofer_waiter *waiter)
{
    if (gofer_likely(!waiter->claimable))
        return true;
    if (!gofer_claim(waiter->g, waiter))
        return false;
    c->references--; /* the waiter's; the caller has one of its own */
    return true;
}

/* The first waiter that could be claimed, out of the queue; those claimed elsewhere are dropped. */
static inline gofer_waiter *take_waiter(gofer_chan *c, gofer_waitq *queue)
{
    gofer_waiter *waiter;
    while ((waiter = gofer_waitq_first(queue))) {
        gofer_waitq_set_first(queue, waiter->next);
        if (waiter->next)
            waiter->next->previous = NULL;
        else
            queue->last = NULL;
        waiter->queued = false;
        if (gofer_likely(claim(c, waiter)))
            return waiter;
    }
    return NULL;
}

/* ---- the buffer --------------------------------------------------------------------------- */

static size_t buffered(const gofer_chan *c)
{
    return atomic_load_explicit(&c->count, memory_order_relaxed);
}

static void set_buffered(gofer_chan *c, size_t count)
{
    atomic_store_explicit(&c->count, count, memory_order_relaxed);
}

static void copy_value(void *to, const void *from, size_t size)
{
    /* Hides what `to` points at: a compiler that sees a whole program takes the moves for other
     * sizes as overflows. */
    __asm__("" : "+r"(to));
    /* the common sizes as single moves */
    if (size == 8)
        memcpy(to, from, 8);
    else if (size == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, size);
}

/* A go_unit has no bytes to copy, but its variable shall have a value. */
static void pass(const gofer_chan *c, void *to, const void *from)
{
    if (to && c->size)
        copy_value(to, from, c->size);
    else if (to)
        *(char *)to = 0;
}

static void put(gofer_chan *c, const void *value)
{
    if (c->size)
        copy_value(c->buffer + c->tail * c->size, value, c->size);
    c->tail = c->tail + 1 == c->capacity ? 0 : c->tail + 1;
}

static void take(gofer_chan *c, void *value)
{
    pass(c, value, c->buffer + c->head * c->size);
    c->head = c->head + 1 == c->capacity ? 0 : c->head + 1;
}

static void zero(const gofer_chan *c, void *value)
{
    if (value)
        memset(value, 0, c->element);
}

static bool is_closed(const gofer_chan *c)
{
    return atomic_load_explicit(&c->closed, memory_order_relaxed) != 0;
}

/* ---- attempts ----------------------------------------------------------------------------- */

/* Inlined into the verbs, where most of it folds away. */
static gofer_inline enum gofer_attempt attempt_send(gofer_chan *c, const void *value,
                                                    gofer_g **ready)
{
    *ready = NULL;
    if (gofer_unlikely(is_closed(c)))
        return GOFER_IS_CLOSED;
    gofer_waiter *receiver = take_waiter(c, &c->recvq);
    if (receiver) {
        pass(c, receiver->value, value);
        receiver->success = true;
        *ready = receiver->g;
        return GOFER_PASSED;
    }
    size_t count = buffered(c);
    if (count == c->capacity)
        return GOFER_BLOCKS;
    put(c, value);
    set_buffered(c, count + 1);
    return GOFER_PASSED;
}

static gofer_inline enum gofer_attempt attempt_recv(gofer_chan *c, void *value, gofer_g **ready)
{
    *ready = NULL;
    size_t count = buffered(c);
    gofer_waiter *sender = take_waiter(c, &c->sendq);
    if (sender) {
        if (c->capacity) {
            take(c, value); /* the oldest value is ours, the oldest sender's goes to the end */
            put(c, sender->value);
        } else {
            pass(c, value, sender->value);
        }
        sender->success = true;
        *ready = sender->g;
        return GOFER_PASSED;
    }
    if (count) {
        take(c, value);
        set_buffered(c, count - 1);
        return GOFER_PASSED;
    }
    if (!is_closed(c))
        return GOFER_BLOCKS;
    zero(c, value);
    return GOFER_IS_CLOSED;
}

enum gofer_attempt gofer_chan_attempt_send(gofer_chan *c, const void *value, gofer_g **ready)
{
    return attempt_send(c, value, ready);
}

enum gofer_attempt gofer_chan_attempt_recv(gofer_chan *c, void *value, gofer_g **ready)
{
    return attempt_recv(c, value, ready);
}

/* ---- the verbs ---------------------------------------------------------------------------- */

gofer_cold static _Noreturn void block_for_ever(enum gofer_reason reason)
{
    gofer_g *self = gofer_self();
    for (;;) {
        gofer_prepare_park(self, reason);
        gofer_park(self);
    }
}

/* Inlined, the call is one compare in each verb. */
static inline void check(const gofer_chan *c, size_t size, const char *verb)
{
    if (gofer_unlikely(c->element != size))
        gofer_chan_check(c, size, verb);
}

gofer_cold void gofer_chan_check(const gofer_chan *c, size_t size, const char *verb)
{
    if (c->element != size)
        gofer_fatal("%s: an element of %zu bytes on a channel whose elements have %zu", verb, size,
                    c->element);
}

/* The lock is held. Waits in the queue; true if a value was passed, false if the channel closed. */
static gofer_inline bool wait_in(gofer_chan *c, gofer_waitq *queue, void *value,
                                 enum gofer_reason reason)
{
    gofer_waiter waiter;
    gofer_g *self = gofer_self();
    waiter.g = self;
    waiter.value = value;
    waiter.claimable = false;
    waiter.success = false;
    gofer_prepare_park(self, reason);
    gofer_waitq_push(queue, &waiter);
    gofer_spin_unlock(&c->lock);
    gofer_park(self);
    return waiter.success;
}

void gofer_chan_send(void *handle, const void *value, size_t size)
{
    gofer_chan *c = handle;
    gofer_g *ready;
    union {
        const void *in;
        void *out;
    } slot = { value }; /* only read from: a sender's slot is never a destination */
    if (gofer_unlikely(!c))
        block_for_ever(GOFER_WAIT_CHAN_SEND_NIL);
    check(c, size, "go_send");
    gofer_spin_lock(&c->lock);
    enum gofer_attempt attempt = attempt_send(c, value, &ready);
    bool sent = attempt != GOFER_IS_CLOSED;
    if (attempt == GOFER_BLOCKS) {
        sent = wait_in(c, &c->sendq, slot.out, GOFER_WAIT_CHAN_SEND);
    } else {
        gofer_spin_unlock(&c->lock);
        if (ready)
            gofer_ready(ready);
    }
    if (gofer_unlikely(!sent))
        gofer_panic_runtime("send on closed channel");
}

int gofer_chan_recv(void *handle, void *value, size_t size)
{
    gofer_chan *c = handle;
    gofer_g *ready;
    if (gofer_unlikely(!c))
        block_for_ever(GOFER_WAIT_CHAN_RECV_NIL);
    check(c, size, "go_recv");
    gofer_spin_lock(&c->lock);
    enum gofer_attempt attempt = attempt_recv(c, value, &ready);
    if (attempt == GOFER_BLOCKS)
        return wait_in(c, &c->recvq, value, GOFER_WAIT_CHAN_RECV);
    gofer_spin_unlock(&c->lock);
    if (ready)
        gofer_ready(ready);
    return attempt == GOFER_PASSED;
}

enum go_status gofer_chan_try_send(void *handle, const void *value, size_t size)
{
    gofer_chan *c = handle;
    gofer_g *ready;
    if (gofer_unlikely(!c))
        return GO_WOULD_BLOCK;
    check(c, size, "go_try_send");
    if (gofer_chan_send_would_block(c))
        return GO_WOULD_BLOCK;
    gofer_spin_lock(&c->lock);
    enum gofer_attempt attempt = attempt_send(c, value, &ready);
    gofer_spin_unlock(&c->lock);
    if (ready)
        gofer_ready(ready);
    if (gofer_unlikely(attempt == GOFER_IS_CLOSED))
        gofer_panic_runtime("send on closed channel");
    return attempt == GOFER_PASSED ? GO_DONE : GO_WOULD_BLOCK;
}

enum go_status gofer_chan_try_recv(void *handle, void *value, size_t size)
{
    gofer_chan *c = handle;
    gofer_g *ready;
    if (gofer_unlikely(!c))
        return GO_WOULD_BLOCK;
    check(c, size, "go_try_recv");
    enum gofer_attempt attempt = gofer_chan_peek_recv(c);
    if (attempt == GOFER_PASSED) {
        gofer_spin_lock(&c->lock);
        attempt = attempt_recv(c, value, &ready);
        gofer_spin_unlock(&c->lock);
        if (ready)
            gofer_ready(ready);
    } else if (attempt == GOFER_IS_CLOSED) {
        zero(c, value);
    }
    static const enum go_status status[] = {
        [GOFER_BLOCKS] = GO_WOULD_BLOCK, [GOFER_PASSED] = GO_DONE, [GOFER_IS_CLOSED] = GO_CLOSED
    };
    return status[attempt];
}

void gofer_chan_offer(gofer_chan *c, const void *value)
{
    gofer_g *ready;
    gofer_spin_lock(&c->lock);
    attempt_send(c, value, &ready);
    gofer_spin_unlock(&c->lock);
    if (ready)
        gofer_ready_last(ready);
}

bool gofer_chan_withdraw(gofer_chan *c)
{
    gofer_spin_lock(&c->lock);
    bool had = buffered(c) > 0;
    set_buffered(c, 0);
    c->head = c->tail;
    gofer_spin_unlock(&c->lock);
    return had;
}

void go_signal(void *c)
{
    static const go_unit unit;
    gofer_chan_send(c, &unit, sizeof unit);
}

/* ---- make, close, count ------------------------------------------------------------------- */

static void make_in(gofer_chan *c, void *block, size_t size, size_t stored, size_t capacity)
{
    memset(c, 0, sizeof *c);
    c->capacity = capacity;
    c->size = stored;
    c->element = size;
    c->references = 1;
    c->block = block;
}

void gofer_chan_place(gofer_chan *c, void *block)
{
    make_in(c, block, sizeof(go_unit), 0, 0);
}

void *gofer_chan_make(size_t size, int64_t capacity, int unit)
{
    size_t stored = unit ? 0 : size;
    if (capacity < 0 || (stored && (uint64_t)capacity > MOST_BYTES / stored))
        gofer_panic_runtime("makechan: size out of range");
    gofer_chan *c = malloc(sizeof *c + stored * (size_t)capacity);
    if (!c) {
        errno = ENOMEM;
        return NULL;
    }
    make_in(c, c, size, stored, (size_t)capacity);
    return c;
}

/* All waiters leave the queue for a chain of their own: the channel may be gone once the first
 * one runs. They count as queued no more: a select that wakes takes its records out of queues, and
 * by then its neighbours in the chain may be gone. */
static void take_all(gofer_chan *c, gofer_waitq *queue, gofer_waitq *woken)
{
    gofer_waiter *waiter;
    while ((waiter = take_waiter(c, queue))) {
        waiter->success = false;
        gofer_waitq_push(woken, waiter);
        waiter->queued = false;
    }
}

void go_close(void *handle)
{
    gofer_chan *c = handle;
    gofer_waitq receivers = { NULL, NULL }, senders = { NULL, NULL };
    if (gofer_unlikely(!c))
        gofer_panic_runtime("close of nil channel");
    gofer_spin_lock(&c->lock);
    if (gofer_unlikely(is_closed(c))) {
        gofer_spin_unlock(&c->lock);
        gofer_panic_runtime("close of closed channel");
    }
    /* pairs with the acquires of those who look without the lock */
    atomic_store_explicit(&c->closed, 1, memory_order_release);
    take_all(c, &c->recvq, &receivers);
    take_all(c, &c->sendq, &senders);
    for (gofer_waiter *waiter = gofer_waitq_first(&receivers); waiter; waiter = waiter->next)
        zero(c, waiter->value);
    gofer_spin_unlock(&c->lock);
    for (gofer_waiter *waiter = gofer_waitq_first(&receivers), *next; waiter; waiter = next) {
        next = waiter->next;
        gofer_ready(waiter->g);
    }
    for (gofer_waiter *waiter = gofer_waitq_first(&senders), *next; waiter; waiter = next) {
        next = waiter->next;
        gofer_ready(waiter->g);
    }
}

size_t go_len(const void *handle)
{
    const gofer_chan *c = handle;
    return c && !c->hides_buffer ? buffered(c) : 0;
}

size_t go_cap(const void *handle)
{
    const gofer_chan *c = handle;
    return c && !c->hides_buffer ? c->capacity : 0;
}

void go_chan_ref(void *handle)
{
    gofer_chan *c = handle;
    if (!c)
        return;
    gofer_spin_lock(&c->lock);
    c->references++;
    gofer_spin_unlock(&c->lock);
}

bool gofer_chan_has_receivers(gofer_chan *c)
{
    gofer_spin_lock(&c->lock);
    bool has = gofer_waitq_first(&c->recvq) != NULL;
    gofer_spin_unlock(&c->lock);
    return has;
}

bool gofer_chan_is_alone(gofer_chan *c)
{
    gofer_spin_lock(&c->lock);
    bool alone = c->references == 1;
    gofer_spin_unlock(&c->lock);
    return alone;
}

/* Taking the lock also waits for who is still in the verb that brought about what we observed. */
void gofer_chan_release(gofer_chan *c)
{
    gofer_spin_lock(&c->lock);
    bool last = --c->references == 0;
    bool waited_for = gofer_waitq_first(&c->recvq) || gofer_waitq_first(&c->sendq);
    gofer_spin_unlock(&c->lock);
    if (!last)
        return;
    if (waited_for)
        gofer_fatal("go_chan_unref: the last reference to a channel on which goroutines wait");
    free(c->block);
}

void go_chan_unref(void *handle)
{
    if (handle)
        gofer_chan_release(handle);
}

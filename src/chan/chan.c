/* Channels: make, send, receive, close. See chan.h for the invariants. */
#include "chan/chan.h"

#include "panic/panic.h"
#include "park/cancel.h"
#include "time/timer.h"

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

/* How a channel's values are copied. */
struct width {
    size_t size; /* c->size */
    bool moves;  /* c->moves where it is a constant: true */
};

static gofer_inline struct width any_width(const gofer_chan *c)
{
    return (struct width){ c->size, false };
}

static gofer_inline void copy_value(void *to, const void *from, struct width width)
{
    /* Hides what `to` points at: a compiler that sees a whole program takes the moves for other
     * sizes as overflows. */
    __asm__("" : "+r"(to));
    if (width.size == 8)
        memcpy(to, from, 8);
    else if (width.size == 4 || width.moves)
        memcpy(to, from, 4);
    else
        memcpy(to, from, width.size);
}

/* A go_unit has no bytes to copy, but its variable shall have a value. */
static gofer_inline void pass(void *to, const void *from, struct width width)
{
    if (to && width.size)
        copy_value(to, from, width);
    else if (to)
        *(char *)to = 0;
}

static gofer_inline void put(gofer_chan *c, const void *value, struct width width)
{
    size_t at = c->tail;
    if (width.size)
        copy_value(c->buffer + at, value, width);
    at += width.size;
    c->tail = at == c->end ? 0 : at;
}

static gofer_inline void take(gofer_chan *c, void *value, struct width width)
{
    size_t at = c->head;
    pass(value, c->buffer + at, width);
    at += width.size;
    c->head = at == c->end ? 0 : at;
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

/* Inlined into the verbs. A receiver whose channel is closed still has to zero its value. */
static gofer_inline enum gofer_attempt attempt_send(gofer_chan *c, const void *value,
                                                    struct width width, gofer_g **ready)
{
    *ready = NULL;
    if (gofer_unlikely(is_closed(c)))
        return GOFER_IS_CLOSED;
    gofer_waiter *receiver = take_waiter(c, &c->recvq);
    if (receiver) {
        pass(receiver->value, value, width);
        receiver->success = true;
        *ready = receiver->g;
        return GOFER_PASSED;
    }
    size_t count = buffered(c);
    if (count == c->capacity)
        return GOFER_BLOCKS;
    put(c, value, width);
    set_buffered(c, count + 1);
    return GOFER_PASSED;
}

static gofer_inline enum gofer_attempt attempt_recv(gofer_chan *c, void *value, struct width width,
                                                    gofer_g **ready)
{
    *ready = NULL;
    size_t count = buffered(c);
    gofer_waiter *sender = take_waiter(c, &c->sendq);
    if (sender) {
        if (c->capacity) {
            take(c, value,
                 width); /* the oldest value is ours, the oldest sender's goes to the end */
            put(c, sender->value, width);
        } else {
            pass(value, sender->value, width);
        }
        sender->success = true;
        *ready = sender->g;
        return GOFER_PASSED;
    }
    if (count) {
        take(c, value, width);
        set_buffered(c, count - 1);
        return GOFER_PASSED;
    }
    return is_closed(c) ? GOFER_IS_CLOSED : GOFER_BLOCKS;
}

enum gofer_attempt gofer_chan_attempt_send(gofer_chan *c, const void *value, gofer_g **ready)
{
    return attempt_send(c, value, any_width(c), ready);
}

enum gofer_attempt gofer_chan_attempt_recv(gofer_chan *c, void *value, gofer_g **ready)
{
    enum gofer_attempt attempt = attempt_recv(c, value, any_width(c), ready);
    if (attempt == GOFER_IS_CLOSED)
        zero(c, value);
    return attempt;
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

gofer_cold static _Noreturn void panic_closed(void)
{
    gofer_panic_runtime("send on closed channel");
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
    gofer_park_jumping(self);
    return waiter.success;
}

static gofer_noinline gofer_jumps_back void wait_to_send(gofer_chan *c, const void *value)
{
    union {
        const void *in;
        void *out;
    } slot = { value }; /* only read from: a sender's slot is never a destination */
    if (gofer_unlikely(!wait_in(c, &c->sendq, slot.out, GOFER_WAIT_CHAN_SEND)))
        panic_closed();
}

/* A timer's channel; the lock is held, unless true is returned: something came. */
static gofer_cold bool catch_up(gofer_chan *c)
{
    gofer_spin_unlock(&c->lock);
    gofer_timers_catch_up();
    gofer_spin_lock(&c->lock);
    bool came = gofer_chan_can_recv(c);
    if (came)
        gofer_spin_unlock(&c->lock);
    return came;
}

static gofer_noinline gofer_jumps_back int wait_to_recv(gofer_chan *c, void *value)
{
    if (gofer_unlikely(c->hides_buffer) && catch_up(c))
        return gofer_chan_recv(c, value, c->element);
    return wait_in(c, &c->recvq, value, GOFER_WAIT_CHAN_RECV);
}

gofer_cold static int recv_closed(gofer_chan *c, void *value)
{
    zero(c, value);
    gofer_spin_unlock(&c->lock);
    return 0;
}

/* What is left of a verb after its attempt; the lock is held. */
static gofer_inline void finish_send(gofer_chan *c, const void *value, enum gofer_attempt attempt,
                                     gofer_g *ready)
{
    if (attempt == GOFER_BLOCKS) {
        wait_to_send(c, value);
        return;
    }
    gofer_spin_unlock(&c->lock);
    if (gofer_unlikely(attempt == GOFER_IS_CLOSED))
        panic_closed();
    if (ready)
        gofer_ready(ready);
}

static gofer_inline int finish_recv(gofer_chan *c, void *value, enum gofer_attempt attempt,
                                    gofer_g *ready)
{
    if (attempt == GOFER_BLOCKS)
        return wait_to_recv(c, value);
    if (gofer_unlikely(attempt == GOFER_IS_CLOSED))
        return recv_closed(c, value);
    gofer_spin_unlock(&c->lock);
    if (ready)
        gofer_ready(ready);
    return 1;
}

static gofer_noinline void send_any(gofer_chan *c, const void *value, size_t size)
{
    gofer_g *ready;
    if (gofer_unlikely(!c))
        block_for_ever(GOFER_WAIT_CHAN_SEND_NIL);
    check(c, size, "go_send");
    gofer_spin_lock(&c->lock);
    enum gofer_attempt attempt = attempt_send(c, value, any_width(c), &ready);
    finish_send(c, value, attempt, ready);
}

static gofer_noinline int recv_any(gofer_chan *c, void *value, size_t size)
{
    gofer_g *ready;
    if (gofer_unlikely(!c))
        block_for_ever(GOFER_WAIT_CHAN_RECV_NIL);
    check(c, size, "go_recv");
    gofer_spin_lock(&c->lock);
    enum gofer_attempt attempt = attempt_recv(c, value, any_width(c), &ready);
    return finish_recv(c, value, attempt, ready);
}

/* For the usual elements a verb makes no call that returns to it, and so saves no registers. */
static gofer_inline bool lock_usual(gofer_chan *c, size_t element, struct width *width)
{
    if (gofer_unlikely(!c || c->element != element || !c->moves))
        return false;
    *width = (struct width){ c->size, true };
    return gofer_likely(gofer_spin_try(&c->lock));
}

void gofer_chan_send(void *handle, const void *value, size_t element)
{
    gofer_chan *c = handle;
    gofer_g *ready;
    struct width width;
    if (gofer_unlikely(!lock_usual(c, element, &width))) {
        send_any(c, value, element);
        return;
    }
    enum gofer_attempt attempt = attempt_send(c, value, width, &ready);
    finish_send(c, value, attempt, ready);
}

int gofer_chan_recv(void *handle, void *value, size_t element)
{
    gofer_chan *c = handle;
    gofer_g *ready;
    struct width width;
    if (gofer_unlikely(!lock_usual(c, element, &width)))
        return recv_any(c, value, element);
    enum gofer_attempt attempt = attempt_recv(c, value, width, &ready);
    return finish_recv(c, value, attempt, ready);
}

enum go_status gofer_chan_try_send(void *handle, const void *value, size_t size)
{
    gofer_chan *c = handle;
    gofer_g *ready;
    if (gofer_unlikely(!c))
        return GO_WOULD_BLOCK;
    check(c, size, "go_try_send");
    if (gofer_chan_send_would_block(c)) {
        gofer_settle();
        if (gofer_chan_send_would_block(c))
            return GO_WOULD_BLOCK;
    }
    gofer_spin_lock(&c->lock);
    enum gofer_attempt attempt = attempt_send(c, value, any_width(c), &ready);
    gofer_spin_unlock(&c->lock);
    if (ready)
        gofer_ready(ready);
    if (gofer_unlikely(attempt == GOFER_IS_CLOSED))
        panic_closed();
    return attempt == GOFER_PASSED ? GO_DONE : GO_WOULD_BLOCK;
}

enum go_status gofer_chan_try_recv(void *handle, void *value, size_t size)
{
    gofer_chan *c = handle;
    gofer_g *ready;
    if (gofer_unlikely(!c))
        return GO_WOULD_BLOCK;
    check(c, size, "go_try_recv");
    if (gofer_unlikely(c->hides_buffer))
        gofer_timers_catch_up();
    enum gofer_attempt attempt = gofer_chan_peek_recv(c);
    if (attempt == GOFER_BLOCKS) {
        gofer_settle();
        attempt = gofer_chan_peek_recv(c);
    }
    if (attempt == GOFER_PASSED) {
        gofer_spin_lock(&c->lock);
        attempt = attempt_recv(c, value, any_width(c), &ready);
        gofer_spin_unlock(&c->lock);
        if (ready)
            gofer_ready(ready);
    }
    if (attempt == GOFER_IS_CLOSED)
        zero(c, value);
    static const enum go_status status[] = {
        [GOFER_BLOCKS] = GO_WOULD_BLOCK, [GOFER_PASSED] = GO_DONE, [GOFER_IS_CLOSED] = GO_CLOSED
    };
    return status[attempt];
}

void gofer_chan_offer(gofer_chan *c, const void *value)
{
    gofer_g *ready;
    gofer_spin_lock(&c->lock);
    attempt_send(c, value, any_width(c), &ready);
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
    c->end = stored * capacity;
    c->element = size;
    c->moves = stored == 0 || stored == 4 || stored == 8;
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

/* Send and receive that a source of cancellation cuts short. Such a waiter is claimable, as a
 * select's is, and holds a reference to its channel by the same rule (chan.h): who claims it takes
 * that back; it itself, where it was cancelled. */
#include "chan/chan.h"

#include "panic/panic.h"
#include "park/cancel.h"
#include "time/timer.h"

static int fail_cancelled(int error)
{
    *gofer_errno() = error;
    return -1;
}

/* Out of the queue: it was cancelled. */
static gofer_cold void withdraw_waiter(gofer_chan *c, gofer_waitq *queue, gofer_waiter *waiter)
{
    gofer_spin_lock(&c->lock);
    gofer_waitq_remove(queue, waiter);
    gofer_spin_unlock(&c->lock);
    gofer_chan_release(c);
}

/* The lock is held. 0, and waiter->success tells how it ended; or the source's error. */
static int wait_cancellable(gofer_chan *c, gofer_waitq *queue, gofer_waiter *waiter,
                            gofer_cancel *source, enum gofer_reason reason)
{
    waiter->chan = c;
    waiter->claimable = true;
    gofer_prepare_claim(waiter->g);
    gofer_prepare_park(waiter->g, reason);
    c->references++;
    gofer_waitq_push(queue, waiter);
    gofer_spin_unlock(&c->lock);
    int error = gofer_park_cancellable(waiter->g, source);
    if (error)
        withdraw_waiter(c, queue, waiter);
    return error;
}

/* A nil channel is never ready. */
static int wait_for_cancel(gofer_cancel *source, enum gofer_reason reason)
{
    gofer_g *self = gofer_self();
    int error;
    do {
        gofer_prepare_claim(self);
        gofer_prepare_park(self, reason);
        error = gofer_park_cancellable(self, source);
    } while (!error);
    return fail_cancelled(error);
}

int gofer_chan_send_cancellable(gofer_chan *c, const void *value, size_t size, gofer_cancel *source)
{
    gofer_g *ready;
    union {
        const void *in;
        void *out;
    } slot = { value }; /* only read from */
    int error = gofer_cancel_error(source);
    if (error)
        return fail_cancelled(error);
    if (gofer_unlikely(!c))
        return wait_for_cancel(source, GOFER_WAIT_CHAN_SEND_NIL);
    gofer_chan_check(c, size, "go_send_ctx");
    gofer_spin_lock(&c->lock);
    enum gofer_attempt attempt = gofer_chan_attempt_send(c, value, &ready);
    if (attempt == GOFER_BLOCKS) {
        gofer_waiter waiter = { .g = gofer_self(), .value = slot.out };
        error = wait_cancellable(c, &c->sendq, &waiter, source, GOFER_WAIT_CHAN_SEND);
        attempt = waiter.success ? GOFER_PASSED : GOFER_IS_CLOSED;
    } else {
        gofer_spin_unlock(&c->lock);
        if (ready)
            gofer_ready(ready);
    }
    if (error)
        return fail_cancelled(error);
    if (gofer_unlikely(attempt == GOFER_IS_CLOSED))
        gofer_panic_runtime("send on closed channel");
    return 0;
}

int gofer_chan_recv_cancellable(gofer_chan *c, void *value, size_t size, gofer_cancel *source)
{
    gofer_g *ready;
    int error = gofer_cancel_error(source);
    if (error)
        return fail_cancelled(error);
    if (gofer_unlikely(!c))
        return wait_for_cancel(source, GOFER_WAIT_CHAN_RECV_NIL);
    gofer_chan_check(c, size, "go_recv_ctx");
    if (gofer_unlikely(c->hides_buffer))
        gofer_timers_catch_up();
    gofer_spin_lock(&c->lock);
    enum gofer_attempt attempt = gofer_chan_attempt_recv(c, value, &ready);
    if (attempt == GOFER_BLOCKS) {
        gofer_waiter waiter = { .g = gofer_self(), .value = value };
        error = wait_cancellable(c, &c->recvq, &waiter, source, GOFER_WAIT_CHAN_RECV);
        return error ? fail_cancelled(error) : waiter.success;
    }
    gofer_spin_unlock(&c->lock);
    if (ready)
        gofer_ready(ready);
    return attempt == GOFER_PASSED;
}

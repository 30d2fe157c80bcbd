/* Waiting for a context's end: the channel, which is part of the context so that asking for it
 * cannot fail, and the wait without one. */
#include "context/context.h"

/* The lock is held. */
static void open_channel(gofer_canceller *c)
{
    gofer_chan_place(gofer_done_chan(c), c);
    bool over = gofer_cancel_error(&c->source) != 0;
    if (over)
        go_close(gofer_done_chan(c));
    atomic_store_explicit(&c->done, over ? GOFER_DONE_CLOSED : GOFER_DONE_OPEN,
                          memory_order_release);
}

go_chan(go_unit) go_context_done(go_context *ctx)
{
    gofer_canceller *c = gofer_context_given(ctx)->canceller;
    if (!c)
        return NULL;
    /* pairs with the release in open_channel */
    if (gofer_unlikely(atomic_load_explicit(&c->done, memory_order_acquire) ==
                       GOFER_DONE_UNASKED)) {
        gofer_spin_lock(&c->source.lock);
        if (atomic_load_explicit(&c->done, memory_order_relaxed) == GOFER_DONE_UNASKED)
            open_channel(c);
        gofer_spin_unlock(&c->source.lock);
    }
    return (void *)gofer_done_chan(c);
}

/* Nobody else claims the caller: only the source can end this. */
int go_context_wait(go_context *ctx)
{
    gofer_canceller *c = gofer_context_given(ctx)->canceller;
    gofer_g *self = gofer_self();
    while (go_context_err(ctx) == 0) {
        gofer_prepare_claim(self);
        gofer_prepare_park(self, c ? GOFER_WAIT_CHAN_RECV : GOFER_WAIT_CHAN_RECV_NIL);
        gofer_park_cancellable(self, c ? &c->source : NULL);
    }
    return go_context_err(ctx);
}

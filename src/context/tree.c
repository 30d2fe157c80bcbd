/* The tree of contexts: who is listed where, and how cancelling spreads. See context.h. */
#include "context/context.h"

/* Children that are taken over under one hold of the lock. */
enum { BATCH = 64 };

/* relaxed: who takes a reference has one, or the lock under which it will be looked for */
bool gofer_context_try_ref(go_context *ctx)
{
    uint32_t references = atomic_load_explicit(&ctx->references, memory_order_relaxed);
    while (references > 0)
        if (atomic_compare_exchange_weak_explicit(&ctx->references, &references, references + 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

bool gofer_context_enlist(gofer_cancellable *node, gofer_canceller *above)
{
    gofer_spin_lock(&above->source.lock);
    bool open = gofer_cancel_error(&above->source) == 0;
    if (open) {
        node->next = above->children;
        if (node->next)
            node->next->previous = node;
        above->children = node;
        atomic_store_explicit(&node->listed, true, memory_order_relaxed);
    }
    gofer_spin_unlock(&above->source.lock);
    return open;
}

/* The lock is held, and the node listed. */
static void unlist_locked(gofer_canceller *above, gofer_cancellable *node)
{
    if (node->previous)
        node->previous->next = node->next;
    else
        above->children = node->next;
    if (node->next)
        node->next->previous = node->previous;
    node->next = node->previous = NULL;
    /* release: whoever finds it unlisted may free it */
    atomic_store_explicit(&node->listed, false, memory_order_release);
}

void gofer_context_unlist(gofer_cancellable *node)
{
    /* pairs with the release in unlist_locked */
    if (!atomic_load_explicit(&node->listed, memory_order_acquire))
        return;
    gofer_canceller *above = node->context.parent->canceller;
    gofer_spin_lock(&above->source.lock);
    if (atomic_load_explicit(&node->listed, memory_order_relaxed))
        unlist_locked(above, node);
    gofer_spin_unlock(&above->source.lock);
}

/* ---- cancelling --------------------------------------------------------------------------- */

/* A stack through `next`, of nodes that are in no list, each with a reference. */
static void push(gofer_cancellable **pending, gofer_cancellable *node)
{
    node->next = *pending;
    *pending = node;
}

static gofer_cancellable *pop(gofer_cancellable **pending)
{
    gofer_cancellable *node = *pending;
    if (node) {
        *pending = node->next;
        node->next = NULL;
    }
    return node;
}

/* Moves children to `pending`, which so turns their order into that of their making; one that is
 * just being freed is let go. False: there are no more. */
static bool take_children(gofer_canceller *c, gofer_cancellable **pending)
{
    gofer_spin_lock(&c->source.lock);
    for (int i = 0; i < BATCH && c->children; i++) {
        gofer_cancellable *child = c->children;
        bool taken = gofer_context_try_ref(&child->context);
        c->children = child->next;
        if (child->next)
            child->next->previous = NULL;
        child->previous = NULL;
        if (taken)
            push(pending, child);
        /* as in unlist_locked; `next` is ours now only where it was taken */
        atomic_store_explicit(&child->listed, false, memory_order_release);
    }
    bool more = c->children != NULL;
    gofer_spin_unlock(&c->source.lock);
    return more;
}

/* The error, the channel and the claims: one step for all who look. */
static bool set_cancelled(gofer_canceller *c, int error, gofer_cause cause)
{
    gofer_spin_lock(&c->source.lock);
    if (gofer_cancel_error(&c->source) != 0) {
        gofer_spin_unlock(&c->source.lock);
        return false;
    }
    c->cause = cause;
    gofer_cancel_watch *claimed = gofer_cancel_claim_all(&c->source, error);
    if (atomic_load_explicit(&c->done, memory_order_relaxed) == GOFER_DONE_OPEN) {
        go_close(gofer_done_chan(c));
        atomic_store_explicit(&c->done, GOFER_DONE_CLOSED, memory_order_release);
    }
    gofer_spin_unlock(&c->source.lock);
    gofer_cancel_ready_all(claimed);
    return true;
}

static bool cancel_one(gofer_canceller *c, int error, gofer_cause cause,
                       gofer_cancellable **pending)
{
    if (!set_cancelled(c, error, cause))
        return false;
    gofer_context_stop_timer(c);
    while (take_children(c, pending))
        ;
    return true;
}

static void spread(gofer_cancellable *pending, int error, gofer_cause cause)
{
    for (gofer_cancellable *node; (node = pop(&pending));) {
        if (node->context.kind == GOFER_CONTEXT_AFTER)
            gofer_context_after_start(gofer_container(node, go_context_after, node));
        else
            cancel_one(gofer_canceller_of(node), error, cause, &pending);
        go_context_unref(&node->context);
    }
}

bool gofer_context_cancel_all(gofer_canceller *root, int error, gofer_cause cause)
{
    gofer_cancellable *pending = NULL;
    bool first = cancel_one(root, error, cause, &pending);
    spread(pending, error, cause);
    return first;
}

/* `above` is cancelled, and its error and cause do not change any more. */
void gofer_context_cancel_new(gofer_cancellable *node, const gofer_canceller *above)
{
    if (node->context.kind == GOFER_CONTEXT_AFTER)
        gofer_context_after_start(gofer_container(node, go_context_after, node));
    else
        gofer_context_cancel_all(gofer_canceller_of(node), gofer_cancel_error(&above->source),
                                 above->cause);
}

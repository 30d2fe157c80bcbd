/* The tree of contexts: who is listed where, and how cancelling spreads. See context.h. */
#include "context/context.h"

/* Children that are cancelled under one hold of their parent's lock. */
enum { MOST_AT_ONCE = 64 };

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
        node->previous = above->last;
        if (node->previous)
            node->previous->next = node;
        else
            above->children = node;
        above->last = node;
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
    else
        above->last = node->previous;
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

/* The lock is held: error, cause, channel and claims are one step for all who look. */
static gofer_cancel_watch *set_cancelled(gofer_canceller *c, int error, gofer_cause cause)
{
    c->cause = cause;
    gofer_cancel_watch *claimed = gofer_cancel_claim_all(&c->source, error);
    if (atomic_load_explicit(&c->done, memory_order_relaxed) == GOFER_DONE_OPEN) {
        go_close(gofer_done_chan(c));
        atomic_store_explicit(&c->done, GOFER_DONE_CLOSED, memory_order_release);
    }
    return claimed;
}

/* False: it was cancelled before. */
static bool cancel_one(gofer_canceller *c, int error, gofer_cause cause)
{
    gofer_cancel_watch *claimed = NULL;
    gofer_spin_lock(&c->source.lock);
    bool first = gofer_cancel_error(&c->source) == 0;
    if (first)
        claimed = set_cancelled(c, error, cause);
    gofer_spin_unlock(&c->source.lock);
    gofer_cancel_ready_all(claimed);
    if (first)
        gofer_context_stop_timer(c);
    return first;
}

/* The parent's lock is held, so a listed child is there even if its last reference is gone. True:
 * it is cancelled, and nothing else is to be done for it: nobody waits, nothing is below it. */
static bool cancel_leaf(gofer_cancellable *child, int error, gofer_cause cause)
{
    if (child->context.kind != GOFER_CONTEXT_CANCEL)
        return false;
    gofer_canceller *c = gofer_canceller_of(child);
    gofer_spin_lock(&c->source.lock);
    bool is_leaf = !c->children && !c->source.watches &&
                   atomic_load_explicit(&c->done, memory_order_relaxed) != GOFER_DONE_OPEN;
    if (is_leaf && gofer_cancel_error(&c->source) == 0)
        set_cancelled(c, error, cause);
    gofer_spin_unlock(&c->source.lock);
    return is_leaf;
}

/* The lock is held. Cancels leaves, and lets go who is just being freed; returns the first other
 * child, which stays listed, with a reference; or NULL, and *more tells whether there are more. */
static gofer_cancellable *take_child(gofer_canceller *c, bool *more)
{
    int error = gofer_cancel_error(&c->source);
    for (int i = 0; i < MOST_AT_ONCE && c->children; i++) {
        gofer_cancellable *child = c->children;
        if (!cancel_leaf(child, error, c->cause) && gofer_context_try_ref(&child->context))
            return child;
        unlist_locked(c, child);
    }
    *more = c->children != NULL;
    return NULL;
}

static gofer_cancellable *next_child(gofer_canceller *c)
{
    gofer_cancellable *child;
    bool more;
    do {
        more = false;
        gofer_spin_lock(&c->source.lock);
        child = take_child(c, &more);
        gofer_spin_unlock(&c->source.lock);
    } while (more);
    return child;
}

/* Goes down and up again by the links that the tree has: its depth may be any. A child is unlisted
 * when all below it is cancelled, not before. So whoever cancels what another is about to cancel
 * finds what is left, helps, and returns when it is done. */
bool gofer_context_cancel_all(gofer_canceller *root, int error, gofer_cause cause)
{
    gofer_canceller *c = root;
    bool first = cancel_one(root, error, cause);
    for (;;) {
        gofer_cancellable *child = next_child(c);
        if (child && child->context.kind != GOFER_CONTEXT_AFTER) {
            gofer_canceller *above = c;
            c = gofer_canceller_of(child);
            cancel_one(c, gofer_cancel_error(&above->source), above->cause);
            continue;
        }
        if (child) {
            gofer_context_after_start(gofer_container(child, go_context_after, node));
        } else if (c == root) {
            return first;
        } else {
            child = &c->node;
            c = child->context.parent->canceller;
        }
        gofer_context_unlist(child);
        go_context_unref(&child->context);
    }
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

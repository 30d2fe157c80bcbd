/* go_context_after: a call that starts when its context is cancelled. It is a node in the
 * canceller's list, as a context is, and holds a reference to its context. One reference to it is
 * the handle's, one belongs to the call as long as it is pending: who takes `state` from PENDING
 * gives that one back. */
#include "context/context.h"

#include "gofer/runtime.h"
#include "panic/panic.h"

enum after_state { AFTER_PENDING, AFTER_STARTED, AFTER_STOPPED };

/* acq_rel: who stopped it may take apart what fn would have used */
static bool decide(go_context_after *after, int state)
{
    int pending = AFTER_PENDING;
    return atomic_compare_exchange_strong_explicit(&after->state, &pending, state,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

/* Who calls holds a reference. */
void gofer_context_after_start(go_context_after *after)
{
    if (!decide(after, AFTER_STARTED))
        return;
    go_spawn(after->fn, after->arg);
    go_context_unref(&after->node.context);
}

go_context_after *go_context_after_func(go_context *ctx, void (*fn)(void *), void *arg)
{
    if (!fn)
        gofer_fatal("go of nil func value");
    go_context *parent = gofer_context_given(ctx);
    go_context_after *after = calloc(1, sizeof *after);
    if (!after) {
        *gofer_errno() = ENOMEM;
        return NULL;
    }
    after->node.context.parent = go_context_ref(parent);
    after->node.context.kind = GOFER_CONTEXT_AFTER;
    atomic_store_explicit(&after->node.context.alive, GOFER_CONTEXT_ALIVE, memory_order_relaxed);
    atomic_store_explicit(&after->node.context.references, 2, memory_order_relaxed);
    after->fn = fn;
    after->arg = arg;
    if (parent->canceller && !gofer_context_enlist(&after->node, parent->canceller))
        gofer_context_cancel_new(&after->node, parent->canceller);
    return after;
}

static go_context_after *given(go_context_after *after)
{
    gofer_context_given(&after->node.context);
    return after;
}

int go_context_after_stop(go_context_after *after)
{
    if (!decide(given(after), AFTER_STOPPED))
        return 0;
    gofer_context_unlist(&after->node);
    go_context_unref(&after->node.context);
    return 1;
}

void go_context_after_free(go_context_after *after)
{
    if (after)
        go_context_unref(&given(after)->node.context);
}

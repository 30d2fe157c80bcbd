/* A context, as the files of this room see it.
 *
 * Contexts form a tree; each knows its parent alone, by a reference that it holds. Three answers
 * that Go finds by walking up are kept as pointers instead, which cannot change: who cancels this
 * one (itself or an ancestor), the nearest one with a value, and the deadline.
 *
 * What can be cancelled is a canceller, which lists what it must cancel in turn: cancellers and
 * go_context_after's made of it or of contexts below that cancel nothing themselves. The list holds
 * no references; who frees a thing unlists it first. Once a canceller is cancelled its list only
 * shrinks, and when it is empty all below is cancelled.
 *
 * A canceller's source.lock guards its list, its children's `listed`, next and previous, its cause
 * (readable without once the error was seen), and the step to being cancelled: error, claims of
 * those who wait, and the channel's closing go together. It comes after a timer heap's lock, after
 * its parent's where both are taken, and before a channel's. */
#ifndef GOFER_SRC_CONTEXT_H
#define GOFER_SRC_CONTEXT_H

#include "base/base.h"

#include "gofer/context.h"

#include "chan/chan.h"
#include "park/cancel.h"
#include "time/timer.h"

enum gofer_context_kind {
    GOFER_CONTEXT_BACKGROUND,
    GOFER_CONTEXT_TODO,
    GOFER_CONTEXT_VALUE,
    GOFER_CONTEXT_WITHOUT_CANCEL,
    GOFER_CONTEXT_CANCEL,
    GOFER_CONTEXT_DEADLINE,
    GOFER_CONTEXT_SIGNALS,
    GOFER_CONTEXT_AFTER, /* a go_context_after */
};

/* In `alive`, which stands behind what allocators write into freed memory. */
enum { GOFER_CONTEXT_ALIVE = 0x67637478, GOFER_CONTEXT_FREED = 0x66726565 };

struct gofer_canceller;

/* All but the references are constant. */
struct go_context {
    go_context *parent;                /* NULL: the background */
    struct gofer_canceller *canceller; /* NULL: it is never cancelled */
    _Atomic uint32_t alive;
    uint32_t kind;
    struct gofer_context_value *values; /* the nearest with a value, or NULL */
    _Atomic uint32_t references;
};

struct gofer_context_value {
    go_context context;
    const void *key;
    void *value;
};

/* What is in a canceller's list. */
typedef struct gofer_cancellable {
    go_context context;
    struct gofer_cancellable *next, *previous;
    _Atomic bool listed; /* peeked at by who frees it: pairs with the release in unlisting */
} gofer_cancellable;

/* Why: the program's own words, or 0 and NULL. */
typedef struct gofer_cause {
    int code;
    char *text;
} gofer_cause;

enum gofer_done_state {
    GOFER_DONE_UNASKED, /* there is no channel yet */
    GOFER_DONE_OPEN,
    GOFER_DONE_CLOSED,
};

typedef struct gofer_canceller {
    gofer_cancellable node;
    gofer_cancel source;
    gofer_cancellable *children, *last; /* the oldest first */
    gofer_cause cause;                  /* the text may be an ancestor's, which lives as long */
    char *own_text;                     /* the cause's text, where this context must free it */
    int64_t deadline;                   /* constant; 0: none */
    _Atomic int done;                   /* enum gofer_done_state, written under the lock */
    _Alignas(16) char chan[sizeof(gofer_chan)]; /* written when it is asked for */
} gofer_canceller;

/* A canceller with a deadline of its own, all constant but the timer. */
struct gofer_deadline {
    gofer_canceller canceller;
    gofer_cause cause;
    gofer_timer timer; /* started before anybody else knows the context, unless that is too late */
};

/* A canceller that signals cancel too. The room of signals fills in what stands below it. */
typedef struct gofer_signal_context {
    gofer_canceller canceller;
    void (*stop)(go_context *ctx);     /* constant; called once the program has cancelled it */
    struct gofer_signal_context *next; /* of those that are about to be cancelled; relay.c's */
    int signal;                        /* the first that came, or 0; relay.c's lock */
    char names[];                      /* constant: the end of go_context_string's text */
} gofer_signal_context;

struct go_context_after {
    gofer_cancellable node;
    void (*fn)(void *); /* constant, as arg */
    void *arg;
    _Atomic int state;
};

static inline gofer_cancellable *gofer_cancellable_of(go_context *ctx)
{
    return gofer_container(ctx, gofer_cancellable, context);
}

static inline gofer_canceller *gofer_canceller_of(gofer_cancellable *node)
{
    return gofer_container(node, gofer_canceller, node);
}

static inline struct gofer_deadline *gofer_deadline_of(gofer_canceller *c)
{
    return gofer_container(c, struct gofer_deadline, canceller);
}

static inline gofer_signal_context *gofer_signal_context_of(go_context *ctx)
{
    return gofer_container(ctx, gofer_signal_context, canceller.node.context);
}

static inline gofer_chan *gofer_done_chan(gofer_canceller *c)
{
    return (gofer_chan *)(void *)c->chan;
}

/* No lock is held: stopping waits for a firing in progress. */
static inline void gofer_context_stop_timer(gofer_canceller *c)
{
    if (c->node.context.kind == GOFER_CONTEXT_DEADLINE && gofer_deadline_of(c)->timer.heap)
        gofer_timer_stop(&gofer_deadline_of(c)->timer);
}

gofer_cold void gofer_context_fail(const go_context *ctx);

/* The context that a public call was given. */
static inline go_context *gofer_context_given(go_context *ctx)
{
    if (!ctx)
        return go_context_background();
    if (gofer_unlikely(atomic_load_explicit(&ctx->alive, memory_order_relaxed) !=
                       GOFER_CONTEXT_ALIVE))
        gofer_context_fail(ctx);
    return ctx;
}

/* What cancels a call that is given ctx; NULL: nothing does. */
static inline gofer_cancel *gofer_context_source(go_context *ctx)
{
    gofer_canceller *canceller = ctx ? gofer_context_given(ctx)->canceller : NULL;
    return canceller ? &canceller->source : NULL;
}

/* Takes a reference unless the last one is gone. The memory must be there still. */
bool gofer_context_try_ref(go_context *ctx);

/* Puts the node under the canceller, which its parent names; false: that is cancelled. */
bool gofer_context_enlist(gofer_cancellable *node, gofer_canceller *above);

/* Takes the node out of the list it is in, if it is. */
void gofer_context_unlist(gofer_cancellable *node);

/* Cancels root, of which the caller holds a reference, and all below, unless it is; returns whether
 * it did. No lock is held. */
bool gofer_context_cancel_all(gofer_canceller *root, int error, gofer_cause cause);

/* Cancels a new node as its parent was. */
void gofer_context_cancel_new(gofer_cancellable *node, const gofer_canceller *above);

/* One that signals cancel, described by names; stop as above. NULL: no memory. */
go_context *gofer_context_with_signals(go_context *parent, const char *names,
                                       void (*stop)(go_context *ctx));

/* Cancels such a one, of which the caller holds a reference, and does not stop it. */
void gofer_context_cancel_by_signal(gofer_signal_context *s, const char *name);

/* The moment for an after's call has come. */
void gofer_context_after_start(go_context_after *after);

#endif

/* Contexts: making them, their references, and what can be asked of them. See context.h. */
#include "context/context.h"

#include "panic/panic.h"
#include "sched/internal.h"

#include <stdarg.h>
#include <stdio.h>

static go_context background = { .alive = GOFER_CONTEXT_ALIVE, .kind = GOFER_CONTEXT_BACKGROUND };
static go_context todo = { .alive = GOFER_CONTEXT_ALIVE, .kind = GOFER_CONTEXT_TODO };

go_context *go_context_background(void)
{
    return &background;
}

go_context *go_context_todo(void)
{
    return &todo;
}

gofer_cold void gofer_context_fail(const go_context *ctx)
{
    (void)ctx;
    gofer_fatal_misuse("use of a go_context after its last reference is gone");
}

/* ---- references --------------------------------------------------------------------------- */

static bool is_static(const go_context *ctx)
{
    return ctx->kind == GOFER_CONTEXT_BACKGROUND || ctx->kind == GOFER_CONTEXT_TODO;
}

go_context *go_context_ref(go_context *ctx)
{
    if (ctx && !is_static(gofer_context_given(ctx)))
        atomic_fetch_add_explicit(&ctx->references, 1, memory_order_relaxed);
    return ctx;
}

/* Stopping the timer waits for a firing in progress, which finds the references at 0. */
static void free_canceller(gofer_canceller *c)
{
    gofer_context_stop_timer(c);
    if (c->node.context.kind == GOFER_CONTEXT_DEADLINE)
        free(gofer_deadline_of(c)->cause.text);
    bool asked = atomic_load_explicit(&c->done, memory_order_relaxed) != GOFER_DONE_UNASKED;
    if (gofer_unlikely(c->source.watches ||
                       (asked && gofer_chan_has_receivers(gofer_done_chan(c)))))
        gofer_fatal_misuse(
            "go_context_unref: the last reference to a context for which goroutines wait");
    free(c->own_text);
    if (asked)
        gofer_chan_release(gofer_done_chan(c)); /* frees the whole */
    else
        free(c);
}

/* The last reference is gone. Returns the parent, whose reference was ctx's. */
static go_context *free_one(go_context *ctx)
{
    go_context *parent = ctx->parent;
    bool is_canceller = ctx->canceller && &ctx->canceller->node.context == ctx;
    if (is_canceller || ctx->kind == GOFER_CONTEXT_AFTER)
        gofer_context_unlist(gofer_cancellable_of(ctx));
    atomic_store_explicit(&ctx->alive, GOFER_CONTEXT_FREED, memory_order_relaxed);
    if (is_canceller)
        free_canceller(ctx->canceller);
    else
        free(ctx); /* it is the first thing in what was allocated */
    return parent;
}

void go_context_unref(go_context *ctx)
{
    /* acq_rel: the last one frees what the others have used */
    while (ctx && !is_static(gofer_context_given(ctx)) &&
           atomic_fetch_sub_explicit(&ctx->references, 1, memory_order_acq_rel) == 1)
        ctx = free_one(ctx);
}

/* ---- making ------------------------------------------------------------------------------- */

static go_context *no_memory(void)
{
    *gofer_errno() = ENOMEM;
    return NULL;
}

/* A context of zeros but for what it shares with its parent. */
static void *make(go_context *parent, size_t size, enum gofer_context_kind kind)
{
    go_context *ctx = calloc(1, size);
    if (!ctx)
        return no_memory();
    ctx->parent = go_context_ref(parent);
    ctx->canceller = parent->canceller;
    ctx->values = parent->values;
    ctx->kind = kind;
    atomic_store_explicit(&ctx->alive, GOFER_CONTEXT_ALIVE, memory_order_relaxed);
    atomic_store_explicit(&ctx->references, 1, memory_order_relaxed);
    return ctx;
}

go_context *go_context_with_value(go_context *parent, const void *key, void *value)
{
    parent = gofer_context_given(parent);
    if (!key)
        go_panic("nil key");
    struct gofer_context_value *made = make(parent, sizeof *made, GOFER_CONTEXT_VALUE);
    if (!made)
        return NULL;
    made->context.values = made;
    made->key = key;
    made->value = value;
    return &made->context;
}

go_context *go_context_without_cancel(go_context *parent)
{
    go_context *ctx = make(gofer_context_given(parent), sizeof *ctx, GOFER_CONTEXT_WITHOUT_CANCEL);
    if (ctx)
        ctx->canceller = NULL;
    return ctx;
}

static gofer_canceller *make_canceller(go_context *parent, size_t size,
                                       enum gofer_context_kind kind)
{
    gofer_canceller *c = make(parent, size, kind);
    if (!c)
        return NULL;
    c->deadline = parent->canceller ? parent->canceller->deadline : 0;
    c->node.context.canceller = c;
    return c;
}

/* From here on the parent cancels it. */
static go_context *join(gofer_canceller *c, gofer_canceller *above)
{
    if (above && !gofer_context_enlist(&c->node, above))
        gofer_context_cancel_new(&c->node, above);
    return &c->node.context;
}

go_context *go_context_with_cancel(go_context *parent)
{
    parent = gofer_context_given(parent);
    gofer_canceller *c = make_canceller(parent, sizeof *c, GOFER_CONTEXT_CANCEL);
    return c ? join(c, parent->canceller) : NULL;
}

go_context *go_context_with_cancel_cause(go_context *parent)
{
    return go_context_with_cancel(parent);
}

go_context *gofer_context_with_signals(go_context *parent, const char *names,
                                       void (*stop)(go_context *ctx))
{
    size_t length = strlen(names);
    parent = gofer_context_given(parent);
    gofer_canceller *c =
        make_canceller(parent, sizeof(gofer_signal_context) + length + 1, GOFER_CONTEXT_SIGNALS);
    if (!c)
        return NULL;
    gofer_signal_context *s = gofer_signal_context_of(&c->node.context);
    s->stop = stop;
    memcpy(s->names, names, length + 1);
    return join(c, parent->canceller);
}

/* ---- deadlines ---------------------------------------------------------------------------- */

/* A goroutine of its own: cancelling stops timers, which firing one must not. */
static void expire(void *argument)
{
    struct gofer_deadline *d = argument;
    gofer_context_cancel_all(&d->canceller, ETIMEDOUT, d->cause);
    gofer_context_unlist(&d->canceller.node);
    go_context_unref(&d->canceller.node.context);
}

/* Under the heap's lock, for which who frees the context waits. */
static void start_expiry(gofer_timer *timer, int64_t due)
{
    struct gofer_deadline *d = gofer_container(timer, struct gofer_deadline, timer);
    gofer_call call = { .fn = (void (*)(void))expire };
    (void)due;
    if (!gofer_context_try_ref(&d->canceller.node.context))
        return;
    call.integer[0] = (uint64_t)(uintptr_t)d;
    gofer_g *g = gofer_try_spawn(&call, NULL);
    if (gofer_unlikely(!g))
        gofer_fatal("runtime: cannot allocate memory for a goroutine");
    g->creator = 0; /* not the one that happened to look at the timers */
    gofer_enqueue(g, false);
}

static struct gofer_deadline *make_deadline(go_context *parent, int64_t when, gofer_cause cause)
{
    gofer_canceller *c =
        make_canceller(parent, sizeof(struct gofer_deadline), GOFER_CONTEXT_DEADLINE);
    if (!c)
        return NULL;
    struct gofer_deadline *d = gofer_deadline_of(c);
    c->deadline = when;
    d->cause = cause;
    d->timer.fire = start_expiry;
    d->timer.wakes = true;
    if (when <= gofer_nanotime() || gofer_timer_start(&d->timer, when))
        return d;
    free(d);
    go_context_unref(parent);
    no_memory();
    return NULL;
}

/* Takes the cause's text over. */
static go_context *with_deadline(go_context *parent, int64_t when, gofer_cause cause)
{
    const gofer_canceller *above = parent->canceller;
    struct gofer_deadline *d = NULL;
    when = when < 1 ? 1 : when; /* 0 would be none */
    bool later = above && above->deadline && above->deadline < when;
    if (!later)
        d = make_deadline(parent, when, cause);
    if (!d)
        free(cause.text);
    if (later)
        return go_context_with_cancel(parent);
    if (!d)
        return NULL;
    join(&d->canceller, parent->canceller);
    if (!d->timer.heap) { /* it has passed already */
        gofer_context_cancel_all(&d->canceller, ETIMEDOUT, cause);
        gofer_context_unlist(&d->canceller.node);
    }
    return &d->canceller.node.context;
}

/* False: no memory. */
static bool format_cause(gofer_cause *cause, int code, const char *format, va_list arguments)
{
    *cause = (gofer_cause){ .code = code };
    if (format && vasprintf(&cause->text, format, arguments) < 0)
        cause->text = NULL;
    return !format || cause->text;
}

go_context *go_context_with_deadline(go_context *parent, int64_t when)
{
    return with_deadline(gofer_context_given(parent), when, (gofer_cause){ 0 });
}

go_context *go_context_with_timeout(go_context *parent, go_duration d)
{
    return go_context_with_deadline(parent, gofer_time_after(d));
}

#define WITH_CAUSE(parent, when, code, format)                      \
    gofer_cause cause;                                              \
    va_list arguments;                                              \
    va_start(arguments, format);                                    \
    bool formatted = format_cause(&cause, code, format, arguments); \
    va_end(arguments);                                              \
    return formatted ? with_deadline(gofer_context_given(parent), when, cause) : no_memory()

go_context *go_context_with_deadline_cause(go_context *parent, int64_t when, int code,
                                           const char *format, ...)
{
    WITH_CAUSE(parent, when, code, format);
}

go_context *go_context_with_timeout_cause(go_context *parent, go_duration d, int code,
                                          const char *format, ...)
{
    WITH_CAUSE(parent, gofer_time_after(d), code, format);
}

/* ---- cancelling --------------------------------------------------------------------------- */

static gofer_canceller *canceller_given(go_context *ctx)
{
    gofer_context_given(ctx);
    if (gofer_unlikely(!ctx->canceller || &ctx->canceller->node.context != ctx))
        gofer_fatal_misuse("go_context_cancel of a context that was not made to be cancelled");
    return ctx->canceller;
}

/* The caller holds a reference that nobody else gives back. */
static void cancel_held(gofer_canceller *c, gofer_cause cause)
{
    if (gofer_context_cancel_all(c, ECANCELED, cause))
        c->own_text = cause.text;
    else
        free(cause.text);
    gofer_context_unlist(&c->node);
}

/* Who is woken may give the caller's reference back. */
static void cancel(gofer_canceller *c, gofer_cause cause)
{
    go_context *ctx = go_context_ref(&c->node.context);
    cancel_held(c, cause);
    if (ctx->kind == GOFER_CONTEXT_SIGNALS)
        gofer_signal_context_of(ctx)->stop(ctx);
    go_context_unref(ctx);
}

void gofer_context_cancel_by_signal(gofer_signal_context *s, const char *name)
{
    gofer_cause cause = { 0 };
    if (asprintf(&cause.text, "%s signal received", name) < 0)
        cause.text = NULL;
    cancel_held(&s->canceller, cause);
}

void go_context_cancel(go_context *ctx)
{
    if (ctx)
        cancel(canceller_given(ctx), (gofer_cause){ 0 });
}

void go_context_cancel_cause(go_context *ctx, int code, const char *format, ...)
{
    gofer_cause cause;
    va_list arguments;
    if (!ctx)
        return;
    gofer_canceller *c = canceller_given(ctx);
    va_start(arguments, format);
    (void)format_cause(&cause, code, format, arguments);
    va_end(arguments);
    cancel(c, cause);
}

void go_context_end(go_context *ctx)
{
    go_context_cancel(ctx);
    go_context_unref(ctx);
}

/* ---- asking ------------------------------------------------------------------------------- */

/* An error is told only once the channel is closed too: it may just be in between. */
static int error_of(gofer_canceller *c)
{
    int error = c ? gofer_cancel_error(&c->source) : 0;
    if (gofer_likely(!error))
        return 0;
    /* pairs with the release in set_cancelled */
    if (atomic_load_explicit(&c->done, memory_order_acquire) == GOFER_DONE_OPEN) {
        gofer_spin_lock(&c->source.lock);
        gofer_spin_unlock(&c->source.lock);
    }
    return error;
}

static const char *text_of(int error)
{
    return error == ETIMEDOUT ? "context deadline exceeded" : error ? "context canceled" : NULL;
}

int go_context_err(go_context *ctx)
{
    return error_of(gofer_context_given(ctx)->canceller);
}

const char *go_context_err_text(go_context *ctx)
{
    return text_of(go_context_err(ctx));
}

int go_context_cause(go_context *ctx)
{
    const gofer_canceller *c = gofer_context_given(ctx)->canceller;
    int error = go_context_err(ctx);
    return error && c->cause.code ? c->cause.code : error;
}

const char *go_context_cause_text(go_context *ctx)
{
    const gofer_canceller *c = gofer_context_given(ctx)->canceller;
    int error = go_context_err(ctx);
    return error && c->cause.text ? c->cause.text : text_of(error);
}

int go_context_deadline(go_context *ctx, int64_t *when)
{
    const gofer_canceller *c = gofer_context_given(ctx)->canceller;
    if (!c || !c->deadline)
        return 0;
    if (when)
        *when = c->deadline;
    return 1;
}

void *go_context_value(go_context *ctx, const void *key)
{
    const struct gofer_context_value *at = gofer_context_given(ctx)->values;
    while (at && at->key != key)
        at = at->context.parent->values;
    return at ? at->value : NULL;
}

static size_t put(const char *text, char *buf, size_t at, size_t size)
{
    return at < size ? at + (size_t)snprintf(buf + at, size - at, "%s", text) : at;
}

static size_t put_name(go_context *ctx, char *buf, size_t at, size_t size)
{
    static const char *const names[] = {
        [GOFER_CONTEXT_BACKGROUND] = "context.Background",
        [GOFER_CONTEXT_TODO] = "context.TODO",
        [GOFER_CONTEXT_VALUE] = ".WithValue",
        [GOFER_CONTEXT_WITHOUT_CANCEL] = ".WithoutCancel",
        [GOFER_CONTEXT_CANCEL] = ".WithCancel",
        [GOFER_CONTEXT_DEADLINE] = ".WithDeadline",
    };
    bool by_signals = ctx->kind == GOFER_CONTEXT_SIGNALS;
    return put(by_signals ? gofer_signal_context_of(ctx)->names : names[ctx->kind], buf, at, size);
}

/* Where signals cancel, what is above stands in brackets. Then the contexts from the root down:
 * each time one further, as there is no way back. */
char *go_context_string(go_context *ctx, char *buf, size_t size)
{
    const go_context *printed = NULL;
    size_t at = 0;
    ctx = gofer_context_given(ctx);
    for (const go_context *above = ctx; above; above = above->parent)
        if (above->kind == GOFER_CONTEXT_SIGNALS)
            at = put("signal.NotifyContext(", buf, at, size);
    while (printed != ctx && at < size) {
        go_context *next = ctx;
        while (next->parent != printed)
            next = next->parent;
        at = put_name(next, buf, at, size);
        printed = next;
    }
    return buf;
}

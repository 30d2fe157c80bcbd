/* go_scope: a wait group, a context, and a deferred call that lies in the block itself.
 *
 * `failed` and `panicked` are each set by the first goroutine that fails or panics, which alone
 * then writes the error or the panic, before it counts as ended; the block's goroutine reads them
 * after that. The scope is last touched by a goroutine where it counts as ended.
 *
 * The deferred call runs where the block is left, and in a panic or Goexit of the block's
 * goroutine. A panic of a goroutine of the scope is raised again from it: in the midst of another
 * panic it replaces that one, as any panic in a deferred call does. */
#include "gofer/scope.h"

#include "panic/panic.h"
#include "panic/unwind.h"
#include "sync/group_call.h"
#include "sync/kept_panic.h"

/* relaxed: the order comes from `running` */
static bool comes_first(uint32_t *flag)
{
    return !atomic_exchange_explicit((_Atomic uint32_t *)(void *)flag, 1, memory_order_relaxed);
}

/* ---- a goroutine of the scope ------------------------------------------------------------- */

static void fail_scope(go_scope *s, int error, int error_errno)
{
    if (!comes_first(&s->failed))
        return;
    s->error = error;
    s->error_errno = error_errno;
    if (error == -1 && error_errno)
        go_context_cancel_cause(s->context, error_errno, "%s", strerror(error_errno));
    else
        go_context_cancel_cause(s->context, error, "error %d", error);
}

static void keep_first_panic(go_scope *s)
{
    const go_panic_value *panic = go_recover();
    if (!panic || !comes_first(&s->panicked))
        return;
    s->panic = gofer_keep_panic(panic);
    go_context_cancel_cause(s->context, 0, "panic: %s", panic->text);
}

static void call_in_scope(const gofer_group_call *kept)
{
    go_recoverable();
    go_scope *s = kept->group;
    go_defer(keep_first_panic, s);
    bool returns_error = kept->holds_slot;
    int error = (int)gofer_group_call_replay(kept);
    if (returns_error && error)
        fail_scope(s, error, *gofer_errno());
}

static void end_in_scope(gofer_group_call *kept)
{
    go_scope *s = kept->group;
    free(kept);
    go_waitgroup_done(&s->running);
}

static void run_in_scope(void *argument)
{
    gofer_group_call *kept = argument;
    go_defer(end_in_scope, kept);
    call_in_scope(kept);
}

void gofer_deliver_scope(gofer_call *call, const void *stack)
{
    gofer_group_record *record = gofer_container(call, gofer_group_record, call);
    go_scope *s = record->group;
    if (gofer_unlikely(!call->fn))
        gofer_fatal("go of nil func value");
    go_waitgroup_add(&s->running, 1);
    gofer_group_call_start(record, stack, record->attempt, run_in_scope);
    record->started = 1;
}

void go_scope_spawn(go_scope *s, int (*fn)(void *), void *arg)
{
    gofer_group_record record = { .group = s, .attempt = 1 };
    record.call.fn = (void (*)(void))fn;
    record.call.integer[0] = (uint64_t)(uintptr_t)arg;
    gofer_deliver_scope(&record.call, NULL);
}

/* ---- the block ---------------------------------------------------------------------------- */

go_context *go_scope_context(go_scope *s)
{
    return s->context;
}

void go_scope_cancel(go_scope *s)
{
    go_context_cancel(s->context);
}

/* The panic's memory goes with the panic. */
static void pass_panic_on(go_scope *s)
{
    gofer_kept_panic *kept = s->panic;
    if (!kept)
        return;
    s->panic = NULL;
    /* relaxed: the next to panic was started after this. Whoever set it has ended. */
    atomic_store_explicit((_Atomic uint32_t *)(void *)&s->panicked, 0, memory_order_relaxed);
    gofer_panic_allocated(kept->value, kept);
}

int go_scope_wait(go_scope *s)
{
    go_waitgroup_wait(&s->running);
    pass_panic_on(s);
    if (s->error)
        *gofer_errno() = s->error_errno;
    return s->error;
}

/* The deferred call. */
static void end_scope(go_scope *s)
{
    int error_errno = *gofer_errno();
    const struct gofer_running *running = gofer_self()->running;
    if (running && running->panic)
        go_scope_cancel(s);
    go_waitgroup_wait(&s->running);
    if (s->result && s->error)
        *s->result = s->error;
    go_context_end(s->context);
    pass_panic_on(s);
    *gofer_errno() = s->error ? s->error_errno : error_errno;
}

go_scope *gofer_scope_enter(go_scope *s, const gofer_site *site, go_context *parent, int *result)
{
    memset((char *)s + sizeof s->record, 0, sizeof *s - sizeof s->record);
    s->result = result;
    s->context = go_context_with_cancel(parent);
    if (!s->context)
        gofer_fatal("runtime: cannot allocate memory for a scope's context");
    s->record.call.fn = (void (*)(void))end_scope;
    s->record.call.deliver = gofer_deliver_defer;
    s->record.call.integer[0] = (uint64_t)(uintptr_t)s;
    s->record.call.stack_size = 0;
    s->record.site = site;
    s->record.stack = NULL;
    gofer_deliver_defer(&s->record.call, NULL);
    return s;
}

void gofer_scope_leave(go_scope *s)
{
    gofer_defer_leave(&s->record);
}

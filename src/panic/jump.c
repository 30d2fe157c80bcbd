/* longjmp where it must not go: out of a goroutine's stack, over a deferred call, out of one.
 *
 * It can't be caught in the act. Records and marks lie in frames of the user that are further out
 * than any frame of ours; one that is not has been jumped over. And a goroutine runs on its own
 * stack, or on one that its program switched to; never on another goroutine's. */
#include "panic/panic.h"
#include "panic/unwind.h"

#include <unwind.h>

static bool is_on(const gofer_g *g, const void *address)
{
    return (const char *)address >= g->stack_low && (const char *)address < g->stack_high;
}

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *data)
{
    uintptr_t start = (uintptr_t)gofer_context_start, address = _Unwind_GetIP(context);
    if (address < start || address > start + GOFER_CONTEXT_START_SIZE)
        return _URC_NO_REASON;
    *(bool *)data = true;
    return _URC_END_OF_STACK;
}

/* The caller's frames are not on self's stack: whose are they? */
static gofer_cold void check_foreign_stack(const gofer_g *self, const void *frame)
{
    bool is_goroutine = false;
    if (!self->is_thread)
        is_goroutine = is_on(&gofer_m_self()->g0, frame);
    if (!is_goroutine)
        _Unwind_Backtrace(on_frame, &is_goroutine);
    if (is_goroutine)
        gofer_fatal("longjmp out of goroutine %llu's stack", (unsigned long long)self->id);
}

static gofer_cold void check_record(const gofer_g *self, const void *record, const char *what)
{
    if (is_on(self, record)) /* else ASan keeps it elsewhere */
        gofer_fatal("longjmp %s %s (%s:%d)", what, self->defers_site->function,
                    self->defers_site->file, self->defers_site->line);
}

gofer_cold void gofer_jumped(gofer_g *self, const void *frame)
{
    if (!is_on(self, frame)) {
        if (self->stack_low)
            check_foreign_stack(self, frame);
        return;
    }
    if (self->defers && (const void *)self->defers < frame)
        check_record(self, self->defers, "over a deferred call of");
    if (self->running && (const void *)self->running < frame && is_on(self, self->running))
        gofer_fatal("longjmp out of a deferred call");
}

gofer_cold void gofer_ended_early(gofer_g *self)
{
    check_record(self, self->defers, "over a deferred call of");
}

/* Deferred calls: registering them and running them when a block is left. */
#include "panic/panic.h"
#include "panic/unwind.h"

void *__cxa_get_globals(void) __attribute__((weak));

/* What a NULL function stands for: it fails when it is called, not when it is registered. */
static void call_of_nil(void)
{
    gofer_panic_runtime("runtime error: invalid memory address or nil pointer dereference");
}

void gofer_deliver_defer(gofer_call *call, const void *stack)
{
    gofer_defer *record = gofer_container(call, gofer_defer, call);
    gofer_g *self = gofer_self();
    if (gofer_unlikely(!call->fn))
        call->fn = call_of_nil;
    gofer_check_jumps(self, __builtin_frame_address(0));
    if (call->stack_size)
        gofer_copy_words(record->stack, stack, call->stack_size);
    record->kind = GOFER_DEFERRED_CALL;
    gofer_defers_push(self, record);
}

void gofer_defer_closure(gofer_defer *record, const gofer_site *site, void (*run)(void *),
                         void *closure, const void *target)
{
    gofer_g *self = gofer_self();
    record->call.fn = run ? (void (*)(void))run : call_of_nil;
    record->call.stack_size = 0;
    record->call.integer[0] = (uint64_t)(uintptr_t)closure;
    record->site = site;
    record->stack = (void *)(uintptr_t)target;
    record->kind = GOFER_DEFERRED_CLOSURE;
    gofer_check_jumps(self, __builtin_frame_address(0));
    gofer_defers_push(self, record);
}

/* Makes the record the chain's head, which it is not: the goroutine has several stacks (C++
 * coroutines, makecontext), and blocks of another one were entered since. False: it is not there
 * at all, for a jump into the block went round the registration. */
static gofer_cold bool bring_to_front(gofer_g *self, gofer_defer *record, const void *frame)
{
    gofer_check_jumps(self, frame);
    gofer_defer *newer = self->defers;
    while (newer && newer->next != record)
        newer = newer->next;
    if (!newer)
        return false;
    newer->next = record->next;
    record->next = self->defers;
    self->defers = record;
    return true;
}

static gofer_inline void run_left(gofer_g *self, gofer_defer *record)
{
    struct gofer_running *outer = self->running;
    struct gofer_running running = { .outer = outer,
                                     .frame = __builtin_frame_address(0),
                                     .record = record };
    gofer_defers_pop(self, record);
    self->running = &running;
    gofer_replay(&record->call, record->stack);
    self->running = outer;
}

static gofer_cold void leave_below_others(gofer_g *self, gofer_defer *record, const void *frame)
{
    if (bring_to_front(self, record, frame))
        run_left(self, record);
}

/* A block is left. */
void gofer_defer_leave(gofer_defer *record)
{
    gofer_g *self = gofer_self();
    if (gofer_likely(self->defers == record))
        run_left(self, record);
    else
        leave_below_others(self, record, __builtin_frame_address(0));
}

void gofer_frame_enter(gofer_frame *frame, const gofer_site *site)
{
    gofer_g *self = gofer_self();
    gofer_check_jumps(self, __builtin_frame_address(0));
    frame->mark.kind = GOFER_FRAME_MARK;
    frame->mark.site = site;
    /* A place in the caller's frame: all that it calls, deferred calls too, lies below. ASan may
     * keep its locals elsewhere. */
    bool is_there = (char *)frame >= self->stack_low && (char *)frame < self->stack_high;
    frame->mark.stack = is_there ? (void *)frame : __builtin_frame_address(0);
    gofer_defers_push(self, &frame->mark);
    if (__cxa_get_globals)
        memcpy(frame->exceptions, __cxa_get_globals(), sizeof frame->exceptions);
}

void gofer_frame_leave(gofer_frame *frame)
{
    gofer_g *self = gofer_self();
    if (gofer_likely(self->defers == &frame->mark) ||
        bring_to_front(self, &frame->mark, __builtin_frame_address(0)))
        gofer_defers_pop(self, &frame->mark);
}

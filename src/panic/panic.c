/* Panics, recovery and Goexit. See unwind.h for the three chains.
 *
 * A panic pops deferred calls and runs them on top of the stack. When one has recovered it, the
 * remaining deferred calls of that one's function run, and then the function's go_recoverable mark
 * is landed at. Everything deeper than the mark ends there, panics too; but a Goexit among them
 * can not be stopped: it goes on from the mark instead. */
#include "panic/panic.h"
#include "panic/unwind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unwind.h>

enum { TEXT_ON_STACK = 512 };

void __asan_handle_no_return(void) __attribute__((weak));
void *__cxa_get_globals(void) __attribute__((weak));

void gofer_keep_main_trace(void); /* src/debug */

/* ---- landing ------------------------------------------------------------------------------ */

static bool same_function(const gofer_site *a, const gofer_site *b)
{
    return a->function == b->function ||
           (strcmp(a->function, b->function) == 0 && strcmp(a->file, b->file) == 0);
}

static void drop_newest(gofer_g *self)
{
    free(self->panics->allocated);
    self->panics = self->panics->older;
}

/* Drops what lies deeper than `frame`, of the panics up to a Goexit: that goes on, and as in Go
 * what it gave up stays in the chain. Returns whether there was one. */
static bool drop_deeper(gofer_g *self, const char *frame)
{
    bool goexit = false;
    while (!goexit && self->panics && self->panics->frame <= frame) {
        goexit = self->panics->is_goexit;
        drop_newest(self);
    }
    while (self->running && self->running->frame <= frame)
        self->running = self->running->outer;
    return goexit;
}

static _Noreturn void land(gofer_frame *frame)
{
    if (__cxa_get_globals)
        memcpy(__cxa_get_globals(), frame->exceptions, sizeof frame->exceptions);
    if (__asan_handle_no_return)
        __asan_handle_no_return();
#ifdef GOFER_TSAN
    longjmp((struct __jmp_buf_tag *)(void *)frame->registers, 1);
#else
    gofer_frame_restore(frame->registers);
#endif
}

static _Noreturn void goexit_again(gofer_g *self);

/* A deferred call of `site`'s function recovered. That panic and those within it are over: the
 * function's other deferred calls run as at a return, then its mark is landed at. */
static _Noreturn void return_recovered(gofer_g *self, const gofer_site *site)
{
    gofer_defer *record;
    for (record = self->defers; record && record->kind != GOFER_FRAME_MARK; record = record->next)
        ;
    if (!record || !same_function(record->site, site))
        gofer_fatal("go_recover in a deferred call of %s, which has no go_recoverable (%s:%d)",
                    site->function, site->file, site->line);
    if (drop_deeper(self, record->stack))
        goexit_again(self);
    while (self->defers != record)
        gofer_defer_leave(self->defers);
    land(gofer_container(record, gofer_frame, mark));
}

/* ---- running the deferred calls ----------------------------------------------------------- */

void gofer_run_deferred(gofer_g *self, struct gofer_panic *panic)
{
    gofer_defer *record;
    while ((record = self->defers)) {
        gofer_defers_pop(self, record);
        if (record->kind == GOFER_FRAME_MARK)
            continue;
        const gofer_site *site = record->site;
        struct gofer_running running = { .outer = self->running,
                                         .frame = __builtin_frame_address(0),
                                         .panic = panic,
                                         .record = record };
        self->running = &running;
        gofer_replay(&record->call, record->stack);
        self->running = running.outer;
        if (gofer_unlikely(panic->recovered))
            return_recovered(self, site);
    }
}

/* `function` is the last part of the name a::b. */
static bool is_named(const char *name, const char *function)
{
    if (!name)
        return false;
    size_t length = strlen(name), last = strlen(function);
    return length >= last && strcmp(name + length - last, function) == 0 &&
           (length == last || name[length - last - 1] == ':');
}

/* Whether the function that called go_recover is the deferred call itself, not one that this
 * called. `here` lies in it, `return_address` in its caller. */
static bool is_deferred_call(const gofer_defer *record, const char *return_address,
                             const char *function, const char *here)
{
    bool replayed = return_address == gofer_replay_return;
    const char *name = record->site->name;
    if (record->kind == GOFER_DEFERRED_CALL)
        return replayed && (!name || strcmp(name, function) == 0);
    /* C++: called by the closure's run, or in its place. A lambda has no name that tells, so its
     * address must; a function may be known by another address than its own (a PLT's). */
    const void *run = (const void *)(uintptr_t)record->call.fn;
    if (!replayed && _Unwind_FindEnclosingFunction((void *)(uintptr_t)(return_address - 1)) != run)
        return false;
    if (!record->stack)
        return strcmp(function, "operator()") == 0;
    return is_named(name, function) ||
           _Unwind_FindEnclosingFunction((void *)(uintptr_t)(here - 1)) == record->stack;
}

const go_panic_value *gofer_recover(void *return_address, const char *function)
{
    gofer_g *self = gofer_self();
    const struct gofer_running *running = self->running;
    if (!running || !running->panic)
        return NULL;
    struct gofer_panic *panic = running->panic;
    if (panic->is_goexit || panic->recovered || panic != self->panics ||
        !is_deferred_call(running->record, return_address, function, __builtin_return_address(0)))
        return NULL;
    panic->recovered = true;
    return &panic->value;
}

/* ---- raising ------------------------------------------------------------------------------ */

static _Noreturn gofer_noinline void raise_panic(struct gofer_panic *panic)
{
    gofer_g *self = gofer_self();
    panic->older = self->panics;
    panic->frame = __builtin_frame_address(0);
    self->panics = panic;
    gofer_run_deferred(self, panic);
    gofer_die_of_panic(self);
}

/* First thing: from a frame further in, what was jumped over looks like a frame further out. */
static inline void check_jumps(const void *frame)
{
    gofer_check_jumps(gofer_self(), frame);
}

static _Noreturn gofer_noinline void raise_value(go_panic_value value)
{
    check_jumps(__builtin_frame_address(0));
    struct gofer_panic panic = { .value = value };
    raise_panic(&panic);
}

/* Formats the text into `room`, or into memory of its own where it is longer; cut where there is
 * none. */
static void format_text(struct gofer_panic *panic, char room[TEXT_ON_STACK], const char *format,
                        va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(room, TEXT_ON_STACK, format, arguments);
    panic->value.text = length < 0 ? format : room;
    if (length >= TEXT_ON_STACK) {
        panic->allocated = malloc((size_t)length + 1);
        if (panic->allocated) {
            vsnprintf(panic->allocated, (size_t)length + 1, format, again);
            panic->value.text = panic->allocated;
        }
    }
    va_end(again);
}

void(go_panic)(const char *format, ...)
{
    char room[TEXT_ON_STACK];
    struct gofer_panic panic = { .value = { .kind = GO_VALUE_TEXT } };
    va_list arguments;
    check_jumps(__builtin_frame_address(0));
    va_start(arguments, format);
    format_text(&panic, room, format, arguments);
    va_end(arguments);
    raise_panic(&panic);
}

void(go_panic_error)(int64_t code, const char *format, ...)
{
    char room[TEXT_ON_STACK];
    struct gofer_panic panic = { .value = { .kind = GO_VALUE_ERROR, .integer = code } };
    va_list arguments;
    check_jumps(__builtin_frame_address(0));
    va_start(arguments, format);
    format_text(&panic, room, format, arguments);
    va_end(arguments);
    raise_panic(&panic);
}

_Noreturn gofer_cold void gofer_panic_runtime(const char *text)
{
    raise_value((go_panic_value){ .kind = GO_VALUE_RUNTIME, .text = text });
}

_Noreturn gofer_cold void gofer_panic_text(const char *text)
{
    raise_value((go_panic_value){ .kind = GO_VALUE_TEXT, .text = text });
}

_Noreturn gofer_cold void gofer_panic_allocated(go_panic_value value, void *memory)
{
    struct gofer_panic panic = { .value = value, .allocated = memory };
    raise_panic(&panic);
}

_Noreturn gofer_cold void gofer_panic_fault(const char *text, void *address,
                                            const char *signal_line)
{
    struct gofer_panic panic = {
        .value = { .kind = GO_VALUE_RUNTIME, .text = text, .pointer = address },
        .signal_line = signal_line,
    };
    raise_panic(&panic);
}

void(go_repanic)(const go_panic_value *value)
{
    check_jumps(__builtin_frame_address(0));
    if (!value)
        go_panic_pointer(NULL);
    struct gofer_panic panic = { .value = *value }, *newest = gofer_self()->panics;
    if (newest && newest->value.text == value->text)
        newest->repanicked = true;
    raise_panic(&panic);
}

void(go_panic_int)(int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    raise_value((go_panic_value){ .kind = GO_VALUE_INTEGER, .text = text, .integer = value });
}

void(go_panic_uint)(uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    raise_value(
        (go_panic_value){ .kind = GO_VALUE_UNSIGNED, .text = text, .integer = (int64_t)value });
}

/* Go's print of a float: the fewest digits that read back as the same number, with an exponent
 * below 1e-4 and from 1e6 on. */
static void format_float(char *text, size_t size, double value)
{
    int digits = 0;
    do
        snprintf(text, size, "%.*e", digits++, value);
    while (digits < 17 && strtod(text, NULL) != value);
    const char *mark = strchr(text, 'e');
    int exponent = mark ? atoi(mark + 1) : 0;
    if (value != value)
        snprintf(text, size, "NaN");
    else if (value - value != 0)
        snprintf(text, size, value > 0 ? "+Inf" : "-Inf");
    else if (exponent >= -4 && exponent < 6)
        snprintf(text, size, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0, value);
}

void(go_panic_float)(double value)
{
    char text[40];
    format_float(text, sizeof text, value);
    raise_value((go_panic_value){ .kind = GO_VALUE_FLOAT, .text = text, .real = value });
}

void(go_panic_bool)(int value)
{
    raise_value((go_panic_value){
        .kind = GO_VALUE_BOOL, .text = value ? "true" : "false", .integer = value != 0 });
}

void(go_panic_pointer)(void *value)
{
    char text[40];
    if (!value)
        raise_value(
            (go_panic_value){ .kind = GO_VALUE_NIL, .text = "panic called with nil argument" });
    snprintf(text, sizeof text, "(pointer) %p", value);
    raise_value((go_panic_value){ .kind = GO_VALUE_POINTER, .text = text, .pointer = value });
}

/* ---- Goexit ------------------------------------------------------------------------------- */

static _Noreturn gofer_noinline void goexit_again(gofer_g *self)
{
    struct gofer_panic goexit = { .is_goexit = true,
                                  .older = self->panics,
                                  .frame = __builtin_frame_address(0) };
    self->panics = &goexit;
    gofer_run_deferred(self, &goexit);
    while (self->panics)
        drop_newest(self);
    gofer_goroutine_end();
}

void(go_goexit)(void)
{
    check_jumps(__builtin_frame_address(0));
    gofer_g *self = gofer_self();
    if (self->is_thread)
        gofer_fatal("go_goexit in a thread that is no goroutine's");
    if (self == gofer_sched.main_g)
        gofer_keep_main_trace();
    goexit_again(self);
}

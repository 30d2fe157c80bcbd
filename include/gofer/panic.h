/* Deferred calls, panics and recovery. docs/errors.md says when to panic.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_PANIC_H
#define GOFER_PANIC_H

#include <gofer/base.h>
#include <gofer/capture.h>

/* What a panic carries. */
typedef enum go_value_kind {
    GO_VALUE_TEXT,    /* text alone: Go's panic("…") */
    GO_VALUE_ERROR,   /* text, and in `integer` the program's own code: Go's panic(err) */
    GO_VALUE_RUNTIME, /* text: raised by the library where Go raises a runtime.Error */
    GO_VALUE_INTEGER,
    GO_VALUE_UNSIGNED,
    GO_VALUE_FLOAT,
    GO_VALUE_BOOL,
    GO_VALUE_POINTER,
    GO_VALUE_NIL
} go_value_kind;

/* A recovered panic's value; valid until the deferred call that recovered it returns. */
typedef struct go_panic_value {
    go_value_kind kind;
    const char *text; /* what an uncaught panic would print after "panic: "; never NULL */
    int64_t integer;
    double real;
    void *pointer;
} go_panic_value;

GOFER_BEGIN

/* Panics with a text. Never returns to its caller: deferred calls run, newest first; if one of
 * them recovers, its go_recoverable function returns, else the process dies with Go's text and
 * exit status 2. In a plain thread too. Go: panic(fmt.Sprintf(…)). */
GOFER_API void go_panic(const char *format, ...) GOFER_PRINTF(1, 2);

/* Panics with a value of another kind. Go: panic(v); go_panic_error: panic(err). */
GOFER_API void go_panic_error(int64_t code, const char *format, ...) GOFER_PRINTF(2, 3);
GOFER_API void go_panic_int(int64_t value);
GOFER_API void go_panic_uint(uint64_t value);
GOFER_API void go_panic_float(double value);
GOFER_API void go_panic_bool(int value);
GOFER_API void go_panic_pointer(void *value); /* NULL: Go's panic(nil) */

/* Panics again with the value that go_recover returned: printed as `[recovered, repanicked]`.
 * Go: panic(r) with r from recover(). */
GOFER_API void go_repanic(const go_panic_value *value);

/* Ends the process at once with Go's "fatal error: …" text, all goroutines' traces and exit
 * status 2. Nothing can recover it. From any thread. Go: runtime.throw. */
GOFER_API void go_fatal(const char *format, ...) GOFER_PRINTF(1, 2);

/* Whether a fault (SIGSEGV, SIGBUS, SIGFPE) in the calling goroutine panics instead of ending the
 * process; returns the setting before. A recovered one is of GO_VALUE_RUNTIME, `pointer` the
 * address. Not for a stack overflow, and not under ASan and TSan. As far as that goes: compilers
 * remove checks and faults that C leaves undefined, and foreign code that faults may hold its
 * locks. Where the program has handlers of its own, gofer's go in front and pass on what is not
 * theirs. From any thread, for itself; never blocks. Go: debug.SetPanicOnFault. */
GOFER_API int go_set_panic_on_fault(int on);

/* These never return. Their types do not say so, or they could not stand in go and go_defer, which
 * call something else through them; calls do. */
#define go_panic(...) (go_panic(__VA_ARGS__), __builtin_unreachable())
#define go_panic_error(...) (go_panic_error(__VA_ARGS__), __builtin_unreachable())
#define go_panic_int(value) (go_panic_int(value), __builtin_unreachable())
#define go_panic_uint(value) (go_panic_uint(value), __builtin_unreachable())
#define go_panic_float(value) (go_panic_float(value), __builtin_unreachable())
#define go_panic_bool(value) (go_panic_bool(value), __builtin_unreachable())
#define go_panic_pointer(value) (go_panic_pointer(value), __builtin_unreachable())
#define go_repanic(value) (go_repanic(value), __builtin_unreachable())
#define go_fatal(...) (go_fatal(__VA_ARGS__), __builtin_unreachable())

/* Under the macros. */
typedef struct gofer_defer {
    gofer_call call;
    struct gofer_defer *next; /* the one registered before */
    const gofer_site *site;
    void *stack; /* the captured stack part */
    int kind;    /* a deferred call, or a go_recoverable frame's mark */
    int reserved;
} gofer_defer;

/* A go_recoverable function's mark: where a recovered panic lands. */
typedef struct gofer_frame {
    gofer_defer mark;
    void *registers[40]; /* callee-saved state, filled by gofer_frame_save */
    void *exceptions[2]; /* C++: the thread's exception state at the mark */
} gofer_frame;

GOFER_API void gofer_defer_leave(gofer_defer *);
/* C++: registers run(closure); target is the function that run calls, or NULL. */
GOFER_API void gofer_defer_closure(gofer_defer *, const gofer_site *, void (*run)(void *),
                                   void *closure, const void *target);
GOFER_API void gofer_frame_enter(gofer_frame *, const gofer_site *);
GOFER_API void gofer_frame_leave(gofer_frame *);
GOFER_API int gofer_frame_save(void **registers) __attribute__((returns_twice));
GOFER_API const go_panic_value *gofer_recover(void *return_address, const char *function);

GOFER_END

#ifdef __cplusplus
#include <gofer/cxx/defer.h>
#define GOFER_FUNCTION __extension__ __PRETTY_FUNCTION__
#else
#define GOFER_FUNCTION __extension__ __func__

/* In a deferred call that a panic runs: stops the panic and returns its value. Everywhere else
 * (called by anything but the deferred call itself, no panic, a Goexit) it returns NULL. Go:
 * recover().
 *
 * A function that the compiler inlines into the deferred call, or jumps to where the deferred call
 * ends by calling it, stands in its place. In C it is told apart by its name alone, and so takes
 * the panic where go_defer was given a pointer to a function instead of one's name, or where a
 * function calls itself. Whoever relies on NULL there makes it noinline and lets something follow
 * its call: __asm__ volatile(""). */
#define go_recover() gofer_recover(__builtin_return_address(0), __extension__ __func__)

/* Registers fn(args…), evaluated now, to run when the enclosing block is left: by falling out,
 * return, break, continue, goto, a panic or go_goexit. A declaration: it stands in a block of its
 * own. Newest runs first. Go: defer, but for the scope. */
#define go_defer(...) GOFER_DEFER_(GOFER_CAT(gofer_defer_, __COUNTER__), __VA_ARGS__)
#define GOFER_DEFER_(id, ...)                                                               \
    __extension__ struct {                                                                  \
        gofer_defer record;                                                                 \
        unsigned char stack[(GOFER_STACK_SIZE(__VA_ARGS__)) + 1];                           \
    } id __attribute__((cleanup(gofer_defer_leave_any), aligned(16)));                      \
    __attribute__((unused)) const char GOFER_CAT(id, _done) = __extension__({               \
        static const gofer_site gofer_site_ = { __extension__ __func__, __FILE__, __LINE__, \
                                                GOFER_NAME_OF(GOFER_FIRST(__VA_ARGS__)) };  \
        id.record.next = &id.record; /* not registered: see gofer_defer_leave */            \
        id.record.call.fn = (void (*)(void))(GOFER_FIRST(__VA_ARGS__));                     \
        id.record.call.deliver = gofer_deliver_defer;                                       \
        id.record.call.stack_size = GOFER_STACK_SIZE(__VA_ARGS__);                          \
        id.record.site = &gofer_site_;                                                      \
        id.record.stack = id.stack;                                                         \
        GOFER_CAPTURE(&id.record, __VA_ARGS__);                                             \
        (char)0;                                                                            \
    })

static inline __attribute__((unused)) void gofer_defer_leave_any(void *record)
{
    gofer_defer_leave((gofer_defer *)record);
}

#endif

/* Stands where a function begins in which a deferred call may recover: a recovered panic makes
 * the function return `result` (an lvalue; nothing in a void function) after its remaining
 * deferred calls ran. Other locals are not defined then. Go: named results. */
#define go_recoverable(...) GOFER_RECOVERABLE_(GOFER_CAT(gofer_frame_, __COUNTER__), __VA_ARGS__)
#define GOFER_RECOVERABLE_(id, ...)                                                      \
    gofer_frame id __attribute__((cleanup(gofer_frame_leave)));                          \
    GOFER_CAT(GOFER_ESCAPE_, GOFER_HAS_ARGS(__VA_ARGS__))(__VA_ARGS__);                  \
    do {                                                                                 \
        static const gofer_site gofer_site_ = { GOFER_FUNCTION, __FILE__, __LINE__, 0 }; \
        gofer_frame_enter(&id, &gofer_site_);                                            \
    } while (0);                                                                         \
    if (__builtin_expect(GOFER_FRAME_SAVE(id.registers), 0))                             \
    return __VA_ARGS__

#define GOFER_ESCAPE_0() (void)0
#define GOFER_ESCAPE_1(v) __asm__ volatile("" : : "r"(&(v)) : "memory")
/* 0 for an empty argument, else 1: only nothing turns GOFER_COMMA into a macro call. */
#define GOFER_COMMA(...) ,
#define GOFER_THIRD_(a, b, c, ...) c
#define GOFER_HAS_ARGS_(...) GOFER_THIRD_(__VA_ARGS__)
#define GOFER_HAS_ARGS(...) GOFER_HAS_ARGS_(GOFER_COMMA __VA_ARGS__(), 0, 1, 1)

/* TSan knows libc's _setjmp and keeps its shadow stack right through it. */
#if defined __SANITIZE_THREAD__
#define GOFER_FRAME_SAVE_BY_LIBC 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define GOFER_FRAME_SAVE_BY_LIBC 1
#endif
#endif
#ifdef GOFER_FRAME_SAVE_BY_LIBC
#include <setjmp.h>
#define GOFER_FRAME_SAVE(registers) _setjmp((struct __jmp_buf_tag *)(void *)(registers))
#else
#define GOFER_FRAME_SAVE(registers) gofer_frame_save(registers)
#endif

#endif

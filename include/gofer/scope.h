/* Structured concurrency: a block that its goroutines do not outlive.
 *
 *     static int load(go_context *ctx, struct page *page)
 *     {
 *         int error = 0;
 *         go_scope (s, ctx, &error) {
 *             go_in(s, fetch, go_scope_context(s), page->url, &page->text);
 *             go_in(s, fetch, go_scope_context(s), page->icon, &page->image);
 *         }
 *         return error;   // both have ended; where one failed, the other was cancelled
 *     }
 *
 * However the block is left, its goroutines have ended before what follows runs: the end of the
 * block, return, break, goto, a panic, go_goexit, in C++ an exception. So they may use the block's
 * variables, and what a function started is over when it returns. That is why a scope is a block
 * and not an object with a wait to call, as a wait group is: the one return that forgets the wait
 * is the bug. (`break` leaves the scope, and so does `continue`.)
 *
 * A scope has a context. It is cancelled by the first goroutine that returns an error or panics, by
 * go_scope_cancel, and where the block is left by a panic, a Goexit or an exception. A return or
 * break cancels nothing: it does not tell whether the work is still wanted, so the one who does not
 * want it says go_scope_cancel first. Cancelling asks; a goroutine that does not look at the
 * context is waited for all the same.
 *
 * The first error goes to the place that the scope was given, and go_scope_wait returns it. The
 * first panic goes on in the block's own goroutine, with its value, when all have ended, and comes
 * before an error: nobody's failure is lost because nobody waited. go_goexit in a goroutine of the
 * scope ends it as if it had returned 0.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_SCOPE_H
#define GOFER_SCOPE_H

#include <gofer/base.h>
#include <gofer/capture.h>
#include <gofer/context.h>
#include <gofer/panic.h>
#include <gofer/runtime.h>
#include <gofer/sync.h>

GOFER_BEGIN

/* A scope, as `s` in go_scope (s) points at it. Lives as long as the block. Go has no such type;
 * errgroup.Group comes closest. */
typedef struct go_scope {
    gofer_defer record; /* the library's own: see src/context/scope.c; so below */
    go_waitgroup running;
    go_context *context;
    void *panic;
    int *result;
    uint32_t failed, panicked;
    int error, error_errno;
} go_scope;

/* The context of the scope. The scope's own reference: who may outlive the block takes one. */
GOFER_API go_context *go_scope_context(go_scope *s);

/* Starts fn(arg) as a goroutine of the scope; what fn returns is 0 or an error in the program's own
 * terms. Does not block. From the block and from goroutines of the scope. The form for every
 * compiler and language binding; programs use go_in(s, fn, args…). */
GOFER_API void go_scope_spawn(go_scope *s, int (*fn)(void *), void *arg);

/* Cancels the scope's context. Does not wait. */
GOFER_API void go_scope_cancel(go_scope *s);

/* Blocks until the goroutines of the scope have ended, in the block's own goroutine. Returns 0, or
 * the first error, with errno as that function left it. Panics as the first of them did. More may
 * be started after it. */
GOFER_API int go_scope_wait(go_scope *s);

/* Under the macros. */
GOFER_API go_scope *gofer_scope_enter(go_scope *s, const gofer_site *site, go_context *parent,
                                      int *result);
GOFER_API void gofer_scope_leave(go_scope *s);
GOFER_API void gofer_deliver_scope(gofer_call *, const void *stack);

GOFER_END

/* The block that follows is a scope: go_scope (s), go_scope (s, parent) or go_scope (s, parent,
 * &error). s is its name in the block, of type go_scope *; parent the context that its own is made
 * of, NULL: the background; error an int that gets the first error when the block is left, and is
 * else left alone. Without memory for the context it is fatal. Not in Go. */
#define go_scope(...) GOFER_SCOPE_(GOFER_CAT(gofer_scope_, __COUNTER__), __VA_ARGS__, NULL, NULL, 0)

#ifdef __cplusplus
#include <gofer/cxx/scope.h>
#else

#define GOFER_SCOPE_(id, s, parent, result, ...)                                                 \
    for (go_scope id __attribute__((cleanup(gofer_scope_leave))), *s = __extension__({           \
             static const gofer_site gofer_site_ = { __extension__ __func__, __FILE__, __LINE__, \
                                                     NULL };                                     \
             gofer_scope_enter(&id, &gofer_site_, (parent), (result));                           \
         });                                                                                     \
         s; s = NULL)

/* Starts fn(args…) as a goroutine of the scope: up to 16 arguments of any types, checked against
 * fn's own prototype and evaluated now. fn returns nothing, or an int: 0 or an error. Does not
 * block. Not in Go; errgroup's Group.Go comes closest. */
#define go_in(s, ...)                                                                           \
    __extension__({                                                                             \
        _Static_assert(GOFER_RETURNS_A(int, __VA_ARGS__) || GOFER_RETURNS_A(void, __VA_ARGS__), \
                       "gofer: a function of a scope returns an int, or nothing");              \
        go_scope *gofer_in_ = (s);                                                              \
        (void)GOFER_GROUP_GO(gofer_in_, GOFER_RETURNS_A(int, __VA_ARGS__), gofer_deliver_scope, \
                             __VA_ARGS__);                                                      \
    })
#define GOFER_RETURNS_A(type, ...)     \
    __builtin_types_compatible_p(type, \
                                 __typeof__(GOFER_CALL(GOFER_FIRST(__VA_ARGS__), __VA_ARGS__)))

#endif
#endif

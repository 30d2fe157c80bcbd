/* Contexts: cancellation, deadlines and values that travel with a task. Go's package context, and
 * the forms of the library's blocking calls that a context cuts short.
 *
 *     static int fetch(go_context *ctx, struct page *page);
 *
 *     go_context *ctx = go_context_with_timeout(parent, 2 * GO_SECOND);
 *     go_defer(go_context_end, ctx);
 *     if (fetch(ctx, &page) != 0)
 *         …errno is ETIMEDOUT after two seconds, ECANCELED where parent was cancelled…
 *
 * Ownership. go_context_with_… and go_context_without_cancel return a context with one reference,
 * the caller's, who gives it back with go_context_unref, or with go_context_end, which cancels
 * first and is what Go's deferred cancel() becomes. A context holds a reference to its parent, and
 * go_context_after_func one to its context: so a parent may be given back before its children, and
 * is cancelled with effect for them as long as somebody else holds it. Cancelling gives no
 * reference back. Passing a context to a function or goroutine passes none: who may outlive the
 * giver takes one with go_context_ref. A call that takes a context needs it alive until it returns.
 * A context that is neither cancelled nor given back stays linked to its parent, and its timer
 * runs, as in Go. A context used after its last reference is gone is a fatal error where that is
 * still to be seen.
 *
 * NULL stands for the background everywhere. All calls may be made from goroutines and plain
 * threads, on one context from several at a time. None blocks but those that say so.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CONTEXT_H
#define GOFER_CONTEXT_H

#include <gofer/base.h>
#include <gofer/chan.h>
#include <gofer/errgroup.h>
#include <gofer/select.h>
#include <gofer/semaphore.h>
#include <gofer/singleflight.h>
#include <gofer/sync.h>

/* Go: context.Context. */
typedef struct go_context go_context;

/* A call that waits for a context to be cancelled. Made by go_context_after_func. */
typedef struct go_context_after go_context_after;

GOFER_BEGIN

/* ---- making contexts ---------------------------------------------------------------------- */

/* A context that is never cancelled and has neither values nor a deadline; it needs no references.
 * The second says that it is not clear yet which one to use. Go: context.Background,
 * context.TODO. */
GOFER_API go_context *go_context_background(void);
GOFER_API go_context *go_context_todo(void);

/* A context that is cancelled by go_context_cancel, or when parent is. The second is the same:
 * every context can be cancelled with a cause. NULL and ENOMEM where memory is short, as all that
 * make contexts. Go: context.WithCancel, context.WithCancelCause. */
GOFER_API go_context *go_context_with_cancel(go_context *parent);
GOFER_API go_context *go_context_with_cancel_cause(go_context *parent);

/* The same, and cancelled with ETIMEDOUT when go_now() reaches `when`, or after d; at once where
 * that has passed. A parent's earlier deadline stays. Until it is cancelled or given back there is
 * no deadlock, and go_shutdown waits. Go: context.WithDeadline, context.WithTimeout. */
GOFER_API go_context *go_context_with_deadline(go_context *parent, int64_t when);
GOFER_API go_context *go_context_with_timeout(go_context *parent, go_duration d);

/* The same with the cause that the deadline gives, as go_context_cancel_cause says it.
 * Go: context.WithDeadlineCause, context.WithTimeoutCause. */
GOFER_API go_context *go_context_with_deadline_cause(go_context *parent, int64_t when, int code,
                                                     const char *format, ...) GOFER_PRINTF(4, 5);
GOFER_API go_context *go_context_with_timeout_cause(go_context *parent, go_duration d, int code,
                                                    const char *format, ...) GOFER_PRINTF(4, 5);

/* A context in which key has the value. A key is the address of any static object; the value is the
 * program's own, and must live as long as the context. Panics: "nil key". Go: context.WithValue. */
GOFER_API go_context *go_context_with_value(go_context *parent, const void *key, void *value);

/* A context with parent's values, which is not cancelled with parent and has no deadline.
 * Go: context.WithoutCancel. */
GOFER_API go_context *go_context_without_cancel(go_context *parent);

/* ---- references --------------------------------------------------------------------------- */

/* One more reference, and ctx; one fewer. The last one takes the context from its parent, stops its
 * timer and frees it; nobody may be waiting for it then: fatal. NULL and the background: nothing
 * happens. */
GOFER_API go_context *go_context_ref(go_context *ctx);
GOFER_API void go_context_unref(go_context *ctx);

/* go_context_cancel, then go_context_unref: go_defer(go_context_end, ctx) is Go's defer cancel().
 * NULL: nothing happens. */
GOFER_API void go_context_end(go_context *ctx);

/* ---- cancelling --------------------------------------------------------------------------- */

/* Cancels ctx and all that were made of it: go_context_err is ECANCELED from then on, who waits
 * wakes, go_context_after_func's calls start. Does not wait for anybody. The first cancellation
 * counts; later ones do nothing. Fatal for a context that go_context_with_cancel and the like did
 * not make, such as one with a value; for NULL nothing happens. Go: CancelFunc. */
GOFER_API void go_context_cancel(go_context *ctx);

/* The same with a cause: the program's own code, and a text, which is copied. Code 0 stands for
 * ECANCELED, a NULL format for "context canceled"; so does, without memory, any text.
 * Go: CancelCauseFunc. */
GOFER_API void go_context_cancel_cause(go_context *ctx, int code, const char *format, ...)
    GOFER_PRINTF(3, 4);

/* ---- asking ------------------------------------------------------------------------------- */

/* 0, or why ctx was cancelled: ECANCELED or ETIMEDOUT. The text is Go's: "context canceled",
 * "context deadline exceeded"; NULL where it was not. Go: Context.Err. */
GOFER_API int go_context_err(go_context *ctx);
GOFER_API const char *go_context_err_text(go_context *ctx);

/* 0, or the code of the cause with which ctx, or the parent that it was cancelled with, was
 * cancelled; and the cause's text, or NULL, which lives as long as ctx. Without a cause they are
 * go_context_err's. Go: context.Cause. */
GOFER_API int go_context_cause(go_context *ctx);
GOFER_API const char *go_context_cause_text(go_context *ctx);

/* 1, and in *when, which may be NULL, go_now()'s value at which ctx is cancelled; or 0: it has no
 * deadline. Go: Context.Deadline. */
GOFER_API int go_context_deadline(go_context *ctx, int64_t *when);

/* The value that the nearest context with this key gives, or NULL. Go: Context.Value. */
GOFER_API void *go_context_value(go_context *ctx, const void *key);

/* How ctx was made, as in "context.Background.WithCancel.WithValue", into buf of `size` bytes, cut
 * where it does not fit; returns buf. size 0 does nothing. Go: fmt.Sprint(ctx), but for keys,
 * values and times. */
GOFER_API char *go_context_string(go_context *ctx, char *buf, size_t size);

/* ---- waiting ------------------------------------------------------------------------------ */

/* A channel that is closed when ctx is cancelled; NULL where it never is. It lives as long as ctx,
 * and longer for who took a reference with go_chan_ref. Go: Context.Done. */
GOFER_API go_chan(go_unit) go_context_done(go_context *ctx);

/* Blocks until ctx is cancelled, and returns what go_context_err does; for ever where it never is.
 * Go: <-ctx.Done(). */
GOFER_API int go_context_wait(go_context *ctx);

/* Runs fn(arg) in a goroutine of its own as soon as ctx is cancelled; at once if it is. The handle
 * is given back with go_context_after_free, at any time. NULL and ENOMEM where memory is short; fn
 * == NULL is fatal: "go of nil func value". Go: context.AfterFunc. */
GOFER_API go_context_after *go_context_after_func(go_context *ctx, void (*fn)(void *), void *arg);

/* Stops it. 1: fn was not started and never will be; 0: it was started, for whose end stop does not
 * wait, or it was stopped before. Go: the stop function of context.AfterFunc. */
GOFER_API int go_context_after_stop(go_context_after *after);

/* Gives the handle back; fn runs all the same unless it was stopped. NULL: nothing happens. */
GOFER_API void go_context_after_free(go_context_after *after);

/* ---- blocking calls with a context --------------------------------------------------------- */

/* Each does what the call without _ctx does and returns 0, or gives up as soon as ctx is cancelled
 * and returns -1 with errno ECANCELED or ETIMEDOUT: the object is then as if the call had never
 * been. With a context that is cancelled already they return -1 at once, also where they need not
 * wait. go_sleep_ctx: also -1 and ENOMEM. go_cond_wait_ctx holds the locker again in any case.
 * Go: a select with <-ctx.Done(); Weighted.Acquire. */
GOFER_API int go_sleep_ctx(go_context *ctx, go_duration d);
GOFER_API int go_mutex_lock_ctx(go_context *ctx, go_mutex *m);
GOFER_API int go_rwmutex_lock_ctx(go_context *ctx, go_rwmutex *rw);
GOFER_API int go_rwmutex_rlock_ctx(go_context *ctx, go_rwmutex *rw);
GOFER_API int go_waitgroup_wait_ctx(go_context *ctx, go_waitgroup *wg);
GOFER_API int go_cond_wait_ctx(go_context *ctx, go_cond *c);
GOFER_API int go_semaphore_acquire_ctx(go_context *ctx, go_semaphore *s, int64_t n);

/* Makes group, which must not be in use, one that cancels the returned context with the first error
 * as its cause, or when go_errgroup_wait returns. Where a function returned -1 the cause is errno,
 * else what it returned. The caller owns a reference; the group holds one until the wait, which
 * must come. NULL and ENOMEM where memory is short. Go: errgroup.WithContext. */
GOFER_API go_context *go_errgroup_with_context(go_errgroup *group, go_context *parent);

/* go_singleflight_do, but fn runs in a goroutine of its own, and who gives up because ctx is
 * cancelled leaves it to the others. A panic in fn ends the process; after go_goexit in it only ctx
 * ends the wait. -1 and ENOMEM where memory is short. Go: Group.DoChan and a select with
 * <-ctx.Done(). */
GOFER_API int go_singleflight_do_ctx(go_context *ctx, go_singleflight *group, const char *key,
                                     int (*fn)(void *arg, void **value), void *arg, void **value,
                                     int *shared);

/* Under the macros. */
GOFER_API int gofer_chan_send_ctx(go_context *ctx, void *c, const void *value, size_t size);
GOFER_API int gofer_chan_recv_ctx(go_context *ctx, void *c, void *value, size_t size);

GOFER_END

#ifdef __cplusplus
#include <gofer/cxx/context.h>
#else

/* go_send that ctx cuts short: 0 once v was sent, else -1 with errno ECANCELED or ETIMEDOUT.
 * Go: select { case c <- v: case <-ctx.Done(): }. */
#define go_send_ctx(ctx, c, v)                                                               \
    __extension__({                                                                          \
        go_context *gofer_by_ = (ctx);                                                       \
        void *gofer_on_ = (c);                                                               \
        gofer_chan_send_ctx(gofer_by_, gofer_on_, (go_elem(c)[1]){ v }, sizeof(go_elem(c))); \
    })

/* go_recv_ok that ctx cuts short: 1 and a value in *p (p may be NULL); 0 and the zero value once
 * the channel is closed and drained; -1 with errno ECANCELED or ETIMEDOUT. Go: select { case v, ok
 * := <-c: case <-ctx.Done(): }. */
#define go_recv_ctx(ctx, c, p)                                                        \
    __extension__({                                                                   \
        go_context *gofer_until_ = (ctx);                                             \
        void *gofer_from_ = (c);                                                      \
        go_elem(c) *gofer_to_ = (p);                                                  \
        gofer_chan_recv_ctx(gofer_until_, gofer_from_, gofer_to_, sizeof *gofer_to_); \
    })

/* The case of go_select that is ready when ctx is cancelled. Go: case <-ctx.Done(). */
#define go_case_done(ctx) \
    GOFER_CASE(GO_CASE_RECV, go_context_done(ctx), NULL, sizeof(go_unit), NULL, 0)

#endif
#endif

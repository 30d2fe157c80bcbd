/* The blocking calls with a context: each is the room's own cancellable form, given the context's
 * source of cancellation. */
#include "context/context.h"

#include "panic/panic.h"
#include "sync/sync.h"

int go_mutex_lock_ctx(go_context *ctx, go_mutex *m)
{
    return gofer_mutex_lock_cancellable(m, gofer_context_source(ctx));
}

int go_rwmutex_lock_ctx(go_context *ctx, go_rwmutex *rw)
{
    return gofer_rwmutex_lock_cancellable(rw, gofer_context_source(ctx));
}

int go_rwmutex_rlock_ctx(go_context *ctx, go_rwmutex *rw)
{
    return gofer_rwmutex_rlock_cancellable(rw, gofer_context_source(ctx));
}

int go_waitgroup_wait_ctx(go_context *ctx, go_waitgroup *wg)
{
    return gofer_waitgroup_wait_cancellable(wg, gofer_context_source(ctx));
}

int go_cond_wait_ctx(go_context *ctx, go_cond *c)
{
    return gofer_cond_wait_cancellable(c, gofer_context_source(ctx));
}

int go_semaphore_acquire_ctx(go_context *ctx, go_semaphore *s, int64_t n)
{
    return gofer_semaphore_acquire_cancellable(s, n, gofer_context_source(ctx));
}

int go_sleep_ctx(go_context *ctx, go_duration d)
{
    return gofer_sleep_cancellable(d, gofer_context_source(ctx));
}

int gofer_chan_send_ctx(go_context *ctx, void *c, const void *value, size_t size)
{
    return gofer_chan_send_cancellable(c, value, size, gofer_context_source(ctx));
}

int gofer_chan_recv_ctx(go_context *ctx, void *c, void *value, size_t size)
{
    return gofer_chan_recv_cancellable(c, value, size, gofer_context_source(ctx));
}

/* ---- groups ------------------------------------------------------------------------------- */

/* The first error's errno is as the function left it: nothing has come in between. Called once,
 * with 0 by a wait that saw none. Gives the group's reference back. */
static void cancel_for_group(void *context, int error)
{
    go_context *ctx = context;
    int code = error == -1 ? *gofer_errno() : error;
    if (error == -1 && code)
        go_context_cancel_cause(ctx, code, "%s", strerror(code));
    else if (error)
        go_context_cancel_cause(ctx, code, "error %d", error);
    else
        go_context_cancel(ctx);
    go_context_unref(ctx);
}

go_context *go_errgroup_with_context(go_errgroup *group, go_context *parent)
{
    go_context *ctx = go_context_with_cancel(parent);
    *group = (go_errgroup){ .cancel = ctx ? cancel_for_group : NULL, .cancel_arg = ctx };
    return go_context_ref(ctx);
}

int go_singleflight_do_ctx(go_context *ctx, go_singleflight *group, const char *key,
                           int (*fn)(void *arg, void **value), void *arg, void **value, int *shared)
{
    go_singleflight_result result;
    int error = go_context_err(ctx);
    if (error)
        return gofer_cancelled(error);
    go_chan(go_singleflight_result) c = go_singleflight_do_chan(group, key, fn, arg);
    if (!c)
        return -1;
    int received = go_recv_ctx(ctx, c, &result);
    error = *gofer_errno();
    go_chan_unref(c);
    if (received < 0)
        return gofer_cancelled(error);
    if (value)
        *value = result.value;
    if (shared)
        *shared = result.shared;
    if (result.error)
        *gofer_errno() = result.error_errno;
    return result.error;
}

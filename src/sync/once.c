/* go_once, and the functions and values made with it. `done` is set by the first call after fn
 * ended, by whatever way: the mutex is held meanwhile, so that the others return only then. What a
 * function panicked with is copied, to be raised again by each call; `returned` and `panic` are
 * written before `done` is. */
#include "gofer/sync.h"

#include "base/base.h"
#include "gofer/panic.h"
#include "panic/panic.h"
#include "sync/kept_panic.h"

static _Atomic uint32_t *done_of(go_once *once)
{
    return (_Atomic uint32_t *)(void *)&once->done;
}

static void finish(go_once *once)
{
    /* pairs with the acquire in go_once_do */
    atomic_store_explicit(done_of(once), 1, memory_order_release);
    go_mutex_unlock(&once->mutex);
}

static gofer_cold void run(go_once *once, void (*fn)(void *), void *arg)
{
    go_mutex_lock(&once->mutex);
    if (atomic_load_explicit(done_of(once), memory_order_relaxed)) {
        go_mutex_unlock(&once->mutex);
        return;
    }
    go_defer(finish, once);
    GOFER_DEFERS_FOR_EXCEPTIONS();
    fn(arg);
}

void(go_once_do)(go_once *once, void (*fn)(void *), void *arg)
{
    if (gofer_unlikely(!atomic_load_explicit(done_of(once), memory_order_acquire)))
        run(once, fn, arg);
}

/* ---- functions and values ----------------------------------------------------------------- */

/* Go's recover gives nil during a Goexit, and nil is what it then panics with. */
static void raise_again(const gofer_kept_panic *kept)
{
    if (!kept)
        go_panic_pointer(NULL);
    go_repanic(&kept->value);
}

static void end_call(gofer_once_call *call)
{
    const go_panic_value *panic = go_recover();
    if (call->returned)
        return;
    if (!panic)
        go_panic_pointer(NULL);
    call->panic = gofer_keep_panic(panic);
    go_repanic(panic);
}

static void run_func(void *func)
{
    go_once_func *f = func;
    gofer_once_call *call = &f->call;
    go_defer(end_call, call);
    f->fn(f->arg);
    call->returned = 1;
}

static void run_value(void *value)
{
    go_once_value *v = value;
    gofer_once_call *call = &v->call;
    go_defer(end_call, call);
    v->value = v->fn(v->arg);
    call->returned = 1;
}

void go_once_func_call(go_once_func *f)
{
    go_once_do(&f->call.once, run_func, f);
    if (gofer_unlikely(!f->call.returned))
        raise_again(f->call.panic);
}

void *go_once_value_get(go_once_value *v)
{
    go_once_do(&v->call.once, run_value, v);
    if (gofer_unlikely(!v->call.returned))
        raise_again(v->call.panic);
    return v->value;
}

static void destroy(gofer_once_call *call)
{
    free(call->panic);
    *call = (gofer_once_call){ 0 };
}

void go_once_func_destroy(go_once_func *f)
{
    destroy(&f->call);
}

void go_once_value_destroy(go_once_value *v)
{
    destroy(&v->call);
}

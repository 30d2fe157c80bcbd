/* go_once. `done` is set by the first call after fn ended, by whatever way: the mutex is held
 * meanwhile, so that the others return only then. */
#include "gofer/sync.h"

#include "base/base.h"
#include "gofer/panic.h"

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
    /* Where fn throws a C++ exception: src/panic/exception.c. */
    __asm__ volatile(".cfi_personality 0x1b, gofer_callback_personality");
    fn(arg);
}

void go_once_do(go_once *once, void (*fn)(void *), void *arg)
{
    if (gofer_unlikely(!atomic_load_explicit(done_of(once), memory_order_acquire)))
        run(once, fn, arg);
}

/* Local statics of C++: while a goroutine makes one it is not parked, for who else comes to it
 * waits with a thread, and that could be the maker's.
 *
 * The functions are those of the C++ runtime. In a program of C there is none at first: it comes
 * with a library, after next.c has looked, and is found when the first static is made, before the
 * making begins: while one is in the making nothing may wait for the loader's lock. It stays loaded
 * from then on. */
#include "hook/hook.h"

#include <link.h>

struct guards {
    int (*acquire)(void *guard);
    void (*release)(void *guard);
    void (*abort)(void *guard);
};
static const struct guards *_Atomic guards; /* NULL: not looked for yet */

/* A handle of the library that has them: the runtime, or the caller's own, which contains it. */
static void *open_runtime(const void *caller)
{
    const int flags = RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE;
    struct link_map *map;
    Dl_info info;
    void *runtime = gofer_hook_next()->dlopen("libstdc++.so.6", flags);
    if (!runtime)
        runtime = gofer_hook_next()->dlopen("libc++abi.so.1", flags);
    if (!runtime && dladdr1(caller, &info, (void **)&map, RTLD_DL_LINKMAP))
        runtime = gofer_hook_next()->dlopen(map->l_name, flags);
    dlerror(); /* of what is not there */
    return runtime;
}

/* Two threads may be here at a time: they find the same, and the first one's counts. */
static const struct guards *find(const void *caller)
{
    static struct guards late;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const struct gofer_hook_next *next = gofer_hook_next();
    struct guards all = { next->__cxa_guard_acquire, next->__cxa_guard_release,
                          next->__cxa_guard_abort };
    if (!all.acquire) {
        void *runtime = open_runtime(caller);
        *(void **)&all.acquire = dlsym(runtime, "__cxa_guard_acquire");
        *(void **)&all.release = dlsym(runtime, "__cxa_guard_release");
        *(void **)&all.abort = dlsym(runtime, "__cxa_guard_abort");
    }
    next->pthread_mutex_lock(&lock);
    if (!atomic_load_explicit(&guards, memory_order_relaxed)) {
        late = all;
        /* pairs with the acquire in `runtime` */
        atomic_store_explicit(&guards, &late, memory_order_release);
    }
    next->pthread_mutex_unlock(&lock);
    return &late;
}

static const struct guards *runtime(const void *caller)
{
    const struct guards *with = atomic_load_explicit(&guards, memory_order_acquire);
    return __builtin_expect(with != NULL, 1) ? with : find(caller);
}

#define CALLER __builtin_return_address(0)

GOFER_HOOK int __cxa_guard_acquire(void *guard)
{
    int ours = runtime(CALLER)->acquire(guard);
    if (ours)
        gofer_hook_hold();
    return ours;
}

GOFER_HOOK void __cxa_guard_release(void *guard)
{
    runtime(CALLER)->release(guard);
    gofer_hook_release();
}

GOFER_HOOK void __cxa_guard_abort(void *guard)
{
    runtime(CALLER)->abort(guard);
    gofer_hook_release();
}

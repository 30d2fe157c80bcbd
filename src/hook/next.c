/* The functions that the hooks stand in front of. */
#include "hook/hook.h"

#include <sched.h>

const struct gofer_hook_next *_Atomic gofer_hook_found;

static void fill(struct gofer_hook_next *next)
{
#define HOOKED(name) { (void *)&next->name, #name },
    const struct {
        void *slot;
        const char *name;
    } all[] = {
#include "hook/names.def"
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        void *function = dlsym(RTLD_NEXT, all[i].name);
        memcpy(all[i].slot, &function, sizeof function);
    }
}

/* Two threads may be here at a time: one fills the table, the others wait for it. An allocator that
 * dlsym calls may call a hook (it locks a mutex): it finds what is filled in so far, and what may
 * be missing in the C library, for which dlsym allocates, is asked for last. */
const struct gofer_hook_next *gofer_hook_find_next(void)
{
    static struct gofer_hook_next next;
    static _Atomic bool begun;
    static __thread bool fills;
    if (fills)
        return &next;
    if (!atomic_exchange_explicit(&begun, true, memory_order_relaxed)) {
        fills = true;
        fill(&next);
        dlerror(); /* of what is missing */
        fills = false;
        atomic_store_explicit(&gofer_hook_found, &next, memory_order_release);
    }
    while (!atomic_load_explicit(&gofer_hook_found, memory_order_acquire))
        sched_yield();
    return &next;
}

/* Early: a signal handler must not be the first to call. */
__attribute__((constructor(101))) static void find_early(void)
{
    gofer_hook_next();
}

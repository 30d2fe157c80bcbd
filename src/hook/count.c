/* GOFER_HOOK=count: how many calls were parked and how many blocked, on stderr when the process
 * ends. */
#include "hook/hook.h"

static _Atomic uint64_t counts[GOFER_HOOK_OUTCOMES]; /* relaxed: nothing follows from them */

void gofer_hook_count(enum gofer_hook_outcome outcome)
{
    atomic_fetch_add_explicit(&counts[outcome], 1, memory_order_relaxed);
}

static unsigned long count_of(enum gofer_hook_outcome outcome)
{
    return (unsigned long)atomic_load_explicit(&counts[outcome], memory_order_relaxed);
}

__attribute__((destructor)) static void tell(void)
{
    const char *wish = getenv("GOFER_HOOK");
    if (wish && strcmp(wish, "count") == 0)
        fprintf(stderr,
                "gofer-hook: parked %lu; handed off: lock held %lu, library excepted %lu, "
                "not pollable %lu\n",
                count_of(GOFER_HOOK_PARKED), count_of(GOFER_HOOK_HELD),
                count_of(GOFER_HOOK_UNTRUSTED), count_of(GOFER_HOOK_IMPOSSIBLE));
}

/* The runtime's side of libgofer-hook: looks for it, and serves it. See src/hook/service.h. */
#include "hook/service.h"
#include "io/raw.h"
#include "park/park.h"

#include <dlfcn.h>

/* Weak: an old C library has it in a library of its own, which the program may not link; a static
 * program has none. */
extern __typeof__(dlsym) dlsym __attribute__((weak));

static gofer_hook_attach_fn *attach; /* gofer_life.lock */

static uint32_t *held(void)
{
    const gofer_m *m = gofer_m_self();
    return m && !m->g->is_thread && !m->g->is_system ? &m->g->held : NULL;
}

static bool may_park(void)
{
    const gofer_m *m = gofer_m_self();
    const gofer_g *g = m ? m->g : NULL;
    return g && !g->is_thread && !g->is_system && !g->held && !g->blocking_depth &&
           !atomic_load_explicit(&m->inside, memory_order_relaxed) &&
           !atomic_load_explicit(&gofer_sched.exiting, memory_order_relaxed) && !gofer_sched.forked;
}

/* From here to unpin the caller wakes on this thread only, whatever it calls of the runtime. */
static gofer_m *pin(gofer_m *m)
{
    gofer_m *before = m->g->home;
    m->g->home = m;
    m->sticky_count++;
    return before;
}

static void unpin(gofer_m *m, gofer_m *before)
{
    m->sticky_count--;
    m->g->home = before;
}

static int wait_pinned(const struct pollfd *fds, unsigned long count, int64_t deadline)
{
    gofer_m *m = gofer_m_self(), *before = pin(m);
    int error = gofer_raw_wait(fds, count, deadline);
    unpin(m, before);
    return error;
}

static void block_pinned(void (*fn)(void *), void *argument)
{
    gofer_m *m = gofer_m_self(), *before = pin(m);
    go_blocking_begin();
    fn(argument);
    go_blocking_end();
    unpin(m, before);
}

static const gofer_hook_service service = {
    .version = GOFER_HOOK_VERSION,
    .held = held,
    .may_park = may_park,
    .wait = wait_pinned,
    .closing = gofer_raw_closing,
    .block = block_pinned,
};

void *gofer_hooks_find(void)
{
    return dlsym ? dlsym(RTLD_DEFAULT, "gofer_hook_attach") : NULL;
}

void gofer_hooks_attach(void *found)
{
    memcpy(&attach, &found, sizeof attach);
    if (attach && !attach(&service))
        attach = NULL; /* another runtime has it */
}

/* dlclose, or exit. */
__attribute__((destructor)) static void detach_hooks(void)
{
    if (attach)
        attach(NULL);
}

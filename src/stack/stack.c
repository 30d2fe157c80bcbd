/* See stack.h. All state is under arenas.lock, but for peeks by dumps of a frozen world. */
#include "stack/stack.h"

#include "sched/state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifdef GOFER_ASAN
void __asan_unpoison_memory_region(void const volatile *address, size_t size);
#endif

enum { ARENA_SLOTS = 256, MAX_ARENAS = 1 << 16, COLOURS = 16, COLOUR_STEP = 128 };

static struct {
    gofer_spin lock;
    _Atomic uint32_t slots; /* carved so far, over all arenas */
    char **base;            /* MAX_ARENAS addresses, touched as they are needed */
    gofer_g *own;           /* those with stacks of their own size, through own_link */
    bool no_guard_install;  /* this kernel has no MADV_GUARD_INSTALL */
    long mprotect_left;     /* guards that may still split mappings; 0: not asked yet */
    bool warned;
} arenas;

static size_t page_size(void)
{
    static size_t size;
    if (!size)
        size = (size_t)sysconf(_SC_PAGESIZE);
    return size;
}

/* ---- guards ------------------------------------------------------------------------------- */

static long max_map_count(void)
{
    char text[32] = "";
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) < 0)
            text[0] = 0;
        close(fd);
    }
    long n = atol(text);
    return n > 0 ? n : 65530;
}

static void warn_unguarded(void)
{
    static const char text[] =
        "gofer: more goroutines than vm.max_map_count leaves guard pages for: further stacks are "
        "unguarded (raise vm.max_map_count, or run Linux 6.13 or newer)\n";
    if (!arenas.warned && write(2, text, sizeof text - 1) < 0)
        return;
    arenas.warned = true;
}

/* Makes the page at `page` a guard. Without MADV_GUARD_INSTALL each costs two mappings. */
static void install_guard(char *page)
{
    int saved = errno;
    if (!arenas.no_guard_install) {
        if (madvise(page, page_size(), MADV_GUARD_INSTALL) == 0)
            return;
        arenas.no_guard_install = true;
        arenas.mprotect_left = max_map_count() / 4;
    }
    if (arenas.mprotect_left > 0 && mprotect(page, page_size(), PROT_NONE) == 0)
        arenas.mprotect_left--;
    else
        warn_unguarded();
    errno = saved;
}

static char *map_stack_memory(size_t size)
{
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    madvise(base, size, MADV_NOHUGEPAGE); /* else a stack is resident in pieces of 2 MiB */
    return base;
}

/* ---- slots of arenas ---------------------------------------------------------------------- */

/* Where the descriptor lies in the slot [base, base + size). */
static gofer_g *descriptor_in(char *base, size_t size, uint32_t slot)
{
    size_t offset = (size_t)(slot % COLOURS) * COLOUR_STEP;
    return (gofer_g *)(void *)(base + size - offset - ((sizeof(gofer_g) + 63) & ~(size_t)63));
}

static gofer_g *carve(uint32_t slot)
{
    size_t size = gofer_sched.stack_size;
    char *base = arenas.base[slot / ARENA_SLOTS] + size * (slot % ARENA_SLOTS);
    gofer_g *g = descriptor_in(base, size, slot);
    install_guard(base);
    g->stack_low = base + page_size();
    g->stack_high = (char *)g;
    return g;
}

static bool add_arena(uint32_t arena)
{
    if (!arenas.base) {
        size_t size = MAX_ARENAS * sizeof *arenas.base;
        char **table = mmap(NULL, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (table == MAP_FAILED)
            return false;
        arenas.base = table;
    }
    if (arena >= MAX_ARENAS)
        return false;
    arenas.base[arena] = map_stack_memory(ARENA_SLOTS * gofer_sched.stack_size);
    return arenas.base[arena] != NULL;
}

gofer_g *gofer_stack_new(void)
{
    gofer_g *g = NULL;
    gofer_spin_lock(&arenas.lock);
    uint32_t slot = atomic_load_explicit(&arenas.slots, memory_order_relaxed);
    if (slot % ARENA_SLOTS != 0 || add_arena(slot / ARENA_SLOTS)) {
        g = carve(slot);
        atomic_store_explicit(&arenas.slots, slot + 1, memory_order_release);
    }
    gofer_spin_unlock(&arenas.lock);
    return g;
}

/* ---- stacks of their own size ------------------------------------------------------------- */

gofer_g *gofer_stack_new_own(size_t size)
{
    size = ((size + page_size() - 1) & ~(page_size() - 1)) + 2 * page_size();
    char *base = map_stack_memory(size);
    if (!base)
        return NULL;
    gofer_g *g = descriptor_in(base, size, 0);
    gofer_spin_lock(&arenas.lock);
    install_guard(base);
    g->own_link = arenas.own;
    arenas.own = g;
    gofer_spin_unlock(&arenas.lock);
    g->stack_low = base + page_size();
    g->stack_high = (char *)g;
    g->stack_base = base;
    g->stack_map_size = size;
    return g;
}

void gofer_stack_free_own(gofer_g *g)
{
    gofer_spin_lock(&arenas.lock);
    gofer_g **at = &arenas.own;
    while (*at != g)
        at = &(*at)->own_link;
    *at = g->own_link;
    gofer_spin_unlock(&arenas.lock);
#ifdef GOFER_ASAN
    __asan_unpoison_memory_region(g->stack_base, g->stack_map_size);
#endif
    munmap(g->stack_base, g->stack_map_size);
}

void gofer_stack_trim(gofer_g *g)
{
    uintptr_t page = (uintptr_t)g & ~(uintptr_t)(page_size() - 1);
    madvise(g->stack_low, page - (uintptr_t)g->stack_low, MADV_DONTNEED);
}

/* ---- for dumps ---------------------------------------------------------------------------- */

void gofer_each_goroutine(void (*fn)(gofer_g *g, void *context), void *context)
{
    uint32_t n = atomic_load_explicit(&arenas.slots, memory_order_acquire);
    for (uint32_t slot = 0; slot < n; slot++) {
        size_t size = gofer_sched.stack_size;
        char *base = arenas.base[slot / ARENA_SLOTS] + size * (slot % ARENA_SLOTS);
        gofer_g *g = descriptor_in(base, size, slot);
        if (gofer_state_of(g) != GOFER_DEAD)
            fn(g, context);
    }
    for (gofer_g *g = arenas.own; g; g = g->own_link)
        if (gofer_state_of(g) != GOFER_DEAD)
            fn(g, context);
}

/* See stack.h. All state is under the lock of gofer_stacks, but for mappings of their own. */
#include "stack/stack.h"

#include "gofer/debug.h"
#include "stack/valgrind.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { COLOUR_STEP = 128, ARENA_SLOTS = 64, COLOURS = 4096 / 2 / COLOUR_STEP, KEEP_WARM = 64 };

size_t gofer_stack_size = (size_t)256 * 1024;
size_t gofer_stack_reach;

/* Until go_set_max_stack is called there is no limit but what can be counted. */
enum { LIMIT_OF_GO = 1000000000 };
static const size_t unlimited = SIZE_MAX / 2;
static _Atomic size_t stack_limit = SIZE_MAX / 2;

static struct {
    char *free, *end;      /* what is left of the arena in use */
    bool asked;            /* whether no_guard_install is known */
    bool no_guard_install; /* this kernel has no MADV_GUARD_INSTALL */
    bool warned;
    char **bases; /* all arenas */
    size_t count;
    long mprotect_left; /* guards that may still split mappings */
    size_t trimmed;     /* how many at the front of the stock have no memory */
} arenas;

static size_t page_size(void)
{
    static size_t size; /* 0: not asked yet; the first stack is made by one thread */
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

/* With the lock held: where nobody reads stderr's pipe, a later stack says it. */
static void warn_unguarded(void)
{
    static const char text[] =
        "gofer: more goroutines than vm.max_map_count leaves guard pages for: further stacks are "
        "unguarded (raise vm.max_map_count, or run Linux 6.13 or newer)\n";
    struct pollfd out = { .fd = 2, .events = POLLOUT };
    if (arenas.warned || poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
        return;
    arenas.warned = write(2, text, sizeof text - 1) > 0;
}

/* Makes the page at `page` a guard. Without MADV_GUARD_INSTALL each costs two mappings: whether it
 * did. */
static bool install_guard(char *page)
{
    bool split = false;
    int saved = errno;
    if (!arenas.asked) {
        arenas.asked = true;
        arenas.mprotect_left = max_map_count() / 4;
        /* an emulator may say yes to any advice, even to one that nobody knows */
        arenas.no_guard_install = madvise(page, page_size(), -1) == 0 ||
                                  madvise(page, page_size(), MADV_GUARD_INSTALL) != 0;
    }
    bool guarded = !arenas.no_guard_install && madvise(page, page_size(), MADV_GUARD_INSTALL) == 0;
    if (!guarded && arenas.mprotect_left > 0 && mprotect(page, page_size(), PROT_NONE) == 0) {
        arenas.mprotect_left--;
        guarded = split = true;
    }
    if (!guarded)
        warn_unguarded();
    errno = saved;
    return split;
}

static char *map_memory(size_t size)
{
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    madvise(base, size, MADV_NOHUGEPAGE); /* else a stack is resident in pieces of 2 MiB */
    return base;
}

/* ---- the pool ----------------------------------------------------------------------------- */

static size_t up_to_page(size_t size)
{
    return (size + page_size() - 1) & ~(page_size() - 1);
}

/* From slot to slot: the stack and its guard, an odd number of pages. */
static size_t stride(void)
{
    return (up_to_page(gofer_stack_size) + page_size()) | page_size();
}

static bool map_arena(void)
{
    if (arenas.count % ARENA_SLOTS == 0) {
        char **bases = realloc(arenas.bases, (arenas.count + ARENA_SLOTS) * sizeof *bases);
        if (!bases)
            return false;
        arenas.bases = bases;
    }
    char *arena = map_memory(ARENA_SLOTS * stride());
    if (!arena)
        return false;
    arenas.bases[arenas.count++] = arena;
    arenas.free = arena;
    arenas.end = arena + ARENA_SLOTS * stride();
    return true;
}

static void *make(size_t index)
{
    if (!gofer_stack_reach)
        gofer_stack_reach = stride() - page_size();
    if (arenas.free == arenas.end && !map_arena())
        return NULL;
    install_guard(arenas.free);
    gofer_stack_tell(arenas.free + page_size(), arenas.free + stride());
    GOFER_LSAN_ROOT(arenas.free + page_size(), stride() - page_size());
    arenas.free += stride();
    return arenas.free - index % COLOURS * COLOUR_STEP;
}

gofer_pool gofer_stacks = { .make = make };

#ifdef GOFER_TSAN
void gofer_stack_renew(char *top)
{
    gofer_tsan_forget(gofer_stack_low(top), gofer_stack_reach);
}
#endif

bool gofer_stacks_trim(void)
{
    gofer_spin_lock(&gofer_stacks.lock);
    if (arenas.trimmed > gofer_stacks.least)
        arenas.trimmed = gofer_stacks.least;
    gofer_stacks.least = gofer_stacks.count;
    bool more = arenas.trimmed + KEEP_WARM < gofer_stacks.count;
    if (more) {
        char *top = gofer_stacks.items[arenas.trimmed++];
        char *low = gofer_stack_low(top);
        madvise(low, (size_t)(top - low), MADV_DONTNEED);
    }
    gofer_spin_unlock(&gofer_stacks.lock);
    return more;
}

static void unmap_arena(char *arena)
{
    for (int i = 0; i < ARENA_SLOTS && arena + i * stride() != arenas.free; i++)
        GOFER_LSAN_NO_ROOT(arena + i * stride() + page_size(), stride() - page_size());
    munmap(arena, ARENA_SLOTS * stride());
}

void gofer_stacks_free_all(void)
{
    for (size_t i = 0; i < arenas.count; i++)
        unmap_arena(arenas.bases[i]);
    free(arenas.bases);
    arenas.bases = NULL;
    arenas.free = arenas.end = NULL;
    arenas.count = arenas.trimmed = 0;
    arenas.asked = false; /* the mappings that guards took are free again */
    gofer_stack_reach = 0;
    gofer_pool_free(&gofer_stacks);
}

/* ---- mappings of their own ---------------------------------------------------------------- */

/* Above the top. */
struct own_mapping {
    unsigned told;    /* what gofer_stack_forget wants */
    bool guard_split; /* its guard counts among those that may split mappings */
};

enum { ABOVE = 16, MOST_SEARCHED = 8 << 20 };
_Static_assert(sizeof(struct own_mapping) <= ABOVE, "keeps the top aligned");

static size_t limited(size_t size)
{
    size_t most = atomic_load_explicit(&stack_limit, memory_order_relaxed);
    if (most < gofer_stack_size)
        most = gofer_stack_size;
    return size < most ? size : most;
}

size_t go_set_max_stack(size_t bytes)
{
    size_t most = bytes < unlimited ? bytes : unlimited;
    size_t before = bytes ? atomic_exchange_explicit(&stack_limit, most, memory_order_relaxed)
                          : atomic_load_explicit(&stack_limit, memory_order_relaxed);
    return before == unlimited ? LIMIT_OF_GO : before;
}

/* Where a stack is as large as main's, its deep part is left out: reading all of it takes long. */
static size_t searched_for_leaks(const char *low, const char *top)
{
    size_t size = (size_t)(top - low);
    return size < MOST_SEARCHED ? size : MOST_SEARCHED;
}

char *gofer_stack_map(size_t size, char **low)
{
    size = limited(size);
    size = up_to_page(size + ABOVE) + page_size();
    char *base = map_memory(size);
    if (!base)
        return NULL;
    gofer_spin_lock(&gofer_stacks.lock);
    bool split = install_guard(base);
    gofer_spin_unlock(&gofer_stacks.lock);
    char *top = base + size - ABOVE;
    *low = base + page_size();
    *(struct own_mapping *)(void *)top = (struct own_mapping){ gofer_stack_tell(*low, top), split };
    size_t searched = searched_for_leaks(*low, top);
    GOFER_LSAN_ROOT(top - searched, searched);
    return top;
}

void gofer_stack_unmap(char *low, char *top)
{
    struct own_mapping own = *(struct own_mapping *)(void *)top;
    size_t searched = searched_for_leaks(low, top);
    GOFER_LSAN_NO_ROOT(top - searched, searched);
    gofer_stack_forget(own.told);
    munmap(low - page_size(), (size_t)(top + ABOVE - low) + page_size());
    if (!own.guard_split)
        return;
    gofer_spin_lock(&gofer_stacks.lock);
    arenas.mprotect_left++;
    gofer_spin_unlock(&gofer_stacks.lock);
}

/* Addresses to names: libbacktrace where the build found it (DWARF, also of static programs), else
 * the dynamic symbol table.
 *
 * libbacktrace's state knows the objects that were loaded when it was made, and has no end. So it
 * is made anew when others are loaded, and what it mapped is listed, to be unmapped with it: also
 * when the library is unloaded. A state is used by one thread at a time. Where the first is taken
 * there is a second, for a crash's report cannot wait: the thread that it interrupted may have it.
 */
#include "debug/dump.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef GOFER_HAVE_BACKTRACE
/* libbacktrace's interface, as its backtrace.h declares it; that header lies in gcc's own folder,
 * where other compilers do not look; the build prefixed its names (cmake/backtrace.cmake), and
 * those of mmap and munmap, by which it allocates. */
struct backtrace_state;
typedef void (*backtrace_error)(void *data, const char *text, int number);
struct backtrace_state *gofer_backtrace_create_state(const char *filename, int threaded,
                                                     backtrace_error error, void *data);
int gofer_backtrace_pcinfo(struct backtrace_state *state, uintptr_t pc,
                           int (*callback)(void *data, uintptr_t pc, const char *filename,
                                           int lineno, const char *function),
                           backtrace_error error, void *data);
int gofer_backtrace_syminfo(struct backtrace_state *state, uintptr_t address,
                            void (*callback)(void *data, uintptr_t pc, const char *name,
                                             uintptr_t value, uintptr_t size),
                            backtrace_error error, void *data);

static void ignore_error(void *data, const char *text, int number)
{
    (void)data;
    (void)text;
    (void)number;
}

struct names {
    struct gofer_symbol *symbols;
    int count;
};

/* Called for each function that was inlined into the next, innermost first. Our own C++ headers'
 * are left out. */
static int on_line(void *data, uintptr_t pc, const char *file, int line, const char *function)
{
    struct names *names = data;
    (void)pc;
    if ((!function && !file) || names->count == GOFER_INLINED_MOST ||
        (file && strstr(file, "/gofer/cxx/")))
        return 0;
    struct gofer_symbol *symbol = &names->symbols[names->count++];
    memset(symbol, 0, sizeof *symbol);
    if (function)
        snprintf(symbol->function, sizeof symbol->function, "%s", function);
    if (file) {
        snprintf(symbol->file, sizeof symbol->file, "%s", file);
        symbol->line = line;
    }
    return 0;
}

static void on_symbol(void *data, uintptr_t pc, const char *name, uintptr_t value, uintptr_t size)
{
    struct gofer_symbol *symbol = data;
    (void)size;
    if (!name)
        return;
    if (!symbol->function[0])
        snprintf(symbol->function, sizeof symbol->function, "%s", name);
    symbol->offset = pc - value;
}

/* ---- states ------------------------------------------------------------------------------- */

enum { STATES = 4 };

struct mappings {
    struct mappings *earlier;
    size_t count;
    struct {
        void *at;
        size_t size;
    } each[255]; /* one page in all */
};

static struct state {
    _Atomic pid_t owner; /* the thread that uses it, and what is below; 0: none */
    struct backtrace_state *backtrace;
    unsigned long long version; /* of the objects that it knows */
    struct mappings *mappings;
} states[STATES];

/* NULL: all are taken. */
static struct state *take_state(void)
{
    pid_t self = (pid_t)syscall(SYS_gettid);
    for (struct state *s = states; s < states + STATES; s++) {
        pid_t none = 0;
        if (atomic_compare_exchange_strong_explicit(&s->owner, &none, self, memory_order_acquire,
                                                    memory_order_relaxed)) {
            GOFER_TSAN_ACQUIRE(s);
            return s;
        }
    }
    return NULL;
}

static void give_state(struct state *s)
{
    GOFER_TSAN_RELEASE(s);
    /* pairs with the acquire in take_state */
    atomic_store_explicit(&s->owner, 0, memory_order_release);
}

/* The one that the calling thread took last: it may have been interrupted in another. */
static struct state *state_of_caller(void)
{
    pid_t self = (pid_t)syscall(SYS_gettid);
    struct state *s = states + STATES;
    while (s-- > states)
        if (atomic_load_explicit(&s->owner, memory_order_relaxed) == self)
            return s;
    return NULL;
}

static bool has_room(struct state *s)
{
    if (s->mappings && s->mappings->count < sizeof s->mappings->each / sizeof *s->mappings->each)
        return true;
    struct mappings *page =
        mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    page->earlier = s->mappings;
    s->mappings = page;
    return true;
}

/* What libbacktrace calls for mmap and munmap. */
void *gofer_backtrace_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int gofer_backtrace_munmap(void *at, size_t size);

void *gofer_backtrace_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    struct state *s = state_of_caller();
    if (!s || !has_room(s))
        return MAP_FAILED;
    void *mapped = mmap(at, size, protection, flags, fd, offset);
    if (mapped != MAP_FAILED) {
        size_t i = s->mappings->count++;
        s->mappings->each[i].at = mapped;
        s->mappings->each[i].size = size;
    }
    return mapped;
}

/* The memory is given back, and the addresses with the state: they may be a part of a mapping. */
int gofer_backtrace_munmap(void *at, size_t size)
{
    return madvise(at, size, MADV_DONTNEED);
}

static void free_state(struct state *s)
{
    s->backtrace = NULL;
    while (s->mappings) {
        struct mappings *page = s->mappings;
        for (size_t i = 0; i < page->count; i++)
            munmap(page->each[i].at, page->each[i].size);
        s->mappings = page->earlier;
        munmap(page, sizeof *page);
    }
}

/* dlclose, or exit, where others may still run, and make them anew. */
__attribute__((destructor)) static void free_states(void)
{
    struct state *taken[STATES];
    int n = 0;
    while (n < STATES && (taken[n] = take_state()))
        free_state(taken[n++]);
    while (n > 0)
        give_state(taken[--n]);
}

static int by_debug_information(uintptr_t address, struct gofer_symbol *symbols)
{
    struct names names = { .symbols = symbols };
    struct state *s = take_state();
    if (!s)
        return 0;
    unsigned long long version = gofer_objects_version();
    if (s->version != version)
        free_state(s);
    s->version = version;
    if (!s->backtrace)
        s->backtrace = gofer_backtrace_create_state(gofer_program_link(), 0, ignore_error, NULL);
    if (s->backtrace) {
        gofer_backtrace_pcinfo(s->backtrace, address, on_line, ignore_error, &names);
        struct gofer_symbol *called = names.count ? &symbols[names.count - 1] : symbols;
        gofer_backtrace_syminfo(s->backtrace, address, on_symbol, ignore_error, called);
    }
    give_state(s);
    return names.count;
}
#else
static int by_debug_information(uintptr_t address, struct gofer_symbol *symbols)
{
    (void)address;
    (void)symbols;
    return 0;
}
#endif

int gofer_symbolise(uintptr_t address, struct gofer_symbol symbols[GOFER_INLINED_MOST])
{
    memset(symbols, 0, sizeof *symbols);
    int n = by_debug_information(address, symbols);
    struct gofer_symbol *called = &symbols[n ? n - 1 : 0];
    if (!called->function[0] || !called->file[0])
        gofer_object_symbol(address, called);
    for (int i = 0; i < (n ? n : 1); i++)
        gofer_shorten_name(symbols[i].function);
    return n ? n : 1;
}

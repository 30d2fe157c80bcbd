/* See dump.h. The form is Go's, to the letter: tools read it. */
#include "debug/dump.h"

#include "gofer/debug.h"
#include "sched/state.h"
#include "stack/valgrind.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

enum { MOST_GOROUTINES = 1 << 24 };

static struct gofer_trace main_trace;
static bool main_trace_kept;
_Atomic unsigned gofer_printed;

/* ---- printing ----------------------------------------------------------------------------- */

void gofer_print_to(struct gofer_text *text)
{
    gofer_m *m = gofer_m_self();
    if (m)
        m->print_to = text;
}

static void append(struct gofer_text *to, const char *text, size_t size)
{
    size_t room = to->size ? to->size - 1 - to->used : 0;
    if (size > room)
        size = room;
    if (size)
        memcpy(to->at + to->used, text, size);
    to->used += size;
}

void gofer_print_bytes(const char *text, size_t size)
{
    gofer_m *m = gofer_m_self();
    if (m && m->print_to) {
        append(m->print_to, text, size);
        return;
    }
    while (size > 0) {
        ssize_t n = write(2, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        size -= (size_t)n;
        atomic_fetch_add_explicit(&gofer_printed, 1, memory_order_relaxed);
    }
}

void gofer_print(const char *text)
{
    gofer_print_bytes(text, strlen(text));
}

/* As Go: a number stands for a level, and what is neither shows the text alone. */
static enum gofer_trace_level level_of(const char *text)
{
    static const char *const names[] = { "none", "single", "all", "system", "crash" };
    if (!text || !*text)
        return GOFER_TRACE_SINGLE;
    for (int level = GOFER_TRACE_NONE; level <= GOFER_TRACE_CRASH; level++)
        if (strcmp(text, names[level]) == 0)
            return (enum gofer_trace_level)level;
    long number = strtol(text, (char **)&text, 10);
    if (*text || number <= 0)
        return GOFER_TRACE_NONE;
    return number == 1 ? GOFER_TRACE_ALL : GOFER_TRACE_SYSTEM;
}

static _Atomic int level_set; /* by go_set_traceback */

enum gofer_trace_level gofer_traceback_level(void)
{
    int set = atomic_load_explicit(&level_set, memory_order_relaxed);
    enum gofer_trace_level level = level_of(getenv("GOTRACEBACK"));
    return set > (int)level ? (enum gofer_trace_level)set : level;
}

void go_set_traceback(const char *level)
{
    atomic_store_explicit(&level_set, (int)level_of(level), memory_order_relaxed);
}

/* ---- collecting --------------------------------------------------------------------------- */

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *data)
{
    struct gofer_trace *trace = data;
    int before = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &before);
    if (!address || trace->count == GOFER_TRACE_FRAMES)
        return _URC_END_OF_STACK;
    trace->address[trace->count++] = before ? address : address - 1;
    return _URC_NO_REASON;
}

#ifndef __GLIBC__
/* Links find_object.c, which the unwinder may miss. */
int _dl_find_object(void *address, void *found);
__attribute__((used)) static int (*const find_object)(void *, void *) = _dl_find_object;
#endif

static void collect(void *trace)
{
    _Unwind_Backtrace(on_frame, trace);
}

/* In a signal handler: drops the handler's own frames, up to the interrupted instruction. */
static void drop_handler(struct gofer_trace *trace, uintptr_t interrupted)
{
    for (int i = 0; i < trace->count; i++) {
        if (trace->address[i] != interrupted && trace->address[i] + 1 != interrupted)
            continue;
        trace->count -= i;
        memmove(trace->address, trace->address + i, sizeof *trace->address * (size_t)trace->count);
        return;
    }
}

void gofer_trace_collect(struct gofer_trace *trace, uintptr_t interrupted)
{
    trace->count = 0;
    collect(trace);
    if (interrupted)
        drop_handler(trace, interrupted);
}

void gofer_keep_main_trace(void)
{
    collect(&main_trace);
    main_trace_kept = true;
}

/* ---- frames ------------------------------------------------------------------------------- */

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The library's own frames, which a user wants to see as little as Go's runtime: the build names
 * its sources gofer/src/…. */
static bool is_internal(const struct gofer_symbol *symbol)
{
    return begins_with(symbol->file, "gofer/src/") || begins_with(symbol->function, "gofer_") ||
           strstr(symbol->file, "/gofer/cxx/");
}

/* In the one-file build, which knows no files, the library's code lies in a section of its own:
 * tools/amalgamate.py. */
#ifdef GOFER_OWN_SECTION
extern const char __start_gofer_text[] __attribute__((visibility("hidden")));
extern const char __stop_gofer_text[] __attribute__((visibility("hidden")));

static bool is_own_code(uintptr_t address)
{
    return address >= (uintptr_t)__start_gofer_text && address < (uintptr_t)__stop_gofer_text;
}
#else
static bool is_own_code(uintptr_t address)
{
    (void)address;
    return false;
}
#endif

/* `inlined`: the place in the function around it is not this one's own, and Go shows none. */
static void print_frame(const struct gofer_symbol *symbol, uintptr_t address, bool inlined)
{
    char line[512];
    int n;
    if (symbol->function[0])
        n = snprintf(line, sizeof line, "main.%s(...)\n", symbol->function);
    else
        n = snprintf(line, sizeof line, "main.%#lx(...)\n", (unsigned long)address);
    gofer_print_bytes(line, (size_t)n);
    n = snprintf(line, sizeof line, "\t%s:%d", symbol->file[0] ? symbol->file : "?", symbol->line);
    if (!inlined)
        n += snprintf(line + n, sizeof line - (size_t)n, " +0x%lx", (unsigned long)symbol->offset);
    gofer_print_bytes(line, (size_t)n);
    gofer_print("\n");
}

/* How many frames are the user's: the goroutine's entry is what the outermost replay called, and
 * that of main's goroutine called go_main. */
static int user_frames(const struct gofer_trace *trace, bool is_main)
{
    for (int i = trace->count - 1; i > 0; i--)
        if (trace->address[i] == (uintptr_t)gofer_replay_return - 1)
            return i - is_main;
    return trace->count;
}

/* The user's frames, innermost first. Where symbols are stripped the spawn site still knows the
 * entry's name. */
void gofer_trace_print(const struct gofer_trace *trace, const char *entry)
{
    bool hide = gofer_traceback_level() < GOFER_TRACE_SYSTEM;
    int last = user_frames(trace, entry && strcmp(entry, "go_main") == 0);
    for (int i = 0; i < (hide ? last : trace->count); i++) {
        if (hide && is_own_code(trace->address[i]))
            continue;
        struct gofer_symbol symbols[GOFER_INLINED_MOST];
        int n = gofer_symbolise(trace->address[i], symbols);
        if (!symbols[n - 1].function[0] && i == last - 1 && entry)
            snprintf(symbols[n - 1].function, sizeof symbols->function, "%s", entry);
        for (int j = 0; j < n; j++)
            if (!hide || !is_internal(&symbols[j]))
                print_frame(&symbols[j], trace->address[i], j < n - 1);
    }
}

static const char *entry_of(const gofer_g *g)
{
    return g == gofer_sched.main_g ? "go_main" : g->site ? g->site->name : NULL;
}

int gofer_trace_of_user(const struct gofer_trace *trace)
{
    const gofer_m *m = gofer_m_self();
    return user_frames(trace, m && m->g == gofer_sched.main_g);
}

/* ---- goroutines --------------------------------------------------------------------------- */

static const char *status_of(const gofer_g *g, bool is_caller)
{
    if (is_caller)
        return "running";
    switch (gofer_state_of(g)) {
    case GOFER_RUNNABLE:
        return "runnable";
    case GOFER_WAITING:
        return gofer_reason_text(
            (enum gofer_reason)atomic_load_explicit(&g->reason, memory_order_relaxed));
    case GOFER_DETACHED:
        return "syscall";
    case GOFER_RUNNING:
        return "running";
    case GOFER_DEAD:
        break;
    }
    return "dead";
}

/* Go's runtime shows labels so, with GODEBUG=tracebacklabels=1. */
static void print_name(const char *name)
{
    gofer_print(" labels:{\"name\": \"");
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            gofer_print("\\");
        gofer_print_bytes(*name >= ' ' ? name : "?", 1);
    }
    gofer_print("\"}");
}

static void print_header(const gofer_g *g, bool is_caller)
{
    char line[160], minutes[40] = "";
    int64_t waited = (gofer_nanotime() - g->waiting_since) / 60000000000;
    if (!is_caller && gofer_state_of(g) == GOFER_WAITING && g->waiting_since && waited >= 1)
        snprintf(minutes, sizeof minutes, ", %lld minutes", (long long)waited);
    int n = snprintf(line, sizeof line, "goroutine %llu [%s%s%s", (unsigned long long)g->id,
                     status_of(g, is_caller), minutes, g->lock_depth ? ", locked to thread" : "");
    gofer_print_bytes(line, (size_t)n);
    if (g->name)
        print_name(g->name);
    gofer_print("]:\n");
}

void gofer_print_origin(const gofer_site *site, uint64_t creator)
{
    char line[512];
    if (!site)
        return;
    int n = snprintf(line, sizeof line, "created by main.%s in goroutine %llu\n\t%s:%d +0x0\n",
                     site->function, (unsigned long long)creator, site->file, site->line);
    gofer_print_bytes(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

/* What unwinding may need below a context, at its first call above all. */
enum { UNWINDERS_ROOM = 12 * 1024 };

void gofer_snapshot_take(struct gofer_snapshot *snapshot, gofer_g *g)
{
    memcpy(&snapshot->g, g, sizeof *g);
    if (g->name) {
        snprintf(snapshot->name, sizeof snapshot->name, "%s", g->name);
        snapshot->g.name = snapshot->name;
    }
    snapshot->entry = entry_of(g);
    snapshot->runs = atomic_load_explicit(&g->on_cpu, memory_order_acquire) != 0;
    snapshot->trace.count = 0;
    if (snapshot->runs)
        return;
    if (g->unstarted || (char *)g->sp - g->stack_low < UNWINDERS_ROOM) {
        snapshot->trace.address[0] = (uintptr_t)g->first.fn;
        snapshot->trace.count = 1;
    } else {
        gofer_stack_borrow(g->sp);
        gofer_call_on(g->sp, collect, &snapshot->trace);
    }
}

void gofer_snapshot_print(const struct gofer_snapshot *snapshot)
{
    print_header(&snapshot->g, false);
    if (snapshot->runs)
        gofer_print("\tgoroutine running on other thread; stack unavailable\n");
    else
        gofer_trace_print(&snapshot->trace, snapshot->entry);
    gofer_print_origin(snapshot->g.site, snapshot->g.creator);
}

static void print_other(gofer_g *g)
{
    static struct gofer_snapshot snapshot; /* one thread reports, and its stack may be small */
    gofer_snapshot_take(&snapshot, g);
    gofer_snapshot_print(&snapshot);
}

struct collection {
    gofer_g **goroutines;
    size_t count;
    const gofer_g *caller;
};

static void add_goroutine(gofer_g *g, void *context)
{
    struct collection *all = context;
    if (g != all->caller && all->count < MOST_GOROUTINES)
        all->goroutines[all->count++] = g;
}

static void sift_down(gofer_g **heap, size_t count, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child]->id < heap[child + 1]->id)
            child++;
        if (heap[at]->id >= heap[child]->id)
            return;
        gofer_g *moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
    }
}

/* A heap sort: qsort may call malloc, whose lock the interrupted code may hold. */
static void sort_by_id(gofer_g **all, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(all, count, i);
    for (size_t left = count; left-- > 1;) {
        gofer_g *largest = all[0];
        all[0] = all[left];
        all[left] = largest;
        sift_down(all, left, 0);
    }
}

/* `after`: something was printed before, and a blank line parts the goroutines. */
static void print_others(const gofer_g *caller, bool after)
{
    struct collection all = { .caller = caller };
    size_t size = MOST_GOROUTINES * sizeof *all.goroutines; /* touched as far as it is needed */
    all.goroutines = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all.goroutines == MAP_FAILED)
        return;
    gofer_each_goroutine(add_goroutine, &all);
    sort_by_id(all.goroutines, all.count);
    for (size_t i = 0; i < all.count; i++) {
        if (after || i > 0)
            gofer_print("\n");
        print_other(all.goroutines[i]);
    }
    munmap(all.goroutines, size);
}

static void print_exited_main(void)
{
    gofer_print("goroutine 1 [exited]:\n");
    gofer_trace_print(&main_trace, "go_main");
}

void gofer_dump(bool all, uintptr_t interrupted)
{
    gofer_m *m = gofer_m_self();
    gofer_g *self = m ? m->g : NULL;
    bool first_printed = true;
    if (self && !self->is_system) {
        struct gofer_trace trace;
        gofer_trace_collect(&trace, interrupted);
        print_header(self, true);
        gofer_trace_print(&trace, entry_of(self));
        gofer_print_origin(self->site, self->creator);
    } else if (main_trace_kept) {
        print_exited_main();
    } else {
        first_printed = false;
    }
    if (!all)
        return;
    gofer_freeze_world();
    print_others(self, first_printed);
}

void gofer_dump_still(void)
{
    if (main_trace_kept)
        print_exited_main();
    print_others(NULL, main_trace_kept);
}

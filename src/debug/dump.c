/* See dump.h. The form is Go's, to the letter: tools read it. */
#include "debug/dump.h"

#include "sched/state.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

enum { MOST_FRAMES = 100, MOST_GOROUTINES = 1 << 24 };

struct trace {
    uintptr_t address[MOST_FRAMES];
    int count;
};

static struct trace main_trace;
static bool main_trace_kept;

/* ---- printing ----------------------------------------------------------------------------- */

void gofer_print_bytes(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(2, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        size -= (size_t)n;
    }
}

void gofer_print(const char *text)
{
    gofer_print_bytes(text, strlen(text));
}

enum gofer_trace_level gofer_traceback_level(void)
{
    static const struct {
        const char *name;
        enum gofer_trace_level level;
    } levels[] = { { "none", GOFER_TRACE_NONE },     { "0", GOFER_TRACE_NONE },
                   { "single", GOFER_TRACE_SINGLE }, { "all", GOFER_TRACE_ALL },
                   { "1", GOFER_TRACE_ALL },         { "system", GOFER_TRACE_SYSTEM },
                   { "2", GOFER_TRACE_SYSTEM },      { "crash", GOFER_TRACE_CRASH } };
    const char *text = getenv("GOTRACEBACK");
    for (size_t i = 0; text && i < sizeof levels / sizeof *levels; i++)
        if (strcmp(text, levels[i].name) == 0)
            return levels[i].level;
    return GOFER_TRACE_SINGLE;
}

/* ---- collecting --------------------------------------------------------------------------- */

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *data)
{
    struct trace *trace = data;
    int before = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &before);
    if (!address || trace->count == MOST_FRAMES)
        return _URC_END_OF_STACK;
    trace->address[trace->count++] = before ? address : address - 1;
    return _URC_NO_REASON;
}

static void collect(void *trace)
{
    _Unwind_Backtrace(on_frame, trace);
}

/* In a signal handler: drops the handler's own frames, up to the interrupted instruction. */
static void drop_handler(struct trace *trace, uintptr_t interrupted)
{
    for (int i = 0; i < trace->count; i++) {
        if (trace->address[i] != interrupted && trace->address[i] + 1 != interrupted)
            continue;
        trace->count -= i;
        memmove(trace->address, trace->address + i, sizeof *trace->address * (size_t)trace->count);
        return;
    }
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

static void print_frame(const struct gofer_symbol *symbol, uintptr_t address)
{
    char line[512];
    int n;
    if (symbol->function[0])
        n = snprintf(line, sizeof line, "main.%s(...)\n", symbol->function);
    else
        n = snprintf(line, sizeof line, "main.%#lx(...)\n", (unsigned long)address);
    gofer_print_bytes(line, (size_t)n);
    n = snprintf(line, sizeof line, "\t%s:%d +0x%lx\n", symbol->file[0] ? symbol->file : "?",
                 symbol->line, (unsigned long)symbol->offset);
    gofer_print_bytes(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

/* The user's frames, innermost first. */
static void print_frames(const struct trace *trace)
{
    bool hide = gofer_traceback_level() < GOFER_TRACE_SYSTEM;
    for (int i = 0; i < trace->count; i++) {
        struct gofer_symbol symbol;
        gofer_symbolise(trace->address[i], &symbol);
        if (hide && is_internal(&symbol))
            continue;
        print_frame(&symbol, trace->address[i]);
    }
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

static void print_header(const gofer_g *g, bool is_caller)
{
    char line[160], minutes[40] = "";
    int64_t waited = (gofer_nanotime() - g->waiting_since) / 60000000000;
    if (!is_caller && gofer_state_of(g) == GOFER_WAITING && g->waiting_since && waited >= 1)
        snprintf(minutes, sizeof minutes, ", %lld minutes", (long long)waited);
    int n = snprintf(line, sizeof line, "goroutine %llu [%s%s%s]:\n", (unsigned long long)g->id,
                     status_of(g, is_caller), minutes, g->lock_depth ? ", locked to thread" : "");
    gofer_print_bytes(line, (size_t)n);
}

static void print_origin(const gofer_g *g)
{
    char line[512];
    if (!g->site)
        return;
    int n =
        snprintf(line, sizeof line, "created by main.%s in goroutine %llu\n\t%s:%d +0x0\n",
                 g->site->function, (unsigned long long)g->creator, g->site->file, g->site->line);
    gofer_print_bytes(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static void print_other(gofer_g *g)
{
    struct trace trace = { .count = 0 };
    print_header(g, false);
    if (atomic_load_explicit(&g->on_cpu, memory_order_acquire)) {
        gofer_print("\tgoroutine running on other thread; stack unavailable\n");
    } else {
        gofer_call_on(g->sp, collect, &trace);
        if (g->unstarted)
            trace = (struct trace){ .address = { (uintptr_t)g->fn }, .count = 1 };
        print_frames(&trace);
    }
    print_origin(g);
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

static int by_id(const void *a, const void *b)
{
    uint64_t left = (*(gofer_g *const *)a)->id, right = (*(gofer_g *const *)b)->id;
    return left < right ? -1 : left > right;
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
    qsort(all.goroutines, all.count, sizeof *all.goroutines, by_id);
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
    print_frames(&main_trace);
}

void gofer_dump(bool all, uintptr_t interrupted)
{
    gofer_m *m = gofer_m_self();
    gofer_g *self = m ? m->g : NULL;
    bool first_printed = true;
    if (self && !self->is_system) {
        struct trace trace = { .count = 0 };
        collect(&trace);
        if (interrupted)
            drop_handler(&trace, interrupted);
        print_header(self, true);
        print_frames(&trace);
        print_origin(self);
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

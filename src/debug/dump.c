/* See dump.h. The form is Go's, to the letter: tools read it. */
#include "debug/dump.h"

#include "gofer/debug.h"
#include "sched/state.h"
#include "stack/valgrind.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

/* So many frames of a trace are printed, as by Go, innermost and outermost. A broken stack may have
 * no end. */
enum { PRINTED_INNER = 50, PRINTED_OUTER = 50, MOST_FRAMES = 1 << 21 };
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

static uintptr_t address_of(struct _Unwind_Context *context)
{
    int before = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &before);
    return address && !before ? address - 1 : address;
}

/* The outermost lie in a ring meanwhile. */
static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *data)
{
    struct gofer_trace *trace = data;
    uintptr_t address = address_of(context);
    if (!address || trace->elided == MOST_FRAMES)
        return _URC_END_OF_STACK;
    if (trace->count < GOFER_TRACE_INNER + GOFER_TRACE_OUTER)
        trace->address[trace->count++] = address;
    else
        trace->address[GOFER_TRACE_INNER + trace->elided++ % GOFER_TRACE_OUTER] = address;
    return _URC_NO_REASON;
}

static _Unwind_Reason_Code on_inner_frame(struct _Unwind_Context *context, void *data)
{
    struct gofer_trace *trace = data;
    uintptr_t address = address_of(context);
    if (!address || trace->count == GOFER_TRACE_INNER + GOFER_TRACE_OUTER)
        return _URC_END_OF_STACK;
    trace->address[trace->count++] = address;
    return _URC_NO_REASON;
}

#ifndef __GLIBC__
/* Links find_object.c, which the unwinder may miss. */
int _dl_find_object(void *address, void *found);
__attribute__((used)) static int (*const find_object)(void *, void *) = _dl_find_object;
#endif

static void reverse(uintptr_t *from, uintptr_t *to)
{
    while (from < --to) {
        uintptr_t moved = *from;
        *from++ = *to;
        *to = moved;
    }
}

static void collect(void *data)
{
    struct gofer_trace *trace = data;
    trace->count = trace->elided = 0;
    trace->inner = GOFER_TRACE_INNER;
    _Unwind_Backtrace(on_frame, trace);
    uintptr_t *ring = trace->address + GOFER_TRACE_INNER, *end = ring + GOFER_TRACE_OUTER;
    uintptr_t *first = ring + trace->elided % GOFER_TRACE_OUTER;
    if (first == ring)
        return;
    reverse(ring, first);
    reverse(first, end);
    reverse(ring, end);
}

/* In a signal handler: drops the handler's own frames, up to the interrupted instruction. */
static void drop_handler(struct gofer_trace *trace, uintptr_t interrupted)
{
    for (int i = 0; i < trace->count && i < trace->inner; i++) {
        if (trace->address[i] != interrupted && trace->address[i] + 1 != interrupted)
            continue;
        trace->count -= i;
        trace->inner -= i;
        memmove(trace->address, trace->address + i, sizeof *trace->address * (size_t)trace->count);
        return;
    }
}

void gofer_trace_collect(struct gofer_trace *trace, uintptr_t interrupted)
{
    collect(trace);
    if (interrupted)
        drop_handler(trace, interrupted);
}

void gofer_trace_collect_inner(struct gofer_trace *trace, uintptr_t interrupted)
{
    trace->count = trace->elided = 0;
    trace->inner = GOFER_TRACE_INNER;
    _Unwind_Backtrace(on_inner_frame, trace);
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
 * its sources /gofer/src/…. */
static bool is_internal(const struct gofer_symbol *symbol)
{
    return begins_with(symbol->file, "/gofer/src/") || begins_with(symbol->function, "gofer_") ||
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

/* Of the frames that are to be shown, innermost first, those with the numbers from `from` up to
 * `until`. Returns how many there are, printed or not. Where symbols are stripped the spawn site
 * still knows the entry's name. */
static int print_frames(const struct gofer_trace *trace, const char *entry, int from, int until)
{
    bool hide = gofer_traceback_level() < GOFER_TRACE_SYSTEM;
    int last = user_frames(trace, entry && strcmp(entry, "go_main") == 0), number = 0;
    for (int i = 0; i < (hide ? last : trace->count); i++) {
        if (hide && is_own_code(trace->address[i]))
            continue;
        struct gofer_symbol symbols[GOFER_INLINED_MOST];
        int n = gofer_symbolise(trace->address[i], symbols);
        if (!symbols[n - 1].function[0] && i == last - 1 && entry)
            snprintf(symbols[n - 1].function, sizeof symbols->function, "%s", entry);
        if (i == trace->inner)
            number += trace->elided;
        for (int j = 0; j < n; j++) {
            if (hide && is_internal(&symbols[j]))
                continue;
            if (number >= from && number < until)
                print_frame(&symbols[j], trace->address[i], j < n - 1);
            number++;
        }
    }
    return number;
}

void gofer_trace_print(const struct gofer_trace *trace, const char *entry)
{
    char line[64];
    int all = print_frames(trace, entry, 0, PRINTED_INNER), outer = all - PRINTED_OUTER;
    if (all <= PRINTED_INNER)
        return;
    if (trace->elided == MOST_FRAMES) {
        gofer_print("...additional frames elided...\n");
        return;
    }
    if (outer > PRINTED_INNER) {
        snprintf(line, sizeof line, "...%d frames elided...\n", outer - PRINTED_INNER);
        gofer_print(line);
    }
    print_frames(trace, entry, outer > PRINTED_INNER ? outer : PRINTED_INNER, all);
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

/* The next character of a text in UTF-8, and past it; of what is none, one byte: U+FFFD. */
static uint32_t next_character(const unsigned char **text)
{
    const unsigned char *at = (*text)++;
    int more = *at < 0xc2 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : *at < 0xf5 ? 3 : 0;
    if (more == 0)
        return *at < 0x80 ? *at : 0xfffd;
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    uint32_t character = *at & (0x3fU >> more);
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0xfffd;
        character = character << 6 | (at[i] & 0x3f);
    }
    if (character < least[more] || character > 0x10ffff || (character & ~0x7ffU) == 0xd800)
        return 0xfffd;
    *text = at + more + 1;
    return character;
}

/* Go's runtime shows labels so, with GODEBUG=tracebacklabels=1: its printquoted. */
static void print_name(const char *name)
{
    char text[16];
    gofer_print(" labels:{\"name\": \"");
    for (const unsigned char *at = (const unsigned char *)name; *at;) {
        uint32_t c = next_character(&at);
        const char *form = c < 127 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
        if (c == '\n' || c == '\r' || c == '\t')
            snprintf(text, sizeof text, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c == '"' || c == '\\')
            snprintf(text, sizeof text, "\\%c", (char)c);
        else if (c >= ' ' && c <= '~')
            snprintf(text, sizeof text, "%c", (char)c);
        else
            snprintf(text, sizeof text, form, c);
        gofer_print(text);
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
    snapshot->trace.count = snapshot->trace.elided = 0;
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
    } else if (!m) { /* a thread that the runtime has not met */
        struct gofer_trace trace;
        gofer_trace_collect(&trace, interrupted);
        gofer_print("goroutine 0 [running]:\n");
        gofer_trace_print(&trace, NULL);
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

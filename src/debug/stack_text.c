/* Traces and callers for a program that goes on: see gofer/debug.h.
 *
 * The world is stopped only while frames are collected. What is printed afterwards are copies: by
 * then the goroutines may have ended. */
#include "debug/dump.h"

#include "gofer/debug.h"

#include <sys/mman.h>

/* Names are looked up by one of us at a time, for which one state does (symbols.c); TSan can be
 * told of that. A crash's report does not wait for it. */
static gofer_spin names_lock;

static void lock_names(void)
{
    gofer_spin_lock(&names_lock);
    GOFER_TSAN_ACQUIRE(&names_lock);
}

static void unlock_names(void)
{
    GOFER_TSAN_RELEASE(&names_lock);
    gofer_spin_unlock(&names_lock);
}

/* A trace's header has as many bytes at least, so no more goroutines need be looked at. */
enum { LEAST_TEXT = 24, MOST_SNAPSHOTS = 1 << 20 };

struct snapshots {
    struct gofer_snapshot *all;
    size_t count, room;
    const gofer_g *caller;
};

static void add_snapshot(gofer_g *g, void *context)
{
    struct snapshots *snapshots = context;
    if (g != snapshots->caller && snapshots->count < snapshots->room)
        gofer_snapshot_take(&snapshots->all[snapshots->count++], g);
}

static void print_all_others(struct gofer_text *text)
{
    struct snapshots snapshots = { .room = text->size / LEAST_TEXT };
    if (snapshots.room > MOST_SNAPSHOTS)
        snapshots.room = MOST_SNAPSHOTS;
    size_t bytes =
        (snapshots.room + 1) * sizeof *snapshots.all; /* touched as far as it is needed */
    snapshots.all = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (snapshots.all == MAP_FAILED)
        return;
    gofer_m *m = gofer_stop_world();
    if (m) {
        snapshots.caller = m->g;
        gofer_each_goroutine(add_snapshot, &snapshots);
        gofer_start_world(m);
    }
    lock_names();
    gofer_print_to(text);
    for (size_t i = 0; i < snapshots.count; i++) {
        gofer_print("\n");
        gofer_snapshot_print(&snapshots.all[i]);
    }
    gofer_print_to(NULL);
    unlock_names();
    munmap(snapshots.all, bytes);
}

gofer_noinline size_t go_stack(char *buf, size_t size, int all)
{
    struct gofer_text text = { buf, size, 0 };
    gofer_m_attached();
    lock_names();
    gofer_print_to(&text);
    gofer_dump(false, (uintptr_t)__builtin_return_address(0));
    gofer_print_to(NULL);
    unlock_names();
    if (all)
        print_all_others(&text);
    if (size)
        buf[text.used] = 0;
    return text.used;
}

gofer_noinline void go_print_stack(void)
{
    gofer_m_attached();
    lock_names();
    gofer_dump(false, (uintptr_t)__builtin_return_address(0));
    unlock_names();
}

/* ---- callers ------------------------------------------------------------------------------ */

_Static_assert(sizeof((go_frame *)0)->function == sizeof((struct gofer_symbol *)0)->function &&
                   sizeof((go_frame *)0)->file == sizeof((struct gofer_symbol *)0)->file,
               "a go_frame's texts are a symbol's");

static void copy_frame(go_frame *frame, uintptr_t pc, const struct gofer_symbol *symbol)
{
    frame->pc = pc;
    frame->line = symbol->line;
    memcpy(frame->function, symbol->function, sizeof frame->function);
    memcpy(frame->file, symbol->file, sizeof frame->file);
    if (!symbol->line)
        frame->file[0] = 0; /* it is the object's */
}

static int find_names(uintptr_t pc, struct gofer_symbol symbols[GOFER_INLINED_MOST])
{
    lock_names();
    int n = gofer_symbolise(pc, symbols);
    unlock_names();
    return n;
}

gofer_noinline int go_caller(int skip, go_frame *frame)
{
    struct gofer_trace trace;
    gofer_trace_collect_inner(&trace, (uintptr_t)__builtin_return_address(0));
    int count = gofer_trace_of_user(&trace);
    for (int i = 0; i < count; i++) {
        struct gofer_symbol symbols[GOFER_INLINED_MOST];
        int n = find_names(trace.address[i], symbols);
        if (skip < n) {
            copy_frame(frame, trace.address[i], &symbols[skip < 0 ? 0 : skip]);
            return 1;
        }
        skip -= n;
    }
    return 0;
}

gofer_noinline size_t go_callers(int skip, uintptr_t *pcs, size_t n)
{
    struct gofer_trace trace;
    gofer_trace_collect_inner(&trace, (uintptr_t)__builtin_return_address(0));
    int count = gofer_trace_of_user(&trace);
    size_t written = 0;
    for (int i = skip < 0 ? 0 : skip; i < count && written < n; i++)
        pcs[written++] = trace.address[i];
    return written;
}

size_t go_frames(uintptr_t pc, go_frame *frames, size_t n)
{
    struct gofer_symbol symbols[GOFER_INLINED_MOST];
    size_t count = (size_t)find_names(pc, symbols);
    if (count > n)
        count = n;
    for (size_t i = 0; i < count; i++)
        copy_frame(&frames[i], pc, &symbols[i]);
    return count;
}

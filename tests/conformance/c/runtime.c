/* Traces, callers, settings and numbers of the runtime. */
#include "case.h"

#define NOINLINE __attribute__((noinline))

static go_chan(int) never;
static char text[1 << 16];

static void print_place(int skip)
{
    go_frame frame;
    if (go_caller(skip, &frame))
        printf("%s\n", frame.function);
    else
        puts("none");
}

/* The first line of the caller's trace tells what the goroutine does. */
static void print_status(void)
{
    go_stack(text, sizeof text, 0);
    printf("%.*s\n", (int)strcspn(text, "\n"), text);
}

NOINLINE static void whoami(void)
{
    print_place(1);
    __asm__ volatile("");
}

NOINLINE static void whocalls(void)
{
    print_place(2);
    __asm__ volatile("");
}

NOINLINE static void whocalls_me(void)
{
    whocalls();
    __asm__ volatile("");
}

CASE(runtime_caller_names_the_function)
{
    whoami();
    return 0;
}

CASE(runtime_caller_skips)
{
    whocalls_me();
    return 0;
}

CASE(runtime_caller_beyond_the_last)
{
    print_place(1000);
    return 0;
}

NOINLINE static int line_here(void)
{
    go_frame frame;
    return go_caller(1, &frame) ? frame.line : 0;
}

CASE(runtime_caller_counts_lines)
{
    int first = line_here();
    int second = line_here();
    printf("%d\n", second - first);
    return 0;
}

NOINLINE static void print_outer(void)
{
    uintptr_t pcs[20];
    go_frame frame;
    size_t n = go_callers(0, pcs, 20);
    for (size_t i = 0; i < 2 && i < n; i++) {
        go_frames(pcs[i], &frame, 1);
        printf("%s\n", frame.function);
    }
}

NOINLINE static void outer_caller(void)
{
    print_outer();
    __asm__ volatile("");
}

CASE(runtime_callers_innermost_first)
{
    outer_caller();
    return 0;
}

CASE(runtime_callers_as_many_as_there_is_room)
{
    uintptr_t pcs[1];
    printf("%zu %zu\n", go_callers(0, pcs, 1), go_callers(0, pcs, 0));
    return 0;
}

CASE(runtime_stack_begins_with_the_goroutine)
{
    print_status();
    return 0;
}

static void parks(void)
{
    go_recv(never);
}

static int count(const char *what)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

CASE(runtime_stack_of_all)
{
    never = go_chan_make(int, 0);
    for (int i = 0; i < 3; i++)
        go(parks);
    go_gosched();
    go_stack(text, sizeof text, 1);
    printf("%d", count("[chan receive]:"));
    printf(" %d", count("created by main."));
    go_stack(text, sizeof text, 0);
    printf(" %d\n", count("[chan receive]:"));
    return 0;
}

CASE(runtime_lock_os_thread_nests)
{
    go_lock_os_thread();
    go_lock_os_thread();
    go_unlock_os_thread();
    print_status();
    go_unlock_os_thread();
    print_status();
    return 0;
}

CASE(runtime_unlock_os_thread_without_lock)
{
    go_unlock_os_thread();
    go_lock_os_thread();
    print_status();
    return 0;
}

CASE(debug_set_max_threads_returns_the_one_before)
{
    printf("%d", go_set_max_threads(5000));
    printf(" %d\n", go_set_max_threads(10000));
    return 0;
}

CASE(debug_set_max_stack_returns_the_one_before)
{
    printf("%zu", go_set_max_stack(1 << 20));
    printf(" %zu\n", go_set_max_stack(1 << 21));
    return 0;
}

static void panics_beside_another(const char *level)
{
    never = go_chan_make(int, 0);
    go(parks);
    go_gosched();
    go_set_traceback(level);
    go_panic("boom");
}

CASE(debug_set_traceback_single)
{
    panics_beside_another("single");
    return 0;
}

CASE(debug_set_traceback_all)
{
    panics_beside_another("all");
    return 0;
}

CASE(debug_set_traceback_none)
{
    panics_beside_another("none");
    return 0;
}

CASE(debug_set_traceback_number)
{
    panics_beside_another("1");
    return 0;
}

CASE(debug_set_traceback_crash)
{
    panics_beside_another("crash");
    return 0;
}

static uint64_t read_metric(const char *name)
{
    go_metric_sample sample = { .name = name };
    go_metrics_read(&sample, 1);
    return sample.kind == GO_METRIC_UINT64 ? sample.value.u64 : 0;
}

CASE(metrics_gomaxprocs)
{
    printf("%d\n", (int)read_metric("/sched/gomaxprocs:threads"));
    go_gomaxprocs(3);
    printf("%d\n", (int)read_metric("/sched/gomaxprocs:threads"));
    return 0;
}

CASE(metrics_goroutines_follow)
{
    never = go_chan_make(int, 0);
    uint64_t before = read_metric("/sched/goroutines:goroutines");
    uint64_t created = read_metric("/sched/goroutines-created:goroutines");
    for (int i = 0; i < 5; i++)
        go(parks);
    go_gosched();
    printf("%d", (int)(read_metric("/sched/goroutines:goroutines") - before));
    printf(" %d\n", (int)(read_metric("/sched/goroutines-created:goroutines") - created));
    go_close(never);
    while (go_num_goroutine() > 1)
        go_gosched();
    printf("%d", (int)(read_metric("/sched/goroutines:goroutines") - before));
    printf(" %d\n", (int)(read_metric("/sched/goroutines-created:goroutines") - created));
    return 0;
}

CASE(metrics_unknown_name_is_bad)
{
    go_metric_sample sample = { .name = "/no/such:thing" };
    go_metrics_read(&sample, 1);
    printf("%d\n", sample.kind == GO_METRIC_BAD);
    return 0;
}

CASE(metrics_all_are_ordered_by_name)
{
    size_t n;
    const go_metric_description *all = go_metrics_all(&n);
    int ordered = 1, found = 0;
    for (size_t i = 0; i < n; i++) {
        ordered &= i == 0 || strcmp(all[i - 1].name, all[i].name) < 0;
        found |= strcmp(all[i].name, "/sched/goroutines:goroutines") == 0;
    }
    printf("%d %d\n", ordered, found);
    return 0;
}

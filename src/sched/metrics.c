/* Numbers about the runtime: see gofer/metrics.h.
 *
 * Processors' own counts are read without the right to touch the processors, relaxed: each number
 * was true a moment ago, and together they need not add up, as in Go. */
#include "gofer/metrics.h"

#include "sched/internal.h"
#include "time/timer.h"

/* ---- the readers -------------------------------------------------------------------------- */

static int64_t load_int(const _Atomic int *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static uint64_t count_processors(void)
{
    int64_t n = load_int(&gofer_sched.nprocs);
    return (uint64_t)(n > 0 ? n : gofer_procs_at_start());
}

static uint64_t count_idle_processors(void)
{
    return (uint64_t)load_int(&gofer_sched.idle_p_count);
}

static uint64_t count_detached(void)
{
    return (uint64_t)load_int(&gofer_sched.detached);
}

static uint64_t count_running(void)
{
    int64_t running = load_int(&gofer_sched.busy_p_count) - load_int(&gofer_sched.spinning);
    return running > 0 ? (uint64_t)running : 0;
}

static uint64_t count_goroutines(void)
{
    int64_t n = gofer_goroutine_count();
    return n > 0 ? (uint64_t)n : 0;
}

static uint64_t count_runnable(void)
{
    uint64_t n = gofer_list_count(&gofer_sched.global);
    /* pairs with the release that publishes a processor */
    int processors = atomic_load_explicit(&gofer_sched.p_count, memory_order_acquire);
    for (int i = 0; i < processors; i++) {
        const gofer_p *p = gofer_sched.ps[i];
        n += gofer_p_waiting(p);
        n += atomic_load_explicit(&p->next, memory_order_relaxed) != NULL;
    }
    return n;
}

static uint64_t count_waiting(void)
{
    uint64_t all = count_goroutines(),
             others = count_runnable() + count_running() + count_detached();
    return all > others ? all - others : 0;
}

/* Numbers are given out to processors in batches; what is left of those was not used. */
static uint64_t count_created(void)
{
    uint64_t given = atomic_load_explicit(&gofer_sched.id_next, memory_order_relaxed), left = 1;
    /* pairs with the release that publishes a processor */
    int processors = atomic_load_explicit(&gofer_sched.p_count, memory_order_acquire);
    for (int i = 0; i < processors; i++) {
        const gofer_p *p = gofer_sched.ps[i];
        left += __atomic_load_n(&p->id_end, __ATOMIC_RELAXED) -
                __atomic_load_n(&p->id_next, __ATOMIC_RELAXED);
    }
    return given > left ? given - left : 0;
}

struct thread_counts {
    uint64_t all, idle, wake_ups;
};

static struct thread_counts count_threads(void)
{
    struct thread_counts counts = { 0, 0, 0 };
    gofer_spin_lock(&gofer_sched.lock);
    counts.all = (uint64_t)gofer_sched.thread_count;
    for (const gofer_m *m = gofer_sched.idle_ms; m; m = m->idle_link)
        counts.idle++;
    counts.wake_ups = gofer_sched.p_takes;
    gofer_spin_unlock(&gofer_sched.lock);
    return counts;
}

static uint64_t count_all_threads(void)
{
    return count_threads().all;
}

static uint64_t count_idle_threads(void)
{
    return count_threads().idle;
}

static uint64_t count_wake_ups(void)
{
    return count_threads().wake_ups;
}

static uint64_t count_hand_offs(void)
{
    return atomic_load_explicit(&gofer_sched.hand_offs, memory_order_relaxed);
}

static uint64_t count_steals(void)
{
    return atomic_load_explicit(&gofer_sched.steals, memory_order_relaxed);
}

static uint64_t get_stack_size(void)
{
    return gofer_stack_size;
}

static uint64_t count_stacks(bool unused)
{
    gofer_spin_lock(&gofer_stacks.lock);
    uint64_t n = unused ? gofer_stacks.count : gofer_stacks.made;
    gofer_spin_unlock(&gofer_stacks.lock);
    return n;
}

static uint64_t get_stack_bytes(void)
{
    return count_stacks(false) * gofer_stack_size;
}

static uint64_t count_unused_stacks(void)
{
    return count_stacks(true);
}

/* ---- the table ---------------------------------------------------------------------------- */

#define METRICS                                                                                  \
    METRIC("/gc/stack/starting-size:bytes", get_stack_size, 0, true,                             \
           "The size of the stack of a goroutine that asks for no other.")                       \
    METRIC("/gofer/processors/idle:processors", count_idle_processors, 0, false,                 \
           "Processors that no thread holds.")                                                   \
    METRIC("/gofer/processors/wake-ups:events", count_wake_ups, 1, false,                        \
           "Times an idle processor was taken by a thread.")                                     \
    METRIC("/gofer/sched/hand-offs:events", count_hand_offs, 1, false,                           \
           "Times a processor was taken from a thread whose goroutine blocked or computed in "   \
           "foreign code.")                                                                      \
    METRIC("/gofer/sched/steals:events", count_steals, 1, false,                                 \
           "Times a processor without work took some from another.")                             \
    METRIC("/gofer/stacks/reserved:bytes", get_stack_bytes, 0, false,                            \
           "Address space of all stacks of the usual size.")                                     \
    METRIC("/gofer/stacks/unused:stacks", count_unused_stacks, 0, false,                         \
           "Stacks in the common stock, used by no goroutine and kept by no processor.")         \
    METRIC("/gofer/threads/idle:threads", count_idle_threads, 0, false,                          \
           "Threads that run goroutines and sleep for lack of work.")                            \
    METRIC("/gofer/timers:timers", gofer_timers_count, 0, false,                                 \
           "Timers that run: sleepers, timers, tickers, deadlines.")                             \
    METRIC("/sched/gomaxprocs:threads", count_processors, 0, true,                               \
           "How many threads may run goroutines at once: go_gomaxprocs(0).")                     \
    METRIC("/sched/goroutines-created:goroutines", count_created, 1, false,                      \
           "Goroutines started so far. Approximate.")                                            \
    METRIC("/sched/goroutines/not-in-go:goroutines", count_detached, 0, false,                   \
           "Goroutines in foreign code whose processor was handed on. Approximate.")             \
    METRIC("/sched/goroutines/runnable:goroutines", count_runnable, 0, false,                    \
           "Goroutines that are ready and do not run. Approximate.")                             \
    METRIC("/sched/goroutines/running:goroutines", count_running, 0, false,                      \
           "Goroutines that run. Approximate.")                                                  \
    METRIC("/sched/goroutines/waiting:goroutines", count_waiting, 0, false,                      \
           "Goroutines that wait for something. Approximate.")                                   \
    METRIC("/sched/goroutines:goroutines", count_goroutines, 0, false, "Goroutines that exist.") \
    METRIC("/sched/threads/total:threads", count_all_threads, 0, false,                          \
           "Threads that run goroutines, without those that the library has for other purposes.")

#define METRIC(name, read, cumulative, always, description) \
    { name, description, GO_METRIC_UINT64, cumulative },
static const go_metric_description descriptions[] = { METRICS };
#undef METRIC

#define METRIC(name, read, cumulative, always, description) { read, always },
static const struct {
    uint64_t (*read)(void);
    bool always; /* also where the runtime does not run */
} readers[] = { METRICS };
#undef METRIC

enum { METRIC_COUNT = sizeof readers / sizeof *readers };

static void read_one(go_metric_sample *sample, bool running)
{
    sample->kind = GO_METRIC_BAD;
    sample->value.u64 = 0;
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (strcmp(sample->name, descriptions[i].name) != 0)
            continue;
        sample->kind = descriptions[i].kind;
        if (running || readers[i].always)
            sample->value.u64 = readers[i].read();
    }
}

void go_metrics_read(go_metric_sample *samples, size_t n)
{
    gofer_m *m = gofer_m_attached();
    bool running = gofer_visit_running(m);
    for (size_t i = 0; i < n; i++)
        read_one(&samples[i], running);
    if (running)
        gofer_visit_end(m);
}

const go_metric_description *go_metrics_all(size_t *n)
{
    *n = METRIC_COUNT;
    return descriptions;
}

/* The benchmarks' program. Without arguments it lists the rows: group, name, unit, what an
 * operation is. `gofer NAME [PART]` prints the figure of one, with the number of operations divided
 * by PART. */
#include "bench.h"
#include <string.h>

static long part = 1;
static int64_t stopped, uncounted;

long times(long n)
{
    return n / part > 0 ? n / part : 1;
}

void stop_clock(void)
{
    stopped = go_now();
}

void start_clock(void)
{
    uncounted += go_now() - stopped;
}

__attribute__((noinline)) uint64_t work(long steps)
{
    uint64_t x = (uint64_t)steps;
    for (long i = 0; i < steps; i++)
        x = x * 6364136223846793005u + 1;
    __asm__ volatile("" : "+r"(x)); /* or who does not use it would not wait for it */
    return x;
}

void check(int right)
{
    if (!right)
        go_fatal("the benchmark's work went wrong");
}

static void share(void (*body)(long, void *), long n, void *arg, go_waitgroup *wg)
{
    body(n, arg);
    go_waitgroup_done(wg);
}

long in_parallel(int each, long n, void (*body)(long n, void *arg), void *arg)
{
    go_waitgroup wg = { 0 };
    int goroutines = each * go_gomaxprocs(0);
    long of_each = n / goroutines > 0 ? n / goroutines : 1;
    go_waitgroup_add(&wg, goroutines);
    for (int i = 0; i < goroutines; i++)
        go(share, body, of_each, arg, &wg);
    go_waitgroup_wait(&wg);
    return of_each * goroutines;
}

static void arithmetic(long n, void *unused)
{
    (void)unused;
    work(n);
}

static long control(void)
{
    return in_parallel(1, go_gomaxprocs(0) * times(10000000), arithmetic, NULL);
}

static const struct row control_rows[] = {
    { "control", "arithmetic on each processor, by which the runner sees a noisy machine",
      control },
    { 0 },
};
static const struct table control_table = { "Control", control_rows };

static const struct table *const tables[] = {
    &sched_table,   &chan_table,    &select_table,   &sync_table,   &time_table,
    &context_table, &panic_table,   &parallel_table, &memory_table, &go_chan_table,
    &go_proc_table, &go_sync_table, &go_map_table,   &io_table,     &control_table,
};

static void run(const struct row *row)
{
    if (row->measure) {
        printf("%.2f\n", row->measure());
        return;
    }
    int64_t start = go_now();
    long n = row->run();
    int64_t end = go_now();
    printf("%.2f\n", (double)(end - start - uncounted) / (double)n);
}

int go_main(int argc, char **argv)
{
    if (argc > 2)
        part = atol(argv[2]);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct row *row = tables[i]->rows; row->name; row++) {
            if (argc < 2)
                printf("%s\t%s\t%s\t%s\n", tables[i]->title, row->name,
                       row->unit ? row->unit : "ns", row->what);
            else if (strcmp(argv[1], row->name) == 0)
                return run(row), 0;
        }
    }
    return argc < 2 ? 0 : 3;
}

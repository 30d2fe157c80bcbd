/* go_metrics_read and go_metrics_all. */
#include "unit.h"

#include <pthread.h>

static go_chan(int) never;

static uint64_t read_metric(const char *name)
{
    go_metric_sample sample = { .name = name };
    go_metrics_read(&sample, 1);
    CHECK(sample.kind, GO_METRIC_UINT64);
    return sample.value.u64;
}

static void parks(void)
{
    go_recv(never);
}

static void sleeps(void)
{
    go_sleep(GO_HOUR);
}

static void blocks(go_chan(int) begun)
{
    go_send(begun, 1);
    go_blocking_begin();
    go_blocking_end();
}

static void list_is_ordered_and_readable(void)
{
    size_t n;
    const go_metric_description *all = go_metrics_all(&n);
    CHECK(n > 10, 1);
    for (size_t i = 0; i < n; i++) {
        go_metric_sample sample = { .name = all[i].name };
        CHECK(i == 0 || strcmp(all[i - 1].name, all[i].name) < 0, 1);
        CHECK(all[i].description[strlen(all[i].description) - 1], '.');
        CHECK(strchr(all[i].name, ':') != NULL, 1);
        go_metrics_read(&sample, 1);
        CHECK(sample.kind, all[i].kind);
    }
}

static void unknown_is_bad(void)
{
    go_metric_sample samples[] = { { .name = "/no/such:thing", .value.u64 = 7 },
                                   { .name = "/sched/gomaxprocs:threads" } };
    go_metrics_read(samples, 2);
    CHECK(samples[0].kind, GO_METRIC_BAD);
    CHECK(samples[0].value.u64, 0);
    CHECK(samples[1].value.u64, go_gomaxprocs(0));
    go_metrics_read(NULL, 0);
}

static void counts_goroutines(void)
{
    never = go_chan_make(int, 0);
    uint64_t before = read_metric("/sched/goroutines:goroutines");
    uint64_t created = read_metric("/sched/goroutines-created:goroutines");
    uint64_t timers = read_metric("/gofer/timers:timers");
    for (int i = 0; i < 10; i++)
        go(parks);
    go(sleeps);
    CHECK(read_metric("/sched/goroutines:goroutines"), before + 11);
    CHECK(read_metric("/sched/goroutines-created:goroutines"), created + 11);
    CHECK(read_metric("/sched/goroutines/runnable:goroutines") <= 11, 1);
    while (read_metric("/sched/goroutines/waiting:goroutines") < 11)
        go_gosched();
    CHECK(read_metric("/gofer/timers:timers"), timers + 1);
    CHECK(read_metric("/gofer/stacks/reserved:bytes") >=
              11 * read_metric("/gc/stack/starting-size:bytes"),
          1);
    go_close(never);
    while (go_num_goroutine() > (int)before + 1)
        go_gosched();
    CHECK(read_metric("/sched/goroutines:goroutines"), before + 1);
    CHECK(read_metric("/sched/goroutines-created:goroutines"), created + 11);
}

static void counts_hand_offs(void)
{
    int procs = go_gomaxprocs(1);
    uint64_t before = read_metric("/gofer/sched/hand-offs:events");
    go_chan(int) begun = go_chan_make(int, 2);
    go(blocks, begun);
    go(blocks, begun); /* the one has work behind it */
    while (go_len(begun) < 2)
        go_gosched();
    while (go_num_goroutine() > 2)
        go_gosched();
    CHECK(read_metric("/gofer/sched/hand-offs:events") > before, 1);
    go_gomaxprocs(procs);
    go_chan_unref(begun);
}

static void *in_plain_thread(void *unused)
{
    (void)unused;
    CHECK(read_metric("/sched/goroutines:goroutines") > 0, 1);
    CHECK(read_metric("/sched/threads/total:threads") > 0, 1);
    return NULL;
}

static int run(int argc, char **argv)
{
    pthread_t thread;
    (void)argc;
    (void)argv;
    list_is_ordered_and_readable();
    unknown_is_bad();
    counts_goroutines();
    counts_hand_offs();
    CHECK(pthread_create(&thread, NULL, in_plain_thread, NULL), 0);
    pthread_join(thread, NULL);
    return 0;
}

int main(void)
{
    CHECK(read_metric("/sched/goroutines:goroutines"), 0);
    CHECK(read_metric("/gc/stack/starting-size:bytes") > 0, 1);
    uint64_t processors = read_metric("/sched/gomaxprocs:threads");
    CHECK(read_metric("/sched/goroutines:goroutines"), 0); /* that has not started it */
    CHECK(processors, go_gomaxprocs(0));
    CHECK(go_run(run, 0, NULL), 0);
    return 0;
}

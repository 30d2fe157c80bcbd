#include <gofer.h>
#include <inttypes.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_metric_sample samples[] = { { .name = "/sched/goroutines:goroutines" },
                                   { .name = "/gofer/timers:timers" } };
    go_metrics_read(samples, 2);
    for (int i = 0; i < 2; i++)
        printf("%s %" PRIu64 "\n", samples[i].name, samples[i].value.u64);
    return 0;
}
// Output:
// /sched/goroutines:goroutines 1
// /gofer/timers:timers 0

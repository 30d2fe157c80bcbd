#include <gofer.h>
#include <stdio.h>

static void work(go_chan(int) jobs, go_chan(int) results)
{
    go_range (n, jobs)
        go_send(results, n * n);
}

static void feed(go_chan(int) jobs, go_chan(int) results, go_waitgroup *workers)
{
    for (int n = 1; n <= 10; n++)
        go_send(jobs, n);
    go_close(jobs);
    go_waitgroup_wait(workers);
    go_close(results);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) jobs = go_chan_make(int, 0), results = go_chan_make(int, 0);
    go_waitgroup workers = { 0 };
    for (int i = 0; i < 4; i++)
        go_waitgroup_go(&workers, work, jobs, results);
    go(feed, jobs, results, &workers);
    int sum = 0;
    go_range (r, results)
        sum += r;
    printf("%d\n", sum);
    return 0;
}
// Output:
// 385

#include <gofer.h>
#include <signal.h>
#include <stdio.h>

static void work(go_context *ctx, go_chan(int) jobs, int *done)
{
    while (go_recv_ctx(ctx, jobs, NULL) == 1)
        ++*done;
}

static void feed(go_chan(int) jobs)
{
    for (int job = 1; job <= 3; job++)
        go_send(jobs, job);
    raise(SIGTERM); // in life: an operator
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_context *ctx = go_signal_notify_context(NULL, SIGTERM);
    go_defer(go_context_end, ctx);
    go_chan(int) jobs = go_chan_make(int, 0);
    int done = 0;
    go_waitgroup workers = { 0 };
    go_waitgroup_go(&workers, work, ctx, jobs, &done);
    go(feed, jobs);

    go_context_wait(ctx);
    printf("stopping\n");
    if (go_waitgroup_wait_ctx(go_context_with_timeout(NULL, GO_MINUTE), &workers) == 0)
        printf("%d jobs done\n", done);
    else
        printf("a worker does not stop\n");
    return 0;
}
// Output:
// stopping
// 3 jobs done

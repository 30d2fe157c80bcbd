#include <gofer.h>
#include <stdio.h>

struct job {
    int number;
    int *result;
};

static void work(go_chan(struct job) jobs)
{
    go_range (job, jobs)
        *job.result = job.number * job.number;
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(struct job) jobs = go_chan_make(struct job, 0);
    go_waitgroup workers = { 0 };
    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&workers, work, jobs);

    int results[8];
    for (int i = 0; i < 8; i++)
        go_send(jobs, ((struct job){ i, &results[i] }));
    go_close(jobs);
    go_waitgroup_wait(&workers);
    go_chan_unref(jobs);

    for (int i = 0; i < 8; i++)
        printf("%d%c", results[i], i < 7 ? ' ' : '\n');
    return 0;
}
// Output:
// 0 1 4 9 16 25 36 49

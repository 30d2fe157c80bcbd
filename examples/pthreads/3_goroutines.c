#include <gofer.h>
#include <stdio.h>

// The threads are goroutines: as many as you like. What they need are arguments, not globals.
static void worker(go_chan(int) queue, go_chan(long) sums)
{
    long sum = 0;
    go_range (job, queue)
        sum += job * job;
    go_send(sums, sum);
}

int main(void)
{
    enum { WORKERS = 1000 };
    go_chan(int) queue = go_chan_make(int, 4);
    go_chan(long) sums = go_chan_make(long, 0);
    for (int i = 0; i < WORKERS; i++)
        go(worker, queue, sums); // from main's plain thread: this starts the runtime
    for (int job = 1; job <= 10; job++)
        go_send(queue, job);
    go_close(queue);
    long sum = 0;
    for (int i = 0; i < WORKERS; i++)
        sum += go_recv(sums);
    if (go_shutdown(GO_SECOND) != 0)
        perror("goroutines are left");
    go_chan_unref(queue);
    go_chan_unref(sums);
    printf("%ld\n", sum);
    return 0;
}
// Output:
// 385

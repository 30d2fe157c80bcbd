#include <gofer.h>
#include <pthread.h>
#include <stdio.h>

// The queue is a channel; the threads are the same.
static go_chan(int) queue;
static go_mutex mutex; // guards sum
static long sum;

static void *worker(void *unused)
{
    go_range (job, queue) {
        go_mutex_lock(&mutex);
        sum += job * job;
        go_mutex_unlock(&mutex);
    }
    return unused;
}

int main(void)
{
    queue = go_chan_make(int, 4);
    pthread_t workers[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&workers[i], NULL, worker, NULL);
    for (int job = 1; job <= 10; job++)
        go_send(queue, job);
    go_close(queue);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);
    go_chan_unref(queue);
    printf("%ld\n", sum);
    return 0;
}
// Output:
// 385

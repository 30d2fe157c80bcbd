#include <pthread.h>
#include <stdio.h>

// A queue of jobs and two threads that sum squares.
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // guards all below
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int queue[4], first, count, closed;
static long sum;

static void push(int job)
{
    pthread_mutex_lock(&mutex);
    while (count == 4)
        pthread_cond_wait(&changed, &mutex);
    queue[(first + count++) % 4] = job;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static int pop(int *job)
{
    pthread_mutex_lock(&mutex);
    while (count == 0 && !closed)
        pthread_cond_wait(&changed, &mutex);
    int ok = count > 0;
    if (ok) {
        *job = queue[first];
        first = (first + 1) % 4;
        count--;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&mutex);
    return ok;
}

static void *worker(void *unused)
{
    (void)unused;
    int job;
    while (pop(&job)) {
        pthread_mutex_lock(&mutex);
        sum += job * job;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

int main(void)
{
    pthread_t workers[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&workers[i], NULL, worker, NULL);
    for (int job = 1; job <= 10; job++)
        push(job);
    pthread_mutex_lock(&mutex);
    closed = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);
    printf("%ld\n", sum);
    return 0;
}
// Output:
// 385

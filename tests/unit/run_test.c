/* go_run from a program with its own main and from plain threads, which use channels, wait groups
 * and mutexes like goroutines. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 2000 };

static __thread volatile char
    thread_local_room[300 * 1024]; /* more than our threads' frames have */
static go_chan(long) values;
static go_mutex mutex;
static long guarded;

static int add(int argc, char **argv)
{
    (void)argv;
    return argc + 1;
}

static int leaves(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_goexit();
}

static void *thread(void *unused)
{
    (void)unused;
    for (long i = 0; i < ROUNDS; i++) {
        go_send(values, i);
        go_mutex_lock(&mutex);
        guarded++;
        go_mutex_unlock(&mutex);
    }
    CHECK(go_run(add, 7, NULL), 8);
    return NULL;
}

static int receive_all(int argc, char **argv)
{
    (void)argv;
    long sum = 0;
    for (int i = 0; i < argc; i++)
        sum += go_recv(values);
    CHECK(sum, THREADS * (long)ROUNDS * (ROUNDS - 1) / 2);
    return 0;
}

static void adder(long *value, go_waitgroup *wg)
{
    ++*value;
    go_waitgroup_done(wg);
}

int main(void)
{
    pthread_t threads[THREADS];
    thread_local_room[0] = 1; /* else it is left out */
    CHECK(go_run(add, 1, NULL), 2);
    CHECK(go_run(add, 2, NULL), 3);
    errno = 0;
    CHECK(go_run(leaves, 0, NULL), -1);
    CHECK(errno, ECANCELED);
    values = go_chan_make(long, 3);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, thread, NULL), 0);
    CHECK(go_run(receive_all, THREADS * ROUNDS, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(guarded, THREADS * ROUNDS);
    go_waitgroup wg = { 0 };
    long value = 0;
    go_waitgroup_add(&wg, 1);
    go(adder, &value, &wg); /* from a plain thread */
    go_waitgroup_wait(&wg);
    CHECK(value, 1);
    int64_t before = go_now();
    go_sleep(GO_MILLISECOND);
    CHECK(go_now() - before >= GO_MILLISECOND, 1);
    return 0;
}

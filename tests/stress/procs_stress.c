/* The number of processors grows and shrinks at random, from a goroutine and from a plain thread,
 * while goroutines yield, compute, sleep, block in foreign calls, are tied to threads and wait in
 * channels: everyone comes to its end, and every value arrives. */
#include "stress.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

enum { WORKERS = 40, STEPS = 30, MOST = 12 };

static atomic_long steps, sum;
static atomic_bool stop;
static go_chan(int) values;

static void step(unsigned *random, int pipe_end)
{
    char byte;
    switch (stress_random(random) % 8) {
    case 0:
        go_sleep((go_duration)(stress_random(random) % 100) * GO_MICROSECOND);
        break;
    case 1: /* blocks until a plain thread writes */
        if (read(pipe_end, &byte, 1) != 1)
            abort();
        break;
    case 2:
        go_lock_os_thread();
        go_gosched();
        go_sleep(GO_MICROSECOND);
        go_unlock_os_thread();
        break;
    case 3:
        go_blocking_begin();
        usleep(stress_random(random) % 50);
        go_blocking_end();
        break;
    case 4:
        for (volatile unsigned i = stress_random(random) % 20000; i > 0; i--)
            ;
        break;
    case 5:
        STRESS_CHECK(
            go_select(go_case_recv((go_chan(int))NULL, NULL), go_case_after(GO_MICROSECOND)), 1);
        break;
    default:
        go_send(values, 1);
        atomic_fetch_add(&sum, go_recv(values));
        break;
    }
}

static void worker(go_waitgroup *wg, unsigned random, int pipe_end)
{
    for (int i = 0; i < STEPS; i++) {
        step(&random, pipe_end);
        atomic_fetch_add(&steps, 1);
        if (stress_random(&random) % 16 == 0)
            go_gomaxprocs(1 + (int)(stress_random(&random) % MOST));
    }
    go_waitgroup_done(wg);
}

static void *feeds(void *end)
{
    unsigned random = stress_seed;
    while (!atomic_load(&stop)) {
        if (write(*(int *)end, "xxxxxxxx", 8) < 0)
            usleep(100); /* it is full */
        go_gomaxprocs(1 + (int)(stress_random(&random) % MOST));
        usleep(200);
    }
    return NULL;
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 60);
    unsigned random = stress_seed;
    int ends[2];
    pthread_t thread;
    STRESS_CHECK(pipe(ends), 0);
    STRESS_CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    STRESS_CHECK(pthread_create(&thread, NULL, feeds, &ends[1]), 0);
    values = go_chan_make(int, WORKERS);
    for (long round = 0; round < stress_rounds; round++) {
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, WORKERS);
        for (int i = 0; i < WORKERS; i++)
            go(worker, &wg, stress_random(&random), ends[0]);
        go_waitgroup_wait(&wg);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    STRESS_CHECK(atomic_load(&steps), stress_rounds * WORKERS * STEPS);
    STRESS_CHECK(go_len(values), 0);
    return 0;
}

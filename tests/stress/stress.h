/* What the stress programs share: rounds and a seed from the command line, a cheap random number,
 * a check that prints what it expected. The seed is printed first, so a failure can be run again.
 */
#ifndef GOFER_TEST_STRESS_H
#define GOFER_TEST_STRESS_H

#include <gofer.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long stress_rounds;
static unsigned stress_seed;

/* argv: [rounds [seed]]; without rounds, the program's own short number. */
static inline void stress_begin(int argc, char **argv, long rounds)
{
#ifdef __SANITIZE_THREAD__
    rounds /= 4;
#endif
    stress_rounds = argc > 1 ? atol(argv[1]) : rounds;
    stress_seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)time(NULL);
    printf("rounds %ld seed %u\n", stress_rounds, stress_seed);
}

static inline unsigned stress_random(unsigned *state)
{
    unsigned x = *state ? *state : 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* A random delay: nothing, a yield, or some work. */
static inline void stress_pause(unsigned *state)
{
    switch (stress_random(state) % 8) {
    case 0:
        go_gosched();
        break;
    case 1:
        for (volatile unsigned i = stress_random(state) % 200; i > 0; i--)
            ;
        break;
    default:
        break;
    }
}

struct stress_thread {
    void (*worker)(int id);
    int id;
    pthread_t thread;
};

static inline void *stress_run_thread(void *arg)
{
    const struct stress_thread *self = (const struct stress_thread *)arg;
    self->worker(self->id);
    return NULL;
}

/* Runs worker(id) in so many goroutines and plain threads at once, on four processors at least. */
static inline void stress_run_workers(void (*worker)(int id), int goroutines, int threads)
{
    struct stress_thread *plain = (struct stress_thread *)calloc((size_t)threads, sizeof *plain);
    go_waitgroup running = { 0 };
    if (go_gomaxprocs(0) < 4)
        go_gomaxprocs(4);
    for (int i = 0; i < goroutines; i++)
        go_waitgroup_go(&running, worker, i);
    for (int i = 0; i < threads; i++) {
        plain[i] = (struct stress_thread){ .worker = worker, .id = goroutines + i };
        pthread_create(&plain[i].thread, NULL, stress_run_thread, &plain[i]);
    }
    go_waitgroup_wait(&running);
    for (int i = 0; i < threads; i++)
        pthread_join(plain[i].thread, NULL);
    free(plain);
}

#define STRESS_CHECK(got, expected)                                                               \
    do {                                                                                          \
        long long got_ = (long long)(got), expected_ = (long long)(expected);                     \
        if (got_ != expected_) {                                                                  \
            fprintf(stderr, "%s:%d: %s: got %lld, expected %lld (seed %u)\n", __FILE__, __LINE__, \
                    #got, got_, expected_, stress_seed);                                          \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

#endif

/* Goroutines whose C calls block often and briefly, with one processor: each gives way as one that
 * blocks, at once, and not as one that computes: after 10 ms of CPU, and 10 more for each before
 * it. So CPU time is what is looked at, not how long it took. */
#include "../unit/unit.h"

#include <time.h>

enum { MANY = 12 };

static int begun, over;    /* relaxed: they order nothing */
static int64_t used[MANY]; /* of CPU, by each in turn until the next one began */

static int64_t cpu_time(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return t.tv_sec * GO_SECOND + t.tv_nsec;
}

/* As a client of a server that is near and quick: a little work, and a little wait. */
static void talk(go_waitgroup *done)
{
    int64_t start = cpu_time();
    int number = __atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        for (int64_t until = cpu_time() + 5000; cpu_time() < until;)
            ;
        nanosleep(&(struct timespec){ .tv_nsec = 40000 }, NULL);
        if (used[number] == 0 && __atomic_load_n(&begun, __ATOMIC_RELAXED) > number + 1)
            used[number] = cpu_time() - start;
    }
    go_waitgroup_done(done);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup done = { 0 };
    go_gomaxprocs(1);
    go_waitgroup_add(&done, MANY + 1);
    for (int i = 0; i < MANY; i++)
        go(talk, &done);
    while (__atomic_load_n(&begun, __ATOMIC_RELAXED) < MANY)
        go_gosched();
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    go_waitgroup_done(&done);
    go_waitgroup_wait(&done);
    int64_t sum = 0;
    for (int i = 0; i < MANY; i++)
        sum += used[i];
    printf("%lld us of CPU until the next one began, in all\n", (long long)sum / 1000);
    CHECK(sum < 4 * 10 * GO_MILLISECOND, 1);
    return 0;
}

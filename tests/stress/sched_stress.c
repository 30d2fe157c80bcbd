/* Spawning, yielding, sleeping, computing and blocking in foreign code, all at once, while the
 * number of processors changes: every goroutine runs and ends once. */
#include "stress.h"

#include <stdatomic.h>
#include <unistd.h>

static atomic_long ended, in_mutex;
static go_mutex mutex;
static long guarded;

static void leaf(go_waitgroup *wg, unsigned random)
{
    switch (stress_random(&random) % 8) {
    case 0:
        go_sleep((go_duration)(stress_random(&random) % 200) * GO_MICROSECOND);
        break;
    case 1:
        usleep(stress_random(&random) % 300);
        break;
    case 2:
        for (int i = 0; i < 5; i++)
            go_gosched();
        break;
    case 3:
        go_lock_os_thread();
        go_gosched();
        go_unlock_os_thread();
        break;
    case 4:
        go_blocking_begin();
        usleep(stress_random(&random) % 100);
        go_blocking_end();
        break;
    default:
        go_mutex_lock(&mutex);
        STRESS_CHECK(atomic_fetch_add(&in_mutex, 1), 0);
        guarded++;
        if (stress_random(&random) % 4 == 0)
            go_gosched();
        atomic_fetch_sub(&in_mutex, 1);
        go_mutex_unlock(&mutex);
        break;
    }
    atomic_fetch_add(&ended, 1);
    go_waitgroup_done(wg);
}

static void branch(go_waitgroup *wg, unsigned random, int children)
{
    for (int i = 0; i < children; i++)
        go(leaf, wg, stress_random(&random));
    go_waitgroup_done(wg);
}

int go_main(int argc, char **argv)
{
    enum { BRANCHES = 8, CHILDREN = 16 };
    stress_begin(argc, argv, 60);
    unsigned random = stress_seed;
    for (long round = 0; round < stress_rounds; round++) {
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, BRANCHES + BRANCHES * CHILDREN);
        for (int i = 0; i < BRANCHES; i++)
            go(branch, &wg, stress_random(&random), CHILDREN);
        if (round % 4 == 0)
            go_gomaxprocs(1 + (int)(stress_random(&random) % 6));
        go_waitgroup_wait(&wg);
    }
    STRESS_CHECK(atomic_load(&ended), stress_rounds * BRANCHES * CHILDREN);
    return 0;
}

/* A pool under random schedules, with plain threads among its users: nobody gets an item that
 * another has, and in the end each that was made has been destroyed once. */
#include "stress.h"

#include "sched/sched.h"

enum { WORKERS = 6, THREADS = 2, MOST = 5 };

struct item {
    int taken;
    long uses;
};

static _Atomic long made, destroyed;

static void *make(void)
{
    made++;
    return calloc(1, sizeof(struct item));
}

static void destroy(void *item)
{
    STRESS_CHECK(((struct item *)item)->taken, 0);
    destroyed++;
    free(item);
}

static go_pool pool = { .create = make, .destroy = destroy };

static void worker(int id)
{
    unsigned random = stress_seed + (unsigned)id * 7919u;
    struct item *items[MOST];
    for (long i = 0; i < stress_rounds; i++) {
        int n = (int)(stress_random(&random) % MOST) + 1;
        for (int j = 0; j < n; j++) {
            items[j] = go_pool_get(&pool);
            STRESS_CHECK(items[j]->taken++, 0);
            items[j]->uses++;
        }
        stress_pause(&random);
        for (int j = 0; j < n; j++) {
            STRESS_CHECK(--items[j]->taken, 0);
            go_pool_put(&pool, items[j]);
        }
        if (stress_random(&random) % 64 == 0)
            atomic_fetch_add(&gofer_trim_epoch, 1);
    }
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 5000);
    stress_run_workers(worker, WORKERS, THREADS);
    go_pool_drain(&pool);
    STRESS_CHECK(made, destroyed);
    return 0;
}

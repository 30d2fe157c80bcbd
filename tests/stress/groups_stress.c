/* Groups with and without limits, and shared calls, under random schedules, with plain threads
 * among the callers: each function runs once, no more than the limit at a time, the first error
 * comes back; each caller of a shared call gets the value of one call for its own key. */
#include "stress.h"

enum { WORKERS = 4, THREADS = 2, MEMBERS = 8, KEYS = 3 };

static long started, ended;

/* ---- groups ------------------------------------------------------------------------------- */

struct task {
    go_errgroup group;
    int limit, active, errors, cancels, first;
};

static int member(struct task *task, unsigned random, int error)
{
    __atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
    int active = __atomic_add_fetch(&task->active, 1, __ATOMIC_RELAXED);
    if (task->limit >= 0)
        STRESS_CHECK(active <= task->limit, 1);
    stress_pause(&random);
    __atomic_sub_fetch(&task->active, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
    if (error)
        __atomic_fetch_add(&task->errors, 1, __ATOMIC_RELAXED);
    else if (stress_random(&random) % 16 == 0)
        go_goexit();
    errno = error;
    return error;
}

static void note_cancel(void *argument, int error)
{
    struct task *task = argument;
    task->cancels++;
    task->first = error;
}

static void use_group(unsigned *random)
{
    struct task *task = calloc(1, sizeof *task);
    task->group.cancel = note_cancel;
    task->group.cancel_arg = task;
    task->limit = (int)(stress_random(random) % 5) - 1;
    if (task->limit == 0)
        task->limit = 1;
    go_errgroup_set_limit(&task->group, task->limit);
    for (int i = 0; i < MEMBERS; i++) {
        int error = stress_random(random) % 8 == 0 ? 1 + i : 0;
        if (stress_random(random) % 4 == 0)
            (void)go_errgroup_try_go(&task->group, member, task, stress_random(random), error);
        else
            go_errgroup_go(&task->group, member, task, stress_random(random), error);
    }
    int error = go_errgroup_wait(&task->group);
    if (error)
        STRESS_CHECK(errno, error);
    STRESS_CHECK(error != 0, task->errors > 0);
    STRESS_CHECK(task->active, 0);
    STRESS_CHECK(task->cancels, 1);
    STRESS_CHECK(task->first, error);
    memset(task, 0xa5, sizeof *task);
    free(task);
}

/* ---- shared calls ------------------------------------------------------------------------- */

static go_singleflight flights;
static long in_flight[KEYS], calls, joined;

/* The number of the call, and the key. */
static int look_up(void *argument, void **value)
{
    intptr_t key = (intptr_t)argument;
    unsigned random = stress_seed + (unsigned)key;
    __atomic_fetch_add(&in_flight[key], 1, __ATOMIC_RELAXED);
    stress_pause(&random);
    go_gosched();
    __atomic_fetch_sub(&in_flight[key], 1, __ATOMIC_RELAXED);
    *value = (void *)(key + KEYS * __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED));
    errno = (int)key;
    return (int)key;
}

static void check_result(intptr_t key, void *value, int error)
{
    STRESS_CHECK((intptr_t)value % KEYS, key);
    STRESS_CHECK(error, key);
    __atomic_fetch_add(&joined, 1, __ATOMIC_RELAXED);
}

static void use_flight(unsigned *random)
{
    static const char *const names[KEYS] = { "zero", "one", "two" };
    intptr_t key = stress_random(random) % KEYS;
    void *value = NULL;
    int error, shared = -1;
    switch (stress_random(random) % 4) {
    case 0: {
        go_chan(go_singleflight_result) c =
            go_singleflight_do_chan(&flights, names[key], look_up, (void *)key);
        stress_pause(random);
        go_singleflight_result result = go_recv(c);
        go_chan_unref(c);
        check_result(key, result.value, result.error);
        break;
    }
    case 1:
        go_singleflight_forget(&flights, names[key]);
        break;
    default:
        error = go_singleflight_do(&flights, names[key], look_up, (void *)key, &value, &shared);
        if (error)
            STRESS_CHECK(errno, error);
        check_result(key, value, error);
        STRESS_CHECK(shared == 0 || shared == 1, 1);
        break;
    }
}

static void worker(int id)
{
    unsigned random = stress_seed + (unsigned)id * 7919u;
    for (long i = 0; i < stress_rounds; i++) {
        use_group(&random);
        for (int j = 0; j < 4; j++)
            use_flight(&random);
    }
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 500);
    stress_run_workers(worker, WORKERS, THREADS);
    STRESS_CHECK(started, ended);
    STRESS_CHECK(flights.count, 0);
    STRESS_CHECK(flights.buckets == NULL, 1);
    STRESS_CHECK(calls > 0 && calls <= joined, 1);
    return 0;
}

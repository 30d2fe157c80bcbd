/* Each primitive alone and as hot as it goes, for the long form: 10^8 calls of it and more, by
 * goroutines and plain threads, with yields at random. Each keeps books of its own: what was put is
 * what was got, what is held is held by one, what shall run once ran once. A lost wake-up hangs.
 * The other programs here race with cancellation, closing and ends instead.
 *
 * usage: primitives_stress [calls [seed [primitive]]] */
#include "stress.h"

#include <stdatomic.h>

/* The plain threads make fewer steps, for they wait in the kernel. Even ids send what odd ids
 * receive, so both kinds have as many of the one as of the other. */
enum { WORKERS = 4, THREADS = 2, ALL = WORKERS + THREADS, STEPS_OF_A_THREAD = 32 };

struct worker {
    int id;
    unsigned random;
    long step;     /* from 0 */
    long put, got; /* sums of what went in and came out, or other books */
    void *own;
} __attribute__((aligned(64)));

static struct worker workers[ALL];

static long sum_of(size_t offset)
{
    long sum = 0;
    for (int i = 0; i < ALL; i++)
        sum += *(long *)((char *)&workers[i] + offset);
    return sum;
}

static void nothing_is_lost(long steps)
{
    (void)steps;
    STRESS_CHECK(sum_of(offsetof(struct worker, put)), sum_of(offsetof(struct worker, got)));
}

static long new_value(struct worker *w)
{
    long value = w->step * ALL + w->id + 1;
    w->put += value;
    return value;
}

/* ---- channels ----------------------------------------------------------------------------- */

static go_chan(long) none, one, three; /* by their capacity */

static void chan_begin(void)
{
    none = go_chan_make(long, 0);
    one = go_chan_make(long, 1);
    three = go_chan_make(long, 3);
}

static void chan_end(long steps)
{
    nothing_is_lost(steps);
    STRESS_CHECK(go_len(one) + go_len(three), 0);
    go_chan_unref(none);
    go_chan_unref(one);
    go_chan_unref(three);
}

/* Who sends has received all it sent for: with room for one, somebody can always go on. */
static void chan_step(struct worker *w)
{
    if (w->step % 4 != 0) {
        go_send(one, new_value(w));
        w->got += go_recv(one);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (w->id % 2 == 0)
            go_send(none, new_value(w));
        else
            w->got += go_recv(none);
}

static void select_step(struct worker *w)
{
    long value = new_value(w), other = 0;
    while (go_select(go_case_send(one, value), go_case_send(three, value),
                     go_case_as(-1, go_case_after(GO_SECOND))) < 0)
        ;
    if (stress_random(&w->random) % 4 == 0)
        while (go_select(go_case_recv(three, &other), go_case_recv(one, &other),
                         go_case_as(-1, go_case_default)) < 0)
            go_gosched();
    else
        go_select(go_case_recv(one, &other), go_case_recv(three, &other),
                  go_case_recv(none, &other));
    w->got += other;
}

/* ---- locks -------------------------------------------------------------------------------- */

static go_mutex mutex;
static go_rwmutex rw;
static long guarded, left, right;

static void mutex_step(struct worker *w)
{
    if (stress_random(&w->random) % 8 != 0 || !go_mutex_trylock(&mutex))
        go_mutex_lock(&mutex);
    guarded++;
    go_mutex_unlock(&mutex);
}

static void mutex_end(long steps)
{
    STRESS_CHECK(guarded, steps);
}

static void rwmutex_step(struct worker *w)
{
    if (stress_random(&w->random) % 8 == 0) {
        go_rwmutex_lock(&rw);
        left++;
        w->put++;
        right++;
        go_rwmutex_unlock(&rw);
    } else {
        go_rwmutex_rlock(&rw);
        STRESS_CHECK(left, right);
        go_rwmutex_runlock(&rw);
    }
}

static void rwmutex_end(long steps)
{
    (void)steps;
    STRESS_CHECK(left, sum_of(offsetof(struct worker, put)));
    STRESS_CHECK(right, left);
}

/* ---- wait groups and once ------------------------------------------------------------------ */

static void count(struct worker *w)
{
    w->got++;
}

static void waitgroup_step(struct worker *w)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go_waitgroup_go(&wg, count, w);
    go_waitgroup_done(&wg);
    go_waitgroup_done(&wg);
    go_waitgroup_wait(&wg);
    STRESS_CHECK(w->got, w->step + 1);
}

/* All go through the same row, each at its own pace. */
enum { STEPS_WITH_ONE = 64 };

struct counted_once {
    go_once once;
    int runs; /* plain: ordered by the once */
};

static struct counted_once *row;
static size_t row_length;

static void once_begin(void)
{
    row_length = (size_t)stress_rounds / WORKERS / STEPS_WITH_ONE + 1;
    row = calloc(row_length, sizeof *row);
}

static void count_run(void *runs)
{
    ++*(int *)runs;
}

static void once_step(struct worker *w)
{
    struct counted_once *at = &row[w->step / STEPS_WITH_ONE];
    go_once_do(&at->once, count_run, &at->runs);
    STRESS_CHECK(at->runs, 1);
}

static void once_end(long steps)
{
    (void)steps;
    for (size_t i = 0; i < row_length; i++)
        STRESS_CHECK(row[i].runs, 1);
    free(row);
}

/* ---- conditions ---------------------------------------------------------------------------- */

enum { ROOM = 2 };
static go_cond not_full = { .locker = GO_LOCKER_MUTEX(&mutex) };
static go_cond not_empty = { .locker = GO_LOCKER_MUTEX(&mutex) };
static long queue[ROOM];
static int queued;

static void cond_step(struct worker *w)
{
    go_mutex_lock(&mutex);
    while (queued == ROOM)
        go_cond_wait(&not_full);
    queue[queued++] = new_value(w);
    go_cond_signal(&not_empty);
    go_mutex_unlock(&mutex);

    if (stress_random(&w->random) % 8 == 0)
        go_gosched(); /* else others seldom find it full */

    go_mutex_lock(&mutex);
    while (queued == 0)
        go_cond_wait(&not_empty);
    w->got += queue[--queued];
    if (stress_random(&w->random) % 4 == 0)
        go_cond_broadcast(&not_full);
    else
        go_cond_signal(&not_full);
    go_mutex_unlock(&mutex);
}

static void cond_end(long steps)
{
    nothing_is_lost(steps);
    STRESS_CHECK(queued, 0);
}

/* ---- semaphores ---------------------------------------------------------------------------- */

enum { SIZE = 4 };
static go_semaphore semaphore = GO_SEMAPHORE(SIZE);
static _Atomic long held; /* relaxed: the bound holds in any order */

static void semaphore_step(struct worker *w)
{
    long n = 1 + (long)(stress_random(&w->random) % SIZE);
    go_semaphore_acquire(&semaphore, n);
    STRESS_CHECK(atomic_fetch_add_explicit(&held, n, memory_order_relaxed) + n <= SIZE, 1);
    atomic_fetch_sub_explicit(&held, n, memory_order_relaxed);
    go_semaphore_release(&semaphore, n);
}

static void semaphore_end(long steps)
{
    (void)steps;
    STRESS_CHECK(held, 0);
    STRESS_CHECK(go_semaphore_try_acquire(&semaphore, SIZE), 1);
}

/* ---- maps and pools ------------------------------------------------------------------------ */

enum { KEYS = 16 };
typedef go_map(long, long) numbers;
static numbers map;

static void map_step(struct worker *w)
{
    long key = stress_random(&w->random) % KEYS, old = 0, own = -1 - w->id, before = 0;
    (void)go_map_load_or_store(&map, key, 0, &old);
    while (!go_map_compare_and_swap(&map, key, old, old + 1))
        STRESS_CHECK(go_map_load(&map, key, &old), 1);
    STRESS_CHECK(go_map_swap(&map, own, w->step, &before), 0);
    STRESS_CHECK(go_map_load_and_delete(&map, own, &before), 1);
    STRESS_CHECK(before, w->step);
}

static void map_end(long steps)
{
    long sum = 0;
    go_map_range (&map, key, value) {
        STRESS_CHECK(key >= 0, 1);
        sum += value;
    }
    STRESS_CHECK(sum, steps);
    go_map_free(&map);
}

static _Atomic long made, destroyed;

static void *make(void)
{
    made++;
    return calloc(1, sizeof(long));
}

static void destroy(void *item)
{
    STRESS_CHECK(*(long *)item, 0);
    destroyed++;
    free(item);
}

static go_pool pool = { .create = make, .destroy = destroy };

static void pool_step(struct worker *w)
{
    long *item = go_pool_get(&pool);
    STRESS_CHECK(*item, 0); /* plain: nobody else has it */
    *item = 1 + w->id;
    if (stress_random(&w->random) % 32 == 0)
        go_gosched();
    STRESS_CHECK(*item, 1 + w->id);
    *item = 0;
    go_pool_put(&pool, item);
}

static void pool_end(long steps)
{
    (void)steps;
    go_pool_drain(&pool);
    STRESS_CHECK(destroyed, made);
}

/* ---- timers -------------------------------------------------------------------------------- */

static void timer_begin(void)
{
    for (int i = 0; i < ALL; i++)
        workers[i].own = go_timer_new(GO_HOUR);
}

static void count_and_wake(void *worker)
{
    struct worker *w = worker;
    w->got++;
    go_signal(w->own);
}

static void fires_once(struct worker *w, go_timer *t)
{
    go_duration soon = (go_duration)(stress_random(&w->random) % 3);
    w->put++;
    if (stress_random(&w->random) % 2) {
        STRESS_CHECK(go_timer_reset(t, soon), 1);
        w->got += go_recv(go_timer_chan(t)) > 0;
        STRESS_CHECK(go_timer_reset(t, GO_HOUR), 0);
        return;
    }
    go_chan(go_unit) fired = go_chan_make(go_unit, 0);
    w->own = fired;
    go_timer *function = go_after_func(soon, count_and_wake, w);
    go_recv(fired);
    STRESS_CHECK(go_timer_stop(function), 0);
    go_timer_free(function);
    go_chan_unref(fired);
    w->own = t;
}

/* Nobody receives: it is active, whether its time has come or not. */
static void timer_step(struct worker *w)
{
    go_timer *t = w->own;
    go_duration d = stress_random(&w->random) % 64 ? GO_HOUR : GO_MICROSECOND;
    STRESS_CHECK(go_timer_reset(t, d), 1);
    STRESS_CHECK(go_timer_stop(t), 1);
    STRESS_CHECK(go_timer_stop(t), 0);
    STRESS_CHECK(go_timer_reset(t, GO_HOUR), 0);
    if (stress_random(&w->random) % 256 == 0)
        fires_once(w, t);
}

static void timer_end(long steps)
{
    nothing_is_lost(steps);
    for (int i = 0; i < ALL; i++)
        go_timer_free(workers[i].own);
}

/* ---- groups and shared calls ---------------------------------------------------------------- */

static int fail_at(_Atomic int *active, int limit, int error)
{
    int now = atomic_fetch_add_explicit(active, 1, memory_order_relaxed) + 1;
    STRESS_CHECK(now <= limit, 1);
    atomic_fetch_sub_explicit(active, 1, memory_order_relaxed);
    return error;
}

static void errgroup_step(struct worker *w)
{
    go_errgroup group = { 0 };
    _Atomic int active = 0;
    int limit = 1 + (int)(stress_random(&w->random) % 3);
    int error = stress_random(&w->random) % 4 ? 0 : 1 + w->id;
    go_errgroup_set_limit(&group, limit);
    for (int i = 0; i < 3; i++)
        go_errgroup_go(&group, fail_at, &active, limit, i == 1 ? error : 0);
    STRESS_CHECK(go_errgroup_wait(&group), error);
    STRESS_CHECK(active, 0);
}

static go_singleflight flights;
static _Atomic long flown;

static int fly(void *key, void **value)
{
    long number = atomic_fetch_add_explicit(&flown, 1, memory_order_relaxed);
    if (number % 8 == 0)
        go_gosched(); /* so that others join */
    *value = key;
    return 0;
}

static void singleflight_step(struct worker *w)
{
    static const char *const names[] = { "zero", "one", "two" };
    unsigned key = stress_random(&w->random) % 3;
    void *value = NULL;
    int shared = -1;
    STRESS_CHECK(go_singleflight_do(&flights, names[key], fly, (void *)names[key], &value, &shared),
                 0);
    STRESS_CHECK(value == names[key], 1);
    STRESS_CHECK(shared == 0 || shared == 1, 1);
}

static void singleflight_end(long steps)
{
    STRESS_CHECK(flown > 0 && flown <= steps, 1);
    STRESS_CHECK(flights.count, 0);
}

/* ---- contexts ------------------------------------------------------------------------------- */

static go_context *root;

static void context_begin(void)
{
    root = go_context_with_cancel(NULL);
}

/* All hang on one root; what is below goes with it, and nothing else. */
static void context_step(struct worker *w)
{
    go_context *ctx = go_context_with_cancel(root), *below = go_context_with_cancel(ctx);
    if (stress_random(&w->random) % 2)
        go_context_unref(go_context_with_timeout(below, GO_HOUR));
    else
        go_context_unref(go_context_ref(below));
    STRESS_CHECK(go_context_err(below), 0);
    go_context_cancel(ctx);
    STRESS_CHECK(go_context_err(below), ECANCELED);
    go_context_unref(ctx);
    go_context_unref(below);
}

static void context_end(long steps)
{
    (void)steps;
    STRESS_CHECK(go_context_err(root), 0);
    go_context_unref(root);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void begin_nothing(void)
{
}

static void end_nothing(long steps)
{
    (void)steps;
}

/* calls: how many of the primitive's a step makes at least. */
static const struct primitive {
    const char *name;
    long calls;
    void (*begin)(void);
    void (*step)(struct worker *);
    void (*end)(long steps);
} primitives[] = {
    { "chan", 2, chan_begin, chan_step, chan_end },
    { "select", 2, chan_begin, select_step, chan_end },
    { "mutex", 2, begin_nothing, mutex_step, mutex_end },
    { "rwmutex", 2, begin_nothing, rwmutex_step, rwmutex_end },
    { "waitgroup", 5, begin_nothing, waitgroup_step, end_nothing },
    { "once", 1, once_begin, once_step, once_end },
    { "cond", 2, begin_nothing, cond_step, cond_end },
    { "semaphore", 2, begin_nothing, semaphore_step, semaphore_end },
    { "map", 4, begin_nothing, map_step, map_end },
    { "pool", 2, begin_nothing, pool_step, pool_end },
    { "timer", 4, timer_begin, timer_step, timer_end },
    { "errgroup", 5, begin_nothing, errgroup_step, end_nothing },
    { "singleflight", 1, begin_nothing, singleflight_step, singleflight_end },
    { "context", 9, context_begin, context_step, context_end },
};

static const struct primitive *current;

static long steps_of(int id)
{
    long steps = stress_rounds / current->calls / WORKERS + 1;
    return id < WORKERS ? steps : steps / STEPS_OF_A_THREAD;
}

static void work(int id)
{
    struct worker *w = &workers[id];
    long steps = steps_of(id);
    for (; w->step < steps; w->step++) {
        current->step(w);
        if (stress_random(&w->random) % 64 == 0)
            stress_pause(&w->random);
    }
}

static void run(const struct primitive *p)
{
    long steps = 0;
    current = p;
    for (int i = 0; i < ALL; i++) {
        workers[i] = (struct worker){ .id = i, .random = stress_seed + (unsigned)i * 7919u };
        steps += steps_of(i);
    }
    p->begin();
    int64_t start = go_now();
    stress_run_workers(work, WORKERS, THREADS);
    double seconds = go_duration_seconds(go_now() - start);
    p->end(steps);
    printf("%-12s %10ld operations %7.1f s\n", p->name, steps * p->calls, seconds);
}

int go_main(int argc, char **argv)
{
    int found = 0;
    stress_begin(argc, argv, 20000);
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
        if (argc <= 3 || strcmp(argv[3], primitives[i].name) == 0) {
            run(&primitives[i]);
            found = 1;
        }
    STRESS_CHECK(found, 1);
    return 0;
}

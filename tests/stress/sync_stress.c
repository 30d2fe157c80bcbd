/* Mutexes, conditions, semaphores and wait groups under random schedules: goroutines and plain
 * threads together, a third of the waits with a cancellation that races with the wake-up. What they
 * guard shows that nothing is lost or doubled; a lost wake-up hangs. */
#include "stress.h"

#include "sync/sync.h"

enum { WORKERS = 6, THREADS = 2, SIZE = 6, ROOM = 3 };

/* ---- cancellation ------------------------------------------------------------------------- */

/* One wait that may be cancelled at any moment. */
struct trial {
    gofer_cancel source;
    go_waitgroup fired;
    unsigned random;
};

static void fire(struct trial *trial)
{
    unsigned random = trial->random;
    stress_pause(&random);
    gofer_cancel_fire(&trial->source, ECANCELED);
    go_waitgroup_done(&trial->fired);
}

/* The source for the next wait: NULL in two of three cases. */
static gofer_cancel *begin_trial(struct trial *trial, unsigned *random)
{
    memset(trial, 0, sizeof *trial);
    if (stress_random(random) % 3 != 0)
        return NULL;
    trial->random = stress_random(random);
    go_waitgroup_add(&trial->fired, 1);
    go(fire, trial);
    return &trial->source;
}

/* Whether the wait was served; `result` is what it returned. */
static int end_trial(struct trial *trial, int result)
{
    int error = errno;
    go_waitgroup_wait(&trial->fired);
    if (result != 0)
        STRESS_CHECK(error, ECANCELED);
    return result == 0;
}

/* ---- mutex -------------------------------------------------------------------------------- */

static go_mutex mutex;
static long in_mutex, served;

static void use_mutex(unsigned *random)
{
    struct trial trial;
    gofer_cancel *source = begin_trial(&trial, random);
    if (!end_trial(&trial, gofer_mutex_lock_cancellable(&mutex, source)))
        return;
    in_mutex++;
    stress_pause(random);
    go_mutex_unlock(&mutex);
    __atomic_fetch_add(&served, 1, __ATOMIC_RELAXED);
}

/* ---- reader/writer mutex ------------------------------------------------------------------ */

static go_rwmutex rw;
static int readers_in, writers_in;
static long left, right, writes;

static void write_pair(unsigned *random)
{
    struct trial trial;
    gofer_cancel *source = begin_trial(&trial, random);
    if (!end_trial(&trial, gofer_rwmutex_lock_cancellable(&rw, source)))
        return;
    STRESS_CHECK(__atomic_fetch_add(&writers_in, 1, __ATOMIC_RELAXED), 0);
    STRESS_CHECK(__atomic_load_n(&readers_in, __ATOMIC_RELAXED), 0);
    left++;
    stress_pause(random);
    right++;
    __atomic_fetch_sub(&writers_in, 1, __ATOMIC_RELAXED);
    go_rwmutex_unlock(&rw);
    __atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED);
}

/* What many reads do: here as often as it is allowed. */
static void spread(void)
{
    enum { WRITER = 1, QUEUED = 2, TABLE = 4 };
    uint64_t state = __atomic_load_n(&rw.state, __ATOMIC_RELAXED);
    if (!(state & (WRITER | QUEUED)))
        __atomic_compare_exchange_n(&rw.state, &state, state | TABLE, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED);
}

static void read_pair(unsigned *random)
{
    if (stress_random(random) % 2)
        spread();
    struct trial trial;
    gofer_cancel *source = begin_trial(&trial, random);
    if (!end_trial(&trial, gofer_rwmutex_rlock_cancellable(&rw, source)))
        return;
    __atomic_fetch_add(&readers_in, 1, __ATOMIC_RELAXED);
    STRESS_CHECK(__atomic_load_n(&writers_in, __ATOMIC_RELAXED), 0);
    STRESS_CHECK(left - right, 0);
    stress_pause(random);
    __atomic_fetch_sub(&readers_in, 1, __ATOMIC_RELAXED);
    go_rwmutex_runlock(&rw);
}

static void try_pair(unsigned *random)
{
    spread();
    if (stress_random(random) % 2 && go_rwmutex_tryrlock(&rw)) {
        STRESS_CHECK(left - right, 0);
        go_rwmutex_runlock(&rw);
    } else if (go_rwmutex_trylock(&rw)) {
        left++;
        right++;
        go_rwmutex_unlock(&rw);
        __atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED);
    }
}

/* ---- semaphore ---------------------------------------------------------------------------- */

static go_semaphore semaphore = GO_SEMAPHORE(SIZE);
static long held;

static void use_semaphore(unsigned *random)
{
    struct trial trial;
    int64_t n = stress_random(random) % (SIZE + 1);
    if (stress_random(random) % 8 == 0) {
        if (!go_semaphore_try_acquire(&semaphore, n))
            return;
    } else {
        gofer_cancel *source = begin_trial(&trial, random);
        if (!end_trial(&trial, gofer_semaphore_acquire_cancellable(&semaphore, n, source)))
            return;
    }
    STRESS_CHECK(__atomic_add_fetch(&held, n, __ATOMIC_RELAXED) <= SIZE, 1);
    stress_pause(random);
    __atomic_sub_fetch(&held, n, __ATOMIC_RELAXED);
    go_semaphore_release(&semaphore, n);
}

static void mixed(unsigned *random)
{
    switch (stress_random(random) % 8) {
    case 0:
        write_pair(random);
        break;
    case 1:
    case 2:
        read_pair(random);
        break;
    case 3:
        try_pair(random);
        break;
    case 4:
    case 5:
        use_semaphore(random);
        break;
    default:
        use_mutex(random);
        break;
    }
}

/* ---- conditions --------------------------------------------------------------------------- */

/* A bounded queue that wakes just one waiter at a time: a signal given to one that was cancelled
 * would hang the others. */
static go_mutex queue_mutex;
static go_cond not_full = { .locker = GO_LOCKER_MUTEX(&queue_mutex) };
static go_cond not_empty = { .locker = GO_LOCKER_MUTEX(&queue_mutex) };
static long queue[ROOM], sent, received;
static int queued;

static void wait_for(go_cond *c, unsigned *random)
{
    struct trial trial;
    gofer_cancel *source = begin_trial(&trial, random);
    int result = gofer_cond_wait_cancellable(c, source), error = errno;
    go_mutex_unlock(&queue_mutex); /* held in any case; not while the trial ends */
    errno = error;
    end_trial(&trial, result);
    go_mutex_lock(&queue_mutex);
}

static void put(long value, unsigned *random)
{
    go_mutex_lock(&queue_mutex);
    while (queued == ROOM)
        wait_for(&not_full, random);
    queue[queued++] = value;
    sent += value;
    go_cond_signal(&not_empty);
    go_mutex_unlock(&queue_mutex);
}

static void take(unsigned *random)
{
    go_mutex_lock(&queue_mutex);
    while (queued == 0)
        wait_for(&not_empty, random);
    received += queue[--queued];
    if (stress_random(random) % 4 == 0)
        go_cond_broadcast(&not_full);
    else
        go_cond_signal(&not_full);
    go_mutex_unlock(&queue_mutex);
}

/* ---- wait groups -------------------------------------------------------------------------- */

struct round {
    go_waitgroup work, waiters;
    int done;
};

static void work(struct round *round, unsigned random)
{
    stress_pause(&random);
    __atomic_fetch_add(&round->done, 1, __ATOMIC_RELAXED);
}

static void wait_for_round(struct round *round, unsigned random)
{
    struct trial trial;
    gofer_cancel *source = begin_trial(&trial, &random);
    if (end_trial(&trial, gofer_waitgroup_wait_cancellable(&round->work, source)))
        STRESS_CHECK(round->done, 3);
}

static void use_waitgroup(unsigned *random)
{
    struct round *round = calloc(1, sizeof *round);
    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&round->work, work, round, stress_random(random));
    for (int i = 0; i < 2; i++)
        go_waitgroup_go(&round->waiters, wait_for_round, round, stress_random(random));
    stress_pause(random);
    go_waitgroup_wait(&round->work);
    STRESS_CHECK(round->done, 3);
    go_waitgroup_wait(&round->waiters);
    memset(round, 0xa5, sizeof *round);
    free(round);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void worker(int id)
{
    unsigned random = stress_seed + (unsigned)id * 7919u;
    for (long i = 0; i < stress_rounds; i++) {
        mixed(&random);
        if (id % 2)
            put(i, &random);
        else
            take(&random);
        if (i % 8 == 0)
            use_waitgroup(&random);
    }
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 2000);
    stress_run_workers(worker, WORKERS, THREADS);
    STRESS_CHECK(in_mutex, served);
    STRESS_CHECK(left, writes);
    STRESS_CHECK(right, writes);
    STRESS_CHECK(held, 0);
    STRESS_CHECK(semaphore.held, 0);
    STRESS_CHECK(sent, received);
    STRESS_CHECK(queued, 0);
    return 0;
}

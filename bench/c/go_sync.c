/* Go's own list of benchmarks for package sync, by Go's names. */
#include "bench.h"

enum { LOCAL_WORK = 100, SLACK = 10 };

static go_mutex mutex;
static long guarded;

static void own_mutex(long n, void *unused)
{
    (void)unused;
    go_mutex m = { 0 };
    for (long i = 0; i < n; i++) {
        go_mutex_lock(&m);
        go_mutex_unlock(&m);
    }
}

static long mutex_uncontended(void)
{
    return in_parallel(1, times(20000000), own_mutex, NULL);
}

static void shared_mutex(long n, void *steps)
{
    for (long i = 0; i < n; i++) {
        go_mutex_lock(&mutex);
        go_mutex_unlock(&mutex);
        if (steps)
            work(LOCAL_WORK);
    }
}

static long mutex_plain(void)
{
    return in_parallel(1, times(10000000), shared_mutex, NULL);
}

static long mutex_slack(void)
{
    return in_parallel(SLACK, times(10000000), shared_mutex, NULL);
}

static long mutex_work(void)
{
    return in_parallel(1, times(1000000), shared_mutex, &mutex);
}

static long mutex_work_slack(void)
{
    return in_parallel(SLACK, times(1000000), shared_mutex, &mutex);
}

/* Every fourth word of n, without which a switch to another goroutine would cost nothing. */
static void touch(volatile uint64_t *data, int n)
{
    for (int i = 0; i < n; i += 4)
        data[i]++;
}

static void guarded_step(void)
{
    go_mutex_lock(&mutex);
    guarded += 100;
    go_mutex_unlock(&mutex);
}

static void signals(go_chan(go_unit) c)
{
    go_signal(c);
}

static void no_spin(long n, void *unused)
{
    (void)unused;
    uint64_t data[4 << 10] = { 0 };
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    for (long i = 0; i < n; i++) {
        if (i % 4 == 0) {
            guarded_step();
        } else {
            touch(data, 4 << 10);
            go(signals, c);
            go_recv(c);
        }
    }
    go_chan_unref(c);
}

static long mutex_no_spin(void)
{
    return in_parallel(4, times(300000), no_spin, NULL);
}

static void spins(long n, void *unused)
{
    (void)unused;
    uint64_t *data = calloc(16 << 10, sizeof *data);
    for (long i = 0; i < n; i++) {
        guarded_step();
        touch(data, 16 << 10);
    }
    free(data);
}

static long mutex_spin(void)
{
    return in_parallel(1, times(50000), spins, NULL);
}

static void own_rwmutex(long n, void *unused)
{
    (void)unused;
    go_rwmutex rw = { 0 };
    for (long i = 0; i < n; i++) {
        go_rwmutex_rlock(&rw);
        go_rwmutex_rlock(&rw);
        go_rwmutex_runlock(&rw);
        go_rwmutex_runlock(&rw);
        go_rwmutex_lock(&rw);
        go_rwmutex_unlock(&rw);
    }
}

static long rwmutex_uncontended(void)
{
    return in_parallel(1, times(5000000), own_rwmutex, NULL);
}

struct mix {
    go_rwmutex rw;
    long write_each;
    int steps;
};

static void reads_and_writes(long n, void *arg)
{
    struct mix *mix = arg;
    for (long i = 1; i <= n; i++) {
        if (i % mix->write_each == 0) {
            go_rwmutex_lock(&mix->rw);
            go_rwmutex_unlock(&mix->rw);
        } else {
            go_rwmutex_rlock(&mix->rw);
            work(mix->steps);
            go_rwmutex_runlock(&mix->rw);
        }
    }
}

static long rwmutex_write_100(void)
{
    return in_parallel(1, times(10000000), reads_and_writes, &(struct mix){ { 0 }, 100, 0 });
}

static long rwmutex_write_10(void)
{
    return in_parallel(1, times(10000000), reads_and_writes, &(struct mix){ { 0 }, 10, 0 });
}

static long rwmutex_work_write_100(void)
{
    return in_parallel(1, times(1000000), reads_and_writes,
                       &(struct mix){ { 0 }, 100, LOCAL_WORK });
}

static long rwmutex_work_write_10(void)
{
    return in_parallel(1, times(1000000), reads_and_writes, &(struct mix){ { 0 }, 10, LOCAL_WORK });
}

struct meeting {
    go_mutex mutex;
    go_cond cond;
    go_waitgroup over;
    int waiters, id;
};

/* The last one to come wakes the others. */
static void meets(struct meeting *m, long n)
{
    for (long i = 0; i < n; i++) {
        go_mutex_lock(&m->mutex);
        if (m->id == -1) {
            go_mutex_unlock(&m->mutex);
            break;
        }
        if (++m->id == m->waiters + 1) {
            m->id = 0;
            go_cond_broadcast(&m->cond);
        } else {
            go_cond_wait(&m->cond);
        }
        go_mutex_unlock(&m->mutex);
    }
    go_mutex_lock(&m->mutex);
    m->id = -1;
    go_cond_broadcast(&m->cond);
    go_mutex_unlock(&m->mutex);
    go_waitgroup_done(&m->over);
}

static long cond(int waiters, long n)
{
    static struct meeting m = { .cond = { .locker = GO_LOCKER_MUTEX(&m.mutex) } };
    m.waiters = waiters;
    go_waitgroup_add(&m.over, waiters + 1);
    for (int i = 0; i <= waiters; i++)
        go(meets, &m, n);
    go_waitgroup_wait(&m.over);
    return n;
}

static long cond_1(void)
{
    return cond(1, times(1000000));
}

static long cond_2(void)
{
    return cond(2, times(500000));
}

static long cond_4(void)
{
    return cond(4, times(300000));
}

static long cond_8(void)
{
    return cond(8, times(150000));
}

static long cond_16(void)
{
    return cond(16, times(70000));
}

static long cond_32(void)
{
    return cond(32, times(30000));
}

static void own_waitgroup(long n, void *unused)
{
    (void)unused;
    go_waitgroup wg = { 0 };
    for (long i = 0; i < n; i++) {
        go_waitgroup_add(&wg, 1);
        go_waitgroup_done(&wg);
        go_waitgroup_wait(&wg);
    }
}

static long waitgroup_uncontended(void)
{
    return in_parallel(1, times(10000000), own_waitgroup, NULL);
}

static go_waitgroup shared;

static void adds(long n, void *steps)
{
    for (long i = 0; i < n; i++) {
        go_waitgroup_add(&shared, 1);
        if (steps)
            work(LOCAL_WORK);
        go_waitgroup_done(&shared);
    }
}

static long waitgroup_add_done(void)
{
    return in_parallel(1, times(10000000), adds, NULL);
}

static long waitgroup_add_done_work(void)
{
    return in_parallel(1, times(1000000), adds, &shared);
}

static void waits(long n, void *steps)
{
    for (long i = 0; i < n; i++) {
        go_waitgroup_wait(&shared);
        if (steps)
            work(LOCAL_WORK);
    }
}

static long waitgroup_wait(void)
{
    return in_parallel(1, times(50000000), waits, NULL);
}

static long waitgroup_wait_work(void)
{
    return in_parallel(1, times(1000000), waits, &shared);
}

static void ends(go_waitgroup *wg)
{
    go_waitgroup_done(wg);
}

static void really_waits(long n, void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++) {
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, 1);
        go(ends, &wg);
        go_waitgroup_wait(&wg);
    }
}

static long waitgroup_actually_wait(void)
{
    return in_parallel(1, times(500000), really_waits, NULL);
}

static void do_nothing(void *unused)
{
    (void)unused;
}

static void once_user(long n, void *arg)
{
    for (long i = 0; i < n; i++)
        go_once_do((go_once *)arg, do_nothing, NULL);
}

static long once(void)
{
    static go_once once;
    return in_parallel(1, times(100000000), once_user, &once);
}

static char item;

/* Puts `put` things and takes `get`, again and again. */
static void pool_user(go_pool *p, long n, int put, int get)
{
    for (long i = 0; i < n; i++) {
        for (int j = 0; j < put; j++)
            go_pool_put(p, &item);
        for (int j = 0; j < get; j++)
            go_pool_get(p);
    }
}

static void pool_one(long n, void *p)
{
    pool_user(p, n, 1, 1);
}

static void pool_hundred(long n, void *p)
{
    pool_user(p, n, 100, 100);
}

static void pool_starved(long n, void *p)
{
    pool_user(p, n, 67, 100);
}

static go_pool things;

static long pool(void)
{
    return in_parallel(1, times(10000000), pool_one, &things);
}

static long pool_overflow(void)
{
    return in_parallel(1, times(100000), pool_hundred, &things);
}

static long pool_starvation(void)
{
    return in_parallel(1, times(100000), pool_starved, &things);
}

static const struct row rows[] = {
    { "go/MutexUncontended", "a mutex for each goroutine", mutex_uncontended },
    { "go/Mutex", "one for all, a goroutine a processor", mutex_plain },
    { "go/MutexSlack", "ten goroutines a processor", mutex_slack },
    { "go/MutexWork", "one a processor, with work", mutex_work },
    { "go/MutexWorkSlack", "ten a processor, with work", mutex_work_slack },
    { "go/MutexNoSpin", "where spinning is of no use", mutex_no_spin },
    { "go/MutexSpin", "where spinning is of use", mutex_spin },
    { "go/RWMutexUncontended", "two read locks and a write lock, each goroutine its own",
      rwmutex_uncontended },
    { "go/RWMutexWrite100", "one for all, each hundredth time for writing", rwmutex_write_100 },
    { "go/RWMutexWrite10", "each tenth time", rwmutex_write_10 },
    { "go/RWMutexWorkWrite100", "each hundredth time, with work", rwmutex_work_write_100 },
    { "go/RWMutexWorkWrite10", "each tenth time, with work", rwmutex_work_write_10 },
    { "go/Cond1", "one waits for another, who wakes it: one step of each", cond_1 },
    { "go/Cond2", "two wait", cond_2 },
    { "go/Cond4", "four wait", cond_4 },
    { "go/Cond8", "eight wait", cond_8 },
    { "go/Cond16", "16 wait", cond_16 },
    { "go/Cond32", "32 wait", cond_32 },
    { "go/WaitGroupUncontended", "add, done, wait, each goroutine its own", waitgroup_uncontended },
    { "go/WaitGroupAddDone", "add and done, one for all", waitgroup_add_done },
    { "go/WaitGroupAddDoneWork", "with work between", waitgroup_add_done_work },
    { "go/WaitGroupWait", "wait for nothing", waitgroup_wait },
    { "go/WaitGroupWaitWork", "with work between", waitgroup_wait_work },
    { "go/WaitGroupActuallyWait", "wait for a goroutine", waitgroup_actually_wait },
    { "go/Once", "a once that was done", once },
    { "go/Pool", "put and take one", pool },
    { "go/PoolOverflow", "put and take a hundred", pool_overflow },
    { "go/PoolStarvation", "put 67, take a hundred", pool_starvation },
    { 0 },
};
const struct table go_sync_table = { "Go's own list: sync", rows };

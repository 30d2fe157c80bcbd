/* Locks, and the rest of Go's package sync. */
#include "bench.h"

static go_waitgroup wg;
static go_mutex mutex;
static long guarded;

static void locker(long n)
{
    for (long i = 0; i < n; i++) {
        go_mutex_lock(&mutex);
        guarded++;
        go_mutex_unlock(&mutex);
    }
    go_waitgroup_done(&wg);
}

static long mutex_by(int goroutines, long n)
{
    go_waitgroup_add(&wg, goroutines);
    for (int i = 0; i < goroutines; i++)
        go(locker, n);
    go_waitgroup_wait(&wg);
    check(guarded == goroutines * n);
    return goroutines * n;
}

static long mutex_uncontended(void)
{
    return mutex_by(1, times(10000000));
}

static long mutex_contended(void)
{
    return mutex_by(2, times(5000000));
}

static long mutex_contended_8(void)
{
    return mutex_by(8, times(1000000));
}

static go_rwmutex rw;

static void rw_user(long n, long writes_after)
{
    for (long i = 1; i <= n; i++) {
        if (writes_after && i % writes_after == 0) {
            go_rwmutex_lock(&rw);
            guarded++;
            go_rwmutex_unlock(&rw);
        } else {
            go_rwmutex_rlock(&rw);
            go_rwmutex_runlock(&rw);
        }
    }
    go_waitgroup_done(&wg);
}

static long rwmutex_by(int goroutines, long n, long writes_after)
{
    go_waitgroup_add(&wg, goroutines);
    for (int i = 0; i < goroutines; i++)
        go(rw_user, n, writes_after);
    go_waitgroup_wait(&wg);
    return goroutines * n;
}

static long rwmutex_read(void)
{
    return rwmutex_by(1, times(10000000), 0);
}

static long rwmutex_read_2(void)
{
    return rwmutex_by(2, times(5000000), 0);
}

static long rwmutex_write100(void)
{
    return rwmutex_by(2, times(5000000), 100);
}

static void run_once(void *unused)
{
    (void)unused;
    guarded++;
}

static long once(void)
{
    static go_once once;
    long n = times(100000000);
    for (long i = 0; i < n; i++)
        go_once_do(&once, run_once, NULL);
    check(guarded == 1);
    return n;
}

static long waitgroup_add_done(void)
{
    long n = times(10000000);
    for (long i = 0; i < n; i++) {
        go_waitgroup_add(&wg, 1);
        go_waitgroup_done(&wg);
    }
    return n;
}

static void done_soon(go_waitgroup *group)
{
    go_waitgroup_done(group);
}

static long waitgroup_wait(void)
{
    long n = times(500000);
    for (long i = 0; i < n; i++) {
        go_waitgroup_add(&wg, 1);
        go(done_soon, &wg);
        go_waitgroup_wait(&wg);
    }
    return n;
}

static go_cond cond = { .locker = GO_LOCKER_MUTEX(&mutex) };
static long turn;

/* Two goroutines take turns. */
static void turner(long self, long n)
{
    go_mutex_lock(&mutex);
    for (long i = 0; i < n; i++) {
        while (turn != self)
            go_cond_wait(&cond);
        turn = !self;
        go_cond_signal(&cond);
    }
    go_mutex_unlock(&mutex);
    go_waitgroup_done(&wg);
}

static long cond_signal(void)
{
    long n = times(500000);
    go_waitgroup_add(&wg, 2);
    go(turner, 0, n);
    go(turner, 1, n);
    go_waitgroup_wait(&wg);
    return 2 * n;
}

static long semaphore(void)
{
    static go_semaphore s = GO_SEMAPHORE(4);
    long n = times(10000000);
    for (long i = 0; i < n; i++) {
        go_semaphore_acquire(&s, 1);
        go_semaphore_release(&s, 1);
    }
    return n;
}

static go_semaphore tokens = GO_SEMAPHORE(4);

static void token_user(long n)
{
    for (long i = 0; i < n; i++) {
        go_semaphore_acquire(&tokens, 1);
        go_gosched();
        go_semaphore_release(&tokens, 1);
    }
    go_waitgroup_done(&wg);
}

static long semaphore_contended(void)
{
    long n = times(100000);
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go(token_user, n);
    go_waitgroup_wait(&wg);
    return 8 * n;
}

static void pool_user(go_pool *p, long n)
{
    static long item;
    for (long i = 0; i < n; i++) {
        void *got = go_pool_get(p);
        go_pool_put(p, got ? got : &item);
    }
    go_waitgroup_done(&wg);
}

static long pool(void)
{
    static go_pool p;
    long n = times(5000000);
    go_waitgroup_add(&wg, 2);
    go(pool_user, &p, n);
    go(pool_user, &p, n);
    go_waitgroup_wait(&wg);
    return 2 * n;
}

static const struct row rows[] = {
    { "mutex_uncontended", "lock and unlock", mutex_uncontended },
    { "mutex_contended", "two goroutines lock and unlock the same mutex", mutex_contended },
    { "mutex_contended_8", "eight goroutines lock and unlock the same mutex", mutex_contended_8 },
    { "rwmutex_read", "lock and unlock for reading", rwmutex_read },
    { "rwmutex_read_2", "two goroutines lock and unlock for reading", rwmutex_read_2 },
    { "rwmutex_write100", "two goroutines lock for reading, every hundredth time for writing",
      rwmutex_write100 },
    { "once", "a once that was done", once },
    { "waitgroup_add_done", "add one, and take it off", waitgroup_add_done },
    { "waitgroup_wait", "start a goroutine and wait for it by a wait group", waitgroup_wait },
    { "cond_signal", "two goroutines take turns by a condition variable: one turn", cond_signal },
    { "semaphore", "acquire and release", semaphore },
    { "semaphore_contended", "eight goroutines, four at a time, yield inside",
      semaphore_contended },
    { "pool", "two goroutines take from a pool and give back", pool },
    { 0 },
};
const struct table sync_table = { "Locks and waiting", rows };

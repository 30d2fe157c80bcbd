/* The benchmarks: bench NAME prints nanoseconds per operation. bench.go has the same, by the same
 * names. */
#include <gofer.h>
#include <stdio.h>
#include <string.h>

static go_waitgroup wg;

static void yielder(long n)
{
    for (long i = 0; i < n; i++)
        go_gosched();
    go_waitgroup_done(&wg);
}

static long yield(void)
{
    long n = 2000000;
    go_waitgroup_add(&wg, 2);
    go(yielder, n / 2);
    go(yielder, n / 2);
    go_waitgroup_wait(&wg);
    return n;
}

static void echo(go_chan(long) in, go_chan(long) out)
{
    long v;
    while (go_recv_ok(in, &v))
        go_send(out, v);
    go_waitgroup_done(&wg);
}

static long hop(void)
{
    long n = 500000;
    go_chan(long) there = go_chan_make(long, 0), back = go_chan_make(long, 0);
    go_waitgroup_add(&wg, 1);
    go(echo, there, back);
    for (long i = 0; i < n; i++) {
        go_send(there, i);
        go_recv(back);
    }
    go_close(there);
    go_waitgroup_wait(&wg);
    go_chan_unref(there);
    go_chan_unref(back);
    return 2 * n;
}

static void producer(go_chan(long) c, long n)
{
    for (long i = 0; i < n; i++)
        go_send(c, i);
    go_close(c);
}

static long through(long n, int room)
{
    go_chan(long) c = go_chan_make(long, room);
    long sum = 0;
    go(producer, c, n);
    go_range (v, c)
        sum += v;
    go_chan_unref(c);
    return sum == n * (n - 1) / 2 ? n : 0;
}

static long oneway(void)
{
    return through(1000000, 0);
}

static long buffered128(void)
{
    return through(4000000, 128);
}

static void replier(go_chan(long) a, go_chan(long) b, go_chan(long) reply, go_chan(go_unit) quit)
{
    long v;
    for (;;) {
        switch (go_select(go_case_recv(a, &v), go_case_recv(b, &v), go_case_recv(quit, NULL))) {
        case 2:
            go_waitgroup_done(&wg);
            return;
        default:
            go_send(reply, v);
        }
    }
}

static long select2(void)
{
    long n = 300000;
    go_chan(long) a = go_chan_make(long, 0), b = go_chan_make(long, 0);
    go_chan(long) reply = go_chan_make(long, 0);
    go_chan(go_unit) quit = go_chan_make(go_unit, 0);
    go_waitgroup_add(&wg, 1);
    go(replier, a, b, reply, quit);
    for (long i = 0; i < n; i++) {
        if (i & 1)
            go_send(a, i);
        else
            go_send(b, i);
        go_recv(reply);
    }
    go_close(quit);
    go_waitgroup_wait(&wg);
    return n;
}

static void nothing(void)
{
    go_waitgroup_done(&wg);
}

static long spawn_finish(void)
{
    long n = 1000000;
    for (long i = 0; i < n; i += 1000) {
        go_waitgroup_add(&wg, 1000);
        for (int j = 0; j < 1000; j++)
            go(nothing);
        go_waitgroup_wait(&wg);
    }
    return n;
}

static void joined(go_chan(go_unit) c)
{
    go_signal(c);
}

static long spawn_join(void)
{
    long n = 500000;
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    for (long i = 0; i < n; i++) {
        go(joined, c);
        go_recv(c);
    }
    go_chan_unref(c);
    return n;
}

static void sky(go_chan(long) up, long number, long size)
{
    if (size == 1) {
        go_send(up, number);
        return;
    }
    go_chan(long) c = go_chan_make(long, 10);
    long sum = 0;
    for (int i = 0; i < 10; i++)
        go(sky, c, number + i * (size / 10), size / 10);
    for (int i = 0; i < 10; i++)
        sum += go_recv(c);
    go_chan_unref(c);
    go_send(up, sum);
}

static long skynet(void)
{
    long leaves = 1000000;
    go_chan(long) c = go_chan_make(long, 0);
    go(sky, c, 0, leaves);
    return go_recv(c) == leaves * (leaves - 1) / 2 ? leaves : 0;
}

static void numbers(go_chan(int) c)
{
    for (int i = 2;; i++)
        go_send(c, i);
}

static void filter(go_chan(int) in, go_chan(int) out, int prime)
{
    for (;;) {
        int i = go_recv(in);
        if (i % prime)
            go_send(out, i);
    }
}

static long sieve(void)
{
    long primes = 1000;
    go_chan(int) c = go_chan_make(int, 0);
    go(numbers, c);
    for (long i = 0; i < primes; i++) {
        int prime = go_recv(c);
        go_chan(int) next = go_chan_make(int, 0);
        go(filter, c, next, prime);
        c = next;
    }
    return primes;
}

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
        go(locker, n / goroutines);
    go_waitgroup_wait(&wg);
    return n;
}

static long mutex_uncontended(void)
{
    return mutex_by(1, 10000000);
}

static long mutex_contended(void)
{
    return mutex_by(2, 10000000);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static long timer_add_stop(void)
{
    long n = 2000000;
    for (long i = 0; i < n; i++) {
        go_timer *t = go_after_func(GO_HOUR, do_nothing, NULL);
        go_timer_stop(t);
        go_timer_free(t);
    }
    return n;
}

static void done(void *arg)
{
    (void)arg;
    go_waitgroup_done(&wg);
}

/* A thousand functions at a time, all due at once. */
static long timer_fire(void)
{
    enum { ROUNDS = 500, TIMERS = 1000 };
    static go_timer *timers[TIMERS];
    for (int i = 0; i < ROUNDS; i++) {
        go_waitgroup_add(&wg, TIMERS);
        for (int j = 0; j < TIMERS; j++)
            timers[j] = go_after_func(0, done, NULL);
        go_waitgroup_wait(&wg);
        for (int j = 0; j < TIMERS; j++)
            go_timer_free(timers[j]);
    }
    return (long)ROUNDS * TIMERS;
}

/* A microsecond apart: as fast as ticks come through. */
static long ticker(void)
{
    long n = 2000;
    go_ticker *t = go_ticker_new(GO_MICROSECOND);
    for (long i = 0; i < n; i++)
        go_recv(go_ticker_chan(t));
    go_ticker_free(t);
    return n;
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
        go(rw_user, n / goroutines, writes_after);
    go_waitgroup_wait(&wg);
    return n;
}

static long rwmutex_read(void)
{
    return rwmutex_by(1, 10000000, 0);
}

static long rwmutex_read_2(void)
{
    return rwmutex_by(2, 10000000, 0);
}

static long rwmutex_write100(void)
{
    return rwmutex_by(2, 10000000, 100);
}

static void run_once(void *unused)
{
    (void)unused;
    guarded++;
}

static long once(void)
{
    static go_once once;
    long n = 100000000;
    for (long i = 0; i < n; i++)
        go_once_do(&once, run_once, NULL);
    return n;
}

static long waitgroup_add_done(void)
{
    long n = 10000000;
    for (long i = 0; i < n; i++) {
        go_waitgroup_add(&wg, 1);
        go_waitgroup_done(&wg);
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
    long n = 1000000;
    go_waitgroup_add(&wg, 2);
    go(turner, 0, n / 2);
    go(turner, 1, n / 2);
    go_waitgroup_wait(&wg);
    return n;
}

static long semaphore(void)
{
    static go_semaphore s = GO_SEMAPHORE(4);
    long n = 10000000;
    for (long i = 0; i < n; i++) {
        go_semaphore_acquire(&s, 1);
        go_semaphore_release(&s, 1);
    }
    return n;
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
    long n = 10000000;
    go_waitgroup_add(&wg, 2);
    go(pool_user, &p, n / 2);
    go(pool_user, &p, n / 2);
    go_waitgroup_wait(&wg);
    return n;
}

static int64_t uncounted; /* nanoseconds of setting up */

/* The cancelling alone, for each child. */
static long context_cancel_1000(void)
{
    enum { ROUNDS = 1000, CHILDREN = 1000 };
    static go_context *children[CHILDREN];
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start = go_now();
        go_context *parent = go_context_with_cancel(NULL);
        for (int j = 0; j < CHILDREN; j++)
            children[j] = go_context_with_cancel(parent);
        uncounted += go_now() - start;
        go_context_cancel(parent);
        start = go_now();
        for (int j = 0; j < CHILDREN; j++)
            go_context_unref(children[j]);
        go_context_unref(parent);
        uncounted += go_now() - start;
    }
    return (long)ROUNDS * CHILDREN;
}

/* A value that the tenth context from here up has. */
static long context_value_depth10(void)
{
    static int keys[10];
    long n = 20000000;
    go_context *ctx = NULL;
    for (int i = 0; i < 10; i++) {
        go_context *above = ctx;
        ctx = go_context_with_value(above, &keys[i], &keys[i]);
        go_context_unref(above);
    }
    for (long i = 0; i < n; i++)
        guarded += go_context_value(ctx, &keys[0]) != NULL;
    go_context_unref(ctx);
    return n;
}

static long with_timeout_stop(void)
{
    long n = 2000000;
    for (long i = 0; i < n; i++)
        go_context_end(go_context_with_timeout(NULL, GO_HOUR));
    return n;
}

int go_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        long (*run)(void);
    } list[] = {
        { "yield", yield },
        { "hop", hop },
        { "oneway", oneway },
        { "buffered128", buffered128 },
        { "select2", select2 },
        { "spawn_finish", spawn_finish },
        { "spawn_join", spawn_join },
        { "skynet", skynet },
        { "sieve", sieve },
        { "mutex_uncontended", mutex_uncontended },
        { "mutex_contended", mutex_contended },
        { "rwmutex_read", rwmutex_read },
        { "rwmutex_read_2", rwmutex_read_2 },
        { "rwmutex_write100", rwmutex_write100 },
        { "once", once },
        { "waitgroup_add_done", waitgroup_add_done },
        { "cond_signal", cond_signal },
        { "semaphore", semaphore },
        { "pool", pool },
        { "timer_add_stop", timer_add_stop },
        { "timer_fire", timer_fire },
        { "ticker", ticker },
        { "context_cancel_1000", context_cancel_1000 },
        { "context_value_depth10", context_value_depth10 },
        { "with_timeout_stop", with_timeout_stop },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (argc < 2) {
            printf("%s\n", list[i].name);
        } else if (strcmp(argv[1], list[i].name) == 0) {
            int64_t start = go_now();
            long n = list[i].run();
            printf("%.2f\n", (double)(go_now() - start - uncounted) / (double)n);
        }
    }
    return 0;
}

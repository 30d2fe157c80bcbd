/* Go's own list of benchmarks for channels and select, by Go's names. */
#include "bench.h"
#include <stdatomic.h>

enum { LOCAL_WORK = 100, CALLS = 1000 };

typedef struct bytes32 {
    char bytes[32];
} bytes32;
typedef struct bytes40 {
    char bytes[40];
} bytes40;

#define MAKE_CHAN(name, type)                             \
    static long name(void)                                \
    {                                                     \
        long n = times(3000000);                          \
        for (long i = 0; i < n; i++)                      \
            go_chan_unref((void *)go_chan_make(type, 8)); \
        return n;                                         \
    }
MAKE_CHAN(make_chan_byte, char)
MAKE_CHAN(make_chan_int, long)
MAKE_CHAN(make_chan_ptr, void *)
MAKE_CHAN(make_chan_0, go_unit)
MAKE_CHAN(make_chan_32, bytes32)
MAKE_CHAN(make_chan_40, bytes40)

static void nonblocking(long n, void *arg)
{
    go_chan(long) c = arg;
    for (long i = 0; i < n; i++)
        go_try_recv(c, NULL);
}

static long chan_nonblocking(void)
{
    return in_parallel(1, times(20000000), nonblocking, go_chan_make(long, 0));
}

/* A value between two channels with room for one. */
static void back_and_forth(go_chan(long) a, go_chan(long) b, long n)
{
    go_send(a, 0);
    for (long i = 0; i < n; i++) {
        if (go_select(go_case_recv(a, NULL), go_case_recv(b, NULL)) == 0)
            go_send(b, 0);
        else
            go_send(a, 0);
    }
}

static void uncontended_select(long n, void *unused)
{
    (void)unused;
    go_chan(long) a = go_chan_make(long, 1), b = go_chan_make(long, 1);
    back_and_forth(a, b, n);
    go_chan_unref(a);
    go_chan_unref(b);
}

static long select_uncontended(void)
{
    return in_parallel(1, times(3000000), uncontended_select, NULL);
}

static go_chan(long) three[3];
static go_chan(go_unit) done;

static void sends_to_three(void)
{
    while (go_select(go_case_send(three[0], 0), go_case_send(three[1], 0),
                     go_case_send(three[2], 0), go_case_recv(done, NULL)) != 3)
        ;
}

static void sync_contended(long n, void *unused)
{
    (void)unused;
    go(sends_to_three);
    for (long i = 0; i < n; i++)
        go_select(go_case_recv(three[0], NULL), go_case_recv(three[1], NULL),
                  go_case_recv(three[2], NULL));
}

static long select_sync_contended(void)
{
    done = go_chan_make(go_unit, 0);
    for (int i = 0; i < 3; i++)
        three[i] = go_chan_make(long, 0);
    long n = in_parallel(1, times(500000), sync_contended, NULL);
    go_close(done);
    return n;
}

static void async_contended(long n, void *unused)
{
    (void)unused;
    back_and_forth(three[0], three[1], n);
}

static long select_async_contended(void)
{
    for (int i = 0; i < 2; i++)
        three[i] = go_chan_make(long, go_gomaxprocs(0));
    return in_parallel(1, times(3000000), async_contended, NULL);
}

static go_chan(long) four[4];

static void nonblock(long n, void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++) {
        go_try_recv(four[0], NULL);
        go_try_send(four[1], 0);
        go_try_recv(four[2], NULL);
        go_try_send(four[3], 0);
    }
}

static long select_nonblock(void)
{
    for (int i = 0; i < 4; i++)
        four[i] = go_chan_make(long, i / 2);
    return in_parallel(1, times(5000000), nonblock, NULL);
}

enum { FILLED = 100 };

static void fill_and_drain(go_chan(long) c)
{
    for (int i = 0; i < FILLED; i++)
        go_send(c, 0);
    for (int i = 0; i < FILLED; i++)
        go_recv(c);
}

static void uncontended(long n, void *unused)
{
    (void)unused;
    go_chan(long) c = go_chan_make(long, FILLED);
    for (long i = 0; i < n; i++)
        fill_and_drain(c);
    go_chan_unref(c);
}

static long chan_uncontended(void)
{
    return in_parallel(1, times(50000), uncontended, NULL);
}

static void contended(long n, void *c)
{
    for (long i = 0; i < n; i++)
        fill_and_drain(c);
}

static long chan_contended(void)
{
    return in_parallel(1, times(50000), contended,
                       go_chan_make(long, (long)FILLED *go_gomaxprocs(0)));
}

static atomic_long left; /* thousands of calls */

static int take(void)
{
    return atomic_fetch_sub_explicit(&left, 1, memory_order_relaxed) > 0;
}

static void sync_user(go_chan(long) c, int steps, go_waitgroup *wg)
{
    long i;
    while ((i = atomic_fetch_sub_explicit(&left, 1, memory_order_relaxed)) > 0) {
        for (int call = 0; call < CALLS; call++) {
            if (i % 2) {
                go_recv(c);
                work(steps);
                go_send(c, 0);
            } else {
                go_send(c, 0);
                work(steps);
                go_recv(c);
            }
            work(steps);
        }
    }
    go_waitgroup_done(wg);
}

static long sync_by_two(long thousands, int steps)
{
    go_chan(long) c = go_chan_make(long, 0);
    go_waitgroup wg = { 0 };
    left = 2 * thousands;
    go_waitgroup_add(&wg, 2);
    go(sync_user, c, steps, &wg);
    go(sync_user, c, steps, &wg);
    go_waitgroup_wait(&wg);
    return 2 * thousands * CALLS;
}

static long chan_sync(void)
{
    return sync_by_two(times(300), 0);
}

static long chan_sync_work(void)
{
    return sync_by_two(times(30), 1000);
}

static void produce(go_chan(long) c, int steps, go_waitgroup *wg)
{
    while (take()) {
        for (int call = 0; call < CALLS; call++) {
            work(steps);
            go_send(c, 1);
        }
    }
    go_send(c, 0);
    go_waitgroup_done(wg);
}

static void consume(go_chan(long) c, int steps, go_waitgroup *wg)
{
    while (go_recv(c))
        work(steps);
    go_waitgroup_done(wg);
}

static long prod_cons_with(void (*producer)(go_chan(long), int, go_waitgroup *),
                           void (*consumer)(go_chan(long), int, go_waitgroup *), long room,
                           int steps)
{
    long thousands = times(1000);
    int procs = go_gomaxprocs(0);
    go_chan(long) c = go_chan_make(long, room);
    go_waitgroup wg = { 0 };
    left = thousands;
    go_waitgroup_add(&wg, 2 * procs);
    for (int i = 0; i < procs; i++) {
        go(producer, c, steps, &wg);
        go(consumer, c, steps, &wg);
    }
    go_waitgroup_wait(&wg);
    return thousands * CALLS;
}

static long prod_cons(long room, int steps)
{
    return prod_cons_with(produce, consume, room, steps);
}

static long chan_prod_cons_0(void)
{
    return prod_cons(0, 0);
}

static long chan_prod_cons_10(void)
{
    return prod_cons(10, 0);
}

static long chan_prod_cons_100(void)
{
    return prod_cons(100, 0);
}

static long chan_prod_cons_work_0(void)
{
    return prod_cons(0, LOCAL_WORK);
}

static long chan_prod_cons_work_10(void)
{
    return prod_cons(10, LOCAL_WORK);
}

static long chan_prod_cons_work_100(void)
{
    return prod_cons(100, LOCAL_WORK);
}

static void select_produce(go_chan(long) c, int steps, go_waitgroup *wg)
{
    go_chan(int64_t) never = go_after(GO_HOUR);
    while (take()) {
        for (int call = 0; call < CALLS; call++) {
            work(steps);
            go_select(go_case_send(c, 1), go_case_recv(never, NULL), go_case_recv(done, NULL));
        }
    }
    go_send(c, 0);
    go_chan_unref(never);
    go_waitgroup_done(wg);
}

static void select_consume(go_chan(long) c, int steps, go_waitgroup *wg)
{
    go_chan(int64_t) never = go_after(GO_HOUR);
    long v = 1;
    while (go_select(go_case_recv(c, &v), go_case_recv(never, NULL), go_case_recv(done, NULL)) ==
               0 &&
           v)
        work(steps);
    go_chan_unref(never);
    go_waitgroup_done(wg);
}

static long select_prod_cons(void)
{
    done = go_chan_make(go_unit, 0);
    return prod_cons_with(select_produce, select_consume, 128, LOCAL_WORK);
}

static long receive_from_closed(void)
{
    long n = times(3000000);
    go_chan(go_unit) c = go_chan_make(go_unit, n);
    stop_clock();
    for (long i = 0; i < n; i++)
        go_signal(c);
    go_close(c);
    start_clock();
    while (go_recv_ok(c, NULL))
        ;
    return n;
}

static void creation(long n, void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++) {
        go_chan(long) c = go_chan_make(long, 1);
        go_send(c, 0);
        go_recv(c);
        go_chan_unref(c);
    }
}

static long chan_creation(void)
{
    return in_parallel(1, times(2000000), creation, NULL);
}

static void semaphore_user(long n, void *arg)
{
    go_chan(go_unit) c = arg;
    for (long i = 0; i < n; i++) {
        go_signal(c);
        go_recv(c);
    }
}

static long chan_sem(void)
{
    return in_parallel(1, times(5000000), semaphore_user, go_chan_make(go_unit, go_gomaxprocs(0)));
}

enum { POPULAR = 1000 };

static void popular(go_chan(long) all, go_chan(long) own, long n, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++)
        go_select(go_case_recv(all, NULL), go_case_recv(own, NULL));
    go_waitgroup_done(wg);
}

static long chan_popular(void)
{
    long n = times(500);
    static go_chan(long) own[POPULAR];
    go_chan(long) all = go_chan_make(long, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, POPULAR);
    for (int i = 0; i < POPULAR; i++) {
        own[i] = go_chan_make(long, 0);
        go(popular, all, own[i], n, &wg);
    }
    for (long i = 0; i < n; i++) {
        for (int j = 0; j < POPULAR; j++)
            go_send(own[j], 1);
    }
    go_waitgroup_wait(&wg);
    return n;
}

static void closed_user(long n, void *arg)
{
    go_chan(go_unit) c = arg;
    for (long i = 0; i < n; i++)
        check(go_try_recv(c, NULL) == GO_CLOSED);
}

static long chan_closed(void)
{
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    go_close(c);
    return in_parallel(1, times(20000000), closed_user, c);
}

static const struct row rows[] = {
    { "go/MakeChan/Byte", "make a channel of bytes with room for 8", make_chan_byte },
    { "go/MakeChan/Int", "of integers", make_chan_int },
    { "go/MakeChan/Ptr", "of pointers", make_chan_ptr },
    { "go/MakeChan/Struct/0", "of signals", make_chan_0 },
    { "go/MakeChan/Struct/32", "of 32 bytes", make_chan_32 },
    { "go/MakeChan/Struct/40", "of 40 bytes", make_chan_40 },
    { "go/ChanNonblocking", "a receive from an empty channel that does not block",
      chan_nonblocking },
    { "go/SelectUncontended", "a select of two, a goroutine to itself", select_uncontended },
    { "go/SelectSyncContended", "unbuffered selects of three on both sides",
      select_sync_contended },
    { "go/SelectAsyncContended", "buffered selects of two, shared", select_async_contended },
    { "go/SelectNonblock", "four selects with default", select_nonblock },
    { "go/ChanUncontended", "100 sends and 100 receives, a goroutine to itself", chan_uncontended },
    { "go/ChanContended", "100 sends and 100 receives, shared", chan_contended },
    { "go/ChanSync", "two goroutines send and receive in turn, unbuffered", chan_sync },
    { "go/ChanSyncWork", "the same with work between", chan_sync_work },
    { "go/ChanProdCons0", "producers and consumers, unbuffered", chan_prod_cons_0 },
    { "go/ChanProdCons10", "with room for 10", chan_prod_cons_10 },
    { "go/ChanProdCons100", "with room for 100", chan_prod_cons_100 },
    { "go/ChanProdConsWork0", "unbuffered, with work", chan_prod_cons_work_0 },
    { "go/ChanProdConsWork10", "with room for 10, with work", chan_prod_cons_work_10 },
    { "go/ChanProdConsWork100", "with room for 100, with work", chan_prod_cons_work_100 },
    { "go/SelectProdCons", "producers and consumers that select, with work", select_prod_cons },
    { "go/ReceiveDataFromClosedChan", "drain a closed channel", receive_from_closed },
    { "go/ChanCreation", "make a channel, send and receive once", chan_creation },
    { "go/ChanSem", "a channel as semaphore", chan_sem },
    { "go/ChanPopular", "a thousand goroutines select of one channel and their own: one round",
      chan_popular },
    { "go/ChanClosed", "a receive from a closed channel", chan_closed },
    { 0 },
};
const struct table go_chan_table = { "Go's own list: channels and select", rows };

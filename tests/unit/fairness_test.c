/* With one processor nobody who can run waits for ever: behind a pair that wakes each other, behind
 * a crowd that yields, in the global queue, behind a thread's own. A hang is the failure. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

static _Bool stop;
static go_waitgroup wg;
static go_chan(int) from_thread;

static _Bool stopped(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void ping(go_chan(int) in, go_chan(int) out)
{
    go_defer(go_waitgroup_done, &wg);
    while (!stopped()) {
        go_send(out, 1);
        go_recv(in);
    }
    go_close(out);
}

static void pong(go_chan(int) in, go_chan(int) out)
{
    go_defer(go_waitgroup_done, &wg);
    while (go_recv_ok(in, NULL))
        if (go_try_send(out, 1) == GO_WOULD_BLOCK)
            go_send(out, 1);
}

static void yields(void)
{
    while (!stopped())
        go_gosched();
    go_waitgroup_done(&wg);
}

static void spawns_the_next(int left, go_chan(int) c)
{
    if (left > 0)
        go(spawns_the_next, left - 1, c);
    else
        go_send(c, 1);
}

static void *sends(void *unused)
{
    (void)unused;
    for (int i = 0; i < 40; i++)
        go_send(from_thread, i);
    return NULL;
}

static void locked(go_chan(int) c)
{
    go_lock_os_thread();
    for (int i = 0; i < 20; i++)
        go_gosched();
    go_sleep(GO_MICROSECOND);
    go_send(c, 1);
    go_unlock_os_thread();
}

/* While the crowd runs: each must come to its end. */
static void others_come_to_their_end(void)
{
    pthread_t thread;
    go_chan(int) c = go_chan_make(int, 0);
    go(spawns_the_next, 100, c);
    go_recv(c);
    CHECK(pthread_create(&thread, NULL, sends, NULL), 0);
    for (int i = 0; i < 40; i++)
        CHECK(go_recv(from_thread), i);
    pthread_join(thread, NULL);
    go(locked, c);
    go_recv(c);
    go_sleep(GO_MICROSECOND);
    CHECK(go_select(go_case_recv(c, NULL), go_case_after(GO_MICROSECOND)), 1);
    for (int i = 0; i < 40; i++)
        go_gosched();
    go_chan_unref(c);
}

static void with(int pairs, int crowd)
{
    stop = 0;
    go_chan(int) a[10], b[10];
    for (int i = 0; i < pairs; i++) {
        a[i] = go_chan_make(int, 0);
        b[i] = go_chan_make(int, 0);
        go_waitgroup_add(&wg, 2);
        go(ping, a[i], b[i]);
        go(pong, b[i], a[i]);
    }
    go_waitgroup_add(&wg, crowd);
    for (int i = 0; i < crowd; i++)
        go(yields);
    others_come_to_their_end();
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    go_waitgroup_wait(&wg);
    for (int i = 0; i < pairs; i++) {
        go_chan_unref(a[i]);
        go_chan_unref(b[i]);
    }
}

static _Atomic int turns;

static void computes(void)
{
    while (!stopped()) {
        for (int64_t until = go_now() + GO_MILLISECOND; go_now() < until;)
            ;
        atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed);
        go_gosched();
    }
    go_waitgroup_done(&wg);
}

/* Timers and what comes from plain threads are looked at between long turns too, not every 64th. */
static void long_turns(void)
{
    enum { TIMES = 10 };
    pthread_t thread;
    stop = 0;
    go_waitgroup_add(&wg, 2);
    go(computes);
    go(computes);
    for (int i = 0; i < TIMES; i++)
        go_sleep(GO_MILLISECOND);
    CHECK(pthread_create(&thread, NULL, sends, NULL), 0);
    for (int i = 0; i < 40; i++)
        CHECK(go_recv(from_thread), i);
    pthread_join(thread, NULL);
    CHECK(turns < 6 * (TIMES + 40), 1); /* a 64th pick each takes more than 600 */
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    go_waitgroup_wait(&wg);
}

static _Atomic int bred;

static void breeds(void)
{
    atomic_fetch_add_explicit(&bred, 1, memory_order_relaxed);
    if (stopped())
        go_waitgroup_done(&wg);
    else
        go(breeds);
}

static void stops(void)
{
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    go_waitgroup_done(&wg);
}

/* There is always one that was started later, and the queue is never empty. */
static void the_oldest_of_a_growing_crowd_begins(void)
{
    enum { BEFORE = 257, AFTER = 20 }; /* the ring of 256 is full before its turn */
    stop = 0;
    go_waitgroup_add(&wg, BEFORE + 1 + AFTER);
    for (int i = 0; i < BEFORE; i++)
        go(breeds);
    go(stops);
    for (int i = 0; i < AFTER; i++)
        go(breeds);
    go_waitgroup_wait(&wg);
}

#ifndef __SANITIZE_THREAD__
static void waits_for(go_chan(int) gate)
{
    go_recv_ok(gate, NULL);
    go_waitgroup_done(&wg);
}

/* With one processor. More are woken at once than the ring has room for, while it never is empty.
 */
static void those_woken_go_before_a_growing_crowd(void)
{
    enum { WAITING = 600, CROWD = 300, MOST_BRED = 100 * (WAITING + CROWD) };
    go_chan(int) gate = go_chan_make(int, 0);
    stop = 0;
    go_waitgroup_add(&wg, WAITING);
    for (int i = 0; i < WAITING; i++)
        go(waits_for, gate);
    go_gosched();
    for (int i = 0; i < CROWD; i++)
        go(breeds);
    atomic_store_explicit(&bred, 0, memory_order_relaxed);
    go_close(gate);
    go_waitgroup_wait(&wg);
    CHECK(atomic_load_explicit(&bred, memory_order_relaxed) < MOST_BRED, 1);
    go_waitgroup_add(&wg, CROWD);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    go_waitgroup_wait(&wg);
    go_chan_unref(gate);
}
#endif

static void ends(void)
{
    go_waitgroup_done(&wg);
}

/* With one processor. */
static void one_that_yields_does_not_outrun_those_it_starts(void)
{
    for (int i = 0; i < 100; i++) {
        go_waitgroup_add(&wg, 100);
        for (int j = 0; j < 100; j++)
            go(ends);
        go_gosched();
        CHECK(go_num_goroutine() < 500, 1);
    }
    go_waitgroup_wait(&wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    from_thread = go_chan_make(int, 0);
    go_gomaxprocs(1);
    one_that_yields_does_not_outrun_those_it_starts();
#ifndef __SANITIZE_THREAD__ /* to which a goroutine costs a millisecond */
    those_woken_go_before_a_growing_crowd();
#endif
    the_oldest_of_a_growing_crowd_begins();
    long_turns();
    for (int procs = 1; procs <= 3; procs++) {
        go_gomaxprocs(procs);
        with(1, 0);
        with(0, 60);
        with(2, 60);
        with(10, 0);
    }
    return 0;
}

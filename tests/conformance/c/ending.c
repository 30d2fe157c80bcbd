/* How programs end: main's return, Goexit, deadlocks and their wait reasons. */
#include "case.h"

static void forever(void)
{
    for (;;)
        go_gosched();
}

static void say(const char *text)
{
    puts(text);
}

static void deferred_then_forever(void)
{
    go_defer(say, "never");
    forever();
}

CASE(main_returns_cuts_off_others)
{
    go(deferred_then_forever);
    go_gosched();
    puts("main");
    return 0;
}

CASE(main_status)
{
    return 7;
}

static void end_by_goexit(void)
{
    go_defer(say, "deferred");
    go_goexit();
}

CASE(main_goexit_runs_deferred)
{
    go_defer(say, "main deferred");
    go_goexit();
}

CASE(main_goexit_others_go_on)
{
    go(end_by_goexit);
    go_goexit();
}

static void receive(go_chan(int) c)
{
    go_recv(c);
}

CASE(main_goexit_others_blocked)
{
    go(receive, go_chan_make(int, 0));
    go_goexit();
}

CASE(deadlock_recv)
{
    go_recv(go_chan_make(int, 0));
    return 0;
}

CASE(deadlock_send)
{
    go_send(go_chan_make(int, 0), 1);
    return 0;
}

CASE(deadlock_recv_nil)
{
    go_chan(int) c = NULL;
    go_recv(c);
    return 0;
}

CASE(deadlock_send_nil)
{
    go_chan(int) c = NULL;
    go_send(c, 1);
    return 0;
}

CASE(deadlock_full_buffer)
{
    go_chan(int) c = go_chan_make(int, 1);
    go_send(c, 1);
    go_send(c, 2);
    return 0;
}

CASE(deadlock_select)
{
    go_chan(int) a = go_chan_make(int, 0), b = go_chan_make(int, 0);
    go_select(go_case_recv(a, NULL), go_case_send(b, 1));
    return 0;
}

CASE(deadlock_select_empty)
{
    go_select_array(NULL, 0);
    return 0;
}

CASE(deadlock_select_nil)
{
    go_chan(int) a = NULL, b = NULL;
    go_select(go_case_recv(a, NULL), go_case_recv(b, NULL));
    return 0;
}

CASE(deadlock_waitgroup)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(deadlock_mutex)
{
    go_mutex m = { 0 };
    go_mutex_lock(&m);
    go_mutex_lock(&m);
    return 0;
}

CASE(deadlock_several)
{
    go_chan(int) c = go_chan_make(int, 0);
    go(receive, c);
    go(receive, c);
    go_gosched();
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go_waitgroup_wait(&wg);
    return 0;
}

static void lock_both(go_mutex *a, go_mutex *b, go_waitgroup *wg)
{
    go_mutex_lock(a);
    go_gosched();
    go_mutex_lock(b);
    go_mutex_unlock(b);
    go_mutex_unlock(a);
    go_waitgroup_done(wg);
}

CASE(deadlock_lock_order)
{
    go_mutex a = { 0 }, b = { 0 };
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go(lock_both, &a, &b, &wg);
    go(lock_both, &b, &a, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}

static void send_under_lock(go_mutex *m, go_chan(int) c)
{
    go_mutex_lock(m);
    go_send(c, 1);
    go_mutex_unlock(m);
}

CASE(deadlock_channel_under_lock)
{
    go_mutex m = { 0 };
    go_chan(int) c = go_chan_make(int, 0);
    go(send_under_lock, &m, c);
    go_gosched();
    go_mutex_lock(&m);
    go_recv(c);
    return 0;
}

CASE(deadlock_range_not_closed)
{
    go_chan(int) c = go_chan_make(int, 2);
    go_send(c, 1);
    go_send(c, 2);
    go_range (v, c)
        printf("%d\n", v);
    return 0;
}

CASE(go_nil_function)
{
    void (*fn)(void) = NULL;
    go(fn);
    return 0;
}

CASE(unlock_unlocked)
{
    go_mutex m = { 0 };
    go_mutex_unlock(&m);
    return 0;
}

static void count(go_waitgroup *wg, int i)
{
    printf("%d\n", i);
    go_waitgroup_done(wg);
}

CASE(start_order)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 5);
    for (int i = 0; i < 5; i++)
        go(count, &wg, i);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(start_order_hundred)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 100);
    for (int i = 0; i < 100; i++)
        go(count, &wg, i);
    go_waitgroup_wait(&wg);
    return 0;
}

static void three_times(go_waitgroup *wg, const char *name)
{
    for (int i = 0; i < 3; i++) {
        puts(name);
        go_gosched();
    }
    go_waitgroup_done(wg);
}

CASE(gosched_order)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 3);
    go(three_times, &wg, "a");
    go(three_times, &wg, "b");
    go(three_times, &wg, "c");
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(num_goroutine)
{
    printf("%d\n", go_num_goroutine());
    go_chan(int) c = go_chan_make(int, 0);
    go(receive, c);
    go(receive, c);
    printf("%d\n", go_num_goroutine());
    return 0;
}

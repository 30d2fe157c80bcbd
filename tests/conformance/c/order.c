/* Who runs next at one processor, who wakes whom, and how the waiting calls end. */
#include "case.h"

static void say(const char *text)
{
    puts(text);
}

static void receive(go_chan(int) c)
{
    go_recv(c);
}

static void starts_two(go_waitgroup *wg, int i)
{
    printf("parent %d\n", i);
    if (i < 10) {
        go(starts_two, wg, 10 * i + 10);
        go(starts_two, wg, 10 * i + 11);
    }
    go_waitgroup_done(wg);
}

CASE(start_order_of_children)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 9);
    go(starts_two, &wg, 0);
    go(starts_two, &wg, 1);
    go(starts_two, &wg, 2);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(start_runs_at_gosched)
{
    go(say, "first");
    go(say, "second");
    go(say, "third");
    puts("main");
    go_gosched();
    puts("main again");
    return 0;
}

CASE(gosched_alone)
{
    for (int i = 0; i < 3; i++)
        go_gosched();
    puts("still here");
    return 0;
}

static void two_lines(const char *a, const char *b)
{
    puts(a);
    go_gosched();
    puts(b);
}

CASE(gosched_goes_behind_all)
{
    go(two_lines, "a1", "a2");
    go(two_lines, "b1", "b2");
    for (int i = 0; i < 4; i++) {
        printf("main %d\n", i);
        go_gosched();
    }
    return 0;
}

static void send_three(go_chan(int) c)
{
    for (int i = 0; i < 3; i++) {
        printf("sending %d\n", i);
        go_send(c, i);
        printf("sent %d\n", i);
    }
    go_close(c);
}

static void trace_through(go_chan(int) c)
{
    go(send_three, c);
    go_range (v, c)
        printf("received %d\n", v);
}

CASE(order_of_unbuffered)
{
    trace_through(go_chan_make(int, 0));
    return 0;
}

CASE(order_of_buffered_one)
{
    trace_through(go_chan_make(int, 1));
    return 0;
}

CASE(order_of_buffered_two)
{
    trace_through(go_chan_make(int, 2));
    return 0;
}

static void wait_for(go_waitgroup *start, go_waitgroup *end, int i)
{
    go_waitgroup_wait(start);
    printf("waiter %d\n", i);
    go_waitgroup_done(end);
}

CASE(waitgroup_wakes_all)
{
    go_waitgroup start = { 0 }, end = { 0 };
    go_waitgroup_add(&start, 1);
    go_waitgroup_add(&end, 4);
    for (int i = 0; i < 4; i++)
        go(wait_for, &start, &end, i);
    go_gosched();
    puts("go");
    go_waitgroup_done(&start);
    go_waitgroup_wait(&end);
    return 0;
}

CASE(waitgroup_zero_does_not_wait)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_wait(&wg);
    go_waitgroup_add(&wg, 2);
    go_waitgroup_add(&wg, -2);
    go_waitgroup_wait(&wg);
    puts("done");
    return 0;
}

static void add_to(go_waitgroup *wg, int *n)
{
    __atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
    go_waitgroup_done(wg);
}

CASE(waitgroup_reused)
{
    go_waitgroup wg = { 0 };
    int n = 0;
    for (int round = 0; round < 100; round++) {
        go_waitgroup_add(&wg, 3);
        for (int i = 0; i < 3; i++)
            go(add_to, &wg, &n);
        go_waitgroup_wait(&wg);
    }
    printf("%d\n", n);
    return 0;
}

static void print_recovered(const char *who)
{
    const go_panic_value *v = go_recover();
    printf("%s: %s\n", who, v ? v->text : "nil");
}

static void take_too_many(go_waitgroup *wg)
{
    go_recoverable();
    go_defer(print_recovered, "negative");
    go_waitgroup_add(wg, -2);
}

CASE(waitgroup_negative_recovered)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    take_too_many(&wg);
    return 0;
}

static void lock_in_turn(go_mutex *m, go_waitgroup *wg, int i)
{
    go_mutex_lock(m);
    printf("holds %d\n", i);
    go_mutex_unlock(m);
    go_waitgroup_done(wg);
}

CASE(mutex_waiters_fifo)
{
    go_mutex m = { 0 };
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 4);
    go_mutex_lock(&m);
    for (int i = 0; i < 4; i++) {
        go(lock_in_turn, &m, &wg, i);
        go_gosched();
    }
    puts("unlock");
    go_mutex_unlock(&m);
    go_waitgroup_wait(&wg);
    return 0;
}

static void unlock_other(go_mutex *m)
{
    puts("unlocked by another");
    go_mutex_unlock(m);
}

CASE(mutex_unlocked_by_another)
{
    go_mutex m = { 0 };
    go_mutex_lock(&m);
    go(unlock_other, &m);
    go_mutex_lock(&m);
    puts("locked again");
    return 0;
}

static void not_recoverable(go_mutex *m)
{
    go_recoverable();
    go_defer(print_recovered, "never");
    go_mutex_unlock(m);
}

CASE(mutex_fatal_is_not_recoverable)
{
    go_mutex m = { 0 };
    not_recoverable(&m);
    return 0;
}

static void unlock_free(go_mutex *m)
{
    go_mutex_unlock(m);
}

CASE(mutex_fatal_in_goroutine)
{
    go_mutex m = { 0 };
    go(receive, go_chan_make(int, 0));
    go(unlock_free, &m);
    go_recv(go_chan_make(int, 0));
    return 0;
}

static void slow_body(void *started)
{
    puts("once begins");
    go_send((go_chan(int))started, 1);
    go_gosched();
    puts("once ends");
}

static void call_once(go_once *once, go_chan(int) started, go_waitgroup *wg)
{
    go_once_do(once, slow_body, started);
    go_waitgroup_done(wg);
}

CASE(once_others_wait_for_its_end)
{
    go_once once = { 0 };
    go_waitgroup wg = { 0 };
    go_chan(int) started = go_chan_make(int, 0);
    go_waitgroup_add(&wg, 1);
    go(call_once, &once, started, &wg);
    go_recv(started);
    go_once_do(&once, slow_body, started);
    puts("the second call has returned");
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(sleep_of_nothing_does_not_yield)
{
    go(say, "other");
    go_sleep(0);
    go_sleep(-GO_SECOND);
    puts("main");
    return 0;
}

CASE(after_fires_in_order)
{
    go_chan(int64_t) c[3] = { go_after(300 * GO_MILLISECOND), go_after(GO_MILLISECOND),
                              go_after(150 * GO_MILLISECOND) };
    for (int i = 0; i < 3; i++) {
        int index =
            go_select(go_case_recv(c[0], NULL), go_case_recv(c[1], NULL), go_case_recv(c[2], NULL));
        printf("%d\n", index);
    }
    return 0;
}

CASE(after_has_room_for_its_value)
{
    go_chan(int64_t) c = go_after(GO_MILLISECOND);
    go_sleep(20 * GO_MILLISECOND);
    int ok = go_recv_ok(c, NULL);
    printf("%d %zu\n", ok, go_len(c));
    return 0;
}

static void ends_after(go_chan(int) c, go_waitgroup *wg)
{
    go_recv(c);
    go_waitgroup_done(wg);
}

CASE(num_goroutine_falls)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 10);
    for (int i = 0; i < 10; i++)
        go(ends_after, c, &wg);
    printf("%d\n", go_num_goroutine());
    go_close(c);
    go_waitgroup_wait(&wg);
    while (go_num_goroutine() != 1)
        go_gosched();
    puts("1");
    return 0;
}

CASE(gomaxprocs_tells_the_setting_before)
{
    printf("%d\n", go_gomaxprocs(3));
    printf("%d\n", go_gomaxprocs(0));
    printf("%d\n", go_gomaxprocs(-1));
    printf("%d\n", go_gomaxprocs(1));
    return 0;
}

CASE(main_returns_past_blocked_others)
{
    go_chan(int) c = go_chan_make(int, 0);
    for (int i = 0; i < 100; i++)
        go(receive, c);
    go_gosched();
    puts("main returns");
    return 0;
}

CASE(lock_os_thread_keeps_running)
{
    go_lock_os_thread();
    go_chan(int) c = go_chan_make(int, 0);
    go(send_three, c);
    go_range (v, c)
        printf("%d\n", v);
    go_unlock_os_thread();
    puts("unlocked");
    return 0;
}

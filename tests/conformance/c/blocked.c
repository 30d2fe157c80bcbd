/* Shapes of blocking bugs as real programs have them, each reduced to its shape; and what keeps
 * the deadlock report quiet, and what does not. */
#include "case.h"

static void receive(go_chan(int) c)
{
    go_recv(c);
}

static void sleeps_and_sends(go_chan(int) c)
{
    go_sleep(20 * GO_MILLISECOND);
    go_send(c, 1);
}

CASE(quiet_while_somebody_sleeps)
{
    go_chan(int) c = go_chan_make(int, 0);
    go(sleeps_and_sends, c);
    printf("%d\n", go_recv(c));
    return 0;
}

static void sleeps(void)
{
    go_sleep(20 * GO_MILLISECOND);
    puts("slept");
}

CASE(deadlock_after_the_last_sleeper)
{
    go(sleeps);
    go_recv(go_chan_make(int, 0));
    return 0;
}

CASE(deadlock_despite_timer_nobody_waits_for)
{
    go_chan(int64_t) timer = go_after(GO_HOUR);
    go_recv(go_chan_make(int, 0));
    go_recv(timer);
    return 0;
}

static void receive_time(go_chan(int64_t) timer)
{
    go_recv(timer);
    puts("time");
}

CASE(quiet_while_somebody_waits_for_a_timer)
{
    go(receive_time, go_after(20 * GO_MILLISECOND));
    go_recv(go_chan_make(int, 0));
    return 0;
}

CASE(quiet_while_a_select_waits_for_a_timer)
{
    go_chan(int) none = NULL;
    printf("%d\n", go_select(go_case_recv(none, NULL), go_case_after(20 * GO_MILLISECOND)));
    go_select(go_case_recv(none, NULL));
    return 0;
}

static void ends(go_waitgroup *wg)
{
    go_waitgroup_done(wg);
}

CASE(deadlock_after_work)
{
    go_waitgroup wg = { 0 };
    for (int i = 0; i < 1000; i++) {
        go_waitgroup_add(&wg, 1);
        go(ends, &wg);
    }
    go_waitgroup_wait(&wg);
    puts("worked");
    receive(go_chan_make(int, 0));
    return 0;
}

static void say_never(void)
{
    puts("never");
}

CASE(deadlock_runs_no_deferred)
{
    go_recoverable(*(int[]){ 0 });
    go_defer(say_never);
    go_recv(go_chan_make(int, 0));
    return 0;
}

/* A mutex is left locked on an early return; the next worker waits for it. */
static void works_once(go_mutex *m, go_waitgroup *wg, int fails)
{
    go_defer(go_waitgroup_done, wg);
    go_mutex_lock(m);
    if (fails)
        return;
    go_mutex_unlock(m);
}

CASE(blocked_missing_unlock)
{
    go_mutex m = { 0 };
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go(works_once, &m, &wg, 1);
    go(works_once, &m, &wg, 1);
    go_waitgroup_wait(&wg);
    return 0;
}

/* Waits for workers while holding the lock that they need. */
CASE(blocked_wait_under_lock)
{
    go_mutex m = { 0 };
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go_mutex_lock(&m);
    go(works_once, &m, &wg, 0);
    go(works_once, &m, &wg, 0);
    go_waitgroup_wait(&wg);
    go_mutex_unlock(&m);
    return 0;
}

/* Two goroutines exchange values, each sending before it receives. */
static void exchange(go_chan(int) to, go_chan(int) from, go_waitgroup *wg)
{
    go_send(to, 1);
    go_recv(from);
    go_waitgroup_done(wg);
}

CASE(blocked_both_send_first)
{
    go_chan(int) a = go_chan_make(int, 0), b = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go(exchange, a, b, &wg);
    go(exchange, b, a, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}

/* The notification is dropped because nobody waits for it yet. */
CASE(blocked_lost_notification)
{
    go_chan(int) ready = go_chan_make(int, 0);
    go_select(go_case_send(ready, 1), go_case_default);
    go_recv(ready);
    return 0;
}

/* One closes `done` after all results are in; the worker sends results until `done`. */
static void produces_until(go_chan(int) results, go_chan(int) done)
{
    for (int i = 0; i < 3; i++)
        if (go_select(go_case_send(results, i), go_case_recv(done, NULL)) == 1)
            return;
}

CASE(blocked_waits_for_one_result_too_many)
{
    go_chan(int) results = go_chan_make(int, 0), done = go_chan_make(int, 0);
    go(produces_until, results, done);
    for (int i = 0; i < 4; i++)
        printf("%d\n", go_recv(results));
    go_close(done);
    return 0;
}

/* One value, two who wait for it. */
static void wait_for_value(go_chan(int) c, go_waitgroup *wg)
{
    go_recv(c);
    go_waitgroup_done(wg);
}

CASE(blocked_signal_instead_of_broadcast)
{
    go_chan(int) stop = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go(wait_for_value, stop, &wg);
    go(wait_for_value, stop, &wg);
    go_send(stop, 1);
    go_waitgroup_wait(&wg);
    return 0;
}

/* The loop's own handler asks the loop to stop and waits for its answer. */
static void serve_loop(go_chan(int) requests, go_chan(int) stop, go_chan(int) stopped)
{
    for (;;)
        switch (go_select(go_case_recv(requests, NULL), go_case_recv(stop, NULL))) {
        case 0:
            go_send(stop, 1);
            go_recv(stopped);
            break;
        case 1:
            go_close(stopped);
            return;
        }
}

CASE(blocked_loop_stops_itself)
{
    go_chan(int) requests = go_chan_make(int, 0), stop = go_chan_make(int, 0);
    go_chan(int) stopped = go_chan_make(int, 0);
    go(serve_loop, requests, stop, stopped);
    go_send(requests, 1);
    go_recv(stopped);
    return 0;
}

/* A place of the semaphore is not given back when the work panics. */
static void recover_quietly(void)
{
    go_recover();
}

static void limited_work(go_chan(go_unit) places, int fails)
{
    go_recoverable();
    go_defer(recover_quietly);
    go_signal(places);
    if (fails)
        go_panic("work failed");
    go_recv(places);
}

CASE(blocked_semaphore_lost_by_panic)
{
    go_chan(go_unit) places = go_chan_make(go_unit, 2);
    limited_work(places, 0);
    limited_work(places, 1);
    limited_work(places, 1);
    puts("two failed");
    limited_work(places, 0);
    return 0;
}

/* The first error makes the collector leave; the other workers' sends have no receiver, and main
 * waits for them. */
static void report(go_chan(int) errors, go_waitgroup *wg, int code)
{
    go_defer(go_waitgroup_done, wg);
    go_send(errors, code);
}

CASE(blocked_first_error_wins)
{
    go_chan(int) errors = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        go(report, errors, &wg, i);
    go_recv(errors);
    go_waitgroup_wait(&wg);
    return 0;
}

/* The producer holds the lock while the buffer is full; the consumer needs the lock. */
static void produce_locked(go_mutex *m, go_chan(int) c)
{
    for (int i = 0;; i++) {
        go_mutex_lock(m);
        go_send(c, i);
        go_mutex_unlock(m);
    }
}

CASE(blocked_full_buffer_under_lock)
{
    go_mutex m = { 0 };
    go_chan(int) c = go_chan_make(int, 2);
    go(produce_locked, &m, c);
    go_gosched();
    go_mutex_lock(&m);
    go_recv(c);
    go_mutex_unlock(&m);
    return 0;
}

/* A worker waits for the group that it belongs to. */
static void waits_for_itself(go_waitgroup *wg)
{
    go_waitgroup_wait(wg);
    go_waitgroup_done(wg);
}

CASE(blocked_worker_waits_for_its_group)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(waits_for_itself, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}

/* The results are received only after all workers have ended, which send them. */
static void sends_result(go_chan(int) results, go_waitgroup *wg, int i)
{
    go_send(results, i);
    go_waitgroup_done(wg);
}

CASE(blocked_wait_before_receive)
{
    go_chan(int) results = go_chan_make(int, 1);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        go(sends_result, results, &wg, i);
    go_waitgroup_wait(&wg);
    go_close(results);
    return 0;
}

/* A pipeline's consumer stops early and nobody tells the stages before it. */
static void stage(go_chan(int) in, go_chan(int) out)
{
    go_range (v, in)
        go_send(out, v + 1);
    go_close(out);
}

static void feed(go_chan(int) c, go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    for (int i = 0; i < 10; i++)
        go_send(c, i);
    go_close(c);
}

CASE(blocked_pipeline_left_early)
{
    go_chan(int) a = go_chan_make(int, 0), b = go_chan_make(int, 0), c = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(feed, a, &wg);
    go(stage, a, b);
    go(stage, b, c);
    printf("%d\n", go_recv(c));
    go_waitgroup_wait(&wg);
    return 0;
}

/* Once calls a function that needs the same Once. */
static void once_again(void *once)
{
    go_once_do(once, once_again, once);
}

CASE(blocked_once_inside_once)
{
    go_once once = { 0 };
    go_once_do(&once, once_again, &once);
    return 0;
}

/* Done is left out on one path. */
static void forgets_done(go_waitgroup *wg, int i)
{
    if (i == 1)
        return;
    go_waitgroup_done(wg);
}

CASE(blocked_missing_done)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        go(forgets_done, &wg, i);
    go_waitgroup_wait(&wg);
    return 0;
}

/* Every goroutine of a ring waits for its neighbour. */
static void ring_member(go_chan(int) from, go_chan(int) to)
{
    go_send(to, go_recv(from));
}

CASE(blocked_ring)
{
    go_chan(int) c[5];
    for (int i = 0; i < 5; i++)
        c[i] = go_chan_make(int, 0);
    for (int i = 0; i < 5; i++)
        go(ring_member, c[i], c[(i + 1) % 5]);
    go_chan(int) none = NULL;
    go_select(go_case_recv(none, NULL), go_case_send(none, 1));
    return 0;
}

/* Panics, deferred calls, recovery. */
#include "case.h"

static void say(const char *text)
{
    puts(text);
}

static void print_recovered(const char *who)
{
    const go_panic_value *v = go_recover();
    printf("%s: %s\n", who, v ? v->text : "nil");
}

CASE(panic_text)
{
    go_panic("boom");
}

CASE(panic_newlines)
{
    go_panic("first\nsecond\nthird");
}

CASE(panic_error)
{
    go_panic_error(5, "an error");
}

CASE(panic_int)
{
    go_panic_int(42);
}

CASE(panic_bool)
{
    go_panic_bool(1);
}

CASE(panic_float)
{
    go_panic_float(2.5);
}

CASE(panic_nil)
{
    go_panic_pointer(NULL);
}

CASE(panic_runs_deferred)
{
    go_defer(say, "outer");
    {
        go_defer(say, "inner");
        go_panic("boom");
    }
}

static void fail(void)
{
    go_panic("in a goroutine");
}

CASE(panic_in_goroutine)
{
    go(fail);
    go_recv(go_chan_make(int, 0));
    return 0;
}

static void panic_second(void)
{
    go_panic("second");
}

CASE(panic_in_deferred)
{
    go_defer(panic_second);
    go_panic("first");
}

static void recover_and_panic(void)
{
    const go_panic_value *v = go_recover();
    go_panic("after %s", v ? v->text : "nil");
}

CASE(panic_after_recover)
{
    go_defer(recover_and_panic);
    go_panic("first");
}

static void repanic(void)
{
    go_repanic(go_recover());
}

CASE(repanicked)
{
    go_defer(repanic);
    go_panic("again");
}

static int named(void)
{
    int result = 1;
    go_recoverable(result);
    go_defer(print_recovered, "named");
    result = 2;
    go_panic("boom");
}

CASE(recover_returns_named_result)
{
    printf("%d\n", named());
    return 0;
}

static void add_hundred(int *result)
{
    if (go_recover())
        *result += 100;
}

static int changed(void)
{
    int result = 5;
    go_recoverable(result);
    go_defer(add_hundred, &result);
    go_panic("boom");
}

CASE(recover_changes_result)
{
    printf("%d\n", changed());
    return 0;
}

static void remaining(void)
{
    go_recoverable();
    go_defer(print_recovered, "third");
    go_defer(say, "second");
    go_defer(print_recovered, "first");
    go_panic("boom");
}

CASE(recover_then_remaining_deferred)
{
    remaining();
    puts("returned");
    return 0;
}

static void helper(const char *who)
{
    print_recovered(who);
}

static void indirectly(void)
{
    helper("one frame deeper");
}

static void not_direct(void)
{
    go_recoverable();
    go_defer(print_recovered, "direct");
    go_defer(indirectly);
    go_panic("boom");
}

CASE(recover_only_directly)
{
    not_direct();
    return 0;
}

static void defers_recover(void)
{
    go_defer(print_recovered, "deferred in a deferred call");
}

static void nested_defer(void)
{
    go_recoverable();
    go_defer(print_recovered, "outer");
    go_defer(defers_recover);
    go_panic("boom");
}

CASE(recover_deferred_in_deferred)
{
    nested_defer();
    return 0;
}

CASE(recover_without_panic)
{
    go_defer(print_recovered, "at exit");
    print_recovered("called");
    return 0;
}

static void goexit_with_recover(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_recoverable();
    go_defer(print_recovered, "goexit");
    go_goexit();
}

CASE(recover_during_goexit)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(goexit_with_recover, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}

static void goexit_in_panic(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_defer(say, "still runs");
    go_defer(go_goexit);
    go_panic("aborted");
}

CASE(goexit_aborts_panic)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(goexit_in_panic, &wg);
    go_waitgroup_wait(&wg);
    puts("main goes on");
    return 0;
}

static void recovered_inside(void)
{
    go_recoverable();
    go_defer(print_recovered, "inside");
    go_panic("in goexit");
}

static void panic_in_goexit(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_defer(say, "goexit goes on");
    go_defer(recovered_inside);
    go_goexit();
}

CASE(panic_recovered_in_goexit)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(panic_in_goexit, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}

static void panics(void)
{
    go_panic("from a deferred call");
}

static void outer_recovers(void)
{
    go_recoverable();
    go_defer(print_recovered, "outer");
    go_defer(panics);
    go_goexit();
}

static void goexit_not_stopped(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    outer_recovers();
    puts("not reached");
}

CASE(recover_cannot_stop_goexit)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(goexit_not_stopped, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}

static void panic_in_panic(void)
{
    go_recoverable();
    go_defer(print_recovered, "superseded");
    go_defer(panic_second);
    go_panic("first");
}

CASE(panic_superseded_recovered)
{
    panic_in_panic();
    return 0;
}

static void inner_recovered(void)
{
    go_recoverable();
    go_defer(print_recovered, "inner");
    go_panic("inner");
}

static void outer_still(void)
{
    go_recoverable();
    go_defer(print_recovered, "outer");
    go_defer(inner_recovered);
    go_panic("outer");
}

CASE(inner_panic_recovered_outer_goes_on)
{
    outer_still();
    return 0;
}

static void deep(int n)
{
    if (n == 0)
        go_panic("deep");
    deep(n - 1);
    puts("not reached");
}

static void recover_deep(void)
{
    go_recoverable();
    go_defer(print_recovered, "deep");
    deep(100);
}

CASE(recover_unwinds_frames)
{
    for (int i = 0; i < 3; i++)
        recover_deep();
    return 0;
}

static void keep_first(void)
{
    go_recoverable();
    go_defer(print_recovered, "second recover");
    go_defer(print_recovered, "first recover");
    go_panic("once");
}

CASE(recover_once)
{
    keep_first();
    return 0;
}

static void argument(int i)
{
    printf("%d\n", i);
}

CASE(defer_arguments_evaluated_now)
{
    int i = 1;
    go_defer(argument, i);
    i = 2;
    go_defer(argument, i);
    i = 3;
    printf("%d\n", i);
    return 0;
}

CASE(send_on_closed)
{
    go_chan(int) c = go_chan_make(int, 1);
    go_close(c);
    go_send(c, 1);
    return 0;
}

CASE(close_of_closed)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_close(c);
    go_close(c);
    return 0;
}

CASE(close_of_nil)
{
    go_chan(int) c = NULL;
    go_close(c);
    return 0;
}

static void recovered_send(go_chan(int) c)
{
    go_recoverable();
    go_defer(print_recovered, "send");
    go_send(c, 1);
}

CASE(send_on_closed_recovered)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_close(c);
    recovered_send(c);
    return 0;
}

static void make_too_large(int64_t n)
{
    go_recoverable();
    go_defer(print_recovered, "make");
    go_chan(int) c = go_chan_make(int, n);
    printf("%p\n", (void *)c);
}

CASE(makechan_size)
{
    make_too_large(-1);
    make_too_large(INT64_MAX / 2);
    return 0;
}

CASE(negative_counter)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go_waitgroup_done(&wg);
    go_waitgroup_done(&wg);
    return 0;
}

static void fatal_in_panic(go_mutex *m)
{
    go_mutex_unlock(m);
}

CASE(fatal_during_panic)
{
    go_mutex m = { 0 };
    go_defer(fatal_in_panic, &m);
    go_panic("first");
}

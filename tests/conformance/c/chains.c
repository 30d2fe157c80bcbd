/* Panics and Goexits within deferred calls, many deferred calls, and where C differs. */
#include "case.h"

#include <stdlib.h>

static void say(const char *text)
{
    puts(text);
}

static void print_recovered(const char *who)
{
    const go_panic_value *v = go_recover();
    printf("%s: %s\n", who, v ? v->text : "nil");
}

static void panic_with(const char *text)
{
    go_panic("%s", text);
}

static void repanic(void)
{
    go_repanic(go_recover());
}

static void as_goroutine(void (*fn)(go_waitgroup *))
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(fn, &wg);
    go_waitgroup_wait(&wg);
    puts("ended");
}

CASE(panic_three_deep)
{
    go_defer(panic_with, "third");
    go_defer(panic_with, "second");
    go_panic("first");
}

CASE(repanicked_twice)
{
    go_defer(repanic);
    go_defer(repanic);
    go_panic("again");
}

CASE(repanicked_then_another)
{
    go_defer(panic_with, "another");
    go_defer(repanic);
    go_panic("again");
}

static void recovered_inside(void)
{
    go_recoverable();
    go_defer(print_recovered, "inside");
    go_panic("inner");
}

CASE(chain_forgets_recovered)
{
    go_defer(recovered_inside);
    go_panic("outer");
}

CASE(chain_with_newlines)
{
    go_defer(panic_with, "second\nline");
    go_panic("first\nline");
}

CASE(chain_of_kinds)
{
    go_defer(panic_with, "text");
    go_panic_int(3);
}

static void panics_at_last(void)
{
    go_recoverable();
    go_defer(panic_with, "at last");
    go_defer(print_recovered, "recovered");
    go_panic("inner");
}

CASE(chain_forgets_recovered_at_once)
{
    panics_at_last();
    return 0;
}

CASE(chain_forgets_recovered_of_deferred)
{
    go_defer(panics_at_last);
    go_panic("outer");
}

static void unlock_free(void)
{
    go_mutex m = { 0 };
    go_mutex_unlock(&m);
}

static void fatal_at_last(void)
{
    go_recoverable();
    go_defer(unlock_free);
    go_defer(print_recovered, "recovered");
    go_panic("inner");
}

CASE(fatal_forgets_recovered)
{
    fatal_at_last();
    return 0;
}

static void fatal_in_goexit(void)
{
    go_defer(unlock_free);
    go_goexit();
}

CASE(fatal_during_goexit)
{
    fatal_in_goexit();
    return 0;
}

CASE(fatal_during_goexit_of_panic)
{
    go_defer(fatal_in_goexit);
    go_panic("first");
}

static const go_panic_value *first;

static void repanic_first(void)
{
    go_repanic(first);
}

static void panic_between(void)
{
    first = go_recover();
    go_defer(repanic_first);
    go_panic("between");
}

CASE(repanicked_past_another)
{
    go_defer(panic_between);
    go_panic("first");
}

static void recover_and_repanic_first(void)
{
    go_recover();
    go_repanic(first);
}

static void recovered_between(void)
{
    first = go_recover();
    go_defer(recover_and_repanic_first);
    go_panic("between");
}

CASE(repanicked_past_recovered)
{
    go_defer(recovered_between);
    go_panic("first");
}

static void repanic_first_again(void)
{
    go_defer(recover_and_repanic_first);
    first = go_recover();
    go_repanic(first);
}

CASE(repanicked_by_first_value)
{
    go_defer(repanic_first_again);
    go_panic("first");
}

CASE(repanicked_nothing)
{
    repanic();
    return 0;
}

static void panic_then_say(void)
{
    go_defer(say, "runs during the second panic");
    go_panic("second");
}

CASE(chain_runs_inner_deferred)
{
    go_defer(say, "runs last");
    go_defer(panic_then_say);
    go_panic("first");
}

static void helper_recovers(void)
{
    print_recovered("helper of a deferred call");
}

static void recover_then_panic(void)
{
    print_recovered("helper");
    go_defer(helper_recovers);
    go_panic("new");
}

CASE(chain_recover_of_helper_fails)
{
    go_defer(recover_then_panic);
    go_panic("old");
}

static void goexit_then_panic(void)
{
    go_defer(panic_with, "in a deferred call");
    go_goexit();
}

CASE(goexit_then_panic)
{
    go(goexit_then_panic);
    go_recv(go_chan_make(int, 0));
    return 0;
}

static void panic_goexit_panic(void)
{
    go_defer(panic_with, "second");
    go_defer(go_goexit);
    go_panic("first");
}

CASE(panic_then_goexit_then_panic)
{
    go(panic_goexit_panic);
    go_recv(go_chan_make(int, 0));
    return 0;
}

static void goexit_of_first(void)
{
    go_recover();
    go_goexit();
}

static void ends_by_goexit(void)
{
    go_recoverable();
    go_defer(goexit_of_first);
    go_panic("first");
}

static void resumes_goexit(void)
{
    go_recoverable();
    go_defer(print_recovered, "recovered");
    go_defer(panic_with, "second");
    ends_by_goexit();
}

static void panic_in_resumed_goexit(void)
{
    go_defer(panic_with, "third");
    resumes_goexit();
}

CASE(chain_keeps_what_a_resumed_goexit_gave_up)
{
    go(panic_in_resumed_goexit);
    go_recv(go_chan_make(int, 0));
    return 0;
}

CASE(chain_of_one_run_time_error)
{
    go_chan(int) none = NULL;
    go_defer(go_close, none);
    go_defer(go_close, none);
    go_close(none);
    return 0;
}

CASE(chain_of_run_time_errors)
{
    go_chan(int) none = NULL;
    go_chan(int) closed = go_chan_make(int, 0);
    go_close(closed);
    go_defer(go_close, none);
    go_defer(go_close, closed);
    go_defer(go_close, closed);
    go_close(none);
    return 0;
}

static void panic_nil(void)
{
    go_panic_pointer(NULL);
}

CASE(chain_of_nils)
{
    go_defer(panic_nil);
    go_defer(panic_nil);
    go_panic("first");
}

static void panic_bool(int value)
{
    go_panic_bool(value);
}

CASE(chain_of_bools)
{
    go_defer(panic_bool, 0);
    go_defer(panic_bool, 1);
    go_defer(panic_bool, 1);
    go_panic_bool(1);
}

static void recover_and_close(void)
{
    go_recover();
    go_close((go_chan(int))NULL);
}

CASE(chain_of_one_run_time_error_recovered)
{
    go_defer(recover_and_close);
    go_close((go_chan(int))NULL);
    return 0;
}

CASE(fatal_in_chain_of_bools)
{
    go_defer(unlock_free);
    go_defer(panic_bool, 1);
    go_panic_bool(1);
}

static void goexit_in_goexit(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_defer(say, "outer");
    go_defer(go_goexit);
    go_defer(say, "inner");
    go_goexit();
}

CASE(goexit_twice)
{
    as_goroutine(goexit_in_goexit);
    return 0;
}

static void ends_in_deferred(void)
{
    go_defer(go_goexit);
    puts("returning");
}

static void goexit_on_return(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    ends_in_deferred();
    puts("not reached");
}

CASE(goexit_in_deferred_of_return)
{
    as_goroutine(goexit_on_return);
    return 0;
}

static void exit_inside_recovery(void)
{
    print_recovered("not during a Goexit");
    go_goexit();
}

static void recover_then_goexit(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_recoverable();
    go_defer(print_recovered, "gone");
    go_defer(exit_inside_recovery);
    go_panic("boom");
}

CASE(goexit_after_recover)
{
    as_goroutine(recover_then_goexit);
    return 0;
}

static int left;

static void count_down(void)
{
    left--;
}

static void goexit_from_depth(int depth)
{
    go_defer(count_down);
    if (depth == 0)
        go_goexit();
    goexit_from_depth(depth - 1);
    puts("not reached");
}

static void goexit_deep(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    goexit_from_depth(299);
}

CASE(goexit_runs_all_deferred_of_all_frames)
{
    left = 300;
    as_goroutine(goexit_deep);
    printf("%d left\n", left);
    return 0;
}

static void panic_from_depth(int depth)
{
    go_defer(count_down);
    if (depth == 0)
        go_panic("deep");
    panic_from_depth(depth - 1);
    puts("not reached");
}

static void recover_at_top(void)
{
    go_recoverable();
    go_defer(print_recovered, "top");
    panic_from_depth(999);
}

CASE(panic_runs_all_deferred_of_all_frames)
{
    left = 1000;
    recover_at_top();
    printf("%d left\n", left);
    return 0;
}

static void middle(void)
{
    go_recoverable();
    go_defer(print_recovered, "middle");
    panic_from_depth(2);
    puts("not reached");
}

CASE(recover_in_the_middle)
{
    go_defer(print_recovered, "top");
    left = 3;
    middle();
    printf("main goes on, %d left\n", left);
    return 0;
}

static int sum;

static void recover_and_count(void)
{
    if (go_recover())
        sum++;
}

static void recovered_once(int i)
{
    go_recoverable();
    go_defer(recover_and_count);
    if (i % 2)
        go_panic("odd %d", i);
}

CASE(recover_many_times)
{
    for (int i = 0; i < 10000; i++)
        recovered_once(i);
    printf("%d\n", sum);
    return 0;
}

static void one_after_another(void)
{
    go_recoverable();
    go_defer(print_recovered, "second");
    recovered_inside();
    go_panic("later");
}

CASE(panic_after_a_recovered_one)
{
    one_after_another();
    return 0;
}

struct pair {
    int a;
    double b;
    char text[16];
};

static struct pair returns_struct(void)
{
    struct pair result = { 1, 2.5, "kept" };
    go_recoverable(result);
    go_defer(print_recovered, "struct");
    result.a = 2;
    go_panic("boom");
}

CASE(recover_returns_struct)
{
    struct pair p = returns_struct();
    printf("%d %.1f %s\n", p.a, p.b, p.text);
    return 0;
}

static void recover_in_each(go_waitgroup *wg, int i)
{
    go_defer(go_waitgroup_done, wg);
    go_recoverable();
    go_defer(print_recovered, i % 2 ? "odd" : "even");
    go_gosched();
    go_panic("%d", i);
}

CASE(recover_in_many_goroutines)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 4);
    for (int i = 0; i < 4; i++)
        go(recover_in_each, &wg, i);
    go_waitgroup_wait(&wg);
    return 0;
}

static void yields_then_recovers(void)
{
    go_gosched();
    print_recovered("helper after a switch");
    const go_panic_value *v = go_recover();
    go_gosched();
    printf("after switches: %s\n", v ? v->text : "nil");
}

static void switching(void)
{
    go_recoverable();
    go_defer(yields_then_recovers);
    go_panic("boom");
}

static void other_panics(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    switching();
}

CASE(recover_across_switches)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go(other_panics, &wg);
    go(other_panics, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(defer_newest_first)
{
    go_defer(say, "1");
    go_defer(say, "2");
    go_defer(say, "3");
    puts("body");
    return 0;
}

static void defers_more(void)
{
    go_defer(say, "inner deferred");
    puts("deferred");
}

CASE(defer_in_deferred)
{
    go_defer(say, "outer deferred");
    go_defer(defers_more);
    return 0;
}

static void three_arguments(int a, double b, const char *c)
{
    printf("%d %.2f %s\n", a, b, c);
}

static int traced(int i)
{
    printf("operand %d\n", i);
    return i;
}

CASE(defer_evaluates_in_order)
{
    go_defer(three_arguments, traced(1), 0.5, "text");
    puts("body");
    return 0;
}

CASE(defer_unlocks_on_panic)
{
    go_mutex m = { 0 };
    go_mutex_lock(&m);
    go_defer(say, "before the lock is free");
    go_defer(go_mutex_unlock, &m);
    go_panic("under lock");
}

static void exit_with_three(void)
{
    go_defer(say, "never");
    exit(3);
}

CASE(exit_from_goroutine)
{
    go_defer(say, "never");
    go(exit_with_three);
    go_recv(go_chan_make(int, 0));
    return 0;
}

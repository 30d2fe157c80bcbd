/* Scopes: every way out of the block waits for its goroutines; the first error and the first panic
 * get to the parent, and cancel the others. One processor: the orders are known. */
#include "unit.h"

#include <stdatomic.h>

static _Atomic int ended;
static char told[80];

/* Ends later than a parent that would not wait. */
static void work(int rounds)
{
    for (int i = 0; i < rounds; i++)
        go_gosched();
    ended++;
}

static int fail_with(int result, int error)
{
    go_gosched();
    errno = error;
    return result;
}

static int until_cancelled(go_context *ctx)
{
    CHECK(go_context_wait(ctx) != 0, 1);
    ended++;
    return 99;
}

static void panics(const char *text)
{
    go_panic("%s", text);
}

static void exits(void)
{
    go_goexit();
}

static int by_end(void)
{
    go_scope(s)
    {
        go_in(s, work, 5);
        go_in(s, work, 7);
        CHECK(ended, 0);
    }
    return ended;
}

static int by_return(void)
{
    go_scope(s)
    {
        go_in(s, work, 5);
        return 3;
    }
    return 0;
}

static int by_break(void)
{
    go_scope(s, NULL)
    {
        go_in(s, work, 5);
        if (go_scope_context(s))
            break;
        ended = 100;
    }
    return ended;
}

static int by_continue(void)
{
    go_scope(s)
    {
        go_in(s, work, 5);
        if (go_scope_context(s))
            continue;
        ended = 100;
    }
    return ended;
}

static int by_goto(void)
{
    go_scope(s)
    {
        go_in(s, work, 5);
        go_scope(inner)
        {
            go_in(inner, work, 3);
            goto out;
        }
    }
out:
    return ended;
}

static void every_way_out_waits(void)
{
    ended = 0;
    CHECK(by_end(), 2);
    ended = 0;
    CHECK(by_return(), 3);
    CHECK(ended, 1);
    ended = 0;
    CHECK(by_break(), 1);
    ended = 0;
    CHECK(by_continue(), 1);
    ended = 0;
    CHECK(by_goto(), 2);
}

static void recover_text(void)
{
    const go_panic_value *panic = go_recover();
    snprintf(told, sizeof told, "%s", panic ? panic->text : "none");
}

/* A goroutine that waits for its context is cancelled when the parent panics. */
static void parent_panics(void)
{
    go_recoverable();
    go_defer(recover_text);
    go_scope(s)
    {
        go_in(s, until_cancelled, go_scope_context(s));
        go_gosched();
        go_panic("parent");
    }
}

static void parent_exits(void)
{
    go_scope(s)
    {
        go_in(s, until_cancelled, go_scope_context(s));
        go_in(s, work, 5);
        go_goexit();
    }
}

static void a_panic_or_exit_of_the_parent_cancels(void)
{
    ended = 0;
    parent_panics();
    CHECK(ended, 1);
    CHECK_TEXT(told, "parent");
    ended = 0;
    go_waitgroup wg = { 0 };
    go_waitgroup_go(&wg, parent_exits);
    go_waitgroup_wait(&wg);
    CHECK(ended, 2);
}

static void the_first_error_is_passed_on(void)
{
    int error = 0;
    ended = 0;
    errno = 0;
    go_scope(s, NULL, &error)
    {
        go_in(s, until_cancelled, go_scope_context(s));
        go_in(s, fail_with, -1, EPIPE);
        go_in(s, work, 9);
    }
    CHECK(error, -1);
    CHECK(errno, EPIPE);
    CHECK(ended, 2);
    go_scope(s)
    {
        go_in(s, fail_with, 17, EIO);
        go_context *ctx = go_scope_context(s);
        CHECK(go_scope_wait(s), 17);
        CHECK(errno, EIO);
        CHECK(go_context_cause(ctx), 17);
        CHECK_TEXT(go_context_cause_text(ctx), "error 17");
    }
    error = 5;
    errno = EINTR;
    go_scope(s, NULL, &error)
    {
        go_in(s, fail_with, 0, EIO);
        CHECK(go_scope_wait(s), 0);
        go_in(s, work, 1);
    }
    CHECK(error, 5);
    CHECK(errno, EINTR);
}

static void child_panics(int *error)
{
    go_recoverable();
    go_defer(recover_text);
    go_scope(s, NULL, error)
    {
        go_in(s, until_cancelled, go_scope_context(s));
        go_in(s, panics, "child");
        go_in(s, panics, "another");
        go_in(s, work, 9);
    }
    ended = 100;
}

static void child_panics_in_wait(void)
{
    go_recoverable();
    go_defer(recover_text);
    go_scope(s)
    {
        go_in(s, panics, "waited for");
        go_scope_wait(s);
        ended = 100;
    }
}

static void wait_and_recover(go_scope *s)
{
    go_recoverable();
    go_defer(recover_text);
    go_scope_wait(s);
    ended = 100;
}

/* One that was recovered at a wait is not the last. */
static void child_panics_after_a_wait(void)
{
    go_recoverable();
    go_defer(recover_text);
    go_scope(s)
    {
        go_in(s, panics, "first");
        wait_and_recover(s);
        CHECK_TEXT(told, "first");
        go_in(s, panics, "second");
        wait_and_recover(s);
        CHECK_TEXT(told, "second");
        go_in(s, panics, "third");
    }
    ended = 100;
}

static void both_panic(void)
{
    go_recoverable();
    go_defer(recover_text);
    go_scope(s)
    {
        go_in(s, panics, "the child's");
        go_panic("the parent's");
    }
}

static void an_integer_panics(void)
{
    go_panic_int(42);
}

static void note_integer(int64_t *value)
{
    const go_panic_value *panic = go_recover();
    *value = panic && panic->kind == GO_VALUE_INTEGER ? panic->integer : -1;
}

static void keeps_the_value(int64_t *value)
{
    go_recoverable();
    go_defer(note_integer, value);
    go_scope(s) go_in(s, an_integer_panics);
}

static void the_first_panic_goes_on_in_the_parent(void)
{
    int error = 0;
    int64_t value = 0;
    ended = 0;
    child_panics(&error);
    CHECK(ended, 2);
    CHECK_TEXT(told, "child");
    CHECK(error, 99);
    child_panics_in_wait();
    CHECK_TEXT(told, "waited for");
    child_panics_after_a_wait();
    CHECK_TEXT(told, "third");
    both_panic();
    CHECK_TEXT(told, "the child's");
    CHECK(ended, 2);
    keeps_the_value(&value);
    CHECK(value, 42);
}

static int spawned(void *arg)
{
    return *(int *)arg;
}

static void start_more(go_scope *s, int depth)
{
    ended++;
    for (int i = 0; depth > 0 && i < 2; i++)
        go_in(s, start_more, s, depth - 1);
}

static void goroutines_of_the_scope_start_more(void)
{
    int error = 0, seven = 7;
    ended = 0;
    go_scope(s, NULL, &error)
    {
        go_in(s, start_more, s, 5);
        go_in(s, exits);
        go_scope_spawn(s, spawned, &seven);
    }
    CHECK(ended, 63);
    CHECK(error, 7);
}

static void the_parents_context_cancels(void)
{
    ended = 0;
    int error = 0;
    go_context *parent = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_scope(s, parent, &error) go_in(s, until_cancelled, go_scope_context(s));
    CHECK(ended, 1);
    CHECK(error, 99);
    go_context_unref(parent);
    go_scope(s, NULL, &error)
    {
        go_in(s, until_cancelled, go_scope_context(s));
        go_scope_cancel(s);
    }
    CHECK(ended, 2);
}

static void in_a_loop(void)
{
    ended = 0;
    for (int i = 0; i < 3; i++)
        go_scope(s) go_in(s, work, 2);
    CHECK(ended, 3);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_gomaxprocs(1);
    every_way_out_waits();
    a_panic_or_exit_of_the_parent_cancels();
    the_first_error_is_passed_on();
    the_first_panic_goes_on_in_the_parent();
    goroutines_of_the_scope_start_more();
    the_parents_context_cancels();
    in_a_loop();
    return 0;
}

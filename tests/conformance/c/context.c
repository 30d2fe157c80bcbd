/* Contexts: who is cancelled when, with what texts and causes; deadlines, values, after_func. */
#include "case.h"

static int key_a, key_b;

static const char *or_nil(const char *text)
{
    return text ? text : "<nil>";
}

/* Everything that can be asked of a context. */
static void tell(const char *name, go_context *ctx)
{
    int deadline = go_context_deadline(ctx, NULL);
    printf("%s: %s, %s, %s, %s\n", name, or_nil(go_context_err_text(ctx)),
           or_nil(go_context_cause_text(ctx)),
           go_select(go_case_done(ctx), go_case_default) ? "open" : "done",
           deadline ? "a deadline" : "no deadline");
}

static void end_all(go_context **contexts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        go_context_unref(contexts[i]);
}
#define END_ALL(...)                         \
    end_all((go_context *[]){ __VA_ARGS__ }, \
            sizeof((go_context *[]){ __VA_ARGS__ }) / sizeof(go_context *))

static void tell_recovered(void)
{
    const go_panic_value *panic = go_recover();
    printf("recovered: %s\n", panic ? panic->text : "<nil>");
}

static void say(void *text)
{
    puts(text);
}

static void yields(void)
{
    for (int i = 0; i < 10; i++)
        go_gosched();
}

static void wait_and_say(go_context *ctx, const char *who, go_waitgroup *wg)
{
    go_recv_ok(go_context_done(ctx), NULL);
    printf("%s: %s\n", who, go_context_err_text(ctx));
    go_waitgroup_done(wg);
}

CASE(context_background)
{
    tell("background", go_context_background());
    tell("todo", go_context_todo());
    printf("%d\n", go_context_done(go_context_background()) == NULL);
    return 0;
}

CASE(context_strings)
{
    char text[100];
    puts(go_context_string(go_context_background(), text, sizeof text));
    puts(go_context_string(go_context_todo(), text, sizeof text));
    go_context *a = go_context_with_cancel(NULL), *b = go_context_without_cancel(a);
    go_context *c = go_context_with_cancel(b);
    puts(go_context_string(c, text, sizeof text));
    END_ALL(a, b, c);
    return 0;
}

CASE(context_cancel)
{
    go_context *ctx = go_context_with_cancel(NULL);
    tell("before", ctx);
    go_context_cancel(ctx);
    tell("after", ctx);
    go_context_cancel(ctx);
    tell("again", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_cancel_reaches_descendants)
{
    go_context *root = go_context_with_cancel(NULL), *child = go_context_with_cancel(root);
    go_context *value = go_context_with_value(child, &key_a, &key_b);
    go_context *grandchild = go_context_with_timeout(value, GO_HOUR);
    go_context_cancel(root);
    tell("root", root);
    tell("child", child);
    tell("value", value);
    tell("grandchild", grandchild);
    END_ALL(root, child, value, grandchild);
    return 0;
}

CASE(context_cancel_leaves_parent_and_siblings)
{
    go_context *root = go_context_with_cancel(NULL), *one = go_context_with_cancel(root);
    go_context *two = go_context_with_cancel(root);
    go_context_cancel(one);
    tell("root", root);
    tell("one", one);
    tell("two", two);
    END_ALL(root, one, two);
    return 0;
}

CASE(context_child_of_cancelled_parent)
{
    go_context *root = go_context_with_cancel(NULL);
    go_context_cancel(root);
    go_context *child = go_context_with_cancel(root);
    go_context *timed = go_context_with_timeout(root, GO_HOUR);
    tell("child", child);
    tell("timed", timed);
    END_ALL(root, child, timed);
    return 0;
}

CASE(context_child_of_value_of_cancelled)
{
    go_context *root = go_context_with_cancel(NULL);
    go_context *value = go_context_with_value(root, &key_a, &key_b);
    go_context_cancel(root);
    go_context *child = go_context_with_cancel(value);
    tell("child", child);
    END_ALL(root, value, child);
    return 0;
}

CASE(context_done_is_one_channel)
{
    go_context *root = go_context_with_cancel(NULL);
    go_context *value = go_context_with_value(root, &key_a, &key_b);
    go_context *child = go_context_with_cancel(root);
    printf("%d", go_context_done(root) == go_context_done(root));
    printf(" %d", go_context_done(root) == go_context_done(value));
    printf(" %d\n", go_context_done(root) == go_context_done(child));
    END_ALL(root, value, child);
    return 0;
}

CASE(context_done_asked_after_cancel)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    printf("%d\n", go_recv_ok(go_context_done(ctx), NULL));
    END_ALL(ctx);
    return 0;
}

CASE(context_cancel_wakes_all_who_wait)
{
    go_waitgroup wg = { 0 };
    go_context *ctx = go_context_with_cancel(NULL);
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        go(wait_and_say, ctx, "one of three", &wg);
    yields();
    puts("cancel");
    go_context_cancel(ctx);
    go_waitgroup_wait(&wg);
    END_ALL(ctx);
    return 0;
}

CASE(context_select_done)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    switch (go_select(go_case_recv(c, NULL), go_case_done(ctx))) {
    case 0:
        puts("a value");
        break;
    case 1:
        puts(go_context_err_text(ctx));
    }
    END_ALL(ctx);
    return 0;
}

CASE(context_select_done_not_ready)
{
    go_chan(int) c = go_chan_make(int, 1);
    go_context *ctx = go_context_with_cancel(NULL);
    go_send(c, 1);
    printf("%d\n", go_select(go_case_done(ctx), go_case_recv(c, NULL)));
    END_ALL(ctx);
    return 0;
}

/* ---- causes -------------------------------------------------------------------------------- */

CASE(context_cause)
{
    go_context *ctx = go_context_with_cancel_cause(NULL);
    tell("before", ctx);
    go_context_cancel_cause(ctx, 1, "out of %s", "milk");
    tell("after", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_cause_nil)
{
    go_context *ctx = go_context_with_cancel_cause(NULL);
    go_context_cancel_cause(ctx, 0, NULL);
    tell("after", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_cause_of_cancel_without_one)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    tell("after", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_first_cause_counts)
{
    go_context *ctx = go_context_with_cancel_cause(NULL);
    go_context_cancel_cause(ctx, 1, "first");
    go_context_cancel_cause(ctx, 2, "second");
    tell("after", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_cause_goes_down)
{
    go_context *parent = go_context_with_cancel_cause(NULL);
    go_context *child = go_context_with_cancel_cause(parent);
    go_context *value = go_context_with_value(child, &key_a, &key_b);
    go_context_cancel_cause(parent, 1, "parent");
    go_context_cancel_cause(child, 2, "child");
    tell("parent", parent);
    tell("child", child);
    tell("value", value);
    END_ALL(parent, child, value);
    return 0;
}

CASE(context_cause_of_child_first)
{
    go_context *parent = go_context_with_cancel_cause(NULL);
    go_context *child = go_context_with_cancel_cause(parent);
    go_context_cancel_cause(child, 2, "child");
    go_context_cancel_cause(parent, 1, "parent");
    tell("parent", parent);
    tell("child", child);
    END_ALL(parent, child);
    return 0;
}

CASE(context_cause_of_late_child)
{
    go_context *parent = go_context_with_cancel_cause(NULL);
    go_context_cancel_cause(parent, 1, "parent");
    go_context *child = go_context_with_cancel(parent);
    tell("child", child);
    END_ALL(parent, child);
    return 0;
}

CASE(context_cause_of_background)
{
    printf("%s\n", or_nil(go_context_cause_text(go_context_background())));
    printf("%s\n", or_nil(go_context_cause_text(go_context_todo())));
    return 0;
}

CASE(context_cause_of_parent_of_timeout)
{
    go_context *parent = go_context_with_cancel_cause(NULL);
    go_context *child = go_context_with_timeout_cause(parent, GO_HOUR, 1, "slow");
    go_context_cancel_cause(parent, 1, "parent");
    tell("child", child);
    END_ALL(parent, child);
    return 0;
}

/* ---- deadlines ----------------------------------------------------------------------------- */

CASE(context_timeout)
{
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    tell("before", ctx);
    go_recv_ok(go_context_done(ctx), NULL);
    tell("after", ctx);
    go_context_cancel(ctx);
    tell("cancelled", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_timeout_cancelled_before)
{
    go_context *ctx = go_context_with_timeout(NULL, GO_HOUR);
    go_context_cancel(ctx);
    tell("after", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_timeout_zero)
{
    go_context *ctx = go_context_with_timeout(NULL, 0);
    tell("zero", ctx);
    END_ALL(ctx);
    ctx = go_context_with_timeout(NULL, -GO_HOUR);
    tell("negative", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_deadline_passed)
{
    go_context *ctx = go_context_with_deadline(NULL, go_now() - GO_HOUR);
    tell("passed", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_deadline_reaches_descendants)
{
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_context *child = go_context_with_cancel(ctx);
    go_context *value = go_context_with_value(child, &key_a, &key_b);
    go_recv_ok(go_context_done(value), NULL);
    tell("child", child);
    tell("value", value);
    END_ALL(ctx, child, value);
    return 0;
}

CASE(context_child_may_be_shorter)
{
    go_context *parent = go_context_with_timeout(NULL, GO_HOUR);
    go_context *child = go_context_with_timeout(parent, GO_MILLISECOND);
    go_recv_ok(go_context_done(child), NULL);
    tell("parent", parent);
    tell("child", child);
    END_ALL(parent, child);
    return 0;
}

CASE(context_child_cannot_be_longer)
{
    int64_t of_parent, of_child;
    go_context *parent = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_context *child = go_context_with_timeout(parent, GO_HOUR);
    go_context_deadline(parent, &of_parent);
    go_context_deadline(child, &of_child);
    printf("%d\n", of_parent == of_child);
    go_recv_ok(go_context_done(child), NULL);
    tell("child", child);
    END_ALL(parent, child);
    return 0;
}

CASE(context_timeout_cause)
{
    go_context *ctx = go_context_with_timeout_cause(NULL, GO_MILLISECOND, 1, "too slow");
    go_recv_ok(go_context_done(ctx), NULL);
    tell("after", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_timeout_cause_not_by_cancel)
{
    go_context *ctx = go_context_with_timeout_cause(NULL, GO_HOUR, 1, "too slow");
    go_context_cancel(ctx);
    tell("after", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_deadline_cause_passed)
{
    go_context *ctx = go_context_with_deadline_cause(NULL, go_now() - 1, 1, "past");
    tell("after", ctx);
    END_ALL(ctx);
    return 0;
}

CASE(context_timeout_cause_lost_to_earlier_parent)
{
    go_context *parent = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_context *child = go_context_with_timeout_cause(parent, GO_HOUR, 1, "child's");
    go_recv_ok(go_context_done(child), NULL);
    tell("child", child);
    END_ALL(parent, child);
    return 0;
}

static void wait_for_ever(go_context *ctx)
{
    go_recv_ok(go_context_done(ctx), NULL);
}

CASE(deadlock_context_done)
{
    go_context *ctx = go_context_with_cancel(NULL);
    wait_for_ever(ctx);
    return 0;
}

CASE(deadlock_context_done_of_background)
{
    wait_for_ever(go_context_background());
    return 0;
}

CASE(context_deadline_is_no_deadlock)
{
    go_context *ctx = go_context_with_timeout(NULL, 20 * GO_MILLISECOND);
    go_context *child = go_context_with_cancel(ctx);
    wait_for_ever(child);
    puts(go_context_err_text(child));
    END_ALL(ctx, child);
    return 0;
}

/* ---- values -------------------------------------------------------------------------------- */

static const char *value(go_context *ctx, const void *key)
{
    return or_nil(go_context_value(ctx, key));
}

CASE(context_values)
{
    go_context *a = go_context_with_value(NULL, &key_a, "one");
    go_context *b = go_context_with_value(a, &key_b, "two");
    go_context *c = go_context_with_value(b, &key_a, "three");
    printf("%s %s\n", value(a, &key_a), value(a, &key_b));
    printf("%s %s\n", value(b, &key_a), value(b, &key_b));
    printf("%s %s\n", value(c, &key_a), value(c, &key_b));
    END_ALL(a, b, c);
    return 0;
}

CASE(context_values_through_cancels)
{
    go_context *a = go_context_with_value(NULL, &key_a, "one");
    go_context *b = go_context_with_cancel(a), *c = go_context_with_timeout(b, GO_HOUR);
    go_context *d = go_context_without_cancel(c);
    printf("%s %s %s\n", value(b, &key_a), value(c, &key_a), value(d, &key_a));
    go_context_cancel(b);
    printf("%s\n", value(c, &key_a));
    END_ALL(a, b, c, d);
    return 0;
}

CASE(context_value_nil_hides)
{
    go_context *a = go_context_with_value(NULL, &key_a, "one");
    go_context *b = go_context_with_value(a, &key_a, NULL);
    printf("%s\n", value(b, &key_a));
    END_ALL(a, b);
    return 0;
}

static void with_nil_key(void)
{
    go_recoverable();
    go_defer(tell_recovered);
    go_context_with_value(NULL, NULL, "value");
}

CASE(context_value_nil_key)
{
    with_nil_key();
    return 0;
}

/* ---- without cancel ------------------------------------------------------------------------ */

CASE(context_without_cancel)
{
    go_context *parent = go_context_with_timeout_cause(NULL, GO_HOUR, 1, "slow");
    go_context *apart = go_context_without_cancel(parent);
    go_context *child = go_context_with_cancel(apart);
    go_context_cancel(parent);
    tell("apart", apart);
    tell("child", child);
    printf("%d\n", go_context_done(apart) == NULL);
    go_context_cancel(child);
    tell("child", child);
    tell("apart", apart);
    END_ALL(parent, apart, child);
    return 0;
}

CASE(context_without_cancel_of_cancelled)
{
    go_context *parent = go_context_with_cancel_cause(NULL);
    go_context_cancel_cause(parent, 1, "gone");
    go_context *apart = go_context_without_cancel(parent);
    tell("apart", apart);
    END_ALL(parent, apart);
    return 0;
}

CASE(context_deadline_below_without_cancel)
{
    go_context *parent = go_context_with_timeout(NULL, GO_HOUR);
    go_context *apart = go_context_without_cancel(parent);
    go_context *child = go_context_with_timeout(apart, 2 * GO_HOUR);
    int64_t of_parent, of_child;
    go_context_deadline(parent, &of_parent);
    go_context_deadline(child, &of_child);
    printf("%d\n", of_child > of_parent);
    END_ALL(parent, apart, child);
    return 0;
}

/* ---- after_func ---------------------------------------------------------------------------- */

CASE(context_after_func)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_after *after = go_context_after_func(ctx, say, "called");
    yields();
    puts("cancel");
    go_context_cancel(ctx);
    puts("in a goroutine of its own");
    yields();
    printf("%d\n", go_context_after_stop(after));
    go_context_after_free(after);
    END_ALL(ctx);
    return 0;
}

CASE(context_after_func_stopped)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_after *after = go_context_after_func(ctx, say, "called");
    printf("%d", go_context_after_stop(after));
    printf(" %d\n", go_context_after_stop(after));
    go_context_cancel(ctx);
    yields();
    go_context_after_free(after);
    END_ALL(ctx);
    return 0;
}

CASE(context_after_func_of_cancelled)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    go_context_after *after = go_context_after_func(ctx, say, "called");
    printf("%d\n", go_context_after_stop(after));
    yields();
    go_context_after_free(after);
    END_ALL(ctx);
    return 0;
}

CASE(context_after_func_of_background)
{
    go_context_after *after = go_context_after_func(go_context_background(), say, "called");
    printf("%d", go_context_after_stop(after));
    printf(" %d\n", go_context_after_stop(after));
    go_context_after_free(after);
    return 0;
}

CASE(context_after_func_by_deadline)
{
    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_context *value = go_context_with_value(ctx, &key_a, &key_b);
    go_context_after_free(go_context_after_func(value, go_signal, done));
    go_recv(done);
    tell("after", value);
    END_ALL(ctx, value);
    return 0;
}

CASE(context_after_funcs_are_apart)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_after *one = go_context_after_func(ctx, say, "one");
    go_context_after *two = go_context_after_func(ctx, say, "two");
    printf("%d\n", go_context_after_stop(one));
    go_context_cancel(ctx);
    yields();
    printf("%d\n", go_context_after_stop(two));
    go_context_after_free(one);
    go_context_after_free(two);
    END_ALL(ctx);
    return 0;
}

/* ---- x/sync -------------------------------------------------------------------------------- */

static int wait_done(go_context *ctx)
{
    go_recv_ok(go_context_done(ctx), NULL);
    printf("told: %s\n", go_context_err_text(ctx));
    return 9;
}

static int returns(int code)
{
    return code;
}

CASE(errgroup_with_context_error)
{
    go_errgroup group;
    go_context *ctx = go_errgroup_with_context(&group, NULL);
    go_errgroup_go(&group, wait_done, ctx);
    go_errgroup_go(&group, returns, 7);
    printf("%d\n", go_errgroup_wait(&group));
    printf("%s, %d\n", go_context_err_text(ctx), go_context_cause(ctx));
    END_ALL(ctx);
    return 0;
}

CASE(errgroup_with_context_success)
{
    go_errgroup group;
    go_context *ctx = go_errgroup_with_context(&group, NULL);
    go_errgroup_go(&group, returns, 0);
    yields();
    printf("%s\n", or_nil(go_context_err_text(ctx)));
    printf("%d\n", go_errgroup_wait(&group));
    printf("%s, %s\n", go_context_err_text(ctx), go_context_cause_text(ctx));
    END_ALL(ctx);
    return 0;
}

CASE(errgroup_with_context_of_cancelled)
{
    go_errgroup group;
    go_context *parent = go_context_with_cancel_cause(NULL);
    go_context *ctx = go_errgroup_with_context(&group, parent);
    go_errgroup_go(&group, wait_done, ctx);
    go_context_cancel_cause(parent, 1, "parent");
    printf("%d\n", go_errgroup_wait(&group));
    printf("%s, %s\n", go_context_err_text(ctx), go_context_cause_text(ctx));
    END_ALL(ctx, parent);
    return 0;
}

CASE(semaphore_acquire_with_context)
{
    go_semaphore s = GO_SEMAPHORE(1);
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    printf("%d", go_semaphore_acquire_ctx(ctx, &s, 1) == 0);
    printf(" %d", go_semaphore_acquire_ctx(ctx, &s, 1) == 0);
    go_semaphore_release(&s, 1);
    printf(" %d", go_semaphore_acquire_ctx(ctx, &s, 1) == 0);
    printf(" %d\n", go_semaphore_try_acquire(&s, 1));
    END_ALL(ctx);
    return 0;
}

static void acquire_with(go_context *ctx, go_semaphore *s, int64_t n, go_waitgroup *wg)
{
    printf("%d ", go_semaphore_acquire_ctx(ctx, s, n) == 0);
    go_waitgroup_done(wg);
}

CASE(semaphore_cancelled_at_the_front_of_a_full_one)
{
    go_semaphore s = GO_SEMAPHORE(1);
    go_waitgroup first = { 0 }, second = { 0 };
    go_context *ctx = go_context_with_cancel(NULL);
    go_semaphore_acquire(&s, 1);
    go_waitgroup_add(&first, 1);
    go_waitgroup_add(&second, 1);
    go(acquire_with, ctx, &s, 1, &first);
    go_gosched();
    go(acquire_with, NULL, &s, 0, &second);
    go_gosched();
    go_context_cancel(ctx);
    go_waitgroup_wait(&first);
    printf("%d ", go_semaphore_try_acquire(&s, 0));
    go_semaphore_release(&s, 1);
    go_waitgroup_wait(&second);
    puts("");
    END_ALL(ctx);
    return 0;
}

CASE(semaphore_beyond_size_with_context)
{
    go_semaphore s = GO_SEMAPHORE(1);
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    printf("%d\n", go_semaphore_acquire_ctx(ctx, &s, 2) == 0 ? 0 : errno == ETIMEDOUT);
    END_ALL(ctx);
    return 0;
}

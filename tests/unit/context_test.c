/* Contexts: Go's rules for cancellation, deadlines, values, causes and after_func; the references
 * of C; the blocking calls that a context cuts short. One processor: the orders are known. */
#include "unit.h"

#include <stdatomic.h>

static int key_a, key_b;
static _Atomic int events;

static void yields(void)
{
    for (int i = 0; i < 10; i++)
        go_gosched();
}

static void check_open(go_context *ctx)
{
    CHECK(go_context_err(ctx), 0);
    CHECK(go_context_err_text(ctx) == NULL, 1);
    CHECK(go_context_cause(ctx), 0);
    CHECK(go_context_cause_text(ctx) == NULL, 1);
    CHECK(go_select(go_case_done(ctx), go_case_default), 1);
}

static void check_cancelled(go_context *ctx, int error)
{
    CHECK(go_context_err(ctx), error);
    CHECK_TEXT(go_context_err_text(ctx),
               error == ETIMEDOUT ? "context deadline exceeded" : "context canceled");
    CHECK(go_select(go_case_done(ctx), go_case_default), 0);
    CHECK(go_recv_ok(go_context_done(ctx), NULL), 0);
    CHECK(go_context_wait(ctx), error);
}

static void check_cause(go_context *ctx, int code, const char *text)
{
    CHECK(go_context_cause(ctx), code);
    CHECK_TEXT(go_context_cause_text(ctx), text);
}

static void background_is_never_cancelled(void)
{
    go_context *all[] = { NULL, go_context_background(), go_context_todo() };
    for (int i = 0; i < 3; i++) {
        check_open(all[i]);
        CHECK(go_context_done(all[i]) == NULL, 1);
        CHECK(go_context_deadline(all[i], NULL), 0);
        CHECK(go_context_value(all[i], &key_a) == NULL, 1);
        CHECK(go_context_ref(all[i]) == all[i], 1);
        go_context_unref(all[i]);
        go_context_unref(all[i]);
    }
    go_context_cancel(NULL);
    go_context_cancel_cause(NULL, 1, "x");
    go_context_end(NULL);
}

static void cancel_reaches_all_below(void)
{
    go_context *root = go_context_with_cancel(NULL), *value, *child, *grandchild, *apart;
    value = go_context_with_value(root, &key_a, &events);
    child = go_context_with_timeout(value, GO_HOUR);
    grandchild = go_context_with_cancel(child);
    apart = go_context_without_cancel(grandchild);
    go_context *below_apart = go_context_with_cancel(apart);
    go_chan(go_unit) done = go_context_done(grandchild);
    CHECK(done == go_context_done(grandchild), 1);
    CHECK(go_context_done(value) == go_context_done(root), 1);
    check_open(root);
    check_open(grandchild);
    go_context_cancel(root);
    check_cancelled(root, ECANCELED);
    check_cancelled(value, ECANCELED);
    check_cancelled(child, ECANCELED);
    check_cancelled(grandchild, ECANCELED);
    check_open(apart);
    check_open(below_apart);
    CHECK(go_context_done(apart) == NULL, 1);
    CHECK(go_context_value(below_apart, &key_a) == &events, 1);
    go_context *late = go_context_with_cancel(grandchild);
    check_cancelled(late, ECANCELED);
    go_context_cancel(root); /* again: nothing */
    go_context_cancel(below_apart);
    check_cancelled(below_apart, ECANCELED);
    go_context *all[] = { root, value, child, grandchild, apart, below_apart, late };
    for (int i = 0; i < 7; i++)
        go_context_unref(all[i]);
}

static void cancelling_a_child_leaves_the_parent(void)
{
    go_context *parent = go_context_with_cancel(NULL);
    go_context *child = go_context_with_cancel(parent);
    go_context *other = go_context_with_cancel(parent);
    go_context_end(go_context_ref(child));
    check_cancelled(child, ECANCELED);
    check_open(parent);
    check_open(other);
    go_context_end(parent);
    check_cancelled(other, ECANCELED);
    go_context_unref(child);
    go_context_unref(other);
}

/* A parent is cancelled with effect as long as somebody holds it, also after its maker let go. */
static void children_keep_their_parent(void)
{
    go_context *parent = go_context_with_cancel(NULL);
    go_context *value = go_context_with_value(parent, &key_a, &key_b);
    go_context *child = go_context_with_cancel(value);
    go_context_ref(parent);
    go_context_unref(value);
    go_context_unref(parent);
    CHECK(go_context_value(child, &key_a) == &key_b, 1);
    go_context_end(parent);
    check_cancelled(child, ECANCELED);
    go_context_unref(child);
}

static void values_are_the_nearest(void)
{
    int one, two, three;
    go_context *a = go_context_with_value(NULL, &key_a, &one);
    go_context *b = go_context_with_cancel(a);
    go_context *c = go_context_with_value(b, &key_b, &two);
    go_context *d = go_context_with_value(c, &key_a, &three);
    go_context *e = go_context_with_value(d, &key_b, NULL);
    CHECK(go_context_value(a, &key_a) == &one, 1);
    CHECK(go_context_value(a, &key_b) == NULL, 1);
    CHECK(go_context_value(c, &key_a) == &one, 1);
    CHECK(go_context_value(c, &key_b) == &two, 1);
    CHECK(go_context_value(d, &key_a) == &three, 1);
    CHECK(go_context_value(e, &key_b) == NULL, 1);
    char text[100], cut[12];
    CHECK_TEXT(go_context_string(d, text, sizeof text),
               "context.Background.WithValue.WithCancel.WithValue.WithValue");
    CHECK_TEXT(go_context_string(d, cut, sizeof cut), "context.Bac");
    CHECK_TEXT(go_context_string(go_context_todo(), text, sizeof text), "context.TODO");
    go_context *all[] = { a, b, c, d, e };
    for (int i = 0; i < 5; i++)
        go_context_unref(all[i]);
}

static void the_first_cause_counts(void)
{
    go_context *parent = go_context_with_cancel_cause(NULL);
    go_context *child = go_context_with_cancel_cause(parent);
    go_context *grandchild = go_context_with_cancel(child);
    go_context_cancel_cause(child, 7, "child %d", 1);
    check_open(parent);
    check_cause(child, 7, "child 1");
    check_cause(grandchild, 7, "child 1");
    go_context_cancel_cause(parent, 8, "parent");
    go_context_cancel_cause(parent, 9, "too late");
    go_context_cancel_cause(child, 9, "too late");
    check_cause(parent, 8, "parent");
    check_cause(child, 7, "child 1");
    check_cancelled(grandchild, ECANCELED);
    go_context *late = go_context_with_cancel(parent);
    go_context_unref(parent);
    check_cause(late, 8, "parent");
    go_context_unref(late);
    go_context_unref(child);
    check_cause(grandchild, 7, "child 1"); /* its parent's text lives on */
    go_context *apart = go_context_without_cancel(grandchild);
    CHECK(go_context_cause(apart), 0);
    go_context_unref(apart);
    go_context_unref(grandchild);
}

static void cause_without_words_is_the_error(void)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    check_cause(ctx, ECANCELED, "context canceled");
    go_context_unref(ctx);
    ctx = go_context_with_cancel(NULL);
    go_context_cancel_cause(ctx, 5, NULL);
    check_cause(ctx, 5, "context canceled");
    go_context_unref(ctx);
    ctx = go_context_with_cancel(NULL);
    go_context_cancel_cause(ctx, 0, "words");
    check_cause(ctx, ECANCELED, "words");
    go_context_unref(ctx);
    ctx = go_context_with_timeout(NULL, -1);
    check_cause(ctx, ETIMEDOUT, "context deadline exceeded");
    go_context_unref(ctx);
}

static void deadlines_expire(void)
{
    int64_t when = go_now() + GO_MILLISECOND, told;
    go_context *ctx = go_context_with_deadline(NULL, when);
    CHECK(go_context_deadline(ctx, &told), 1);
    CHECK(told, when);
    CHECK(go_context_deadline(ctx, NULL), 1);
    go_context *child = go_context_with_cancel(ctx);
    CHECK(go_context_wait(child), ETIMEDOUT);
    check_cancelled(ctx, ETIMEDOUT);
    check_cancelled(child, ETIMEDOUT);
    CHECK(go_now() >= when, 1);
    go_context_cancel(ctx);
    check_cancelled(ctx, ETIMEDOUT);
    go_context_unref(child);
    go_context_unref(ctx);
    ctx = go_context_with_timeout_cause(NULL, GO_MICROSECOND, 3, "slow %s", "disk");
    go_recv_ok(go_context_done(ctx), NULL);
    check_cancelled(ctx, ETIMEDOUT);
    check_cause(ctx, 3, "slow disk");
    go_context_unref(ctx);
    ctx = go_context_with_timeout_cause(NULL, GO_HOUR, 3, "slow");
    go_context_cancel(ctx);
    check_cause(ctx, ECANCELED, "context canceled");
    go_context_unref(ctx);
}

static void a_passed_deadline_cancels_at_once(void)
{
    go_context *ctx = go_context_with_deadline_cause(NULL, go_now(), 4, "past");
    check_cancelled(ctx, ETIMEDOUT);
    check_cause(ctx, 4, "past");
    go_context *child = go_context_with_timeout(ctx, GO_HOUR);
    check_cancelled(child, ETIMEDOUT);
    check_cause(child, 4, "past");
    go_context_end(child);
    go_context_end(ctx);
    ctx = go_context_with_deadline(NULL, INT64_MIN);
    check_cancelled(ctx, ETIMEDOUT);
    go_context_unref(ctx);
    ctx = go_context_with_timeout(NULL, INT64_MAX);
    check_open(ctx);
    go_context_unref(ctx);
}

static void the_earlier_deadline_stays(void)
{
    int64_t now = go_now(), when;
    go_context *parent = go_context_with_deadline(NULL, now + GO_HOUR);
    go_context *later = go_context_with_deadline_cause(parent, now + 2 * GO_HOUR, 1, "lost");
    go_context *sooner = go_context_with_deadline(parent, now + GO_MINUTE);
    go_context *value = go_context_with_value(sooner, &key_a, NULL);
    go_context *apart = go_context_without_cancel(sooner);
    CHECK(go_context_deadline(later, &when), 1);
    CHECK(when, now + GO_HOUR);
    CHECK(go_context_deadline(sooner, &when), 1);
    CHECK(when, now + GO_MINUTE);
    CHECK(go_context_deadline(value, &when), 1);
    CHECK(when, now + GO_MINUTE);
    CHECK(go_context_deadline(apart, &when), 0);
    go_context *all[] = { parent, later, sooner, value, apart };
    for (int i = 0; i < 5; i++)
        go_context_unref(all[i]);
}

static void count(void *by)
{
    events += *(int *)by;
}

static void after_func_runs_once_cancelled(void)
{
    int one = 1, ten = 10;
    events = 0;
    go_context *ctx = go_context_with_cancel(NULL);
    go_context *value = go_context_with_value(ctx, &key_a, NULL);
    go_context_after *first = go_context_after_func(ctx, count, &one);
    go_context_after *second = go_context_after_func(value, count, &ten);
    go_context_after *third = go_context_after_func(ctx, count, &ten);
    go_context_after_free(go_context_after_func(ctx, count, &one)); /* runs all the same */
    yields();
    CHECK(events, 0);
    CHECK(go_context_after_stop(third), 1);
    CHECK(go_context_after_stop(third), 0);
    go_context_cancel(ctx);
    CHECK(events, 0); /* in goroutines of their own */
    yields();
    CHECK(events, 12);
    CHECK(go_context_after_stop(first), 0);
    go_context_after *late = go_context_after_func(ctx, count, &one);
    CHECK(go_context_after_stop(late), 0);
    yields();
    CHECK(events, 13);
    go_context_after_free(first);
    go_context_after_free(second);
    go_context_after_free(third);
    go_context_after_free(late);
    go_context_after_free(NULL);
    go_context_unref(value);
    go_context_unref(ctx);
    go_context_after *never = go_context_after_func(NULL, count, &one);
    CHECK(go_context_after_stop(never), 1);
    CHECK(go_context_after_stop(never), 0);
    go_context_after_free(never);
}

/* The call keeps its context, also where everybody else let go of it. */
static void after_func_keeps_its_context(void)
{
    int one = 1;
    events = 0;
    go_context *parent = go_context_with_cancel(NULL);
    go_context *child = go_context_with_cancel(parent);
    go_context_after_free(go_context_after_func(child, count, &one));
    go_context_unref(child);
    go_context_end(parent);
    yields();
    CHECK(events, 1);
}

static void a_chain_of_many_is_cancelled_and_freed(void)
{
    enum { DEPTH = 100000 };
    go_context *root = go_context_with_cancel(NULL), *last = go_context_ref(root);
    for (int i = 0; i < DEPTH; i++) {
        go_context *next = go_context_with_cancel(last);
        go_context_unref(last);
        last = next;
    }
    go_context_cancel(root);
    CHECK(go_context_err(last), ECANCELED);
    go_context_unref(root);
    go_context_unref(last);
}

/* ---- blocking calls ------------------------------------------------------------------------ */

static go_mutex mutex;
static go_rwmutex rw;
static go_semaphore semaphore = GO_SEMAPHORE(1);
static go_waitgroup group, ended;
static go_cond cond = { .locker = GO_LOCKER_MUTEX(&mutex) };
static go_chan(int) empty, full, none;

static int sleep_long(go_context *ctx)
{
    return go_sleep_ctx(ctx, GO_HOUR);
}

static int lock(go_context *ctx)
{
    return go_mutex_lock_ctx(ctx, &mutex);
}

static int lock_rw(go_context *ctx)
{
    return go_rwmutex_lock_ctx(ctx, &rw);
}

static int rlock_rw(go_context *ctx)
{
    return go_rwmutex_rlock_ctx(ctx, &rw);
}

static int acquire(go_context *ctx)
{
    return go_semaphore_acquire_ctx(ctx, &semaphore, 1);
}

static int wait_group(go_context *ctx)
{
    return go_waitgroup_wait_ctx(ctx, &group);
}

static int send_full(go_context *ctx)
{
    return go_send_ctx(ctx, full, 1);
}

static int recv_empty(go_context *ctx)
{
    int value;
    return go_recv_ctx(ctx, empty, &value);
}

static int send_none(go_context *ctx)
{
    return go_send_ctx(ctx, none, 1);
}

static int recv_none(go_context *ctx)
{
    return go_recv_ctx(ctx, none, NULL);
}

static int lookup(void *arg, void **value)
{
    (void)arg;
    *value = NULL;
    return (int)go_recv(empty);
}

static int do_shared(go_context *ctx)
{
    static go_singleflight flights;
    return go_singleflight_do_ctx(ctx, &flights, "key", lookup, NULL, NULL, NULL);
}

static int (*const blocking[])(go_context *) = { sleep_long, lock,       lock_rw,   rlock_rw,
                                                 acquire,    wait_group, send_full, recv_empty,
                                                 send_none,  recv_none,  do_shared };
enum { BLOCKING = sizeof blocking / sizeof *blocking };

static void expect_error(int (*wait)(go_context *), go_context *ctx, int error)
{
    errno = 0;
    CHECK(wait(ctx), -1);
    CHECK(errno, error);
    events++;
}

static void every_blocking_call_is_cut_short(void)
{
    empty = go_chan_make(int, 0);
    full = go_chan_make(int, 0);
    go_mutex_lock(&mutex);
    go_rwmutex_lock(&rw);
    go_semaphore_acquire(&semaphore, 1);
    go_waitgroup_add(&group, 1);
    events = 0;
    go_context *ctx = go_context_with_cancel(NULL);
    go_context *below = go_context_with_value(ctx, &key_a, NULL);
    for (int i = 0; i < BLOCKING; i++)
        go_waitgroup_go(&ended, expect_error, blocking[i], below, ECANCELED);
    yields();
    CHECK(events, 0);
    go_context_cancel(ctx);
    go_waitgroup_wait(&ended);
    CHECK(events, BLOCKING);
    for (int i = 0; i < BLOCKING; i++)
        expect_error(blocking[i], below, ECANCELED);
    go_context_unref(below);
    go_context_unref(ctx);
    events = 0;
    ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    for (int i = 0; i < BLOCKING; i++)
        go_waitgroup_go(&ended, expect_error, blocking[i], ctx, ETIMEDOUT);
    go_waitgroup_wait(&ended);
    CHECK(events, BLOCKING);
    go_context_unref(ctx);
    CHECK(go_len(empty), 0);
    go_send(empty, 0); /* the flight lands */
    yields();
    go_mutex_unlock(&mutex);
    go_rwmutex_unlock(&rw);
    go_semaphore_release(&semaphore, 1);
    go_waitgroup_done(&group);
    CHECK(go_try_send(full, 1), GO_WOULD_BLOCK); /* nobody is left in a queue */
    CHECK(go_try_recv(full, NULL), GO_WOULD_BLOCK);
    CHECK(go_try_send(empty, 1), GO_WOULD_BLOCK);
    go_chan_unref(empty);
    go_chan_unref(full);
}

static void wait_for_signal(go_context *ctx, int error)
{
    go_mutex_lock(&mutex);
    errno = 0;
    CHECK(go_cond_wait_ctx(ctx, &cond), error ? -1 : 0);
    CHECK(errno, error);
    CHECK(go_mutex_trylock(&mutex), 0);
    go_mutex_unlock(&mutex);
    events++;
}

static void a_condition_gives_the_lock_back(void)
{
    events = 0;
    go_context *first = go_context_with_cancel(NULL), *second = go_context_with_cancel(NULL);
    go_waitgroup_go(&ended, wait_for_signal, first, ECANCELED);
    go_gosched();
    go_waitgroup_go(&ended, wait_for_signal, second, 0);
    go_gosched();
    go_context_cancel(first);
    go_cond_signal(&cond);
    go_waitgroup_wait(&ended);
    CHECK(events, 2);
    go_context_unref(first);
    go_context_unref(second);
}

static void send_values(go_context *ctx, go_chan(int) c)
{
    for (int i = 0; i < 3; i++)
        CHECK(go_send_ctx(ctx, c, i), 0);
    go_close(c);
}

static void calls_that_are_not_cancelled_do_their_work(void)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context *contexts[] = { ctx, NULL };
    for (int i = 0; i < 2; i++) {
        go_chan(int) c = go_chan_make(int, i);
        int value = -1;
        go_waitgroup_go(&ended, send_values, contexts[i], c);
        for (int j = 0; j < 3; j++) {
            CHECK(go_recv_ctx(contexts[i], c, &value), 1);
            CHECK(value, j);
        }
        CHECK(go_recv_ctx(contexts[i], c, &value), 0);
        CHECK(value, 0);
        go_waitgroup_wait(&ended);
        go_chan_unref(c);
        CHECK(go_sleep_ctx(contexts[i], GO_MICROSECOND), 0);
        CHECK(go_sleep_ctx(contexts[i], 0), 0);
        CHECK(lock(contexts[i]), 0);
        CHECK(lock_rw(contexts[i]), 0);
        go_rwmutex_unlock(&rw);
        CHECK(rlock_rw(contexts[i]), 0);
        go_rwmutex_runlock(&rw);
        go_mutex_unlock(&mutex);
        CHECK(acquire(contexts[i]), 0);
        go_semaphore_release(&semaphore, 1);
        CHECK(wait_group(contexts[i]), 0);
    }
    go_context_unref(ctx);
}

static int recv_from(go_context *ctx, go_chan(int) c)
{
    return go_recv_ctx(ctx, c, NULL) < 0 ? errno : 0;
}

static void recv_and_drop(go_context *ctx, go_chan(int) c)
{
    CHECK(recv_from(ctx, c), 0);
    go_chan_unref(c); /* the last */
    events++;
}

static void a_receiver_that_was_served_may_free_the_channel(void)
{
    events = 0;
    go_context *ctx = go_context_with_cancel(NULL);
    go_chan(int) c = go_chan_make(int, 0);
    go_waitgroup_go(&ended, recv_and_drop, ctx, c);
    go_gosched();
    go_send(c, 1);
    go_waitgroup_wait(&ended);
    CHECK(events, 1);
    go_context_unref(ctx);
}

static void select_sees_the_end(void)
{
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_chan(int) c = go_chan_make(int, 0);
    CHECK(go_select(go_case_recv(c, NULL), go_case_send(none, 1), go_case_done(ctx),
                    go_case_after(GO_HOUR)),
          2);
    CHECK(go_context_err(ctx), ETIMEDOUT);
    CHECK(go_select(go_case_done(NULL), go_case_as(7, go_case_done(ctx))), 7);
    go_chan_unref(c);
    go_context_unref(ctx);
}

/* ---- groups -------------------------------------------------------------------------------- */

static int fail_with(int result, int error)
{
    errno = error;
    return result;
}

static int wait_done(go_context *ctx)
{
    go_recv_ok(go_context_done(ctx), NULL);
    return fail_with(99, 0);
}

static void errgroup_cancels_its_context(void)
{
    go_errgroup workers;
    go_context *ctx = go_errgroup_with_context(&workers, NULL);
    go_errgroup_go(&workers, wait_done, ctx);
    go_errgroup_go(&workers, fail_with, -1, EPIPE);
    CHECK(go_errgroup_wait(&workers), -1);
    CHECK(errno, EPIPE);
    check_cancelled(ctx, ECANCELED);
    check_cause(ctx, EPIPE, "Broken pipe");
    go_context_unref(ctx);
    ctx = go_errgroup_with_context(&workers, NULL);
    go_errgroup_go(&workers, fail_with, 12, EPIPE);
    CHECK(go_errgroup_wait(&workers), 12);
    check_cause(ctx, 12, "error 12");
    go_context_unref(ctx);
    ctx = go_errgroup_with_context(&workers, NULL);
    go_errgroup_go(&workers, fail_with, 0, 0);
    check_open(ctx);
    CHECK(go_errgroup_wait(&workers), 0);
    check_cause(ctx, ECANCELED, "context canceled");
    go_context_unref(ctx);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_gomaxprocs(1);
    background_is_never_cancelled();
    cancel_reaches_all_below();
    cancelling_a_child_leaves_the_parent();
    children_keep_their_parent();
    values_are_the_nearest();
    the_first_cause_counts();
    cause_without_words_is_the_error();
    deadlines_expire();
    a_passed_deadline_cancels_at_once();
    the_earlier_deadline_stays();
    after_func_runs_once_cancelled();
    after_func_keeps_its_context();
    a_chain_of_many_is_cancelled_and_freed();
    every_blocking_call_is_cut_short();
    a_condition_gives_the_lock_back();
    calls_that_are_not_cancelled_do_their_work();
    a_receiver_that_was_served_may_free_the_channel();
    select_sees_the_end();
    errgroup_cancels_its_context();
    return 0;
}

/* go_signal_notify_context: what cancels it and with what words, when the signals do again what
 * they did before, what references keep it, what go_shutdown makes of it. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void (*handler_of(int number))(int)
{
    struct sigaction now;
    sigaction(number, NULL, &now);
    return now.sa_handler;
}

static void send_self(int number)
{
    CHECK(kill(getpid(), number), 0);
}

static void a_signal_cancels_with_its_name(void)
{
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1, SIGUSR2);
    CHECK(go_context_err(ctx), 0);
    send_self(SIGUSR2);
    CHECK(go_context_wait(ctx), ECANCELED);
    CHECK(go_context_cause(ctx), ECANCELED);
    CHECK_TEXT(go_context_err_text(ctx), "context canceled");
    CHECK_TEXT(go_context_cause_text(ctx), "user defined signal 2 signal received");
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 0); /* caught until the program cancels it */
    raise(SIGUSR1); /* taken by the time it returns: kill's may come after the end */
    go_context_cancel(ctx);
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
    CHECK(handler_of(SIGUSR2) == SIG_DFL, 1);
    CHECK_TEXT(go_context_cause_text(ctx), "user defined signal 2 signal received");
    go_context_end(ctx);
}

static void cancelling_stops_before_a_signal_came(void)
{
    go_context *ctx = go_signal_notify_context(go_context_background(), SIGUSR1);
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 0);
    go_context_cancel_cause(ctx, 7, "enough");
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
    CHECK(go_context_cause(ctx), 7);
    CHECK_TEXT(go_context_cause_text(ctx), "enough");
    go_context_cancel(ctx); /* twice: nothing happens */
    go_context_unref(ctx);
}

static void a_parent_cancels_it_and_its_signals_stay_caught(void)
{
    go_context *parent = go_context_with_cancel(NULL);
    go_context *ctx = go_signal_notify_context(parent, SIGUSR1);
    go_context_end(parent);
    CHECK(go_context_err(ctx), ECANCELED);
    CHECK_TEXT(go_context_cause_text(ctx), "context canceled");
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 0);
    go_context_end(ctx);
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
}

static void children_are_cancelled_with_the_cause(void)
{
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
    go_context *child = go_context_with_timeout(ctx, GO_HOUR);
    send_self(SIGUSR1);
    CHECK(go_context_wait(child), ECANCELED);
    CHECK_TEXT(go_context_cause_text(child), "user defined signal 1 signal received");
    go_context_end(ctx);
    go_context_end(child);
}

/* The registration's reference keeps it, as the goroutine of Go's does. */
static void forgotten_it_still_is_cancelled(void)
{
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
    go_context *child = go_context_with_cancel(ctx);
    go_context_unref(ctx);
    send_self(SIGUSR1);
    CHECK(go_context_wait(child), ECANCELED);
    go_context_end(child);
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 0);
    go_signal_reset(SIGUSR1);
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
}

static void a_channel_gets_the_signal_too(void)
{
    go_chan(int) c = go_chan_make(int, 1);
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
    go_context *other = go_signal_notify_context(NULL, SIGUSR1, SIGUSR2);
    CHECK(go_signal_notify(c, SIGUSR1), 0);
    send_self(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    CHECK(go_context_wait(ctx), ECANCELED);
    CHECK(go_context_wait(other), ECANCELED);
    go_context_end(ctx);
    go_signal_stop(NULL); /* nobody's */
    go_signal_stop(c);
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 0); /* it is the other's still */
    go_context_end(other);
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
    go_chan_unref(c);
}

static void after_reset_no_signal_cancels_it(void)
{
    go_chan(int) c = go_chan_make(int, 1);
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
    go_signal_reset(SIGUSR1);
    CHECK(go_signal_notify(c, SIGUSR1), 0);
    send_self(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    CHECK(go_context_err(ctx), 0);
    go_signal_stop(c);
    go_context_end(ctx);
    go_chan_unref(c);
}

/* Cancelling passes on what was caught before: the signal is taken by the time raise returns. */
static void the_first_of_signal_and_cancel_counts(void)
{
    for (int i = 0; i < 200; i++) {
        go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
        raise(SIGUSR1);
        go_context_cancel(ctx);
        const char *cause = go_context_cause_text(ctx);
        if (strcmp(cause, "context canceled") != 0)
            CHECK_TEXT(cause, "user defined signal 1 signal received");
        go_context_unref(ctx);
    }
}

static void strings(void)
{
    char text[100], cut[10];
    go_context *ctx = go_signal_notify_context(NULL, SIGINT, SIGTERM);
    go_context *child = go_context_with_cancel(ctx);
    go_context *inner = go_signal_notify_context(child);
    CHECK_TEXT(go_context_string(inner, text, sizeof text),
               "signal.NotifyContext(signal.NotifyContext(context.Background, "
               "[interrupt terminated]).WithCancel)");
    CHECK_TEXT(go_context_string(ctx, cut, sizeof cut), "signal.No");
    go_context_end(inner);
    go_context_end(child);
    go_context_end(ctx);
}

static void (*const behaviours[])(void) = {
    a_signal_cancels_with_its_name,
    cancelling_stops_before_a_signal_came,
    a_parent_cancels_it_and_its_signals_stay_caught,
    children_are_cancelled_with_the_cause,
    forgotten_it_still_is_cancelled,
    a_channel_gets_the_signal_too,
    after_reset_no_signal_cancels_it,
    the_first_of_signal_and_cancel_counts,
    strings,
};

static int run_all(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++)
        behaviours[i]();
    return 0;
}

static void add_one(void *count)
{
    __atomic_fetch_add((int *)count, 1, __ATOMIC_RELAXED);
}

/* The call that a signal starts while go_shutdown tries to end the runtime: it runs, or the context
 * is left as it is; go_shutdown returns in either case. */
static void shutdown_meets_a_signal(void)
{
    for (int i = 0; i < 200; i++) {
        int calls = 0;
        go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
        go_context_after *after = go_context_after_func(ctx, add_one, &calls);
        raise(SIGUSR1);
        CHECK(go_shutdown(-1), 0);
        CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
        int stopped = go_context_after_stop(after);
        CHECK(stopped, go_context_err(ctx) == 0);
        CHECK(__atomic_load_n(&calls, __ATOMIC_RELAXED), !stopped);
        go_context_after_free(after);
        go_context_end(ctx);
    }
}

static void in_a_plain_thread(void)
{
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
    send_self(SIGUSR1);
    CHECK(go_context_wait(ctx), ECANCELED);
    CHECK(go_shutdown(-1), 0); /* stops it too */
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
    go_context_end(ctx);
}

int main(void)
{
    CHECK(go_run(run_all, 0, NULL), 0);
    in_a_plain_thread();
    shutdown_meets_a_signal();
    return 0;
}

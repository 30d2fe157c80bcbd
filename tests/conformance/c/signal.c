/* Signals: which channels get them, what becomes of them where nobody asks for them any more. */
#include "case.h"

#include <signal.h>
#include <spawn.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static go_chan(int) c, d;

static void make_channels(void)
{
    c = go_chan_make(int, 4);
    d = go_chan_make(int, 4);
}

static void send_self(int number)
{
    kill(getpid(), number);
}

static void print_signal(const char *who, int number)
{
    char text[40];
    printf("%s: %s\n", who, go_signal_string(number, text, sizeof text));
}

/* d gets the signal too: once it has, c has had its chance. */
static void send_with_witness(int number)
{
    send_self(number);
    print_signal("witness", go_recv(d));
}

CASE(signal_notify_delivers)
{
    make_channels();
    go_signal_notify(c, SIGUSR1);
    send_self(SIGUSR1);
    print_signal("c", go_recv(c));
    return 0;
}

CASE(signal_notify_without_signals_means_all)
{
    make_channels();
    go_signal_notify(c);
    send_self(SIGTERM);
    int number;
    while ((number = go_recv(c)) != SIGTERM)
        ;
    print_signal("c", number);
    return 0;
}

CASE(signal_every_channel_gets_it)
{
    make_channels();
    go_signal_notify(c, SIGUSR1);
    go_signal_notify(d, SIGUSR1, SIGUSR2);
    send_self(SIGUSR1);
    print_signal("c", go_recv(c));
    print_signal("d", go_recv(d));
    send_self(SIGUSR2);
    print_signal("d", go_recv(d));
    printf("%zu\n", go_len(c));
    return 0;
}

CASE(signal_notify_again_adds)
{
    make_channels();
    go_signal_notify(c, SIGUSR1);
    go_signal_notify(c, SIGUSR2);
    send_self(SIGUSR1);
    print_signal("c", go_recv(c));
    send_self(SIGUSR2);
    print_signal("c", go_recv(c));
    return 0;
}

CASE(signal_notify_twice_delivers_once)
{
    make_channels();
    go_signal_notify(c, SIGUSR1);
    go_signal_notify(c, SIGUSR1);
    go_signal_notify(d, SIGUSR1);
    send_with_witness(SIGUSR1);
    printf("%d", go_recv(c) == SIGUSR1);
    printf(" %zu\n", go_len(c));
    return 0;
}

CASE(signal_full_channel_loses_it)
{
    make_channels();
    go_chan(int) small = go_chan_make(int, 1);
    go_signal_notify(small, SIGUSR1, SIGUSR2);
    go_signal_notify(d, SIGUSR1, SIGUSR2);
    send_with_witness(SIGUSR1);
    send_with_witness(SIGUSR2);
    print_signal("small", go_recv(small));
    send_with_witness(SIGUSR2);
    print_signal("small", go_recv(small));
    return 0;
}

CASE(signal_unbuffered_without_receiver_loses_it)
{
    make_channels();
    go_chan(int) none = go_chan_make(int, 0);
    go_signal_notify(none, SIGUSR1);
    go_signal_notify(d, SIGUSR1);
    send_with_witness(SIGUSR1);
    printf("%d\n", go_try_recv(none, NULL) == GO_DONE);
    return 0;
}

static void receive_and_tell(void *done)
{
    go_chan(int) none = c;
    print_signal("receiver", go_recv(none));
    go_signal(done);
}

CASE(signal_unbuffered_with_receiver)
{
    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    c = go_chan_make(int, 0);
    go_signal_notify(c, SIGUSR1);
    go(receive_and_tell, (void *)done);
    go_gosched();
    send_self(SIGUSR1);
    go_recv(done);
    return 0;
}

CASE(signal_stop_ends_it_for_one_channel)
{
    make_channels();
    go_signal_notify(c, SIGUSR1);
    go_signal_notify(d, SIGUSR1);
    go_signal_stop(c);
    send_with_witness(SIGUSR1);
    printf("%zu\n", go_len(c));
    return 0;
}

CASE(signal_stop_of_an_unknown_channel)
{
    make_channels();
    go_signal_stop(c);
    go_signal_stop(NULL);
    puts("alive");
    return 0;
}

CASE(signal_stop_twice_and_notify_again)
{
    make_channels();
    go_signal_notify(c, SIGUSR1);
    go_signal_stop(c);
    go_signal_stop(c);
    go_signal_notify(c, SIGUSR1);
    send_self(SIGUSR1);
    print_signal("c", go_recv(c));
    return 0;
}

static void print_panic(void)
{
    const go_panic_value *v = go_recover();
    printf("recovered: %s\n", v ? v->text : "nil");
}

static void notify_nil(void)
{
    go_recoverable();
    go_defer(print_panic);
    go_signal_notify(NULL, SIGUSR1);
}

CASE(signal_notify_nil_channel_panics)
{
    notify_nil();
    return 0;
}

CASE(signal_notify_nil_channel_uncaught)
{
    go_signal_notify(NULL, SIGUSR1);
    return 0;
}

CASE(signal_ignore_drops_it)
{
    make_channels();
    printf("%d\n", go_signal_ignored(SIGHUP));
    go_signal_ignore(SIGHUP);
    send_self(SIGHUP);
    go_signal_notify(d, SIGUSR1);
    send_with_witness(SIGUSR1);
    printf("%d\n", go_signal_ignored(SIGHUP));
    return 0;
}

CASE(signal_ignore_undoes_notify)
{
    make_channels();
    go_signal_notify(c, SIGUSR1, SIGUSR2);
    go_signal_ignore(SIGUSR1);
    send_self(SIGUSR1);
    send_self(SIGUSR2);
    print_signal("c", go_recv(c));
    printf("%zu\n", go_len(c));
    return 0;
}

CASE(signal_ignore_without_signals_means_all)
{
    make_channels();
    go_signal_ignore();
    send_self(SIGTERM);
    send_self(SIGINT);
    send_self(SIGHUP);
    printf("%d%d\n", go_signal_ignored(SIGTERM), go_signal_ignored(SIGUSR2));
    return 0;
}

CASE(signal_notify_undoes_ignore)
{
    make_channels();
    go_signal_ignore(SIGUSR1);
    go_signal_notify(c, SIGUSR1);
    printf("%d\n", go_signal_ignored(SIGUSR1));
    send_self(SIGUSR1);
    print_signal("c", go_recv(c));
    return 0;
}

CASE(signal_reset_of_one_keeps_the_others)
{
    make_channels();
    go_signal_notify(c, SIGUSR1, SIGUSR2);
    go_signal_reset(SIGUSR1);
    send_self(SIGUSR2);
    print_signal("c", go_recv(c));
    return 0;
}

CASE(signal_default_of_hup_ends_the_process)
{
    send_self(SIGHUP);
    go_sleep(GO_SECOND);
    return 0;
}

CASE(signal_stop_gives_the_default_back)
{
    make_channels();
    go_signal_notify(c, SIGINT);
    send_self(SIGINT);
    print_signal("c", go_recv(c));
    fflush(stdout);
    go_signal_stop(c);
    send_self(SIGINT);
    go_sleep(GO_SECOND);
    return 0;
}

CASE(signal_reset_gives_the_default_back)
{
    make_channels();
    go_signal_notify(c, SIGTERM);
    go_signal_notify(d, SIGTERM);
    go_signal_reset(SIGTERM);
    send_self(SIGTERM);
    go_sleep(GO_SECOND);
    return 0;
}

CASE(signal_reset_without_signals_means_all)
{
    make_channels();
    go_signal_notify(c);
    go_signal_reset();
    send_self(SIGTERM);
    go_sleep(GO_SECOND);
    return 0;
}

CASE(signal_reset_undoes_ignore)
{
    go_signal_ignore(SIGTERM);
    send_self(SIGTERM);
    go_signal_reset(SIGTERM);
    send_self(SIGTERM);
    go_sleep(GO_SECOND);
    return 0;
}

CASE(signal_ignored_after_reset)
{
    go_signal_ignore(SIGTERM);
    go_signal_reset(SIGTERM);
    printf("%d\n", go_signal_ignored(SIGTERM));
    return 0;
}

CASE(signal_kill_cannot_be_caught)
{
    make_channels();
    go_signal_notify(c, SIGKILL);
    send_self(SIGKILL);
    go_sleep(GO_SECOND);
    return 0;
}

/* Every goroutine waits, and the alarm wakes one. */
CASE(signal_wait_is_no_deadlock)
{
    struct itimerval soon = { .it_value = { 0, 50000 } };
    make_channels();
    go_signal_notify(c, SIGALRM);
    setitimer(ITIMER_REAL, &soon, NULL);
    print_signal("c", go_recv(c));
    return 0;
}

CASE(signal_segv_that_was_sent)
{
    make_channels();
    go_signal_notify(c, SIGSEGV);
    send_self(SIGSEGV);
    print_signal("c", go_recv(c));
    return 0;
}

CASE(signal_quit_notified_dumps_nothing)
{
    make_channels();
    go_signal_notify(c, SIGQUIT);
    send_self(SIGQUIT);
    print_signal("c", go_recv(c));
    return 0;
}

CASE(signal_real_time)
{
    make_channels();
    go_signal_notify(c, 40);
    send_self(40);
    print_signal("c", go_recv(c));
    return 0;
}

CASE(signal_child_exits)
{
    char *arguments[] = { "true", NULL }, *environment[] = { NULL };
    pid_t child;
    make_channels();
    go_signal_notify(c, SIGCHLD);
    if (posix_spawnp(&child, "true", NULL, NULL, arguments, environment) != 0)
        return 1;
    print_signal("c", go_recv(c));
    waitpid(child, NULL, 0);
    return 0;
}

CASE(signal_in_a_select)
{
    make_channels();
    int number = 0;
    go_signal_notify(d, SIGUSR2);
    send_self(SIGUSR2);
    int which = go_select(go_case_recv(c, &number), go_case_recv(d, &number));
    printf("%d %d\n", which, number);
    return 0;
}

static void print_all(void *done)
{
    go_range (number, c)
        print_signal("range", number);
    go_signal(done);
}

CASE(signal_range_until_closed)
{
    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    make_channels();
    go_signal_notify(c, SIGUSR1, SIGUSR2);
    go_signal_notify(d, SIGUSR1, SIGUSR2);
    go(print_all, (void *)done);
    send_self(SIGUSR1);
    go_recv(d);
    send_self(SIGUSR2);
    go_recv(d);
    go_signal_stop(c);
    go_close(c);
    go_recv(done);
    return 0;
}

CASE(signal_names)
{
    char text[40];
    for (int number = 0; number < 34; number++)
        printf("%d %s\n", number, go_signal_string(number, text, sizeof text));
    return 0;
}

CASE(signal_nobody_asked_for)
{
    send_self(SIGUSR1);
    go_sleep(20 * GO_MILLISECOND);
    puts("alive");
    return 0;
}

static void tell_context(const char *name, go_context *ctx)
{
    const char *error = go_context_err_text(ctx), *cause = go_context_cause_text(ctx);
    printf("%s: %s, %s\n", name, error ? error : "<nil>", cause ? cause : "<nil>");
}

CASE(signal_context_is_cancelled_with_the_signal)
{
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1, SIGUSR2), *child;
    child = go_context_with_cancel(ctx);
    tell_context("before", ctx);
    send_self(SIGUSR2);
    go_context_wait(child);
    tell_context("after", ctx);
    tell_context("child", child);
    go_context_end(ctx);
    tell_context("stopped", ctx);
    return 0;
}

CASE(signal_context_without_signals_means_all)
{
    go_context *ctx = go_signal_notify_context(NULL);
    send_self(SIGTERM);
    go_context_wait(ctx);
    tell_context("after", ctx);
    return 0;
}

/* Go's stop is ours to cancel. */
CASE(signal_context_stop_before)
{
    make_channels();
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
    go_signal_notify(d, SIGUSR1);
    go_context_cancel(ctx);
    tell_context("stopped", ctx);
    send_with_witness(SIGUSR1);
    tell_context("after", ctx);
    go_context_cancel(ctx);
    tell_context("again", ctx);
    return 0;
}

CASE(signal_context_parent_cancels)
{
    make_channels();
    go_signal_notify(d, SIGUSR1);
    go_context *parent = go_context_with_cancel(NULL);
    go_context *ctx = go_signal_notify_context(parent, SIGUSR1);
    go_context_cancel_cause(parent, 7, "enough");
    tell_context("ctx", ctx);
    send_with_witness(SIGUSR1); /* caught still */
    tell_context("signalled", ctx);
    go_context_cancel(ctx);
    return 0;
}

CASE(signal_context_of_a_cancelled_parent)
{
    make_channels();
    go_signal_notify(d, SIGUSR1);
    go_context *parent = go_context_with_cancel(NULL);
    go_context_cancel(parent);
    go_context *ctx = go_signal_notify_context(parent, SIGUSR1);
    tell_context("ctx", ctx);
    send_with_witness(SIGUSR1); /* caught all the same */
    tell_context("signalled", ctx);
    go_context_cancel(ctx);
    return 0;
}

CASE(signal_context_second_signal_after_stop)
{
    go_context *ctx = go_signal_notify_context(NULL, SIGTERM);
    send_self(SIGTERM);
    go_context_wait(ctx);
    tell_context("first", ctx);
    fflush(stdout);
    go_context_cancel(ctx);
    send_self(SIGTERM);
    go_sleep(GO_MINUTE);
    return 0;
}

CASE(signal_context_after_reset)
{
    make_channels();
    go_context *ctx = go_signal_notify_context(NULL, SIGUSR1);
    go_signal_reset(SIGUSR1);
    go_signal_notify(d, SIGUSR1);
    send_with_witness(SIGUSR1);
    tell_context("ctx", ctx);
    go_context_cancel(ctx);
    tell_context("stopped", ctx);
    return 0;
}

CASE(signal_context_strings)
{
    char text[160];
    go_context *ctx = go_signal_notify_context(NULL, SIGINT, SIGTERM), *child, *all;
    child = go_context_with_cancel(ctx);
    all = go_signal_notify_context(child);
    puts(go_context_string(ctx, text, sizeof text));
    puts(go_context_string(child, text, sizeof text));
    puts(go_context_string(all, text, sizeof text));
    return 0;
}

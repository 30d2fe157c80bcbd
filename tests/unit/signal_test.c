/* Signals on channels: what is sent where, what comes back afterwards, what go_shutdown and a fork
 * make of it. A signal that must not be swallowed is tested in a child that dies of it. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void old_handler(int number)
{
    handled = number;
}

static void set_handler(int number, void (*fn)(int))
{
    struct sigaction action = { .sa_handler = fn };
    sigaction(number, &action, NULL);
}

static void (*handler_of(int number))(int)
{
    struct sigaction now;
    sigaction(number, NULL, &now);
    return now.sa_handler;
}

/* kill's signals go to any thread of the process that lets them in. qemu's user emulation has one
 * of its own that lets the faults' in and fails in their handler (seen with 7.2, and so without us:
 * kill(getpid(), SIGFPE) in a program of one thread that blocks SIGFPE). */
static bool is_emulated; /* looked up before a thread may have another name */

static void look_for_emulator(void)
{
    char name[16] = "";
    prctl(PR_GET_NAME, name, 0UL, 0UL, 0UL);
    is_emulated = strncmp(name, "qemu-", 5) == 0;
}

static void send_self(int number)
{
    CHECK(kill(getpid(), number), 0);
}

static void notify_delivers_the_number(void)
{
    go_chan(int) c = go_chan_make(int, 1);
    CHECK(go_signal_notify(c, SIGUSR1), 0);
    send_self(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    go_signal_stop(c);
    go_chan_unref(c);
}

/* The registration's reference keeps the channel. */
static void notify_keeps_a_reference(void)
{
    go_chan(int) c = go_chan_make(int, 1);
    CHECK(go_signal_notify(c, SIGUSR1), 0);
    go_chan_ref(c);
    go_chan_unref(c);
    go_chan_unref(c);
    send_self(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    go_signal_stop(c);
}

static void stop_puts_the_earlier_handler_back(void)
{
    go_chan(int) c = go_chan_make(int, 1);
    set_handler(SIGUSR1, old_handler);
    CHECK(go_signal_notify(c, SIGUSR1), 0);
    CHECK(go_signal_notify(c, SIGUSR2), 0);
    handled = 0;
    send_self(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    CHECK(handled, 0);
    go_signal_stop(c);
    CHECK(handler_of(SIGUSR1) == old_handler, 1);
    CHECK(handler_of(SIGUSR2) == SIG_DFL, 1);
    raise(SIGUSR1);
    CHECK(handled, SIGUSR1);
    CHECK(go_len(c), 0);
    set_handler(SIGUSR1, SIG_DFL);
    go_chan_unref(c);
}

/* Stop passes on what was caught before it: the signal is taken by the time raise returns. */
static void stop_leaves_what_was_caught_in_the_buffer(void)
{
    for (int i = 0; i < 200; i++) {
        go_chan(int) c = go_chan_make(int, 1);
        CHECK(go_signal_notify(c, SIGUSR1), 0);
        raise(SIGUSR1);
        go_signal_stop(c);
        int number = 0;
        CHECK(go_try_recv(c, &number), GO_DONE);
        CHECK(number, SIGUSR1);
        go_chan_unref(c);
    }
}

static go_waitgroup calls;
static void *late;

static void chaining_handler(int number, siginfo_t *info, void *context)
{
    handled = number;
    if (late)
        ((void (*)(int, siginfo_t *, void *))late)(number, info, context);
}

/* The program puts its own in front of ours, and calls ours: both see the signal; Stop leaves it.
 */
static void a_handler_in_front_stays(void)
{
    struct sigaction ours, front = { .sa_flags = SA_SIGINFO };
    go_chan(int) c = go_chan_make(int, 1);
    set_handler(SIGUSR1, SIG_IGN);
    CHECK(go_signal_notify(c, SIGUSR1), 0);
    front.sa_sigaction = chaining_handler;
    sigaction(SIGUSR1, &front, &ours);
    late = (void *)ours.sa_sigaction;
    handled = 0;
    raise(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    CHECK(handled, SIGUSR1);
    go_signal_stop(c);
    handled = 0;
    raise(SIGUSR1); /* ours lets the earlier SIG_IGN have it */
    CHECK(handled, SIGUSR1);
    CHECK(go_len(c), 0);
    CHECK(go_signal_notify(c, SIGUSR1), 0); /* ours is in front again */
    handled = 0;
    raise(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    CHECK(handled, 0);
    go_signal_stop(c);
    CHECK(handler_of(SIGUSR1) == SIG_IGN, 1);
    set_handler(SIGUSR1, SIG_DFL);
    go_chan_unref(c);
}

static void no_value_comes_on_a_closed_channel(void)
{
    go_chan(int) c = go_chan_make(int, 1), d = go_chan_make(int, 1);
    CHECK(go_signal_notify(c, SIGUSR1), 0);
    CHECK(go_signal_notify(d, SIGUSR1), 0);
    go_close(c);
    send_self(SIGUSR1);
    CHECK(go_recv(d), SIGUSR1);
    CHECK(go_recv_ok(c, NULL), 0);
    go_signal_stop(c);
    go_signal_stop(d);
    go_chan_unref(c);
    go_chan_unref(d);
}

static void odd_numbers_are_passed_over(void)
{
    go_chan(int) c = go_chan_make(int, 1);
    CHECK(go_signal_notify(c, -1, 65, 1000, SIGKILL, SIGSTOP, SIGUSR1), 0);
    send_self(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    go_signal_ignore(-1, 65);
    go_signal_reset(-1, 65);
    CHECK(go_signal_ignored(0), 0);
    CHECK(go_signal_ignored(-1), 0);
    CHECK(go_signal_ignored(65), 0);
    go_signal_stop(c);
    go_chan_unref(c);
}

static void ignored_follows_the_kernel(void)
{
    CHECK(go_signal_ignored(SIGUSR1), 0);
    go_signal_ignore(SIGUSR1);
    CHECK(go_signal_ignored(SIGUSR1), 1);
    raise(SIGUSR1); /* kill's would wait where the first thread has blocked it for a moment */
    go_signal_reset(SIGUSR1);
    CHECK(go_signal_ignored(SIGUSR1), 0);
    set_handler(SIGHUP, SIG_IGN); /* as nohup does */
    CHECK(go_signal_ignored(SIGHUP), 1);
    go_chan(int) c = go_chan_make(int, 1);
    CHECK(go_signal_notify(c, SIGHUP), 0);
    CHECK(go_signal_ignored(SIGHUP), 0);
    send_self(SIGHUP);
    CHECK(go_recv(c), SIGHUP);
    go_signal_stop(c);
    CHECK(go_signal_ignored(SIGHUP), 1);
    go_signal_reset(SIGHUP);
    CHECK(go_signal_ignored(SIGHUP), 1);
    set_handler(SIGHUP, SIG_DFL);
    go_chan_unref(c);
}

static void blocked_everywhere_is_received(void)
{
    sigset_t set, before;
    go_chan(int) c = go_chan_make(int, 1);
    go_lock_os_thread();
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    CHECK(go_signal_notify(c, SIGUSR2), 0);
    send_self(SIGUSR2);
    CHECK(go_recv(c), SIGUSR2);
    go_signal_stop(c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    go_unlock_os_thread();
    go_chan_unref(c);
}

static sigset_t mask_at_start;

/* One of a chain of goroutines, each on a thread of its own, in which all signals are blocked when
 * the next one's is made: from it, or from a thread of the library's that blocks them too. */
static void check_mask(int more, go_chan(go_unit) ended)
{
    sigset_t mine, all;
    go_lock_os_thread();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mine);
    for (int number = 1; number < SIGSYS; number++)
        if (sigismember(&mine, number) != sigismember(&mask_at_start, number)) {
            fprintf(stderr, "%d threads before the last: signal %d blocked: got %d, expected %d\n",
                    more, number, sigismember(&mine, number), sigismember(&mask_at_start, number));
            exit(1);
        }
    if (more > 0) {
        go_chan(go_unit) done = go_chan_make(go_unit, 0);
        go(check_mask, more - 1, done);
        go_recv(done);
        go_chan_unref(done);
    }
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    go_unlock_os_thread();
    go_signal(ended);
}

static void threads_begin_with_the_mask_of_the_start(void)
{
    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    go(check_mask, 16, done);
    go_recv(done);
    go_chan_unref(done);
}

static void faults_sent_by_kill_are_received(void)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
    go_chan(int) c = go_chan_make(int, 1);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        CHECK(go_signal_notify(c, faults[i]), 0);
        if (is_emulated)
            raise(faults[i]);
        else
            send_self(faults[i]);
        CHECK(go_recv(c), faults[i]);
    }
    go_signal_stop(c);
    go_chan_unref(c);
}

/* Not the last ones: emulators keep those. */
static void real_time_signals(void)
{
    int first = SIGRTMIN + 1, second = SIGRTMIN + 8;
    go_chan(int) c = go_chan_make(int, 2);
    CHECK(go_signal_notify(c, first, second), 0);
    send_self(second);
    CHECK(go_recv(c), second);
    send_self(first);
    CHECK(go_recv(c), first);
    go_signal_stop(c);
    go_chan_unref(c);
}

static void notify_verb(void *c)
{
    go_signal_notify((go_chan(int))c, SIGUSR1);
    go_waitgroup_done(&calls);
}

/* As in Go: whoever asks for SIGPIPE gets it, whatever the descriptor is, and EPIPE. */
static void notify_of_sigpipe_is_for_all_descriptors(void)
{
    go_chan(int) signals = go_chan_make(int, 10);
    go_fd *pipe[2], *pair[2];
    struct iovec piece = { (char *)"x", 1 };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    CHECK(go_fd_pipe(pipe), 0);
    CHECK(go_fd_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    go_fd_unref(pipe[0]);
    go_fd_unref(pair[0]);
    for (int asked = 1; asked >= 0; asked--) {
        if (asked)
            go_signal_notify(signals, SIGPIPE);
        else
            go_signal_stop(signals);
        errno = 0;
        CHECK(go_fd_write(pipe[1], "x", 1), -1);
        CHECK(errno, EPIPE);
        if (asked)
            CHECK(go_recv(signals), SIGPIPE);
        CHECK(go_fd_write(pair[1], "x", 1), -1);
        CHECK(errno, EPIPE);
        if (asked)
            CHECK(go_recv(signals), SIGPIPE);
        CHECK(go_fd_writev(pair[1], &piece, 1), -1);
        if (asked)
            CHECK(go_recv(signals), SIGPIPE);
        CHECK(go_fd_sendmsg(pair[1], &message, 0), -1);
        CHECK(errno, EPIPE);
        if (asked)
            CHECK(go_recv(signals), SIGPIPE);
        CHECK(go_len(signals), 0);
    }
    go_fd_unref(pipe[1]);
    go_fd_unref(pair[1]);
    go_chan_unref(signals);
}

static void works_as_fn(void)
{
    go_chan(int) c = go_chan_make(int, 1);
    go_waitgroup_add(&calls, 1);
    go(notify_verb, (void *)c);
    go_waitgroup_wait(&calls);
    {
        go_defer(go_signal_stop, c);
        go_defer(go_signal_reset, SIGUSR2, 0);
        CHECK(go_signal_notify(c, SIGUSR2), 0);
        send_self(SIGUSR1);
        CHECK(go_recv(c), SIGUSR1);
    }
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
    CHECK(handler_of(SIGUSR2) == SIG_DFL, 1);
    go_chan_unref(c);
}

static void names(void)
{
    char text[32], cut[5];
    CHECK_TEXT(go_signal_string(SIGINT, text, sizeof text), "interrupt");
    CHECK_TEXT(go_signal_string(35, text, sizeof text), "signal 35");
    CHECK_TEXT(go_signal_string(-3, text, sizeof text), "signal -3");
    CHECK_TEXT(go_signal_string(0, text, sizeof text), "signal 0");
    CHECK_TEXT(go_signal_string(SIGTERM, cut, sizeof cut), "term");
}

static void (*const behaviours[])(void) = {
    notify_delivers_the_number,
    notify_keeps_a_reference,
    stop_puts_the_earlier_handler_back,
    stop_leaves_what_was_caught_in_the_buffer,
    a_handler_in_front_stays,
    no_value_comes_on_a_closed_channel,
    odd_numbers_are_passed_over,
    ignored_follows_the_kernel,
    blocked_everywhere_is_received,
    threads_begin_with_the_mask_of_the_start,
    faults_sent_by_kill_are_received,
    real_time_signals,
    notify_of_sigpipe_is_for_all_descriptors,
    works_as_fn,
    names,
};

static int run_all(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++)
        behaviours[i]();
    return 0;
}

/* The child gets the earlier disposition back, and dies of the signal. */
static void fork_gives_the_child_the_earlier_disposition(void)
{
    int status = 0;
    go_chan(int) c = go_chan_make(int, 1);
    CHECK(go_signal_notify(c, SIGTERM), 0);
    pid_t child = fork();
    if (child == 0) {
        raise(SIGTERM);
        _exit(7);
    }
    CHECK(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status), SIGTERM);
    go_signal_stop(c);
    go_chan_unref(c);
}

static void receives_in_a_plain_thread(void)
{
    go_chan(int) c = go_chan_make(int, 1);
    CHECK(go_signal_notify(c, SIGUSR1), 0);
    send_self(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    CHECK(go_shutdown(-1), 0); /* stops it too */
    CHECK(handler_of(SIGUSR1) == SIG_DFL, 1);
    CHECK(go_signal_notify(c, SIGUSR1), 0); /* starts the runtime anew */
    send_self(SIGUSR1);
    CHECK(go_recv(c), SIGUSR1);
    CHECK(go_shutdown(-1), 0);
    go_chan_unref(c); /* the last one */
}

int main(void)
{
    sigset_t set;
    look_for_emulator();
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &mask_at_start);
    CHECK(go_run(run_all, 0, NULL), 0);
    fork_gives_the_child_the_earlier_disposition();
    receives_in_a_plain_thread();
    return 0;
}

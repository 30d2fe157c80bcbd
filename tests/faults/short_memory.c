/* short_memory WHAT: does something again and again, in each round with a later one of its requests
 * for memory refused, until it makes no more. A call whose header promises ENOMEM then fails with
 * that, or it succeeds; it neither ends the process nor loses anything. Prints "endured". Linked
 * with --wrap for each of the calls. */
#include "refused_memory.h"

#include <errno.h>
#include <gofer.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_long countdown; /* to the request that is refused; 0 or less: none */
static size_t most_bytes;     /* that a request gets; 0: any number */
static int starts_threads;    /* else memory for threads is given: without it the process ends */

static int refuse(size_t size)
{
    return (most_bytes && size > most_bytes) ||
           (atomic_load(&countdown) > 0 && atomic_fetch_sub(&countdown, 1) == 1);
}

int __real_posix_memalign(void **result, size_t alignment, size_t size);

int __wrap_posix_memalign(void **result, size_t alignment, size_t size)
{
    return starts_threads && refuse(size) ? ENOMEM : __real_posix_memalign(result, alignment, size);
}

static void expect(int holds, const char *what)
{
    int error = errno;
    if (!holds)
        go_fatal("%s; errno: %s", what, strerror(error));
}

/* ---- what is done ---------------------------------------------------------------------------- */

/* A connection that could not be accepted waits on. */
static void accepts(long n)
{
    char address[GO_ADDRESS_ROOM], byte = 0;
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    go_conn *client = go_dial("tcp", go_listener_address(listener, address, sizeof address));
    atomic_store(&countdown, n);
    go_conn *server = go_listener_accept(listener);
    if (!server) {
        expect(errno == ENOMEM, "accept failed");
        go_listener_set_deadline(listener, go_now() + 10 * GO_SECOND);
        server = go_listener_accept(listener);
    }
    expect(server != NULL, "the connection is lost");
    expect(go_conn_write(server, "x", 1) == 1, "the connection is dead");
    expect(go_conn_read(client, &byte, 1) == 1, "the connection is closed");
    go_conn_unref(server);
    go_conn_unref(client);
    go_listener_unref(listener);
}

/* The child's end by SIGPIPE, where no more of its output can be kept, is not the result. */
static void keeps_output(long n)
{
    char *argv[] = { "head", "-c", "10000000", "/dev/zero", NULL }, *output;
    size_t size;
    go_cmd cmd = { .argv = argv };
    most_bytes = n == 1 ? 1000000 : 0;
    int result = go_cmd_output(&cmd, &output, &size);
    if (n == 1)
        expect(result == -1 && errno == ENOMEM, "output without memory");
    else
        expect(result == 0 && size == 10000000, "output");
    free(output);
    atomic_store(&countdown, n - 1);
}

/* What is read after the end, within the delay, is sent. */
static void waits_for_input(long n)
{
    static const char bytes[1000000];
    char *argv[] = { "sh", "-c", "exec 3<&0; (sleep 0.2; cat <&3 >/dev/null) & exit 0", NULL };
    go_cmd cmd = { .argv = argv,
                   .in = GO_CMD_BYTES,
                   .input = bytes,
                   .input_size = sizeof bytes,
                   .wait_delay = GO_HOUR };
    expect(go_cmd_start(&cmd) == 0, "start");
    atomic_store(&countdown, n);
    expect(go_cmd_wait(&cmd) == 0, "input is cut");
}

/* Who is asked to end has the delay to do so. */
static void waits_for_end(long n)
{
    char *argv[] = { "sh", "-c",
                     "trap 'sleep 0.2; exit 7' TERM; echo; while :; do sleep 0.05; done", NULL };
    char byte;
    go_cmd cmd = {
        .argv = argv, .out = GO_CMD_PIPE, .wait_delay = GO_HOUR, .cancel_signal = SIGTERM
    };
    go_context *ctx = go_context_with_cancel(NULL);
    expect(go_cmd_start_ctx(ctx, &cmd) == 0, "start");
    expect(go_fd_read(go_cmd_stdout_pipe(&cmd), &byte, 1) == 1, "trap");
    atomic_store(&countdown, n);
    go_context_cancel(ctx);
    expect(go_cmd_wait(&cmd) == -1 && errno == ECANCELED, "wait");
    expect(cmd.state.exited && cmd.state.status == 7, "it was killed");
    go_context_end(ctx);
}

static int gives(void *argument, void **value)
{
    *value = argument;
    return 0;
}

static void shares_channel(long n)
{
    go_singleflight group = { 0 };
    go_singleflight_result result = { 0 };
    atomic_store(&countdown, n);
    go_chan(go_singleflight_result) c = go_singleflight_do_chan(&group, "key", gives, &group);
    if (c)
        expect(go_recv_ok(c, &result) && result.value == &group, "another result");
    else
        expect(errno == ENOMEM, "do_chan failed");
    go_chan_unref(c);
}

static void shares(long n)
{
    go_singleflight group = { 0 };
    void *value = NULL;
    atomic_store(&countdown, n);
    if (go_singleflight_do_ctx(NULL, &group, "key", gives, &group, &value, NULL) == 0)
        expect(value == &group, "another result");
    else
        expect(errno == ENOMEM, "do_ctx failed");
}

static void notifies(long n)
{
    go_chan(int) signals = go_chan_make(int, 1);
    atomic_store(&countdown, n);
    if (go_signal_notify(signals, SIGUSR1) == 0) {
        raise(SIGUSR1);
        expect(go_recv(signals) == SIGUSR1, "another signal");
    } else {
        expect(errno == ENOMEM, "notify failed");
    }
    go_signal_stop(signals);
    go_chan_unref(signals);
}

/* ---- again and again ------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(long n);
} runs[] = {
    { "accept", accepts },
    { "output", keeps_output },
    { "input-delay", waits_for_input },
    { "kill-delay", waits_for_end },
    { "singleflight-channel", shares_channel },
    { "singleflight", shares },
    { "signals", notifies },
};

static void (*run)(long n);

/* Whether request n was made, and refused. */
static int refuse_one(int n, char **unused)
{
    (void)unused;
    starts_threads = run == notifies;
    if (!starts_threads)
        run(0); /* what is made once is there */
    run(n);
    return atomic_exchange(&countdown, 0) <= 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (argc > 1 && strcmp(runs[i].name, argv[1]) == 0)
            run = runs[i].run;
    if (!run)
        return 1;
    int n = 1;
    while (go_run(refuse_one, n, NULL) == 1) {
        if (go_shutdown(GO_MINUTE) != 0)
            go_fatal("go_shutdown: %s", strerror(errno));
        n++;
    }
    printf("endured %s\n", n > 1 ? "some" : "none");
    return 0;
}

/* Connections over loopback and unix sockets: dialling, listening, deadlines, packets, names,
 * descriptors, words of errors. Nothing leaves the machine. */
#include "unit.h"

#include <limits.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHECK_PREFIX(got, expected)                                                            \
    do {                                                                                       \
        const char *got_ = (got), *expected_ = (expected);                                     \
        if (strncmp(got_, expected_, strlen(expected_)) != 0) {                                \
            fprintf(stderr, "%s:%d: %s: got \"%s\", expected \"%s...\"\n", __FILE__, __LINE__, \
                    #got, got_, expected_);                                                    \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

static char folder[64];
static bool has_ipv6;

/* A path in a folder of the test's own. */
static const char *path_of(const char *name)
{
    static char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void *need(void *made, const char *what)
{
    if (made)
        return made;
    fprintf(stderr, "%s: %s\n", what, go_net_error());
    exit(1);
}

static go_listener *listen_at(const char *network, const char *address)
{
    return need(go_listen(network, address), address);
}

static go_conn *dial_to(const char *network, const go_listener *listener)
{
    char address[GO_ADDRESS_ROOM];
    go_listener_address(listener, address, sizeof address);
    return need(go_dial(network, address), address);
}

/* Two ends of a connection. */
static void make_pair(const char *network, const char *address, go_conn **near, go_conn **far)
{
    go_listener *listener = listen_at(network, address);
    *near = dial_to(network, listener);
    *far = need(go_listener_accept(listener), "accept");
    go_listener_unref(listener);
}

static void unref_both(go_conn *near, go_conn *far)
{
    go_conn_unref(near);
    go_conn_unref(far);
}

/* ---- streams --------------------------------------------------------------------------------- */

static void echo(go_conn *conn)
{
    char bytes[4096];
    ssize_t n;
    while ((n = go_conn_read(conn, bytes, sizeof bytes)) > 0)
        CHECK(go_conn_write(conn, bytes, (size_t)n), n);
    CHECK(n, 0);
    go_conn_unref(conn);
}

static void serve(go_listener *listener, go_waitgroup *served)
{
    go_conn *conn;
    while ((conn = go_listener_accept(listener)))
        go(echo, conn);
    CHECK(errno, EBADF);
    go_waitgroup_done(served);
}

static void write_halves(go_conn *conn, char *data, size_t size)
{
    struct iovec halves[2] = { { data, size / 2 }, { data + size / 2, size - size / 2 } };
    CHECK(go_conn_writev(conn, halves, 2), size);
}

static void stream_carries_bytes_both_ways(const char *network, const char *address)
{
    enum { SIZE = 1 << 20 };
    char *sent = malloc(SIZE), *got = malloc(SIZE);
    go_waitgroup served = { 0 }, written = { 0 };
    go_listener *listener = listen_at(network, address);
    go_waitgroup_add(&served, 1);
    go(serve, listener, &served);
    go_conn *conn = dial_to(network, listener);
    for (int i = 0; i < SIZE; i++)
        sent[i] = (char)(i * 7 + i / 255);
    go_waitgroup_go(&written, write_halves, conn, sent, (size_t)SIZE);
    CHECK(go_conn_read_full(conn, got, SIZE), SIZE);
    go_waitgroup_wait(&written);
    CHECK(memcmp(sent, got, SIZE), 0);
    CHECK(go_conn_close_write(conn), 0);
    CHECK(go_conn_read(conn, got, 1), 0);
    errno = 1;
    CHECK(go_conn_read_full(conn, got, 1), 0);
    CHECK(errno, 0);
    go_conn_unref(conn);
    CHECK(go_listener_close(listener), 0);
    go_waitgroup_wait(&served);
    go_listener_unref(listener);
    free(sent);
    free(got);
}

static void addresses_are_those_of_the_ends(void)
{
    go_conn *near, *far;
    char a[GO_ADDRESS_ROOM], b[GO_ADDRESS_ROOM];
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    CHECK_TEXT(go_conn_local_address(near, a, sizeof a), go_conn_remote_address(far, b, sizeof b));
    CHECK_TEXT(go_conn_remote_address(near, a, sizeof a), go_conn_local_address(far, b, sizeof b));
    CHECK_PREFIX(a, "127.0.0.1:");
    CHECK(go_address_equal(go_conn_local(near), go_conn_remote(far)), 1);
    CHECK(go_address_equal(go_conn_local(near), go_conn_remote(near)), 0);
    CHECK_TEXT(go_conn_network(far), "tcp");
    CHECK_TEXT(go_conn_local_address(near, a, 4), "127");
    unref_both(near, far);
}

static int option_of(go_conn *conn, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    CHECK(getsockopt(go_fd_number(go_conn_fd(conn)), level, option, &value, &size), 0);
    return value;
}

static void check_tcp_options(go_conn *conn)
{
    CHECK(option_of(conn, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK(option_of(conn, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK(option_of(conn, IPPROTO_TCP, TCP_KEEPIDLE), 15);
    CHECK(option_of(conn, IPPROTO_TCP, TCP_KEEPINTVL), 15);
    CHECK(option_of(conn, IPPROTO_TCP, TCP_KEEPCNT), 9);
    CHECK(fcntl(go_fd_number(go_conn_fd(conn)), F_GETFD), FD_CLOEXEC);
}

static void tcp_gets_go_s_options(void)
{
    go_conn *near, *far;
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    check_tcp_options(near);
    check_tcp_options(far);
    CHECK(go_conn_set_no_delay(near, 0), 0);
    CHECK(option_of(near, IPPROTO_TCP, TCP_NODELAY), 0);
    go_keep_alive rarely = { .idle = 61 * GO_SECOND + 1, .interval = -1, .count = 3 };
    CHECK(go_conn_set_keep_alive(near, &rarely), 0);
    CHECK(option_of(near, IPPROTO_TCP, TCP_KEEPIDLE), 62);
    CHECK(option_of(near, IPPROTO_TCP, TCP_KEEPINTVL), 15);
    CHECK(option_of(near, IPPROTO_TCP, TCP_KEEPCNT), 3);
    go_keep_alive never = { .off = 1 };
    CHECK(go_conn_set_keep_alive(near, &never), 0);
    CHECK(option_of(near, SOL_SOCKET, SO_KEEPALIVE), 0);
    CHECK(go_conn_set_read_buffer(near, 20000), 0);
    CHECK(option_of(near, SOL_SOCKET, SO_RCVBUF), 40000); /* the kernel doubles it */
    CHECK(go_conn_set_linger(near, 0), 0);
    go_conn_unref(near);
    char byte;
    CHECK(go_conn_read(far, &byte, 1), -1); /* no lingering: a reset */
    CHECK(errno, ECONNRESET);
    go_conn_unref(far);
}

static void close_wakes_who_is_blocked_soon(go_conn *conn, go_waitgroup *ended)
{
    char byte;
    CHECK(go_conn_read(conn, &byte, 1), -1);
    CHECK(errno, EBADF);
    const char *text = strstr(go_net_error(), ": use of closed network connection");
    CHECK(text != NULL, 1);
    go_waitgroup_done(ended);
}

static void close_wakes_who_is_blocked(void)
{
    go_conn *near, *far;
    go_waitgroup ended = { 0 };
    make_pair("unix", "", &near, &far);
    go_waitgroup_add(&ended, 3);
    for (int i = 0; i < 3; i++)
        go(close_wakes_who_is_blocked_soon, near, &ended);
    go_gosched();
    CHECK(go_conn_close(near), 0);
    go_waitgroup_wait(&ended);
    CHECK(go_conn_close(near), -1);
    CHECK(errno, EBADF);
    char byte;
    CHECK(go_conn_read(far, &byte, 1), 0);
    unref_both(near, far);
}

static void deadlines_and_contexts_end_calls(void)
{
    go_conn *near, *far;
    char byte;
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    CHECK(go_conn_set_read_deadline(near, go_now() + GO_MILLISECOND), 0);
    CHECK(go_conn_read(near, &byte, 1), -1);
    CHECK(errno, ETIMEDOUT);
    CHECK(strstr(go_net_error(), ": i/o timeout") != NULL, 1);
    CHECK(go_conn_write(near, "x", 1), 1);
    CHECK(go_conn_set_deadline(near, 1), 0);
    CHECK(go_conn_write(near, "x", 1), -1);
    CHECK(errno, ETIMEDOUT);
    CHECK(go_conn_set_deadline(near, 0), 0);
    CHECK(go_conn_set_write_deadline(near, 0), 0);
    go_context *ctx = go_context_with_cancel(NULL);
    go_context *timed = go_context_with_timeout(NULL, GO_MILLISECOND);
    CHECK(go_conn_read_ctx(timed, near, &byte, 1), -1);
    CHECK(errno, ETIMEDOUT);
    go_context_cancel(ctx);
    CHECK(go_conn_read_full_ctx(ctx, near, &byte, 1), -1);
    CHECK(errno, ECANCELED);
    CHECK(strstr(go_net_error(), ": operation was canceled") != NULL, 1);
    CHECK(go_conn_write_ctx(ctx, near, "x", 1), -1);
    CHECK(errno, ECANCELED);
    go_context_end(ctx);
    go_context_end(timed);
    CHECK(go_conn_write(far, "y", 1), 1);
    CHECK(go_conn_read(near, &byte, 1), 1);
    CHECK(byte, 'y');
    unref_both(near, far);
}

/* Returns when what was written to conn fills the kernel's buffers. */
static void await_full(const go_conn *conn)
{
    struct pollfd ask = { .fd = go_fd_number(go_conn_fd(conn)), .events = POLLOUT };
    while (poll(&ask, 1, 0) == 1)
        go_gosched();
}

enum { MUCH = 64 << 20 };

static void write_much(go_conn *conn, go_chan(ssize_t) written)
{
    char *data = calloc(1, MUCH);
    ssize_t n = go_conn_write(conn, data, MUCH);
    CHECK(errno, ETIMEDOUT);
    free(data);
    go_send(written, n);
}

static void a_write_cut_short_says_how_much(void)
{
    go_conn *near, *far;
    go_chan(ssize_t) written = go_chan_make(ssize_t, 0);
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    go(write_much, near, written);
    await_full(near);
    CHECK(go_conn_set_write_deadline(near, 1), 0);
    ssize_t n = go_recv(written);
    CHECK(n > 0 && n < MUCH, 1);
    go_chan_unref(written);
    unref_both(near, far);
}

/* What a failed read returned is no size: nothing behind the data is sent. */
static void no_size_is_refused(void)
{
    go_conn *near, *far;
    char bytes[4];
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    struct iovec pieces[2] = { { bytes, 2 }, { bytes, (size_t)SSIZE_MAX - 1 } };
    go_writer out;
    go_writer_init(&out, go_conn_sink(near), 0);
    errno = 0;
    CHECK(go_conn_write(near, "text", (size_t)-1), -1);
    CHECK(errno, EINVAL);
    CHECK(strstr(go_net_error(), "write: invalid argument") != NULL, 1);
    CHECK(go_conn_writev(near, pieces, 2), -1);
    CHECK(errno, EINVAL);
    CHECK(go_conn_writev(near, pieces, -1), -1);
    CHECK(go_conn_send_fds(near, "text", (size_t)-1, NULL, 0), -1);
    CHECK(errno, EINVAL);
    CHECK(go_writer_write(&out, "text", (size_t)-1), -1);
    CHECK(errno, EINVAL);
    CHECK(go_writer_flush(&out), 0);
    go_writer_free(&out);
    CHECK(go_conn_close_write(near), 0);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 0);
    unref_both(near, far);
}

static void a_conn_is_made_of_a_descriptor(void)
{
    go_fd *ends[2], *pipe_ends[2];
    char byte, text[GO_ADDRESS_ROOM];
    CHECK(go_fd_socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    go_conn *near = need(go_conn_from_fd(ends[0]), "go_conn_from_fd");
    CHECK_TEXT(go_conn_network(near), "unix");
    CHECK_TEXT(go_conn_local_address(near, text, sizeof text), "@");
    CHECK(go_fd_write(ends[1], "x", 1), 1);
    CHECK(go_conn_read(near, &byte, 1), 1);
    go_conn_unref(near);
    CHECK(go_fd_read(ends[1], &byte, 1), 0);
    go_fd_unref(ends[1]);
    CHECK(go_fd_pipe(pipe_ends), 0);
    CHECK(go_conn_from_fd(pipe_ends[0]) == NULL, 1);
    CHECK(errno, ENOTSOCK);
    CHECK(fcntl(go_fd_number(pipe_ends[0]), F_GETFD), FD_CLOEXEC); /* it is still ours */
    CHECK(go_conn_from_fd(go_fd_new(-1)) == NULL, 1);
    CHECK(errno, EBADF);
    CHECK_TEXT(go_net_error(), "file: bad file descriptor");
    go_fd_unref(pipe_ends[0]);
    go_fd_unref(pipe_ends[1]);
}

static void buffers_work_over_connections(void)
{
    go_conn *near, *far;
    go_writer out;
    go_reader in;
    char *line;
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    go_writer_init(&out, go_conn_sink(near), 0);
    go_reader_init(&in, go_conn_source(far), 0);
    CHECK(go_writer_printf(&out, "%d lines\nof text\n", 2), 16);
    CHECK(go_writer_flush(&out), 0);
    CHECK(go_reader_read_line(&in, &line), 7);
    CHECK_TEXT(line, "2 lines");
    CHECK(go_reader_read_line(&in, &line), 7);
    CHECK_TEXT(line, "of text");
    go_conn_close(near);
    CHECK(go_reader_read_line(&in, &line), -1);
    CHECK(errno, 0);
    go_writer_free(&out);
    go_reader_free(&in);
    unref_both(near, far);
}

static void *dial_in_a_thread(void *address)
{
    char byte;
    go_conn *conn = need(go_dial("tcp", address), "dial in a plain thread");
    CHECK(go_conn_read(conn, &byte, 1), 1);
    go_conn_unref(conn);
    CHECK(go_dial("tcp", "127.0.0.1:http:") == NULL, 1);
    CHECK_TEXT(go_net_error(), "dial tcp: address 127.0.0.1:http:: too many colons in address");
    return NULL;
}

static void plain_threads_dial_too(void)
{
    char address[GO_ADDRESS_ROOM];
    pthread_t thread;
    go_listener *listener = listen_at("tcp", "127.0.0.1:0");
    go_listener_address(listener, address, sizeof address);
    pthread_create(&thread, NULL, dial_in_a_thread, address);
    go_conn *conn = need(go_listener_accept(listener), "accept");
    CHECK(go_conn_write(conn, "x", 1), 1);
    pthread_join(thread, NULL);
    go_conn_unref(conn);
    go_listener_unref(listener);
}

/* ---- dialling -------------------------------------------------------------------------------- */

/* An address at which nobody listens: somebody did. */
static char *closed_address(const char *network, const char *host, char *buf, size_t size)
{
    go_listener *listener = listen_at(network, host);
    go_listener_address(listener, buf, size);
    go_listener_unref(listener);
    return buf;
}

static void dial_is_refused(void)
{
    char address[GO_ADDRESS_ROOM], expected[GO_ADDRESS_ROOM + 50];
    closed_address("tcp", "127.0.0.1:0", address, sizeof address);
    CHECK(go_dial("tcp", address) == NULL, 1);
    CHECK(errno, ECONNREFUSED);
    snprintf(expected, sizeof expected, "dial tcp %s: connect: connection refused", address);
    CHECK_TEXT(go_net_error(), expected);
}

static int forbid(void *arg, const char *network, const char *address, int descriptor)
{
    char *seen = arg;
    CHECK(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
    snprintf(seen, 100, "%s %s", network, address);
    return EPERM;
}

static void control_sees_each_socket(void)
{
    char seen[100];
    go_dialer dialer = { .control = forbid, .control_arg = seen };
    CHECK(go_dialer_dial(&dialer, "tcp", "127.0.0.1:80") == NULL, 1);
    CHECK(errno, EPERM);
    CHECK_TEXT(seen, "tcp4 127.0.0.1:80");
    CHECK_TEXT(go_net_error(), "dial tcp 127.0.0.1:80: operation not permitted");
    go_listen_config config = { .control = forbid, .control_arg = seen };
    CHECK(go_listen_config_listen(NULL, &config, "tcp4", "127.0.0.1:0") == NULL, 1);
    CHECK_TEXT(seen, "tcp4 127.0.0.1:0");
    CHECK_TEXT(go_net_error(), "listen tcp4 127.0.0.1:0: operation not permitted");
}

static void dial_from_a_local_address(void)
{
    go_listener *listener = listen_at("tcp", "127.0.0.1:0");
    char address[GO_ADDRESS_ROOM], local[GO_ADDRESS_ROOM];
    go_dialer dialer = { .local_address = "127.0.0.2:0" };
    go_listener_address(listener, address, sizeof address);
    go_conn *conn = need(go_dialer_dial(&dialer, "tcp", address), "dial from 127.0.0.2");
    CHECK_PREFIX(go_conn_local_address(conn, local, sizeof local), "127.0.0.2:");
    go_conn_unref(conn);
    dialer.local_address = "[::1]:0";
    CHECK(go_dialer_dial(&dialer, "tcp", address) == NULL, 1);
    CHECK(errno, EADDRNOTAVAIL);
    CHECK_TEXT(go_net_error(), "dial tcp: address [::1]:0: no suitable address found");
    go_listener_unref(listener);
}

static void a_cancelled_context_dials_nobody(void)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    CHECK(go_dial_ctx(ctx, "tcp", "127.0.0.1:1") == NULL, 1);
    CHECK(errno, ECANCELED);
    CHECK_TEXT(go_net_error(), "dial tcp 127.0.0.1:1: operation was canceled");
    CHECK(go_dial_ctx(ctx, "tcp", "localhost:1") == NULL, 1);
    CHECK(errno, ECANCELED);
    CHECK_TEXT(go_net_error(), "dial tcp: lookup localhost: operation was canceled");
    go_context_end(ctx);
    CHECK(go_dial_timeout("tcp", "127.0.0.1:1", -1) == NULL, 1);
    CHECK(errno, ETIMEDOUT);
    CHECK_TEXT(go_net_error(), "dial tcp 127.0.0.1:1: i/o timeout");
}

enum { MOST_QUEUED = 64 };

/* A listener that answers nobody: its queue is full, and the kernel drops what comes. */
static go_listener *silent_listener(const char *at, char *address, go_conn **queued, int *count)
{
    go_listen_config config = { .backlog = 1 };
    go_listener *listener = need(go_listen_config_listen(NULL, &config, "tcp", at), at);
    go_listener_address(listener, address, GO_ADDRESS_ROOM);
    for (*count = 0; *count < MOST_QUEUED; ++*count)
        if (!(queued[*count] = go_dial_timeout("tcp", address, 50 * GO_MILLISECOND)))
            break;
    CHECK(*count < MOST_QUEUED, 1);
    CHECK(errno, ETIMEDOUT);
    return listener;
}

static void drop_listener(go_listener *listener, go_conn **queued, int count)
{
    while (count)
        go_conn_unref(queued[--count]);
    go_listener_unref(listener);
}

static void dial_ends_with_its_context(void)
{
    go_conn *queued[MOST_QUEUED];
    int count;
    char address[GO_ADDRESS_ROOM];
    go_listener *listener = silent_listener("127.0.0.1:0", address, queued, &count);
    CHECK(strstr(go_net_error(), ": i/o timeout") != NULL, 1);
    go_context *ctx = go_context_with_cancel(NULL);
    go(go_context_end, go_context_ref(ctx));
    CHECK(go_dial_ctx(ctx, "tcp", address) == NULL, 1);
    CHECK(errno, ECANCELED);
    go_context_end(ctx);
    drop_listener(listener, queued, count);
}

/* A listener at 127.0.0.1 whose port is free at ::1. */
static go_listener *listen_beside(char *beside, size_t size)
{
    for (;;) {
        go_listener *listener = listen_at("tcp", "127.0.0.1:0");
        snprintf(beside, size, "[::1]:%d", go_address_port(go_listener_local(listener)));
        go_listener *probe = go_listen("tcp", beside);
        go_listener_unref(probe);
        if (probe)
            return listener;
        go_listener_unref(listener);
    }
}

/* "[::]" is tried at ::1, which does not answer, and after a while at 127.0.0.1 too. */
static void dial_races_a_family_that_does_not_answer(void)
{
    go_conn *queued[MOST_QUEUED];
    int count;
    char beside[GO_ADDRESS_ROOM], address[GO_ADDRESS_ROOM], text[GO_ADDRESS_ROOM];
    go_listener *listener = listen_beside(beside, sizeof beside);
    go_listener *silent = silent_listener(beside, address, queued, &count);
    go_dialer dialer = { .fallback_delay = GO_MILLISECOND };
    snprintf(address, sizeof address, "[::]:%d", go_address_port(go_listener_local(listener)));
    go_conn *conn = need(go_dialer_dial(&dialer, "tcp", address), address);
    CHECK_PREFIX(go_conn_remote_address(conn, text, sizeof text), "127.0.0.1:");
    go_conn_unref(conn);
    go_listener_unref(listener);
    drop_listener(silent, queued, count);
}

/* "localhost" may be ::1 and 127.0.0.1: whichever the server is on, the other refuses or is not
 * there. */
static void dial_tries_each_address_of_a_name(const char *network, const char *at)
{
    char port[8], address[GO_ADDRESS_ROOM], host[GO_ADDRESS_ROOM];
    go_listener *listener = listen_at(network, at);
    snprintf(port, sizeof port, "%d", go_address_port(go_listener_local(listener)));
    go_conn *conn =
        need(go_dial("tcp", go_join_host_port("localhost", port, address, sizeof address)),
             "dial localhost");
    CHECK(go_address_equal(go_conn_remote(conn), go_listener_local(listener)), 1);
    go_conn_unref(conn);
    snprintf(address, sizeof address, ":%s", port);
    conn = need(go_dial(network, address), "dial without a host");
    go_address_host(go_conn_remote(conn), host, sizeof host);
    go_conn_unref(conn);
    go_listener_unref(listener);
}

/* "::" is tried as 0.0.0.0 too, where nothing is on ::: the two families race. */
static void dial_falls_back_to_the_other_family(void)
{
    char address[GO_ADDRESS_ROOM], text[GO_ADDRESS_ROOM];
    go_listener *listener = listen_at("tcp4", "0.0.0.0:0");
    snprintf(address, sizeof address, "[::]:%d", go_address_port(go_listener_local(listener)));
    go_dialer one_by_one = { .fallback_delay = -1 };
    for (int i = 0; i < 2; i++) {
        go_conn *conn = need(go_dialer_dial(i ? &one_by_one : NULL, "tcp", address), address);
        CHECK_PREFIX(go_conn_remote_address(conn, text, sizeof text), "127.0.0.1:");
        go_conn_unref(conn);
    }
    go_listener_unref(listener);
    CHECK(go_dial("tcp", address) == NULL, 1);
    CHECK_PREFIX(go_net_error(), "dial tcp [::]:"); /* the first one's failure */
}

/* ---- listening ------------------------------------------------------------------------------- */

static void a_port_is_taken_once_but_for_reuse(void)
{
    char address[GO_ADDRESS_ROOM];
    go_listen_config config = { .reuse_port = 1 };
    go_listener *first =
        need(go_listen_config_listen(NULL, &config, "tcp", "127.0.0.1:0"), "listen");
    go_listener_address(first, address, sizeof address);
    CHECK(go_listen("tcp", address) == NULL, 1);
    CHECK(errno, EADDRINUSE);
    CHECK(strstr(go_net_error(), ": bind: address already in use") != NULL, 1);
    go_listener *second = need(go_listen_config_listen(NULL, &config, "tcp", address), "reuse");
    go_listener_unref(go_listener_ref(first));
    go_listener_unref(first);
    go_listener_unref(second);
}

static void close_listener(go_listener *listener)
{
    CHECK(go_listener_close(listener), 0);
    go_listener_unref(listener);
}

static void accept_ends(void)
{
    go_listener *listener = listen_at("tcp", "127.0.0.1:0");
    char text[GO_ADDRESS_ROOM], expected[GO_ADDRESS_ROOM + 50];
    CHECK(go_listener_set_deadline(listener, go_now() + GO_MILLISECOND), 0);
    CHECK(go_listener_accept(listener) == NULL, 1);
    CHECK(errno, ETIMEDOUT);
    go_listener_address(listener, text, sizeof text);
    snprintf(expected, sizeof expected, "accept tcp %s: i/o timeout", text);
    CHECK_TEXT(go_net_error(), expected);
    CHECK(go_listener_set_deadline(listener, 0), 0);
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    CHECK(go_listener_accept_ctx(ctx, listener) == NULL, 1);
    CHECK(errno, ETIMEDOUT);
    go_context_end(ctx);
    go(close_listener, go_listener_ref(listener));
    CHECK(go_listener_accept(listener) == NULL, 1);
    CHECK(errno, EBADF);
    go_listener_unref(listener);
}

/* Without descriptors accept says so, and the connection waits. */
static void accept_without_descriptors_may_be_tried_again(void)
{
    struct rlimit limit, none;
    char address[GO_ADDRESS_ROOM], expected[GO_ADDRESS_ROOM + 100];
    if (runs_under("memcheck")) {
        puts("valgrind keeps the limit itself, after the kernel's accept: not tested");
        return;
    }
    go_listener *listener = listen_at("tcp", "127.0.0.1:0");
    go_conn *near = dial_to("tcp", listener);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK(go_listener_accept(listener) == NULL, 1);
    int error = errno;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(error, EMFILE);
    snprintf(expected, sizeof expected,
             "accept tcp %s: accept4: too many open files; the process may have 0 (ulimit -n)",
             go_listener_address(listener, address, sizeof address));
    CHECK_TEXT(go_net_error(), expected);
    go_conn *far = need(go_listener_accept(listener), "accept");
    unref_both(near, far);
    go_listener_unref(listener);
}

static void without_a_host_both_families_come(void)
{
    char text[GO_ADDRESS_ROOM], address[GO_ADDRESS_ROOM];
    go_listener *listener = listen_at("tcp", ":0");
    int port = go_address_port(go_listener_local(listener));
    CHECK_PREFIX(go_listener_address(listener, text, sizeof text), has_ipv6 ? "[::]:" : "0.0.0.0:");
    static const char *const hosts[] = { "127.0.0.1", "[::1]" };
    for (int i = 0; i < (has_ipv6 ? 2 : 1); i++) {
        snprintf(address, sizeof address, "%s:%d", hosts[i], port);
        go_conn *near = need(go_dial("tcp", address), address);
        go_conn *far = need(go_listener_accept(listener), "accept");
        char a[GO_ADDRESS_ROOM], b[GO_ADDRESS_ROOM];
        CHECK_TEXT(go_conn_remote_address(far, a, sizeof a),
                   go_conn_local_address(near, b, sizeof b));
        CHECK(go_address_equal(go_conn_remote(far), go_conn_local(near)), 1);
        unref_both(near, far);
    }
    go_listener_unref(listener);
}

/* ---- unix sockets ---------------------------------------------------------------------------- */

static void closing_removes_the_file(void)
{
    struct stat unused;
    char path[100];
    snprintf(path, sizeof path, "%s", path_of("removed"));
    go_listener *listener = listen_at("unix", path);
    CHECK(lstat(path, &unused), 0);
    CHECK(go_listen("unix", path) == NULL, 1);
    CHECK(errno, EADDRINUSE);
    CHECK(go_listener_close(listener), 0);
    CHECK(lstat(path, &unused), -1);
    CHECK(go_listener_close(listener), -1);
    go_listener_unref(listener);
    listener = listen_at("unixpacket", path);
    go_listener_set_unlink_on_close(listener, 0);
    go_listener_unref(listener);
    CHECK(lstat(path, &unused), 0);
    CHECK(go_dial("unixpacket", path) == NULL, 1);
    CHECK(errno, ECONNREFUSED);
    unlink(path);
}

static void packets_keep_their_borders(void)
{
    go_conn *near, *far;
    char bytes[10];
    make_pair("unixpacket", "@gofer-net-test", &near, &far);
    char text[GO_ADDRESS_ROOM];
    CHECK_TEXT(go_conn_remote_address(near, text, sizeof text), "@gofer-net-test");
    CHECK(go_conn_write(near, "one", 3), 3);
    CHECK(go_conn_write(near, "three", 5), 5);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 3);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 5);
    unref_both(near, far);
}

static void a_peer_has_credentials(void)
{
    go_conn *near, *far;
    go_credentials peer = { 0 };
    make_pair("unix", path_of("credentials"), &near, &far);
    CHECK(go_conn_peer_credentials(far, &peer), 0);
    CHECK(peer.pid, getpid());
    CHECK(peer.uid, getuid());
    CHECK(peer.gid, getgid());
    unref_both(near, far);
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    CHECK(go_conn_peer_credentials(far, &peer), -1);
    CHECK(errno, ENOTSUP);
    unref_both(near, far);
}

static void descriptors_are_passed(void)
{
    go_conn *near, *far;
    int ends[2], got[2] = { -1, -1 }, count;
    char bytes[10];
    make_pair("unix", path_of("fds"), &near, &far);
    CHECK(pipe(ends), 0);
    CHECK(go_conn_send_fds(near, "two", 3, ends, 2), 3);
    CHECK(go_conn_recv_fds(far, bytes, sizeof bytes, got, 2, &count), 3);
    CHECK(count, 2);
    CHECK(fcntl(got[0], F_GETFD), FD_CLOEXEC);
    CHECK(write(got[1], "x", 1), 1);
    CHECK(read(ends[0], bytes, 1), 1);
    close(got[0]);
    close(got[1]);
    /* what there is no room for is closed */
    CHECK(go_conn_send_fds(near, "one", 3, ends, 2), 3);
    CHECK(go_conn_recv_fds(far, bytes, sizeof bytes, got, 1, &count), 3);
    CHECK(count, 2);
    close(ends[1]);
    CHECK(fcntl(got[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK(read(ends[0], bytes, 1), 0); /* the writing end that came is closed */
    close(got[0]);
    close(ends[0]);
    CHECK(go_conn_send_fds(near, "none", 4, NULL, 0), 4);
    CHECK(go_conn_recv_fds(far, bytes, sizeof bytes, NULL, 0, &count), 4);
    CHECK(count, 0);
    CHECK(go_conn_send_fds(near, "", 0, NULL, 0), -1);
    CHECK(errno, EINVAL);
    unref_both(near, far);
}

static void descriptors_go_through_unix_sockets_alone(void)
{
    go_conn *near, *far;
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    CHECK(go_conn_send_fds(near, "x", 1, (int[]){ 0 }, 1), -1);
    CHECK(errno, ENOTSUP);
    unref_both(near, far);
}

/* A read may end before what there is does: at the byte that descriptors came with, at an urgent
 * one. The rest is not waited for. */
static void short_reads_leave_the_rest(void)
{
    go_conn *near, *far;
    char bytes[10];
    int end = 1;
    make_pair("unix", path_of("short"), &near, &far);
    CHECK(go_conn_write(near, "first", 5), 5);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 5);
    CHECK(go_conn_send_fds(near, "abc", 3, &end, 1), 3);
    CHECK(go_conn_write(near, "def", 3), 3);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 3);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 3);
    unref_both(near, far);
    make_pair("tcp", "127.0.0.1:0", &near, &far);
    CHECK(go_conn_write(near, "first", 5), 5);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 5);
    CHECK(send(go_fd_number(go_conn_fd(near)), "ab!", 3, MSG_OOB), 3);
    CHECK(go_conn_write(near, "cd", 2), 2);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 2);
    CHECK(go_conn_read(far, bytes, sizeof bytes), 2);
    unref_both(near, far);
}

/* ---- packets --------------------------------------------------------------------------------- */

static void packets_come_with_addresses(const char *network, const char *one, const char *other)
{
    go_conn *a = need(go_listen_packet(network, one), one);
    go_conn *b = need(go_listen_packet(network, other), other);
    go_address from;
    char bytes[10];
    CHECK(go_conn_remote(a)->size, 0);
    CHECK(go_conn_write_to(a, "hello", 5, go_conn_local(b)), 5);
    CHECK(go_conn_read_from(b, bytes, sizeof bytes, &from), 5);
    CHECK(go_address_equal(&from, go_conn_local(a)), 1);
    CHECK(go_conn_write_to(b, "", 0, &from), 0);
    CHECK(go_conn_read_from(a, bytes, sizeof bytes, NULL), 0);
    CHECK(go_conn_write_to(a, "x", 1, NULL), -1);
    CHECK(errno, EDESTADDRREQ);
    CHECK(go_conn_set_read_deadline(a, 1), 0);
    CHECK(go_conn_read_from(a, bytes, sizeof bytes, &from), -1);
    CHECK(errno, ETIMEDOUT);
    CHECK(go_conn_close(a), 0);
    CHECK(go_conn_read_from(a, bytes, sizeof bytes, &from), -1);
    CHECK(errno, EBADF);
    unref_both(a, b);
}

static void udp_may_be_connected(void)
{
    go_conn *server = need(go_listen_packet("udp", "127.0.0.1:0"), "udp");
    char address[GO_ADDRESS_ROOM], bytes[10];
    go_address from;
    go_conn *client =
        need(go_dial("udp", go_conn_local_address(server, address, sizeof address)), "dial udp");
    CHECK(go_conn_write(client, "ping", 4), 4);
    CHECK(go_conn_read_from(server, bytes, sizeof bytes, &from), 4);
    CHECK(go_address_equal(&from, go_conn_local(client)), 1);
    CHECK(go_conn_write_to(server, "pong", 4, &from), 4);
    CHECK(go_conn_read(client, bytes, sizeof bytes), 4);
    CHECK(go_conn_write_to(client, "x", 1, &from), -1);
    CHECK(errno, EISCONN);
    CHECK(go_conn_write(server, "x", 1), -1);
    CHECK(errno, EDESTADDRREQ);
    go_conn_unref(server);
    CHECK(go_conn_write(client, "ping", 4), 4);
    CHECK(go_conn_read(client, bytes, sizeof bytes), -1);
    CHECK(errno, ECONNREFUSED);
    go_conn_unref(client);
}

/* A socket of IPv6 sends to addresses of IPv4. */
static void udp_without_a_host_speaks_both(void)
{
    go_conn *both = need(go_listen_packet("udp", ":0"), "udp");
    go_conn *ipv4 = need(go_listen_packet("udp4", "127.0.0.1:0"), "udp4");
    char byte, text[GO_ADDRESS_ROOM];
    go_address from;
    CHECK(go_conn_write_to(both, "x", 1, go_conn_local(ipv4)), 1);
    CHECK(go_conn_read_from(ipv4, &byte, 1, &from), 1);
    CHECK_PREFIX(go_address_string(&from, text, sizeof text), "127.0.0.1:");
    CHECK(go_conn_write_to(ipv4, "x", 1, &from), 1);
    CHECK(go_conn_read_from(both, &byte, 1, &from), 1);
    CHECK(go_address_equal(&from, go_conn_local(ipv4)), 1);
    CHECK_PREFIX(go_address_string(&from, text, sizeof text), "127.0.0.1:");
    if (has_ipv6) {
        CHECK(go_resolve_address("udp6", "[::1]:1", &from), 0);
        CHECK(go_conn_write_to(ipv4, "x", 1, &from), -1);
        CHECK(errno, EINVAL);
    }
    unref_both(both, ipv4);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void look_up(int *found)
{
    go_address addresses[8];
    int n = go_lookup_host("localhost", addresses, 8);
    for (int i = 0; i < n && i < 8; i++) {
        char host[GO_ADDRESS_ROOM];
        go_address_host(&addresses[i], host, sizeof host);
        if (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0)
            __atomic_fetch_add(found, 1, __ATOMIC_RELAXED);
    }
}

static void names_are_looked_up(void)
{
    enum { MANY = 100 };
    go_waitgroup looked = { 0 };
    go_address address;
    char text[GO_ADDRESS_ROOM];
    int found = 0;
    for (int i = 0; i < MANY; i++)
        go_waitgroup_go(&looked, look_up, &found);
    go_waitgroup_wait(&looked);
    CHECK(found >= MANY, 1);
    CHECK(go_lookup_host("192.0.2.1", &address, 1), 1);
    CHECK_TEXT(go_address_host(&address, text, sizeof text), "192.0.2.1");
    CHECK(go_lookup_host("::ffff:192.0.2.1", &address, 1), 1);
    CHECK_TEXT(go_address_host(&address, text, sizeof text), "192.0.2.1");
    CHECK(go_lookup_host("127.0.0.1", NULL, 0), 1);
    CHECK(go_lookup_host("", &address, 1), -1);
    CHECK(errno, ENOENT);
    CHECK_TEXT(go_net_error(), "lookup : no such host");
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    CHECK(go_lookup_host_ctx(ctx, "localhost", &address, 1), -1);
    CHECK(errno, ECANCELED);
    CHECK(go_lookup_host_ctx(ctx, "127.0.0.1", &address, 1), 1);
    go_context_end(ctx);
}

/* Whoever goes while a look-up runs leaves it to itself. */
static void look_ups_may_be_left(void)
{
    static int unused;
    for (int i = 0; i < 50; i++) {
        go_context *ctx = go_context_with_cancel(NULL);
        go_address address;
        go(go_context_end, go_context_ref(ctx));
        go(look_up, &unused);
        if (go_lookup_host_ctx(ctx, "localhost", &address, 1) < 0)
            CHECK(errno, ECANCELED);
        go_context_end(ctx);
        while (go_num_goroutine() > 1)
            go_gosched();
    }
}

static void addresses_are_resolved(void)
{
    go_address address, same;
    struct sockaddr_in6 in6;
    char text[GO_ADDRESS_ROOM];
    CHECK(go_resolve_address("tcp", "127.0.0.1:http", &address), 0);
    CHECK_TEXT(go_address_string(&address, text, sizeof text), "127.0.0.1:80");
    CHECK(go_address_port(&address), 80);
    CHECK(go_resolve_address("udp", "[2001:db8::1%1]:DOMAIN", &address), 0);
    memcpy(&in6, address.socket, sizeof in6);
    CHECK(in6.sin6_scope_id, 1);
    CHECK_PREFIX(go_address_string(&address, text, sizeof text), "[2001:db8::1%");
    /* a number that fits in no zone is not another one */
    CHECK(go_resolve_address("tcp", "[2001:db8::1%4294967297]:1", &address), 0);
    CHECK_TEXT(go_address_string(&address, text, sizeof text), "[2001:db8::1]:1");
    CHECK(go_resolve_address("tcp", "[2001:db8::1%-1]:1", &address), 0);
    CHECK_TEXT(go_address_string(&address, text, sizeof text), "[2001:db8::1]:1");
    CHECK(go_resolve_address("tcp", "localhost:1", &address), 0);
    CHECK_TEXT(go_address_string(&address, text, sizeof text), "127.0.0.1:1");
    CHECK(go_resolve_address("tcp", "[::ffff:127.0.0.1]:1", &same), 0);
    CHECK(go_address_equal(&address, &same), 1);
    const char *numbers[] = { "127.1:1", "0x7f.1:1", "0177.0.0.1:1", "2130706433:1" };
    for (int i = 0; i < 4; i++) { /* of the C library's, not of Go's */
        CHECK(go_resolve_address("tcp", numbers[i], &address), -1);
        CHECK_PREFIX(go_net_error(), "lookup ");
        CHECK(errno, ENOENT);
    }
    CHECK(go_resolve_address("unix", "@x", &address), 0);
    CHECK_TEXT(go_address_string(&address, text, sizeof text), "@x");
    CHECK(go_address_port(&address), 0);
    CHECK(go_resolve_address("ip", "127.0.0.1", &address), -1);
    CHECK_TEXT(go_net_error(), "unknown network ip");
    char longest[109];
    memset(longest, 'x', 108);
    longest[108] = 0;
    CHECK(go_resolve_address("unix", longest, &address), -1);
    CHECK(errno, EINVAL);
    longest[0] = '@';
    CHECK(go_resolve_address("unix", longest, &address), 0);
    CHECK_TEXT(go_address_string(&address, text, sizeof text), longest);
    longest[107] = 0;
    longest[0] = '/';
    CHECK(go_resolve_address("unix", longest, &address), 0);
    CHECK_TEXT(go_address_string(&address, text, sizeof text), longest);
}

static void host_and_port_are_taken_apart(void)
{
    char host[20], port[20];
    CHECK(go_split_host_port("[::1%lo]:80", host, sizeof host, port, sizeof port), 0);
    CHECK_TEXT(host, "::1%lo");
    CHECK_TEXT(port, "80");
    CHECK(go_split_host_port("a-name-that-is-too-long:80", host, sizeof host, port, sizeof port),
          -1);
    CHECK(errno, ERANGE);
    CHECK_TEXT(go_join_host_port("::1", "http", host, sizeof host), "[::1]:http");
    CHECK_TEXT(go_join_host_port("::1", "http", host, 5), "[::1");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    CHECK_TEXT(go_net_error(), "");
    snprintf(folder, sizeof folder, "/tmp/gofer-net-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL, 1);
    go_listener *probe = go_listen("tcp6", "[::1]:0");
    has_ipv6 = probe != NULL;
    go_listener_unref(probe);
    if (!has_ipv6)
        puts("the machine has no ::1: nothing of IPv6 was tested");

    stream_carries_bytes_both_ways("tcp", "127.0.0.1:0");
    stream_carries_bytes_both_ways("unix", path_of("stream"));
    if (has_ipv6)
        stream_carries_bytes_both_ways("tcp6", "[::1]:0");
    addresses_are_those_of_the_ends();
    tcp_gets_go_s_options();
    close_wakes_who_is_blocked();
    deadlines_and_contexts_end_calls();
    a_write_cut_short_says_how_much();
    no_size_is_refused();
    a_conn_is_made_of_a_descriptor();
    buffers_work_over_connections();
    plain_threads_dial_too();

    dial_is_refused();
    control_sees_each_socket();
    dial_from_a_local_address();
    a_cancelled_context_dials_nobody();
    dial_ends_with_its_context();
    dial_tries_each_address_of_a_name("tcp4", "127.0.0.1:0");
    if (has_ipv6) {
        dial_falls_back_to_the_other_family();
        dial_races_a_family_that_does_not_answer();
    }

    a_port_is_taken_once_but_for_reuse();
    accept_ends();
    accept_without_descriptors_may_be_tried_again();
    without_a_host_both_families_come();

    closing_removes_the_file();
    packets_keep_their_borders();
    a_peer_has_credentials();
    descriptors_are_passed();
    descriptors_go_through_unix_sockets_alone();
    short_reads_leave_the_rest();

    packets_come_with_addresses("udp", "127.0.0.1:0", "127.0.0.1:0");
    char other[100];
    snprintf(other, sizeof other, "%s", path_of("b"));
    packets_come_with_addresses("unixgram", path_of("a"), other);
    unlink(path_of("a"));
    unlink(other);
    udp_may_be_connected();
    udp_without_a_host_speaks_both();

    names_are_looked_up();
    look_ups_may_be_left();
    addresses_are_resolved();
    host_and_port_are_taken_apart();
    CHECK(rmdir(folder), 0);
    return 0;
}

/* The server: listens, accepts, keeps to its limits, and stops without losing a request. */
#define _GNU_SOURCE /* accept4 */
#include "httpd.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <sys/socket.h>

/* How many of those that find the server full are told so at a time; the rest is just closed. */
enum { MOST_REFUSALS = 64 };

int server_listen(struct server *server, const struct settings *settings)
{
    const go_listen_config config = { .reuse_port = settings->reuse_port };
    *server = (struct server){ .settings = settings };
    go_semaphore_init(&server->slots, settings->most_connections);
    go_semaphore_init(&server->refusals, MOST_REFUSALS);
    server->stopping = go_context_with_cancel(NULL);
    server->cutting = go_context_with_cancel(NULL);
    server->listener = go_listen_config_listen(NULL, &config, "tcp", settings->address);
    return server->listener && server->stopping && server->cutting ? 0 : -1;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void serve(struct server *server, go_conn *conn)
{
    connection_serve(server, conn);
    atomic_fetch_sub_explicit(&server->connections, 1, memory_order_relaxed);
    go_semaphore_release(&server->slots, 1);
}

static void refuse(struct server *server, go_conn *conn)
{
    connection_refuse(server, conn);
    go_semaphore_release(&server->refusals, 1);
}

/* Gives a connection to a goroutine of its own. */
static void take(struct server *server, go_conn *accepted)
{
    go_conn *conn = tls_accept(server->settings, accepted);
    if (!conn)
        return;
    if (go_semaphore_try_acquire(&server->slots, 1)) {
        atomic_fetch_add_explicit(&server->connections, 1, memory_order_relaxed);
        go_waitgroup_go(&server->running, serve, server, conn);
    } else if (go_semaphore_try_acquire(&server->refusals, 1)) {
        go_waitgroup_go(&server->running, refuse, server, conn);
    } else {
        go_conn_unref(conn);
    }
}

/* False: more may be there, but cannot be taken. */
static bool take_those_who_wait(struct server *server)
{
    int descriptor, listener = go_fd_number(go_listener_fd(server->listener));
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        go_fd *fd = go_fd_new(descriptor);
        go_conn *conn = fd ? go_conn_from_fd(fd) : NULL;
        if (conn)
            take(server, conn);
    }
    return errno == EAGAIN;
}

/* Nobody new is welcomed: the kernel drops what would begin a connection. The rest of a handshake
 * it takes: who has been welcomed believes that he is connected, and sends his request. */
static void turn_away(int listener)
{
    enum { FLAGS = 13 /* where they are in TCP's header */, SYN = 2 };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog filter = { sizeof code / sizeof *code, code };
    setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

/* Those whom the kernel has welcomed already: closing the listener would reset them. The last ones'
 * handshakes may take a part of the time that a client has who is called the last time. */
static void stop_listening(struct server *server)
{
    go_fd *listener = go_listener_fd(server->listener);
    go_context *patience = go_context_with_timeout(NULL, server->settings->last_call / 5);
    turn_away(go_fd_number(listener));
    while (take_those_who_wait(server) && patience)
        if (go_fd_wait_ctx(patience, listener, GO_READABLE) != 0)
            break;
    take_those_who_wait(server);
    go_context_end(patience);
    go_listener_close(server->listener);
}

void server_run(struct server *server)
{
    go_duration pause = 0;
    char text[GO_DURATION_ROOM];
    for (;;) {
        go_conn *conn = go_listener_accept_ctx(server->stopping, server->listener);
        if (conn) {
            take(server, conn);
            pause = 0;
            continue;
        }
        if (go_context_err(server->stopping))
            break;
        /* No descriptor or memory is left (EMFILE, ENOBUFS …): at once it would be no better. */
        pause = pause ? 2 * pause : 5 * GO_MILLISECOND;
        if (pause > GO_SECOND)
            pause = GO_SECOND;
        fprintf(stderr, "httpd: %s; retrying in %s\n", go_net_error(),
                go_duration_string(pause, text, sizeof text));
        go_sleep_ctx(server->stopping, pause);
    }
    stop_listening(server);
}

/* ---- the end --------------------------------------------------------------------------------- */

uint64_t server_stop(struct server *server)
{
    go_context *patience = go_context_with_timeout(NULL, server->settings->drain_timeout);
    uint64_t cut = 0;
    go_context_cancel(server->stopping);
    if (go_waitgroup_wait_ctx(patience, &server->running) != 0) {
        cut = atomic_load_explicit(&server->connections, memory_order_relaxed);
        go_context_cancel(server->cutting);
        go_waitgroup_wait(&server->running);
    }
    go_context_end(patience);
    go_listener_unref(server->listener);
    go_context_unref(server->stopping);
    go_context_unref(server->cutting);
    return cut;
}

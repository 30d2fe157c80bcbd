/* go_conn: what is common to all kinds, and the kind that is a socket.
 *
 * A failed call of a kind's leaves errno; the words are put to it here. */
#include "net/net.h"

#include "io/fd.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>

/* ---- words ----------------------------------------------------------------------------------- */

bool gofer_net_expired(go_fd *fd, int what)
{
    gofer_spin_lock(&fd->lock);
    bool expired = what & GO_READABLE && fd->directions[GOFER_FD_READ].expired;
    expired |= what & GO_WRITABLE && fd->directions[GOFER_FD_WRITE].expired;
    gofer_spin_unlock(&fd->lock);
    return expired;
}

/* What the library itself says with this error; NULL: the kernel said it. `expired`: a deadline of
 * the descriptor has passed. */
static const char *own_reason(int error, go_context *ctx, bool expired)
{
    if (error == EBADF)
        return "use of closed network connection";
    if (error == ECANCELED && go_context_err(ctx))
        return "operation was canceled";
    if (error == ETIMEDOUT && (expired || go_context_err(ctx)))
        return "i/o timeout";
    return NULL;
}

void gofer_conn_fail(const go_conn *conn, go_context *ctx, int what, const char *operation,
                     const char *kernel_call, gofer_net_failure *failure)
{
    int error = *gofer_errno();
    char local[GO_ADDRESS_ROOM], remote[GO_ADDRESS_ROOM];
    const char *reason = own_reason(error, ctx, conn->kind->is_expired(conn, what));
    go_address_string(&conn->local, local, sizeof local);
    go_address_string(&conn->remote, remote, sizeof remote);
    struct gofer_net_call call = { operation, conn->network->name, local, remote };
    if (!conn->remote.size)
        call.address = NULL;
    if (reason)
        gofer_net_fail(failure, error, &call, reason);
    else
        gofer_net_fail_call(failure, error, &call, kernel_call);
}

/* Publishes what a kind's call left in errno. Returns -1. */
static gofer_cold int fail_conn(const go_conn *conn, go_context *ctx, int what,
                                const char *operation, const char *kernel_call)
{
    gofer_net_failure failure;
    if (conn->kind->has_words)
        return -1;
    gofer_conn_fail(conn, ctx, what, operation, kernel_call, &failure);
    return gofer_net_publish(&failure);
}

/* Of a setting, which has no peer in Go's texts. */
static gofer_cold int fail_setting(const go_conn *conn, int error, const char *kernel_call)
{
    gofer_net_failure failure;
    char local[GO_ADDRESS_ROOM];
    const struct gofer_net_call call = { "set", conn->network->name, NULL,
                                         go_address_string(&conn->local, local, sizeof local) };
    const char *reason = own_reason(error, NULL, false);
    if (reason)
        gofer_net_fail(&failure, error, &call, reason);
    else
        gofer_net_fail_call(&failure, error, &call, kernel_call);
    return gofer_net_publish(&failure);
}

/* ---- sockets --------------------------------------------------------------------------------- */

typedef struct socket_conn {
    go_fd *fd; /* beside what each call reads of the other */
    go_conn conn;
} socket_conn;

static go_fd *socket_fd(const go_conn *conn)
{
    return gofer_container(conn, const socket_conn, conn)->fd;
}

static ssize_t socket_read(go_context *ctx, go_conn *conn, void *buffer, size_t size, bool full)
{
    return full ? go_fd_read_full_ctx(ctx, socket_fd(conn), buffer, size)
                : go_fd_read_ctx(ctx, socket_fd(conn), buffer, size);
}

static ssize_t socket_writev(go_context *ctx, go_conn *conn, const struct iovec *pieces, int count)
{
    if (count == 1)
        return go_fd_write_ctx(ctx, socket_fd(conn), pieces->iov_base, pieces->iov_len);
    return go_fd_writev_ctx(ctx, socket_fd(conn), pieces, count);
}

static int socket_close(go_conn *conn)
{
    return go_fd_close(socket_fd(conn));
}

static int socket_shutdown(go_conn *conn, int how)
{
    return go_fd_shutdown(socket_fd(conn), how);
}

static int socket_set_deadline(go_conn *conn, int what, int64_t when)
{
    return go_fd_set_deadline(socket_fd(conn), what, when);
}

static bool socket_is_expired(const go_conn *conn, int what)
{
    return gofer_net_expired(socket_fd(conn), what);
}

static void socket_free(go_conn *conn)
{
    go_fd_unref(socket_fd(conn));
    free(gofer_container(conn, socket_conn, conn));
}

static const gofer_conn_kind socket_kind = {
    .read = socket_read,
    .writev = socket_writev,
    .close = socket_close,
    .shutdown = socket_shutdown,
    .set_deadline = socket_set_deadline,
    .is_expired = socket_is_expired,
    .fd = socket_fd,
    .free = socket_free,
};

go_conn *gofer_conn_reserve(void)
{
    socket_conn *self = malloc(sizeof *self);
    if (self) {
        self->conn.kind = &socket_kind;
        return &self->conn;
    }
    *gofer_errno() = ENOMEM;
    return NULL;
}

void gofer_conn_give_back(go_conn *room)
{
    int kept = *gofer_errno();
    free(gofer_container(room, socket_conn, conn));
    *gofer_errno() = kept;
}

void gofer_conn_fill(go_conn *room, const gofer_network *network, go_fd *fd,
                     const go_address *remote)
{
    socket_conn *self = gofer_container(room, socket_conn, conn);
    self->conn.network = network;
    atomic_store_explicit(&self->conn.references, 1, memory_order_relaxed);
    self->fd = fd;
    gofer_socket_local(go_fd_number(fd), &self->conn.local);
    if (remote)
        self->conn.remote = *remote;
    else
        gofer_socket_remote(go_fd_number(fd), &self->conn.remote);
    self->conn.is_connected = self->conn.remote.size != 0;
}

go_conn *gofer_conn_new(const gofer_network *network, go_fd *fd, const go_address *remote)
{
    go_conn *conn = gofer_conn_reserve();
    if (conn)
        gofer_conn_fill(conn, network, fd, remote);
    else
        go_fd_unref(fd); /* errno stays */
    return conn;
}

/* The network that the socket is of, or NULL. */
static const gofer_network *network_of_socket(int number, const struct gofer_net_call *call,
                                              gofer_net_failure *failure)
{
    int type = 0;
    socklen_t size = sizeof type;
    go_address local;
    const gofer_network *network = NULL;
    if (getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        gofer_net_fail_call(failure, errno, call, "getsockopt");
        return NULL;
    }
    gofer_socket_local(number, &local);
    if (local.size)
        network = gofer_network_of(gofer_sockaddr_of(&local)->any.sa_family, type);
    if (!network)
        gofer_net_fail_call(failure, EPROTONOSUPPORT, call, "socket");
    return network;
}

go_conn *go_conn_from_fd(go_fd *fd)
{
    int error = *gofer_errno(); /* go_fd_new's, where that failed */
    gofer_net_failure failure;
    const struct gofer_net_call call = { .operation = "file" };
    const gofer_network *network = fd ? network_of_socket(go_fd_number(fd), &call, &failure) : NULL;
    go_conn *conn = network ? gofer_conn_new(network, go_fd_ref(fd), NULL) : NULL;
    if (conn) {
        go_fd_unref(fd); /* a failure leaves the caller's reference alone */
        return conn;
    }
    if (!fd || network)
        gofer_net_fail(&failure, fd ? ENOMEM : error, &call, gofer_net_words(fd ? ENOMEM : error));
    gofer_net_publish(&failure);
    return NULL;
}

/* ---- references ------------------------------------------------------------------------------ */

go_conn *go_conn_ref(go_conn *conn)
{
    atomic_fetch_add_explicit(&conn->references, 1, memory_order_relaxed);
    return conn;
}

void go_conn_unref(go_conn *conn)
{
    /* acq_rel: the last one frees what the others have used */
    if (!conn || atomic_fetch_sub_explicit(&conn->references, 1, memory_order_acq_rel) > 1)
        return;
    int kept = *gofer_errno();
    conn->kind->free(conn);
    *gofer_errno() = kept;
}

/* ---- reading and writing --------------------------------------------------------------------- */

static ssize_t read_conn(go_context *ctx, go_conn *conn, void *buffer, size_t size, bool full)
{
    ssize_t n = conn->kind->read(ctx, conn, buffer, size, full);
    if (gofer_unlikely(n < 0 || (full && (size_t)n < size && *gofer_errno())))
        fail_conn(conn, ctx, GO_READABLE, "read", "read");
    return n;
}

ssize_t go_conn_read_ctx(go_context *ctx, go_conn *conn, void *buffer, size_t size)
{
    return read_conn(ctx, conn, buffer, size, false);
}

ssize_t go_conn_read_full_ctx(go_context *ctx, go_conn *conn, void *buffer, size_t size)
{
    return read_conn(ctx, conn, buffer, size, true);
}

/* -1 of a read that failed is no size to write. */
static gofer_cold int refuse_size(const go_conn *conn, const char *kernel_call)
{
    gofer_net_failure failure;
    *gofer_errno() = EINVAL;
    gofer_conn_fail(conn, NULL, GO_WRITABLE, "write", kernel_call, &failure);
    return gofer_net_publish(&failure);
}

ssize_t go_conn_write_ctx(go_context *ctx, go_conn *conn, const void *data, size_t size)
{
    struct iovec piece = { (void *)(uintptr_t)data, size };
    if (gofer_unlikely(size > SSIZE_MAX))
        return refuse_size(conn, "write");
    ssize_t n = conn->kind->writev(ctx, conn, &piece, 1);
    if (gofer_unlikely(n < 0 || (size_t)n < size))
        fail_conn(conn, ctx, GO_WRITABLE, "write", "write");
    return n;
}

ssize_t go_conn_writev_ctx(go_context *ctx, go_conn *conn, const struct iovec *pieces, int count)
{
    size_t size = 0;
    if (gofer_unlikely(!gofer_pieces_fit(pieces, count)))
        return refuse_size(conn, "writev");
    for (int i = 0; i < count; i++)
        size += pieces[i].iov_len;
    ssize_t n = conn->kind->writev(ctx, conn, pieces, count);
    if (gofer_unlikely(n < 0 || (size_t)n < size))
        fail_conn(conn, ctx, GO_WRITABLE, "write", "writev");
    return n;
}

ssize_t go_conn_read(go_conn *conn, void *buffer, size_t size)
{
    return go_conn_read_ctx(NULL, conn, buffer, size);
}

ssize_t go_conn_read_full(go_conn *conn, void *buffer, size_t size)
{
    return go_conn_read_full_ctx(NULL, conn, buffer, size);
}

ssize_t go_conn_write(go_conn *conn, const void *data, size_t size)
{
    return go_conn_write_ctx(NULL, conn, data, size);
}

ssize_t go_conn_writev(go_conn *conn, const struct iovec *pieces, int count)
{
    return go_conn_writev_ctx(NULL, conn, pieces, count);
}

/* ---- under buffers --------------------------------------------------------------------------- */

static ssize_t read_source(go_context *ctx, void *from, void *buffer, size_t size)
{
    return go_conn_read_ctx(ctx, from, buffer, size);
}

static ssize_t write_sink(go_context *ctx, void *to, const void *data, size_t size)
{
    return go_conn_write_ctx(ctx, to, data, size);
}

go_source go_conn_source(go_conn *conn)
{
    return (go_source){ read_source, conn };
}

go_sink go_conn_sink(go_conn *conn)
{
    return (go_sink){ write_sink, conn };
}

/* ---- closing, deadlines ---------------------------------------------------------------------- */

int go_conn_close(go_conn *conn)
{
    return conn->kind->close(conn) == 0 ? 0 : fail_conn(conn, NULL, 0, "close", "close");
}

static int close_side(go_conn *conn, int how)
{
    return conn->kind->shutdown(conn, how) == 0 ? 0 : fail_conn(conn, NULL, 0, "close", "shutdown");
}

int go_conn_close_read(go_conn *conn)
{
    return close_side(conn, SHUT_RD);
}

int go_conn_close_write(go_conn *conn)
{
    return close_side(conn, SHUT_WR);
}

static int set_conn_deadline(go_conn *conn, int what, int64_t when)
{
    if (conn->kind->set_deadline(conn, what, when) == 0)
        return 0;
    return fail_setting(conn, *gofer_errno(), "deadline");
}

int go_conn_set_deadline(go_conn *conn, int64_t when)
{
    return set_conn_deadline(conn, GO_READABLE | GO_WRITABLE, when);
}

int go_conn_set_read_deadline(go_conn *conn, int64_t when)
{
    return set_conn_deadline(conn, GO_READABLE, when);
}

int go_conn_set_write_deadline(go_conn *conn, int64_t when)
{
    return set_conn_deadline(conn, GO_WRITABLE, when);
}

/* ---- asking ---------------------------------------------------------------------------------- */

const go_address *go_conn_local(const go_conn *conn)
{
    return &conn->local;
}

const go_address *go_conn_remote(const go_conn *conn)
{
    return &conn->remote;
}

char *go_conn_local_address(const go_conn *conn, char *buf, size_t size)
{
    return go_address_string(&conn->local, buf, size);
}

char *go_conn_remote_address(const go_conn *conn, char *buf, size_t size)
{
    return go_address_string(&conn->remote, buf, size);
}

const char *go_conn_network(const go_conn *conn)
{
    return conn->network->name;
}

go_fd *go_conn_fd(const go_conn *conn)
{
    return conn->kind->fd(conn);
}

/* ---- options --------------------------------------------------------------------------------- */

/* Calls `set` with the descriptor, which stays what it is meanwhile. TCP's options name the peer
 * when they fail, as Go's do. */
static int set_with(go_conn *conn, bool of_tcp, int (*set)(int number, const void *value),
                    const void *value)
{
    go_fd *fd = conn->kind->fd(conn);
    int error = fd ? gofer_fd_enter(fd) : ENOTSUP;
    if (!error) {
        error = set(go_fd_number(fd), value);
        gofer_fd_leave(fd);
    }
    if (!error)
        return 0;
    *gofer_errno() = error;
    return of_tcp ? fail_conn(conn, NULL, 0, "set", "setsockopt")
                  : fail_setting(conn, error, "setsockopt");
}

struct socket_option {
    int level, name;
    const void *value;
    socklen_t size;
};

static int set_socket_option(int number, const void *value)
{
    const struct socket_option *option = value;
    return setsockopt(number, option->level, option->name, option->value, option->size) == 0
               ? 0
               : errno;
}

static int set_keep_alive(int number, const void *value)
{
    return gofer_socket_keep_alive(number, value);
}

int go_conn_set_no_delay(go_conn *conn, int on)
{
    int value = on != 0;
    struct socket_option option = { IPPROTO_TCP, TCP_NODELAY, &value, sizeof value };
    return set_with(conn, true, set_socket_option, &option);
}

int go_conn_set_keep_alive(go_conn *conn, const go_keep_alive *keep_alive)
{
    return set_with(conn, true, set_keep_alive, keep_alive);
}

int go_conn_set_linger(go_conn *conn, int seconds)
{
    struct linger value = { .l_onoff = seconds >= 0, .l_linger = seconds >= 0 ? seconds : 0 };
    struct socket_option option = { SOL_SOCKET, SO_LINGER, &value, sizeof value };
    return set_with(conn, true, set_socket_option, &option);
}

int go_conn_set_read_buffer(go_conn *conn, int bytes)
{
    struct socket_option option = { SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes };
    return set_with(conn, false, set_socket_option, &option);
}

int go_conn_set_write_buffer(go_conn *conn, int bytes)
{
    struct socket_option option = { SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes };
    return set_with(conn, false, set_socket_option, &option);
}

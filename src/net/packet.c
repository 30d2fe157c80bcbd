/* Packets with addresses, and what unix sockets carry beside bytes: credentials, descriptors. They
 * are of sockets alone: a connection without a descriptor has none of it. */
#include "net/net.h"

#include "io/fd.h"

#include <limits.h>
#include <unistd.h>

enum { MOST_FDS = 253 /* the kernel's SCM_MAX_FD */ };

static gofer_cold int fail_packet(const go_conn *conn, go_context *ctx, int what,
                                  const char *operation, const char *kernel_call)
{
    gofer_net_failure failure;
    gofer_conn_fail(conn, ctx, what, operation, kernel_call, &failure);
    return gofer_net_publish(&failure);
}

static go_fd *fd_below(go_conn *conn)
{
    go_fd *fd = conn->kind->fd(conn);
    if (!fd)
        *gofer_errno() = ENOTSUP;
    return fd;
}

/* ---- addresses ------------------------------------------------------------------------------- */

ssize_t go_conn_read_from_ctx(go_context *ctx, go_conn *conn, void *buffer, size_t size,
                              go_address *from)
{
    go_address sender;
    struct iovec piece = { buffer, size };
    struct msghdr message = { .msg_name = sender.socket,
                              .msg_namelen = sizeof sender.socket,
                              .msg_iov = &piece,
                              .msg_iovlen = 1 };
    go_fd *fd = fd_below(conn);
    ssize_t n = fd ? go_fd_recvmsg_ctx(ctx, fd, &message, 0) : -1;
    if (n < 0)
        return fail_packet(conn, ctx, GO_READABLE, "read", "recvfrom");
    sender.size = message.msg_namelen > sizeof(sa_family_t) ? message.msg_namelen : 0;
    if (from)
        *from = sender;
    return n;
}

/* Whom a packet goes to, in Go's form of the failure. */
static int fail_write_to(const go_conn *conn, go_context *ctx, const go_address *to, int error,
                         const char *reason)
{
    gofer_net_failure failure;
    char local[GO_ADDRESS_ROOM], remote[GO_ADDRESS_ROOM];
    const struct gofer_net_call call = {
        "write", conn->network->name, go_address_string(&conn->local, local, sizeof local),
        to && to->size ? go_address_string(to, remote, sizeof remote) : NULL
    };
    if (!reason && error == EBADF)
        reason = "use of closed network connection";
    if (!reason && error == ECANCELED && go_context_err(ctx))
        reason = "operation was canceled";
    if (!reason && error == ETIMEDOUT)
        reason = "i/o timeout";
    if (reason)
        gofer_net_fail(&failure, error, &call, reason);
    else
        gofer_net_fail_call(&failure, error, &call, "sendto");
    return gofer_net_publish(&failure);
}

ssize_t go_conn_write_to_ctx(go_context *ctx, go_conn *conn, const void *data, size_t size,
                             const go_address *to)
{
    char reason[GOFER_NET_REASON], host[GO_ADDRESS_ROOM];
    struct iovec piece = { (void *)(uintptr_t)data, size };
    go_address target;
    if (conn->is_connected)
        return fail_write_to(conn, ctx, to, EISCONN,
                             "use of WriteTo with pre-connected connection");
    if (!to || !to->size)
        return fail_write_to(conn, ctx, to, EDESTADDRREQ, "missing address");
    if (!gofer_address_in_family(to, gofer_sockaddr_of(&conn->local)->any.sa_family, &target)) {
        go_address_host(to, host, sizeof host);
        gofer_net_join(reason, sizeof reason, "address ", host, ": non-IPv4 address", (char *)NULL);
        return fail_write_to(conn, ctx, to, EINVAL, reason);
    }
    struct msghdr message = {
        .msg_name = target.socket, .msg_namelen = target.size, .msg_iov = &piece, .msg_iovlen = 1
    };
    go_fd *fd = fd_below(conn);
    ssize_t n = fd ? go_fd_sendmsg_ctx(ctx, fd, &message, 0) : -1;
    return n < 0 ? fail_write_to(conn, ctx, to, *gofer_errno(), NULL) : n;
}

ssize_t go_conn_read_from(go_conn *conn, void *buffer, size_t size, go_address *from)
{
    return go_conn_read_from_ctx(NULL, conn, buffer, size, from);
}

ssize_t go_conn_write_to(go_conn *conn, const void *data, size_t size, const go_address *to)
{
    return go_conn_write_to_ctx(NULL, conn, data, size, to);
}

/* ---- credentials ----------------------------------------------------------------------------- */

int go_conn_peer_credentials(go_conn *conn, go_credentials *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    go_fd *fd = fd_below(conn);
    int error = fd ? gofer_fd_enter(fd) : ENOTSUP;
    if (!error) {
        if (getsockopt(go_fd_number(fd), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
            error = errno;
        else if (conn->network->family != AF_UNIX)
            error = ENOTSUP; /* the kernel answers for others, with nobody */
        gofer_fd_leave(fd);
    }
    if (error) {
        *gofer_errno() = error;
        return fail_packet(conn, NULL, 0, "get", "getsockopt");
    }
    *peer = (go_credentials){ credentials.pid, credentials.uid, credentials.gid };
    return 0;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

union fd_room {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))];
};

/* The first bytes and the descriptors with them. */
static ssize_t send_with_fds(go_context *ctx, go_fd *fd, const void *data, size_t size,
                             const int *fds, int count)
{
    union fd_room room;
    struct iovec piece = { (void *)(uintptr_t)data, size };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    if (count) {
        message.msg_control = room.bytes;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof *fds);
        memset(room.bytes, 0, message.msg_controllen);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN((size_t)count * sizeof *fds);
        memcpy(CMSG_DATA(rights), fds, (size_t)count * sizeof *fds);
    }
    return go_fd_sendmsg_ctx(ctx, fd, &message, 0);
}

ssize_t go_conn_send_fds_ctx(go_context *ctx, go_conn *conn, const void *data, size_t size,
                             const int *fds, int count)
{
    go_fd *fd = fd_below(conn);
    bool fits = count >= 0 && count <= MOST_FDS && size > 0 && size <= SSIZE_MAX;
    bool carries = conn->network->family == AF_UNIX; /* the kernel drops them elsewhere */
    if (fd && !(fits && carries))
        *gofer_errno() = fits ? ENOTSUP : EINVAL;
    ssize_t n = fd && fits && carries ? send_with_fds(ctx, fd, data, size, fds, count) : -1;
    if (n < 0)
        return fail_packet(conn, ctx, GO_WRITABLE, "write", "sendmsg");
    if ((size_t)n == size)
        return n;
    ssize_t rest = go_conn_write_ctx(ctx, conn, (const char *)data + n, size - (size_t)n);
    return rest < 0 ? n : n + rest;
}

/* The descriptors in a message: the first `room` go to fds, the others are closed. How many. */
static int take_fds(struct msghdr *message, int *fds, int room)
{
    int count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t length = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < length; i++, count++) {
            int number;
            memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
            if (count < room)
                fds[count] = number;
            else
                close(number);
        }
    }
    return count;
}

ssize_t go_conn_recv_fds_ctx(go_context *ctx, go_conn *conn, void *buffer, size_t size, int *fds,
                             int room, int *count)
{
    union fd_room control;
    struct iovec piece = { buffer, size };
    struct msghdr message = { .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    go_fd *fd = fd_below(conn);
    ssize_t n = fd ? go_fd_recvmsg_ctx(ctx, fd, &message, 0) : -1;
    *count = 0;
    if (n < 0)
        return fail_packet(conn, ctx, GO_READABLE, "read", "recvmsg");
    if (message.msg_flags & MSG_CTRUNC) { /* there is room for all that one may send */
        take_fds(&message, NULL, 0);
        *gofer_errno() = EMFILE;
        return fail_packet(conn, ctx, GO_READABLE, "read", "recvmsg");
    }
    *count = take_fds(&message, fds, room);
    return n;
}

ssize_t go_conn_send_fds(go_conn *conn, const void *data, size_t size, const int *fds, int count)
{
    return go_conn_send_fds_ctx(NULL, conn, data, size, fds, count);
}

ssize_t go_conn_recv_fds(go_conn *conn, void *buffer, size_t size, int *fds, int room, int *count)
{
    return go_conn_recv_fds_ctx(NULL, conn, buffer, size, fds, room, count);
}

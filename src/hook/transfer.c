/* Reading and writing: sockets by MSG_DONTWAIT; pipes, terminals and the like by asking first;
 * files and all else by the plain call. */
#include "hook/hook.h"

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

enum { MOST_PIECES = 1024 /* IOV_MAX */ };

/* With these a call does not block, or only the kernel can do it. */
enum { NOT_OURS = MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB };
#ifdef MSG_FASTOPEN
enum { NOT_OURS_TO_SEND = MSG_DONTWAIT | MSG_FASTOPEN };
#else
enum { NOT_OURS_TO_SEND = MSG_DONTWAIT };
#endif

#define CALLER __builtin_return_address(0)

static bool ours(int flags, int not_ours)
{
    return !(flags & not_ours) && gofer_hook_may_park();
}

/* SIZE_MAX: what the kernel refuses. */
static size_t total(const struct iovec *pieces, size_t count)
{
    size_t sum = 0;
    if (count > MOST_PIECES)
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].iov_len > SSIZE_MAX - sum)
            return SIZE_MAX;
        sum += pieces[i].iov_len;
    }
    return sum;
}

/* What can be waited for, of what is no socket. */
enum kind { KIND_OTHER, KIND_PIPE, KIND_DEVICE, KIND_NAMELESS /* eventfd, timerfd, inotify, … */ };

static enum kind kind_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return KIND_OTHER;
    switch (status.st_mode & S_IFMT) {
    case S_IFIFO:
        return KIND_PIPE;
    case S_IFCHR:
        return KIND_DEVICE;
    case 0:
        return KIND_NAMELESS;
    default:
        return KIND_OTHER;
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

enum { COUNTER = 8, SIGNAL_INFO = 128 }; /* what an eventfd or a timerfd gives, and a signalfd */

/* Whether a read may be waited for. Nameless files refuse what is too small for them at once, ready
 * or not; who reads so little otherwise, of inotify, finds the plain call as good. */
static bool can_wait_to_read(int fd, size_t size)
{
    enum kind kind = kind_of(fd);
    return kind == KIND_NAMELESS ? size == COUNTER || size >= SIGNAL_INFO : kind != KIND_OTHER;
}

static ssize_t read_when_ready(gofer_hook_call *call, const struct iovec *pieces, int count)
{
    ssize_t n = -1;
    bool done = false;
    call->timeout = 0; /* of sockets only */
    if (gofer_hook_is_nonblocking(call) ||
        !can_wait_to_read(call->fd, total(pieces, (size_t)count)))
        return gofer_hook_next()->readv(call->fd, pieces, count);
    do
        done = GOFER_HOOK_IF_READY(call, n = gofer_hook_next()->readv(call->fd, pieces, count));
    while (!done && gofer_hook_again(call) && call->dontwait);
    return done || call->dontwait ? n : gofer_hook_next()->readv(call->fd, pieces, count);
}

static ssize_t read_pieces(int fd, const struct iovec *pieces, int count, const void *caller)
{
    gofer_hook_call call = gofer_hook_begin(fd, POLLIN, SO_RCVTIMEO, caller);
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)pieces,
                              .msg_iovlen = (size_t)count };
    ssize_t n;
    do
        n = gofer_hook_next()->recvmsg(fd, &message, call.dontwait);
    while (n < 0 && gofer_hook_again(&call));
    if (n < 0 && errno == ENOTSOCK)
        n = read_when_ready(&call, pieces, count);
    return gofer_hook_end(&call, n);
}

GOFER_HOOK ssize_t read(int fd, void *buffer, size_t size)
{
    struct iovec piece = { buffer, size };
    if (size == 0 || size > SSIZE_MAX || !gofer_hook_may_park())
        return gofer_hook_next()->read(fd, buffer, size);
    return read_pieces(fd, &piece, 1, CALLER);
}

GOFER_HOOK ssize_t readv(int fd, const struct iovec *pieces, int count)
{
    size_t size = count > 0 && gofer_hook_may_park() ? total(pieces, (size_t)count) : 0;
    if (size == 0 || size == SIZE_MAX)
        return gofer_hook_next()->readv(fd, pieces, count);
    return read_pieces(fd, pieces, count, CALLER);
}

static ssize_t receive(gofer_hook_call *call, void *buffer, size_t size, int flags,
                       struct sockaddr *address, socklen_t *length)
{
    socklen_t room = length ? *length : 0;
    ssize_t n;
    do {
        if (length)
            *length = room;
        n = gofer_hook_next()->recvfrom(call->fd, buffer, size, flags | call->dontwait, address,
                                        length);
    } while (n < 0 && gofer_hook_again(call));
    return n;
}

/* MSG_WAITALL of a stream: until all is there, an end or an error. */
static ssize_t receive_all(gofer_hook_call *call, char *buffer, size_t size, int flags)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = receive(call, buffer + done, size - done, flags, NULL, NULL);
        if (n < 0 && done == 0)
            return -1;
        if (n <= 0)
            break;
        done += (size_t)n;
        if (gofer_hook_is_nonblocking(call))
            break;
    }
    return (ssize_t)done;
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

static ssize_t receive_from(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                            socklen_t *length, const void *caller)
{
    gofer_hook_call call = gofer_hook_begin(fd, POLLIN, SO_RCVTIMEO, caller);
    ssize_t n = flags & MSG_WAITALL && !(flags & MSG_PEEK) && !address && is_stream(fd)
                    ? receive_all(&call, buffer, size, flags)
                    : receive(&call, buffer, size, flags, address, length);
    return gofer_hook_end(&call, n);
}

GOFER_HOOK ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    if (!ours(flags, NOT_OURS))
        return gofer_hook_next()->recv(fd, buffer, size, flags);
    return receive_from(fd, buffer, size, flags, NULL, NULL, CALLER);
}

GOFER_HOOK ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags,
                            struct sockaddr *restrict address, socklen_t *restrict length)
{
    if (!ours(flags, NOT_OURS))
        return gofer_hook_next()->recvfrom(fd, buffer, size, flags, address, length);
    return receive_from(fd, buffer, size, flags, address, length, CALLER);
}

GOFER_HOOK ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    if (!ours(flags, NOT_OURS | MSG_WAITALL))
        return gofer_hook_next()->recvmsg(fd, message, flags);
    gofer_hook_call call = gofer_hook_begin(fd, POLLIN, SO_RCVTIMEO, CALLER);
    ssize_t n;
    do
        n = gofer_hook_next()->recvmsg(fd, message, flags | call.dontwait);
    while (n < 0 && gofer_hook_again(&call)); /* a failed one changes nothing in *message */
    return gofer_hook_end(&call, n);
}

/* ---- writing to sockets ---------------------------------------------------------------------- */

/* A stream took `done` bytes only: the blocking call goes on until it has them all. SIGPIPE comes
 * with the next call, as it does after a partial transfer. */
static ssize_t send_rest(gofer_hook_call *call, const struct msghdr *message, int flags,
                         size_t done, size_t size)
{
    struct iovec *pieces = malloc(message->msg_iovlen * sizeof *pieces);
    if (!pieces)
        return (ssize_t)done;
    memcpy(pieces, message->msg_iov, message->msg_iovlen * sizeof *pieces);
    struct msghdr rest = { .msg_iov = pieces, .msg_iovlen = message->msg_iovlen };
    size_t skip = done;
    while (done < size) {
        while (skip >= rest.msg_iov->iov_len) {
            skip -= rest.msg_iov++->iov_len;
            rest.msg_iovlen--;
        }
        rest.msg_iov->iov_base = (char *)rest.msg_iov->iov_base + skip;
        rest.msg_iov->iov_len -= skip;
        ssize_t n;
        do
            n = gofer_hook_next()->sendmsg(call->fd, &rest, flags | MSG_NOSIGNAL | call->dontwait);
        while (n < 0 && gofer_hook_again(call));
        if (n <= 0)
            break;
        skip = (size_t)n;
        done += (size_t)n;
    }
    free(pieces);
    return (ssize_t)done;
}

static ssize_t send_message(gofer_hook_call *call, const struct msghdr *message, int flags)
{
    ssize_t n;
    do
        n = gofer_hook_next()->sendmsg(call->fd, message, flags | call->dontwait);
    while (n < 0 && gofer_hook_again(call));
    if (n <= 0 || !call->dontwait)
        return n;
    size_t size = total(message->msg_iov, message->msg_iovlen);
    return (size_t)n == size || gofer_hook_is_nonblocking(call)
               ? n
               : send_rest(call, message, flags, (size_t)n, size);
}

GOFER_HOOK ssize_t send(int fd, const void *data, size_t size, int flags)
{
    if (!ours(flags, NOT_OURS_TO_SEND))
        return gofer_hook_next()->send(fd, data, size, flags);
    struct iovec piece = { (void *)(uintptr_t)data, size };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    gofer_hook_call call = gofer_hook_begin(fd, POLLOUT, SO_SNDTIMEO, CALLER);
    return gofer_hook_end(&call, send_message(&call, &message, flags));
}

GOFER_HOOK ssize_t sendto(int fd, const void *data, size_t size, int flags,
                          const struct sockaddr *address, socklen_t length)
{
    if (!ours(flags, NOT_OURS_TO_SEND))
        return gofer_hook_next()->sendto(fd, data, size, flags, address, length);
    struct iovec piece = { (void *)(uintptr_t)data, size };
    struct msghdr message = { .msg_name = (void *)(uintptr_t)address,
                              .msg_namelen = address ? length : 0,
                              .msg_iov = &piece,
                              .msg_iovlen = 1 };
    gofer_hook_call call = gofer_hook_begin(fd, POLLOUT, SO_SNDTIMEO, CALLER);
    return gofer_hook_end(&call, send_message(&call, &message, flags));
}

GOFER_HOOK ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (!ours(flags, NOT_OURS_TO_SEND))
        return gofer_hook_next()->sendmsg(fd, message, flags);
    gofer_hook_call call = gofer_hook_begin(fd, POLLOUT, SO_SNDTIMEO, CALLER);
    return gofer_hook_end(&call, send_message(&call, message, flags));
}

/* ---- writing to pipes and devices ------------------------------------------------------------ */

static ssize_t write_when_ready(gofer_hook_call *call, const struct iovec *pieces, int count)
{
    ssize_t n = -1;
    bool done = false;
    do
        done = GOFER_HOOK_IF_READY(call, n = gofer_hook_next()->writev(call->fd, pieces, count));
    while (!done && gofer_hook_again(call) && call->dontwait);
    return done || call->dontwait ? n : gofer_hook_next()->writev(call->fd, pieces, count);
}

/* A pipe that is ready takes PIPE_BUF bytes without blocking, and more than those need not stay
 * together. */
static ssize_t write_in_parts(gofer_hook_call *call, const struct iovec *pieces, int count)
{
    size_t done = 0;
    for (int i = 0; i < count; i++) {
        struct iovec part = pieces[i];
        for (size_t left = part.iov_len; left > 0;) {
            part.iov_len = left < PIPE_BUF ? left : PIPE_BUF;
            ssize_t n = write_when_ready(call, &part, 1);
            if (n < 0)
                return done ? (ssize_t)done : -1;
            part.iov_base = (char *)part.iov_base + n;
            left -= (size_t)n;
            done += (size_t)n;
        }
    }
    return (ssize_t)done;
}

static ssize_t write_elsewhere(gofer_hook_call *call, const struct iovec *pieces, int count,
                               size_t size)
{
    enum kind kind = kind_of(call->fd);
    call->timeout = 0; /* of sockets only */
    /* of the nameless only an eventfd that is full waits, and some it refuses even then */
    if (kind == KIND_OTHER || kind == KIND_NAMELESS || gofer_hook_is_nonblocking(call))
        return gofer_hook_next()->writev(call->fd, pieces, count);
    return kind == KIND_PIPE && size > PIPE_BUF ? write_in_parts(call, pieces, count)
                                                : write_when_ready(call, pieces, count);
}

static ssize_t write_pieces(int fd, const struct iovec *pieces, int count, size_t size,
                            const void *caller)
{
    gofer_hook_call call = gofer_hook_begin(fd, POLLOUT, SO_SNDTIMEO, caller);
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)pieces,
                              .msg_iovlen = (size_t)count };
    ssize_t n = send_message(&call, &message, 0);
    if (n < 0 && errno == ENOTSOCK)
        n = write_elsewhere(&call, pieces, count, size);
    return gofer_hook_end(&call, n);
}

GOFER_HOOK ssize_t write(int fd, const void *data, size_t size)
{
    struct iovec piece = { (void *)(uintptr_t)data, size };
    if (size == 0 || size > SSIZE_MAX || !gofer_hook_may_park())
        return gofer_hook_next()->write(fd, data, size);
    return write_pieces(fd, &piece, 1, size, CALLER);
}

GOFER_HOOK ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    size_t size = count > 0 && gofer_hook_may_park() ? total(pieces, (size_t)count) : 0;
    if (size == 0 || size == SIZE_MAX)
        return gofer_hook_next()->writev(fd, pieces, count);
    return write_pieces(fd, pieces, count, size, CALLER);
}

/* ---- as _FORTIFY_SOURCE calls them ----------------------------------------------------------- */

#ifdef __GLIBC__
/* The next one ends the process where the buffer is too small. */
GOFER_HOOK ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
{
    struct iovec piece = { buffer, size };
    if (size == 0 || size > room || size > SSIZE_MAX || !gofer_hook_may_park())
        return gofer_hook_next()->__read_chk(fd, buffer, size, room);
    return read_pieces(fd, &piece, 1, CALLER);
}

GOFER_HOOK ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags)
{
    if (size > room || !ours(flags, NOT_OURS))
        return gofer_hook_next()->__recv_chk(fd, buffer, size, room, flags);
    return receive_from(fd, buffer, size, flags, NULL, NULL, CALLER);
}

GOFER_HOOK ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
                                  struct sockaddr *address, socklen_t *length)
{
    if (size > room || !ours(flags, NOT_OURS))
        return gofer_hook_next()->__recvfrom_chk(fd, buffer, size, room, flags, address, length);
    return receive_from(fd, buffer, size, flags, address, length, CALLER);
}
#endif

/* Making connections, and ending descriptors. */
#include "hook/hook.h"

#include <fcntl.h>

#define CALLER __builtin_return_address(0)

/* ---- accepting ------------------------------------------------------------------------------- */

struct acceptance {
    struct sockaddr *address;
    socklen_t *length;
    int flags;
    bool has_flags; /* accept4 */
};

static int accept_next(int fd, const struct acceptance *how)
{
    return how->has_flags ? gofer_hook_next()->accept4(fd, how->address, how->length, how->flags)
                          : gofer_hook_next()->accept(fd, how->address, how->length);
}

/* What will never be ready, and the kernel refuses at once. */
static bool is_refused(int fd, const struct acceptance *how)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    return how->flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) ||
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens;
}

static int accept_when_ready(int fd, const struct acceptance *how, const void *caller)
{
    gofer_hook_call call = gofer_hook_begin(fd, POLLIN, SO_RCVTIMEO, caller);
    int accepted = -1;
    bool done = false;
    if (is_refused(fd, how) || gofer_hook_is_nonblocking(&call))
        return (int)gofer_hook_end(&call, accept_next(fd, how));
    do
        done = GOFER_HOOK_IF_READY(&call, accepted = accept_next(fd, how));
    while (!done && gofer_hook_again(&call) && call.dontwait);
    if (!done && !call.dontwait)
        accepted = accept_next(fd, how);
    return (int)gofer_hook_end(&call, accepted);
}

GOFER_HOOK int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    struct acceptance how = { address, length, 0, false };
    return gofer_hook_may_park() ? accept_when_ready(fd, &how, CALLER) : accept_next(fd, &how);
}

GOFER_HOOK int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length,
                       int flags)
{
    struct acceptance how = { address, length, flags, true };
    return gofer_hook_may_park() ? accept_when_ready(fd, &how, CALLER) : accept_next(fd, &how);
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* Waits until an attempt is over, whose call has left `under_way` in errno; the kernel leaves it
 * too where SO_SNDTIMEO has passed. */
static bool wait_writable(gofer_hook_call *call, int under_way)
{
    struct pollfd look = { call->fd, POLLOUT, 0 };
    int ready;
    while ((ready = gofer_hook_look(&look, 1)) <= 0) {
        int error = ready < 0 ? errno : gofer_hook_park(&look, 1, call->deadline, call->caller);
        if (error == ETIMEDOUT || error == EBADF) {
            errno = error == EBADF ? EBADF : under_way;
            return false;
        }
        if (error) { /* it cannot be parked */
            ready = gofer_hook_next()->poll(&look, 1, gofer_hook_milliseconds_left(call->deadline));
            if (ready == 0)
                errno = under_way;
            return ready > 0;
        }
    }
    return true;
}

/* There is no flag to connect without blocking: O_NONBLOCK is set for the call alone. A socket that
 * is being connected is of no other use to anybody. */
static int connect_now(int fd, const struct sockaddr *address, socklen_t length, int flags)
{
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return -1;
    int result = gofer_hook_next()->connect(fd, address, length);
    int error = errno;
    fcntl(fd, F_SETFL, flags);
    errno = error;
    return result;
}

static bool is_under_way(int result)
{
    return result != 0 && (errno == EINPROGRESS || errno == EALREADY);
}

/* The kernel has begun: waits for the outcome, as the blocking call does. The call tells it, made
 * again; by SO_ERROR the socket would not learn that the attempt is over. */
static int wait_connected(gofer_hook_call *call, const struct sockaddr *address, socklen_t length,
                          int flags)
{
    int result;
    do {
        if (!wait_writable(call, errno))
            return -1;
        result = connect_now(call->fd, address, length, flags);
    } while (is_under_way(result));
    return result != 0 && errno == EISCONN ? 0 : result;
}

static bool connects_at_once(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type == SOCK_DGRAM ||
           type == SOCK_RAW;
}

GOFER_HOOK int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int kept = errno, flags;
    if (!gofer_hook_may_park() || connects_at_once(fd) || (flags = fcntl(fd, F_GETFL)) < 0 ||
        flags & O_NONBLOCK) {
        errno = kept;
        return gofer_hook_next()->connect(fd, address, length);
    }
    gofer_hook_call call = gofer_hook_begin(fd, POLLOUT, SO_SNDTIMEO, CALLER);
    call.kept_errno = kept;
    gofer_hook_is_nonblocking(&call); /* for the deadline */
    int result = connect_now(fd, address, length, flags);
    if (is_under_way(result))
        result = wait_connected(&call, address, length, flags);
    else if (result != 0 && errno == EAGAIN) /* a unix socket's queue is full: nothing tells when */
        result = gofer_hook_next()->connect(fd, address, length);
    return (int)gofer_hook_end(&call, result);
}

/* ---- closing --------------------------------------------------------------------------------- */

/* Who waits for the number gets EBADF: later it may be another file's. */
GOFER_HOOK int close(int fd)
{
    gofer_hook_closing(fd);
    return gofer_hook_next()->close(fd);
}

GOFER_HOOK int dup2(int from, int to)
{
    if (from != to)
        gofer_hook_closing(to);
    return gofer_hook_next()->dup2(from, to);
}

GOFER_HOOK int dup3(int from, int to, int flags)
{
    if (from != to)
        gofer_hook_closing(to);
    return gofer_hook_next()->dup3(from, to, flags);
}

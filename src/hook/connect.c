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

static int accept_when_ready(int fd, const struct acceptance *how, const void *caller)
{
    gofer_hook_call call = gofer_hook_begin(fd, POLLIN, SO_RCVTIMEO, caller);
    int accepted = -1;
    bool done = false;
    if (gofer_hook_is_nonblocking(&call))
        return accept_next(fd, how);
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

/* The kernel has begun: waits for the outcome, as the blocking call does. */
static int wait_connected(gofer_hook_call *call)
{
    struct pollfd look = { call->fd, POLLOUT, 0 };
    int result = 0, ready;
    socklen_t size = sizeof result;
    while ((ready = gofer_hook_look(&look, 1)) <= 0) {
        int error = ready < 0 ? errno : gofer_hook_park(&look, 1, call->deadline, call->caller);
        if (error == ETIMEDOUT)
            error = EINPROGRESS; /* as the kernel where SO_SNDTIMEO has passed */
        if (error == EINPROGRESS || error == EBADF) {
            errno = error;
            return -1;
        }
        if (error) { /* it cannot be parked */
            ready = gofer_hook_next()->poll(&look, 1, gofer_hook_milliseconds_left(call->deadline));
            if (ready > 0)
                break;
            if (ready == 0)
                errno = EINPROGRESS;
            return -1;
        }
    }
    if (getsockopt(call->fd, SOL_SOCKET, SO_ERROR, &result, &size) != 0)
        return -1;
    errno = result;
    return result ? -1 : 0;
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
    if (result != 0 && errno == EINPROGRESS)
        result = wait_connected(&call);
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

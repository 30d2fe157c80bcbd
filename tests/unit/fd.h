/* What the tests of descriptors share: pairs, and looks at who waits. */
#ifndef GOFER_TEST_FD_H
#define GOFER_TEST_FD_H

#include "unit.h"

#include "io/fd.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

/* A call's result is -1, with errno. */
#define CHECK_FAILS(call, error) \
    do {                         \
        errno = 0;               \
        CHECK((call), -1);       \
        CHECK(errno, error);     \
    } while (0)

/* Returns when somebody waits for an edge there. */
static inline void await_waiter(const go_fd *fd, enum gofer_fd_side side)
{
    while (!atomic_load_explicit(&fd->directions[side].waiter, memory_order_relaxed))
        go_gosched();
}

/* ... and when so many calls are in progress, one of which waits. */
static inline void await_calls(go_fd *fd, enum gofer_fd_side side, uint32_t calls)
{
    for (;;) {
        gofer_spin_lock(&fd->lock);
        bool there = fd->calls >= calls;
        gofer_spin_unlock(&fd->lock);
        if (there)
            break;
        go_gosched();
    }
    await_waiter(fd, side);
}

/* Returns when the descriptor is ready, and the poller has told fd so. */
static inline void await_edge(go_fd *fd, short events)
{
    struct pollfd ask = { .fd = go_fd_number(fd), .events = events };
    while (poll(&ask, 1, 0) == 0 || (ask.revents & events) != events)
        go_gosched();
    for (bool told = false; !told; go_gosched()) {
        gofer_spin_lock(&fd->lock);
        told = fd->directions[GOFER_FD_READ].ready;
        gofer_spin_unlock(&fd->lock);
    }
}

static inline void make_pipe(go_fd **from, go_fd **to)
{
    go_fd *ends[2];
    CHECK(go_fd_pipe(ends), 0);
    *from = ends[0];
    *to = ends[1];
}

static inline void make_pair(int type, go_fd *ends[2])
{
    CHECK(go_fd_socketpair(AF_UNIX, type, 0, ends), 0);
}

/* A listener on loopback. */
static inline go_fd *tcp_listener(struct sockaddr_in *address, int backlog)
{
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof *address;
    *address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK(bind(number, (struct sockaddr *)address, size), 0);
    CHECK(listen(number, backlog), 0);
    CHECK(getsockname(number, (struct sockaddr *)address, &size), 0);
    return go_fd_new(number);
}

static inline go_fd *tcp_socket(void)
{
    return go_fd_new(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* ends[0] dialled, ends[1] accepted. */
static inline void make_tcp(go_fd *ends[2])
{
    struct sockaddr_in address;
    go_fd *listener = tcp_listener(&address, 8);
    ends[0] = tcp_socket();
    CHECK(go_fd_connect(ends[0], (struct sockaddr *)&address, sizeof address), 0);
    ends[1] = go_fd_accept(listener, NULL, NULL);
    CHECK(ends[1] != NULL, 1);
    go_fd_unref(listener);
}

static inline void unref_pair(go_fd *ends[2])
{
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
}

/* Fills what can be written without blocking. */
static inline void fill(go_fd *fd)
{
    static const char zeros[65536];
    size_t size = sizeof zeros;
    while (size > 0)
        if (write(go_fd_number(fd), zeros, size) < 0)
            size = size > 1 ? size / 2 : 0;
}

#endif

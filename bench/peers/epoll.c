/* A bare loop over epoll, as a C programmer writes it who needs nothing else. */
#define _GNU_SOURCE
#include "server.h"
#include <sys/epoll.h>

enum { ROOM = 8192, BATCH = 128 };

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* Takes who waits; a connection is closed at once where `echoes` is not set. */
static void take(int epoll, int listener, int echoes)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (echoes)
            watch(epoll, fd);
        else
            close(fd);
    }
}

/* What the socket does not take at once would need a buffer; clients that wait for the answer leave
 * room for it. */
static void echo(int fd)
{
    char buffer[ROOM];
    ssize_t n = read(fd, buffer, sizeof buffer);
    if (n <= 0)
        close(fd);
    else
        check(send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n);
}

static int echoes;

static void *loop(void *arg)
{
    int listener = *(int *)arg, epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[BATCH];
    watch(epoll, listener);
    for (;;) {
        int n = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                take(epoll, listener, echoes);
            else
                echo(events[i].data.fd);
        }
    }
    return NULL;
}

static long serve_accept(void)
{
    return serve(loop, SOCK_NONBLOCK);
}

static long serve_echo(void)
{
    echoes = 1;
    return serve(loop, SOCK_NONBLOCK);
}

static const struct peer_row rows[] = {
    { "echo_64b_50", serve_echo },     { "echo_4k_50", serve_echo },
    { "echo_64b_1000", serve_echo },   { "echo_4k_1000", serve_echo },
    { "echo_64b_50_cpu", serve_echo }, { "echo_64b_1000_cpu", serve_echo },
    { "echo_4k_50_cpu", serve_echo },  { "echo_4k_1000_cpu", serve_echo },
    { "accept", serve_accept },        { "accept_cpu", serve_accept },
};
PEER_MAIN(rows)

/* A bare loop over epoll, as a C programmer writes it who needs nothing else: a thread for each
 * processor, with a listening socket of its own on the shared port. */
#define _GNU_SOURCE
#include "peer.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 8192, BATCH = 128 };

static int listen_at(in_port_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = port,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted ones inherit it */
    check(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 4096) == 0);
    return fd;
}

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

static long serve(void)
{
    static int listeners[256];
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const char *procs = getenv("GOMAXPROCS");
    int threads = procs ? atoi(procs) : 1;
    for (int i = 0; i < threads && i < 256; i++) {
        pthread_t thread;
        listeners[i] = listen_at(i ? address.sin_port : 0);
        getsockname(listeners[i], (struct sockaddr *)&address, &size);
        check(pthread_create(&thread, NULL, loop, &listeners[i]) == 0);
    }
    printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;)
        pause();
}

static long serve_echo(void)
{
    echoes = 1;
    return serve();
}

static const struct peer_row rows[] = {
    { "echo_64b_50", serve_echo },
    { "echo_4k_50", serve_echo },
    { "echo_64b_1000", serve_echo },
    { "echo_4k_1000", serve_echo },
    { "echo_64b_50_cpu", serve_echo },
    { "echo_64b_1000_cpu", serve_echo },
    { "echo_4k_50_cpu", serve_echo },
    { "echo_4k_1000_cpu", serve_echo },
    { "accept", serve },
    { "accept_cpu", serve },
};
PEER_MAIN(rows)

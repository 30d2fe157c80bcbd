/* What the servers of bare loops share: a thread for each processor, with a listening socket of its
 * own on the shared port. */
#ifndef PEER_SERVER_H
#define PEER_SERVER_H

#include "peer.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* flags: SOCK_NONBLOCK, or 0. */
static inline int listen_at(in_port_t port, int flags)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = port,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted ones inherit it */
    check(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 4096) == 0);
    return fd;
}

/* Each thread runs loop(&its listener); says the port, and never returns. */
static inline long serve(void *(*loop)(void *), int flags)
{
    static int listeners[256];
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const char *procs = getenv("GOMAXPROCS");
    int threads = procs ? atoi(procs) : 1;
    for (int i = 0; i < threads && i < 256; i++) {
        pthread_t thread;
        listeners[i] = listen_at(i ? address.sin_port : 0, flags);
        getsockname(listeners[i], (struct sockaddr *)&address, &size);
        check(pthread_create(&thread, NULL, loop, &listeners[i]) == 0);
    }
    printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;)
        pause();
    return 0;
}

#endif

/* Preloaded: the system's table of open files is full when table_room is used up: what makes a
 * descriptor fails with ENFILE. So do the first accepts, ACCEPTS_THAT_FAIL in the environment. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

_Atomic int table_room = -1; /* how many more there may be; -1: any number */
static _Atomic int accepts_that_fail;

__attribute__((constructor)) static void begin(void)
{
    const char *n = getenv("ACCEPTS_THAT_FAIL");
    accepts_that_fail = n ? atoi(n) : 0;
}

static bool takes_one(_Atomic int *left)
{
    int n = *left;
    while (n > 0 && !atomic_compare_exchange_weak(left, &n, n - 1))
        ;
    return n > 0;
}

static bool is_full(void)
{
    return !takes_one(&table_room) && table_room == 0;
}

#define FAILS(condition, name, parameters, arguments)               \
    int name parameters                                             \
    {                                                               \
        int(*next) parameters;                                      \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                  \
        return (condition) ? (errno = ENFILE, -1) : next arguments; \
    }

FAILS(is_full() || takes_one(&accepts_that_fail), accept4,
      (int fd, struct sockaddr *address, socklen_t *size, int flags), (fd, address, size, flags))
FAILS(is_full(), socket, (int domain, int type, int protocol), (domain, type, protocol))
FAILS(is_full(), socketpair, (int domain, int type, int protocol, int ends[2]),
      (domain, type, protocol, ends))
FAILS(is_full(), pipe2, (int ends[2], int flags), (ends, flags))
FAILS(is_full(), epoll_create1, (int flags), (flags))
FAILS(is_full(), eventfd, (unsigned count, int flags), (count, flags))
FAILS(is_full(), open, (const char *path, int flags, ...), (path, flags)) /* none creates */

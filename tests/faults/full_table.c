/* Preloaded: the system's table of open files is full while table_is_full says so: what makes a
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

_Atomic bool table_is_full;
static _Atomic int accepts_that_fail;

__attribute__((constructor)) static void begin(void)
{
    const char *n = getenv("ACCEPTS_THAT_FAIL");
    accepts_that_fail = n ? atoi(n) : 0;
}

static bool accept_fails(void)
{
    int left = accepts_that_fail;
    while (left > 0 && !atomic_compare_exchange_weak(&accepts_that_fail, &left, left - 1))
        ;
    return left > 0;
}

#define FAILS(condition, name, parameters, arguments)               \
    int name parameters                                             \
    {                                                               \
        int(*next) parameters;                                      \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                  \
        return (condition) ? (errno = ENFILE, -1) : next arguments; \
    }

FAILS(table_is_full || accept_fails(), accept4,
      (int fd, struct sockaddr *address, socklen_t *size, int flags), (fd, address, size, flags))
FAILS(table_is_full, socket, (int domain, int type, int protocol), (domain, type, protocol))
FAILS(table_is_full, socketpair, (int domain, int type, int protocol, int ends[2]),
      (domain, type, protocol, ends))
FAILS(table_is_full, pipe2, (int ends[2], int flags), (ends, flags))
FAILS(table_is_full, epoll_create1, (int flags), (flags))
FAILS(table_is_full, eventfd, (unsigned count, int flags), (count, flags))
FAILS(table_is_full, open, (const char *path, int flags, ...), (path, flags)) /* none creates */

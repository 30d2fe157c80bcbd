/* Signals that come at the worst time, without signals: every second look that does not wait (poll,
 * select) is interrupted. Preloaded behind the hooks, which find these as the C library's. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool interrupted(void)
{
    static _Atomic unsigned looks;
    if (atomic_fetch_add(&looks, 1) % 2)
        return false;
    errno = EINTR;
    return true;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    struct timespec time = { timeout / 1000, timeout % 1000 * 1000000L };
    if (timeout == 0 && interrupted())
        return -1;
    return (int)syscall(SYS_ppoll, fds, count, timeout < 0 ? NULL : &time, NULL, 0);
}

int select(int count, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except,
           struct timeval *restrict timeout)
{
    struct timespec time;
    if (timeout && !timeout->tv_sec && !timeout->tv_usec && interrupted())
        return -1;
    if (timeout)
        time = (struct timespec){ timeout->tv_sec, timeout->tv_usec * 1000 };
    return (int)syscall(SYS_pselect6, count, read, write, except, timeout ? &time : NULL, NULL);
}

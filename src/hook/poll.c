/* Waiting for descriptors and for time, and names. The kernel's own call gives the answer, without
 * blocking; in between the goroutine waits until something may have changed. */
#include "hook/hook.h"

#include <limits.h>

#define CALLER __builtin_return_address(0)

static int64_t nanoseconds_of(const struct timespec *t)
{
    return t->tv_sec > INT64_MAX / 1000000000 - 1 ? INT64_MAX
                                                  : t->tv_sec * 1000000000L + t->tv_nsec;
}

static bool is_time(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < 1000000000;
}

/* Milliseconds as poll counts them; negative: never. */
static int64_t after_milliseconds(int timeout)
{
    return gofer_hook_after(timeout < 0 ? -1 : timeout * (int64_t)1000000);
}

/* ---- poll ------------------------------------------------------------------------------------ */

static int poll_until(struct pollfd *fds, nfds_t count, int64_t deadline, const void *caller)
{
    int kept = errno, ready;
    while ((ready = gofer_hook_look(fds, count)) == 0) {
        int error = gofer_hook_park(fds, count, deadline, caller);
        if (error == ETIMEDOUT)
            break;
        if (error && error != EBADF)
            return gofer_hook_next()->poll(fds, count, gofer_hook_milliseconds_left(deadline));
    }
    if (ready >= 0)
        errno = kept;
    return ready;
}

GOFER_HOOK int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    if (timeout == 0 || !gofer_hook_may_park())
        return gofer_hook_next()->poll(fds, count, timeout);
    return poll_until(fds, count, after_milliseconds(timeout), CALLER);
}

/* A signal mask belongs to the thread: with one the thread blocks. */
GOFER_HOOK int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                     const sigset_t *mask)
{
    if (mask || (timeout && !is_time(timeout)) || !gofer_hook_may_park())
        return gofer_hook_next()->ppoll(fds, count, timeout, mask);
    return poll_until(fds, count, gofer_hook_after(timeout ? nanoseconds_of(timeout) : -1), CALLER);
}

#ifdef __GLIBC__
GOFER_HOOK int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
    if (room / sizeof *fds < count || timeout == 0 || !gofer_hook_may_park())
        return gofer_hook_next()->__poll_chk(fds, count, timeout, room);
    return poll_until(fds, count, after_milliseconds(timeout), CALLER);
}

GOFER_HOOK int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                           const sigset_t *mask, size_t room)
{
    if (room / sizeof *fds < count || mask || (timeout && !is_time(timeout)) ||
        !gofer_hook_may_park())
        return gofer_hook_next()->__ppoll_chk(fds, count, timeout, mask, room);
    return poll_until(fds, count, gofer_hook_after(timeout ? nanoseconds_of(timeout) : -1), CALLER);
}
#endif

/* ---- select ---------------------------------------------------------------------------------- */

struct sets {
    fd_set *read, *write, *except;
};

static void copy_set(fd_set *to, const fd_set *from)
{
    if (from)
        *to = *from;
    else
        FD_ZERO(to);
}

/* One look; changes the sets only where it is the answer. */
static int select_now(int count, const struct sets *sets)
{
    fd_set found[3];
    int ready;
    do { /* as gofer_hook_look */
        struct timeval at_once = { 0, 0 };
        copy_set(&found[0], sets->read);
        copy_set(&found[1], sets->write);
        copy_set(&found[2], sets->except);
        ready = gofer_hook_next()->select(count, &found[0], &found[1], &found[2], &at_once);
    } while (ready < 0 && errno == EINTR);
    if (ready > 0) {
        fd_set *to[3] = { sets->read, sets->write, sets->except };
        for (int i = 0; i < 3; i++)
            if (to[i])
                *to[i] = found[i];
    }
    return ready;
}

static void clear_sets(const struct sets *sets)
{
    if (sets->read)
        FD_ZERO(sets->read);
    if (sets->write)
        FD_ZERO(sets->write);
    if (sets->except)
        FD_ZERO(sets->except);
}

static bool is_in(int fd, const fd_set *set)
{
    return set && FD_ISSET(fd, set);
}

/* What to wait for. Returns how many. */
static unsigned long wants_of(struct pollfd *wants, int count, const struct sets *sets)
{
    unsigned long n = 0;
    for (int fd = 0; fd < count; fd++) {
        short events = 0;
        if (is_in(fd, sets->read))
            events |= POLLIN;
        if (is_in(fd, sets->write))
            events |= POLLOUT;
        if (is_in(fd, sets->except))
            events |= POLLPRI;
        if (events)
            wants[n++] = (struct pollfd){ fd, events, 0 };
    }
    return n;
}

/* 0 or more: as select. -1: errno. -2: the thread must block; also where a number stays closed,
 * which select does not mind beyond the kernel's table. */
static int select_until(int count, const struct sets *sets, int64_t deadline, const void *caller)
{
    struct pollfd *wants = NULL;
    unsigned long n = 0;
    int ready, error = 0;
    while ((ready = select_now(count, sets)) == 0) {
        bool was_closed = error == EBADF;
        if (!wants) {
            wants = calloc((size_t)count + 1, sizeof *wants);
            if (!wants)
                return -2;
            n = wants_of(wants, count, sets);
        }
        error = gofer_hook_park(wants, n, deadline, caller);
        if (error == ETIMEDOUT) {
            clear_sets(sets);
            break;
        }
        if (error && (error != EBADF || was_closed)) {
            ready = -2;
            break;
        }
    }
    int result = errno;
    free(wants);
    errno = result;
    return ready;
}

GOFER_HOOK int select(int count, fd_set *restrict read, fd_set *restrict write,
                      fd_set *restrict except, struct timeval *restrict timeout)
{
    struct sets sets = { read, write, except };
    bool valid = count >= 0 && count <= FD_SETSIZE &&
                 (!timeout || (timeout->tv_sec >= 0 && timeout->tv_usec >= 0 &&
                               timeout->tv_usec < 1000000 && timeout->tv_sec < INT32_MAX));
    bool at_once = valid && timeout && !timeout->tv_sec && !timeout->tv_usec;
    if (!valid || at_once || !gofer_hook_may_park())
        return gofer_hook_next()->select(count, read, write, except, timeout);
    int kept = errno;
    int64_t deadline =
        gofer_hook_after(timeout ? timeout->tv_sec * 1000000000L + timeout->tv_usec * 1000L : -1);
    int ready = select_until(count, &sets, deadline, CALLER);
    if (timeout) { /* Linux leaves there what was not slept */
        int64_t left = deadline - gofer_hook_now();
        left = left < 0 ? 0 : left;
        timeout->tv_sec = left / 1000000000;
        timeout->tv_usec = left % 1000000000 / 1000;
    }
    if (ready == -2)
        return gofer_hook_next()->select(count, read, write, except, timeout);
    if (ready >= 0)
        errno = kept;
    return ready;
}

GOFER_HOOK int pselect(int count, fd_set *restrict read, fd_set *restrict write,
                       fd_set *restrict except, const struct timespec *restrict timeout,
                       const sigset_t *restrict mask)
{
    struct sets sets = { read, write, except };
    bool valid = count >= 0 && count <= FD_SETSIZE && (!timeout || is_time(timeout));
    bool at_once = valid && timeout && !timeout->tv_sec && !timeout->tv_nsec;
    if (mask || !valid || at_once || !gofer_hook_may_park())
        return gofer_hook_next()->pselect(count, read, write, except, timeout, mask);
    int kept = errno;
    int64_t deadline = gofer_hook_after(timeout ? nanoseconds_of(timeout) : -1);
    int ready = select_until(count, &sets, deadline, CALLER);
    if (ready == -2) {
        int left = gofer_hook_milliseconds_left(deadline);
        struct timespec rest = { left / 1000, left % 1000 * 1000000L };
        return gofer_hook_next()->pselect(count, read, write, except, left < 0 ? NULL : &rest,
                                          NULL);
    }
    if (ready >= 0)
        errno = kept;
    return ready;
}

/* ---- epoll ----------------------------------------------------------------------------------- */

static int epoll_until(int epoll, struct epoll_event *events, int most, int64_t deadline,
                       const void *caller)
{
    struct pollfd want = { epoll, POLLIN, 0 };
    int kept = errno, ready;
    while ((ready = gofer_hook_next()->epoll_wait(epoll, events, most, 0)) == 0) {
        int error = gofer_hook_park(&want, 1, deadline, caller);
        if (error == ETIMEDOUT)
            break;
        if (error && error != EBADF)
            return gofer_hook_next()->epoll_wait(epoll, events, most,
                                                 gofer_hook_milliseconds_left(deadline));
    }
    if (ready >= 0)
        errno = kept;
    return ready;
}

GOFER_HOOK int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    if (timeout == 0 || !gofer_hook_may_park())
        return gofer_hook_next()->epoll_wait(epoll, events, most, timeout);
    return epoll_until(epoll, events, most, after_milliseconds(timeout), CALLER);
}

GOFER_HOOK int epoll_pwait(int epoll, struct epoll_event *events, int most, int timeout,
                           const sigset_t *mask)
{
    if (timeout == 0 || mask || !gofer_hook_may_park())
        return gofer_hook_next()->epoll_pwait(epoll, events, most, timeout, mask);
    return epoll_until(epoll, events, most, after_milliseconds(timeout), CALLER);
}

/* ---- sleeping -------------------------------------------------------------------------------- */

/* False: the thread must sleep. Signals end no such sleep. */
static bool sleep_until(int64_t deadline, const void *caller)
{
    int kept = errno;
    bool slept = gofer_hook_park(NULL, 0, deadline, caller) == ETIMEDOUT;
    errno = kept;
    return slept;
}

GOFER_HOOK unsigned sleep(unsigned seconds)
{
    if (seconds && gofer_hook_may_park() &&
        sleep_until(gofer_hook_after(seconds * (int64_t)1000000000), CALLER))
        return 0;
    return gofer_hook_next()->sleep(seconds);
}

GOFER_HOOK int usleep(useconds_t microseconds)
{
    if (microseconds && gofer_hook_may_park() &&
        sleep_until(gofer_hook_after(microseconds * (int64_t)1000), CALLER))
        return 0;
    return gofer_hook_next()->usleep(microseconds);
}

GOFER_HOOK int nanosleep(const struct timespec *time, struct timespec *left)
{
    if (time && is_time(time) && nanoseconds_of(time) && gofer_hook_may_park() &&
        sleep_until(gofer_hook_after(nanoseconds_of(time)), CALLER))
        return 0;
    return gofer_hook_next()->nanosleep(time, left);
}

/* A point of the real time may come sooner when the clock is set: that the kernel alone can tell.
 */
GOFER_HOOK int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                               struct timespec *left)
{
    bool absolute = flags & TIMER_ABSTIME;
    bool ours = clock == CLOCK_MONOTONIC || (clock == CLOCK_REALTIME && !absolute);
    if (ours && !(flags & ~TIMER_ABSTIME) && time && is_time(time) && gofer_hook_may_park()) {
        int64_t deadline = absolute ? nanoseconds_of(time) : gofer_hook_after(nanoseconds_of(time));
        if (sleep_until(deadline, CALLER))
            return 0;
    }
    return gofer_hook_next()->clock_nanosleep(clock, flags, time, left);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* libc asks with locks of its own held and through modules of others: the thread blocks, and the
 * processor goes to others at once. */
struct look_up {
    const char *node, *service;
    const struct addrinfo *hints;
    struct addrinfo **found;
    int result, error;
};

static void look_up(void *argument)
{
    struct look_up *query = argument;
    gofer_hook_hold();
    query->result =
        gofer_hook_next()->getaddrinfo(query->node, query->service, query->hints, query->found);
    query->error = errno;
    gofer_hook_release();
}

GOFER_HOOK int getaddrinfo(const char *restrict node, const char *restrict service,
                           const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    struct look_up query = { node, service, hints, found, 0, 0 };
    gofer_hook_block(look_up, &query);
    errno = query.error;
    return query.result;
}

struct reverse {
    const struct sockaddr *address;
    socklen_t length;
    char *host, *service;
    socklen_t host_room, service_room;
    int flags, result, error;
};

static void look_back(void *argument)
{
    struct reverse *query = argument;
    gofer_hook_hold();
    query->result =
        gofer_hook_next()->getnameinfo(query->address, query->length, query->host, query->host_room,
                                       query->service, query->service_room, query->flags);
    query->error = errno;
    gofer_hook_release();
}

GOFER_HOOK int getnameinfo(const struct sockaddr *restrict address, socklen_t length,
                           char *restrict host, socklen_t host_room, char *restrict service,
                           socklen_t service_room, int flags)
{
    struct reverse query = { address, length, host, service, host_room, service_room, flags, 0, 0 };
    gofer_hook_block(look_back, &query);
    errno = query.error;
    return query.result;
}

/* The poller by epoll: one instance, into which each descriptor goes once, edge-triggered; an
 * eventfd in it ends a wait. */
#include "io/poller_kind.h"

#include "gofer/base.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* constant while it is open */
static int instance = -1;
static int break_fd; /* watched with key 0 */

static int watch(int fd, uint64_t key, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.u64 = key };
    return epoll_ctl(instance, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

static void close_epoll(void)
{
    close(instance);
    close(break_fd);
}

static int open_epoll(void)
{
    instance = epoll_create1(EPOLL_CLOEXEC);
    break_fd = instance < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = break_fd < 0 ? errno : watch(break_fd, 0, EPOLLIN);
    if (error)
        close_epoll();
    return error;
}

static pid_t no_thread(void)
{
    return 0;
}

static int add_to_epoll(int fd, uint64_t key)
{
    return watch(fd, key, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void remove_from_epoll(int fd, uint64_t key)
{
    struct epoll_event unused = { 0 };
    (void)key;
    epoll_ctl(instance, EPOLL_CTL_DEL, fd, &unused);
}

/* Old kernels count milliseconds: late by up to one. */
static int wait_milliseconds(struct epoll_event *events, int64_t left)
{
    int64_t most = left < 0 ? -1 : (left + 999999) / 1000000;
    return epoll_wait(instance, events, GOFER_POLL_BATCH, most > INT32_MAX ? INT32_MAX : (int)most);
}

static int wait_for_events(struct epoll_event *events, int64_t left)
{
#ifdef SYS_epoll_pwait2
    static _Atomic bool missing; /* the kernel has no epoll_pwait2 */
    if (left > 0 && !atomic_load_explicit(&missing, memory_order_relaxed)) {
        struct timespec time = { left / 1000000000, left % 1000000000 };
        long n = syscall(SYS_epoll_pwait2, instance, events, GOFER_POLL_BATCH, &time, NULL, 0);
        int error = n < 0 ? *gofer_errno() : 0;
        if (error != ENOSYS && error != EPERM /* a sandbox's way to say it */)
            return (int)n;
        atomic_store_explicit(&missing, true, memory_order_relaxed);
    }
#endif
    return wait_milliseconds(events, left);
}

static int wait_in_epoll(gofer_poll_batch *batch, int64_t left)
{
    struct epoll_event events[GOFER_POLL_BATCH];
    int n = wait_for_events(events, left);
    int error = n < 0 ? *gofer_errno() : 0;
    if (error)
        return error == EINTR ? 0 : error;
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == 0) {
            uint64_t unused;
            if (read(break_fd, &unused, sizeof unused) < 0)
                continue; /* somebody broke a wait that was over: nothing is left to read */
        } else {
            batch->ready[batch->count].key = events[i].data.u64;
            batch->ready[batch->count++].events = events[i].events;
        }
    }
    return 0;
}

static void wake_epoll(void)
{
    uint64_t one = 1;
    if (write(break_fd, &one, sizeof one) < 0)
        return; /* it is full: broken already */
}

const struct gofer_poller_kind gofer_epoll = {
    .name = "epoll",
    .open = open_epoll,
    .close = close_epoll,
    .thread = no_thread,
    .add = add_to_epoll,
    .remove = remove_from_epoll,
    .wait = wait_in_epoll,
    .wake = wake_epoll,
};

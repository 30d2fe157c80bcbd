/* See poller.h. */
#include "io/poller.h"

#include "panic/panic.h"
#include "sched/sched.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static gofer_spin open_lock;      /* guards the opening */
static _Atomic int epoll_fd = -1; /* -1: not open yet; pairs release and acquire with `break_fd` */
static int break_fd;              /* an eventfd, watched with key 0 */
static _Atomic uint32_t taken, looks;
static _Atomic int watched; /* descriptors; written before and read after in the order of all */

/* ---- the instance ---------------------------------------------------------------------------- */

static int watch(int epoll, int fd, uint64_t key, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.u64 = key };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

/* open_lock. 0, or an errno. */
static int open_instance(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int wake = epoll < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = wake < 0 ? errno : watch(epoll, wake, 0, EPOLLIN);
    if (error) {
        close(epoll);
        close(wake);
        return error;
    }
    break_fd = wake;
    atomic_store_explicit(&epoll_fd, epoll, memory_order_release);
    return 0;
}

static int instance(int *error)
{
    int epoll = atomic_load_explicit(&epoll_fd, memory_order_acquire);
    if (gofer_likely(epoll >= 0))
        return epoll;
    gofer_spin_lock(&open_lock);
    epoll = atomic_load_explicit(&epoll_fd, memory_order_relaxed);
    *error = epoll < 0 ? open_instance() : 0;
    gofer_spin_unlock(&open_lock);
    return atomic_load_explicit(&epoll_fd, memory_order_relaxed);
}

int gofer_poller_add(int fd, uint64_t key)
{
    int error = 0, epoll = instance(&error);
    if (error)
        return error;
    /* counted before: who waits for an edge has its thread see that there is something to watch */
    atomic_fetch_add_explicit(&watched, 1, memory_order_seq_cst);
    error = watch(epoll, fd, key, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    if (error)
        atomic_fetch_sub_explicit(&watched, 1, memory_order_relaxed);
    return error;
}

void gofer_poller_remove(int fd)
{
    struct epoll_event unused = { 0 };
    if (gofer_sched.forked)
        return; /* the instance is the parent's too, which watches on */
    epoll_ctl(atomic_load_explicit(&epoll_fd, memory_order_relaxed), EPOLL_CTL_DEL, fd, &unused);
    atomic_fetch_sub_explicit(&watched, 1, memory_order_relaxed);
}

bool gofer_poller_watches(void)
{
    return atomic_load_explicit(&watched, memory_order_seq_cst) > 0;
}

void gofer_poller_free(void)
{
    int epoll = atomic_load_explicit(&epoll_fd, memory_order_relaxed);
    if (epoll < 0)
        return;
    close(epoll);
    close(break_fd);
    atomic_store_explicit(&epoll_fd, -1, memory_order_relaxed);
}

/* ---- waiting --------------------------------------------------------------------------------- */

bool gofer_poller_is_unattended(void)
{
    return gofer_poller_watches() && atomic_load_explicit(&taken, memory_order_seq_cst) == 0;
}

bool gofer_poller_take(void)
{
    uint32_t free_ = 0;
    if (!gofer_poller_watches() || atomic_load_explicit(&taken, memory_order_relaxed))
        return false;
    /* acquire: pairs with the release of who drops it */
    return atomic_compare_exchange_strong_explicit(&taken, &free_, 1, memory_order_seq_cst,
                                                   memory_order_relaxed);
}

void gofer_poller_drop(void)
{
    atomic_store_explicit(&taken, 0, memory_order_release);
}

uint32_t gofer_poller_looks(void)
{
    return atomic_load_explicit(&looks, memory_order_relaxed);
}

/* Old kernels count milliseconds: late by up to one. */
static int wait_milliseconds(struct epoll_event *events, int64_t left)
{
    int64_t most = left < 0 ? -1 : (left + 999999) / 1000000;
    return epoll_wait(atomic_load_explicit(&epoll_fd, memory_order_relaxed), events,
                      GOFER_POLL_BATCH, most > INT32_MAX ? INT32_MAX : (int)most);
}

/* `left`: nanoseconds; negative: for ever. */
static int wait_for_events(struct epoll_event *events, int64_t left)
{
#ifdef SYS_epoll_pwait2
    static _Atomic bool missing; /* the kernel has no epoll_pwait2 */
    if (left > 0 && !atomic_load_explicit(&missing, memory_order_relaxed)) {
        struct timespec time = { left / 1000000000, left % 1000000000 };
        long n = syscall(SYS_epoll_pwait2, atomic_load_explicit(&epoll_fd, memory_order_relaxed),
                         events, GOFER_POLL_BATCH, &time, NULL, 0);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM /* a sandbox's way to say it */))
            return (int)n;
        atomic_store_explicit(&missing, true, memory_order_relaxed);
    }
#endif
    return wait_milliseconds(events, left);
}

void gofer_poller_wait(gofer_poll_batch *batch, int64_t deadline)
{
    struct epoll_event events[GOFER_POLL_BATCH];
    int64_t left = deadline;
    if (deadline > 0) {
        left = deadline - gofer_nanotime();
        left = left < 0 ? 0 : left;
    }
    int n = wait_for_events(events, left);
    if (n < 0 && errno != EINTR)
        gofer_fatal("runtime: epoll_wait failed: %s", strerror(errno)); /* somebody closed it */
    atomic_store_explicit(&looks, atomic_load_explicit(&looks, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    batch->count = 0;
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
}

void gofer_poller_break(void)
{
    uint64_t one = 1;
    if (write(break_fd, &one, sizeof one) < 0)
        return; /* it is full: broken already */
}

bool gofer_poller_look(void)
{
    gofer_poll_batch batch;
    if (!gofer_poller_take())
        return false;
    gofer_poller_wait(&batch, 0);
    gofer_poller_drop();
    gofer_poller_deliver(&batch);
    return batch.count > 0;
}

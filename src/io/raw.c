/* See raw.h. */
#include "io/raw.h"

#include "io/poller.h"
#include "park/cancel.h"
#include "time/timer.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LISTS = 1024 /* a power of two */, BATCH = 64, FEW = 8 };

typedef struct raw_waiter {
    gofer_timer timer;
    gofer_g *g;
    int error; /* by who claimed it */
} raw_waiter;

/* One number that a waiter waits for. */
typedef struct raw_want {
    struct raw_want *next;
    raw_waiter *waiter;
    int number;
    uint32_t events; /* 0: not listed yet */
} raw_want;

static struct raw_list {
    gofer_spin lock;
    raw_want *first;
} lists[LISTS];

static gofer_spin open_lock;
static _Atomic int epoll_fd = -1; /* written under open_lock */
static pid_t process;             /* that opened it; under open_lock, constant after */
static _Atomic uint32_t waiting;  /* for descriptors */

static struct raw_list *list_of(int number)
{
    return &lists[(unsigned)number % LISTS];
}

/* ---- the instance ---------------------------------------------------------------------------- */

/* open_lock. 0, or an errno. */
static int open_instance(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int error = epoll < 0 ? errno : gofer_poller_add(epoll, GOFER_RAW_KEY);
    if (error) {
        if (epoll >= 0)
            close(epoll);
        return error;
    }
    process = getpid();
    atomic_store_explicit(&epoll_fd, epoll, memory_order_release);
    return 0;
}

/* 0, or an errno. */
static int need_instance(void)
{
    /* pairs with the release in open_instance */
    if (gofer_likely(atomic_load_explicit(&epoll_fd, memory_order_acquire) >= 0))
        return 0;
    gofer_spin_lock(&open_lock);
    int error = atomic_load_explicit(&epoll_fd, memory_order_relaxed) >= 0 ? 0 : open_instance();
    gofer_spin_unlock(&open_lock);
    return error;
}

void gofer_raw_free(void)
{
    int epoll = atomic_load_explicit(&epoll_fd, memory_order_relaxed);
    if (epoll < 0)
        return;
    gofer_poller_remove(epoll, GOFER_RAW_KEY);
    close(epoll);
    atomic_store_explicit(&epoll_fd, -1, memory_order_relaxed);
}

/* list->lock. The kernel shall tell of all that is wanted of the number. 0, or an errno. */
static int arm(const struct raw_list *list, int number)
{
    struct epoll_event event = { .data.fd = number };
    int epoll = atomic_load_explicit(&epoll_fd, memory_order_relaxed);
    for (const raw_want *want = list->first; want; want = want->next)
        if (want->number == number)
            event.events |= want->events;
    if (!event.events)
        return 0;
    event.events |= EPOLLONESHOT;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, number, &event) == 0)
        return 0;
    /* seen never before, or it has another file by now */
    return errno == ENOENT && epoll_ctl(epoll, EPOLL_CTL_ADD, number, &event) == 0 ? 0 : errno;
}

/* ---- waking ---------------------------------------------------------------------------------- */

/* Claims who waits for any of the events of the number; each finds `error`. Chained by `next`. */
static raw_want *claim(struct raw_list *list, int number, uint32_t events, int error)
{
    raw_want *claimed = NULL;
    for (raw_want **at = &list->first, *want; (want = *at);) {
        if (want->number != number || !(want->events & events)) {
            at = &want->next;
            continue;
        }
        *at = want->next;
        want->events = 0;
        if (!gofer_claim(want->waiter->g, NULL))
            continue;
        want->waiter->error = error;
        want->next = claimed;
        claimed = want;
    }
    return claimed;
}

static void wake_raw(gofer_g *g)
{
    GOFER_TSAN_RELEASE(g); /* as gofer_ready */
    gofer_enqueue_home(g);
}

static void ready_all(raw_want *claimed)
{
    while (claimed) {
        gofer_g *g = claimed->waiter->g;
        claimed = claimed->next;
        wake_raw(g);
    }
}

static void tell(int number, uint32_t events)
{
    struct raw_list *list = list_of(number);
    gofer_spin_lock(&list->lock);
    raw_want *claimed = claim(list, number, events, 0);
    arm(list, number); /* for the others; an error they find when they ask the kernel next */
    gofer_spin_unlock(&list->lock);
    ready_all(claimed);
}

void gofer_raw_deliver(bool ended)
{
    struct epoll_event events[BATCH];
    int n;
    if (ended) /* the only one that need not wait for its turn */
        gofer_poller_add_again(atomic_load_explicit(&epoll_fd, memory_order_acquire),
                               GOFER_RAW_KEY);
    do {
        n = epoll_wait(atomic_load_explicit(&epoll_fd, memory_order_acquire), events, BATCH, 0);
        for (int i = 0; i < n; i++)
            tell(events[i].data.fd, events[i].events);
    } while (n == BATCH);
}

void gofer_raw_closing(int number)
{
    if (number < 0 || !gofer_raw_waits() || gofer_sched.forked || getpid() != process)
        return;
    struct raw_list *list = list_of(number);
    gofer_spin_lock(&list->lock);
    raw_want *claimed = claim(list, number, UINT32_MAX, EBADF);
    gofer_spin_unlock(&list->lock);
    ready_all(claimed);
}

bool gofer_raw_waits(void)
{
    return atomic_load_explicit(&waiting, memory_order_relaxed) > 0;
}

static void raw_expire(gofer_timer *timer, int64_t due)
{
    raw_waiter *waiter = gofer_container(timer, raw_waiter, timer);
    (void)due;
    if (!gofer_claim(waiter->g, NULL))
        return;
    waiter->error = ETIMEDOUT;
    wake_raw(waiter->g);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* 0, or an errno. */
static int list_want(raw_want *want)
{
    struct raw_list *list = list_of(want->number);
    gofer_spin_lock(&list->lock);
    want->next = list->first;
    list->first = want;
    int error = arm(list, want->number);
    gofer_spin_unlock(&list->lock);
    return error;
}

static void unlist_want(raw_want *want)
{
    struct raw_list *list = list_of(want->number);
    gofer_spin_lock(&list->lock);
    if (want->events) {
        raw_want **at = &list->first;
        while (*at != want)
            at = &(*at)->next;
        *at = want->next;
    }
    gofer_spin_unlock(&list->lock);
}

/* Returns how many were listed; *error: why not all. */
static unsigned long list_all(raw_want *wants, const struct pollfd *fds, unsigned long count,
                              raw_waiter *waiter, int *error)
{
    unsigned long listed = 0;
    for (unsigned long i = 0; i < count && !*error; i++) {
        if (fds[i].fd < 0)
            continue; /* as poll */
        raw_want *want = &wants[listed++];
        want->waiter = waiter;
        want->number = fds[i].fd;
        want->events = (unsigned short)fds[i].events | EPOLLERR | EPOLLHUP;
        *error = list_want(want);
    }
    return listed;
}

static int wait_for(raw_want *wants, const struct pollfd *fds, unsigned long count,
                    int64_t deadline)
{
    raw_waiter waiter = { .timer = { .fire = raw_expire, .wakes = true }, .g = gofer_self() };
    int error = count ? need_instance() : 0;
    if (error)
        return error;
    atomic_fetch_add_explicit(&waiting, count != 0, memory_order_relaxed);
    gofer_prepare_claim(waiter.g);
    gofer_prepare_park(waiter.g, count ? GOFER_WAIT_IO : GOFER_WAIT_SLEEP);
    unsigned long listed = list_all(wants, fds, count, &waiter, &error);
    bool timed = !error && deadline >= 0 && gofer_timer_start(&waiter.timer, deadline);
    if (!error && deadline >= 0 && !timed)
        error = ENOMEM;
    if (error && gofer_claim(waiter.g, NULL))
        gofer_cancel_park(waiter.g); /* nobody was faster, and nobody will wake it */
    else
        gofer_park(waiter.g);
    if (timed)
        gofer_timer_stop(&waiter.timer); /* or waits until it has fired */
    while (listed)
        unlist_want(&wants[--listed]);
    atomic_fetch_sub_explicit(&waiting, count != 0, memory_order_relaxed);
    return error ? error : waiter.error;
}

int gofer_raw_wait(const struct pollfd *fds, unsigned long count, int64_t deadline)
{
    raw_want few[FEW];
    if (count <= FEW)
        return wait_for(few, fds, count, deadline);
    raw_want *many = calloc(count, sizeof *many);
    int error = many ? wait_for(many, fds, count, deadline) : ENOMEM;
    free(many);
    return error;
}

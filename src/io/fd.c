/* See fd.h. */
#include "io/fd.h"

#include "base/slab.h"
#include "io/poller.h"
#include "io/raw.h"
#include "sched/internal.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- where they live ------------------------------------------------------------------------- */

static gofer_slabs fd_slabs = { .size = sizeof(go_fd) };
static _Atomic uint32_t open_count;
static _Atomic uint32_t deliveries; /* going on; see gofer_poller_can_wake */

static void *make_fd(size_t index)
{
    go_fd *fd = gofer_slab_make(&fd_slabs, index);
    if (fd)
        fd->index = (uint32_t)index;
    return fd;
}

static gofer_pool fds = { .make = make_fd };

static go_fd *fd_at(size_t index)
{
    return gofer_slab_at(&fd_slabs, index);
}

static uint64_t key_of(const go_fd *fd)
{
    return ((uint64_t)fd->index + 1) << 32 | fd->generation;
}

static void free_fd(go_fd *fd)
{
    GOFER_TSAN_RELEASE(fd); /* the pool's order, which TSan does not see */
    gofer_pool_put(&fds, NULL, fd);
    /* release: pairs with gofer_fds_are_open; the last access to the pool */
    if (atomic_fetch_sub_explicit(&open_count, 1, memory_order_release) == 1)
        gofer_say_quiet(); /* go_shutdown may wait for that */
}

bool gofer_fds_are_open(void)
{
    return atomic_load_explicit(&open_count, memory_order_acquire) > 0;
}

void gofer_fds_free(void)
{
    gofer_slabs_free(&fd_slabs, &fds);
}

bool gofer_poller_can_wake(void)
{
    static _Atomic uint32_t hint; /* somebody waited there the last time */
    if (gofer_raw_waits())
        return true;
    gofer_spin_lock(&fds.lock);
    uint32_t made = (uint32_t)fds.made;
    gofer_spin_unlock(&fds.lock);
    uint32_t first = atomic_load_explicit(&hint, memory_order_relaxed);
    for (uint32_t i = 0; i < made; i++) {
        uint32_t index = (first + i) % made;
        for (int side = 0; side < GOFER_FD_SIDES; side++)
            if (atomic_load_explicit(&fd_at(index)->directions[side].waiter,
                                     memory_order_acquire)) {
                atomic_store_explicit(&hint, index, memory_order_relaxed);
                return true;
            }
    }
    /* Who delivers may hold no processor. It counts itself, then takes the waiter, makes it ready,
     * counts itself out; we look the other way round: who is waiter no more is counted here, or was
     * made ready, which the deadlock check sees (the queue, p_takes, thread_wakes). */
    return atomic_load_explicit(&deliveries, memory_order_acquire) > 0;
}

/* ---- edges, deadlines and closing: who waits is woken ---------------------------------------- */

/* fd->lock. Who waits for an edge, claimed; it finds `error`. */
static struct gofer_edge_waiter *take_waiter(struct gofer_fd_direction *direction, int error)
{
    struct gofer_edge_waiter *waiter =
        atomic_load_explicit(&direction->waiter, memory_order_relaxed);
    if (!waiter)
        return NULL;
    /* release: pairs with gofer_poller_can_wake */
    atomic_store_explicit(&direction->waiter, NULL, memory_order_release);
    if (!gofer_waiter_claim(&waiter->base))
        return NULL;
    waiter->error = error;
    return waiter;
}

static void wake(struct gofer_edge_waiter *waiter)
{
    if (waiter)
        gofer_ready_last(waiter->base.g);
}

static void tell_edge(go_fd *fd, uint32_t generation, uint32_t events)
{
    static const uint32_t edges[GOFER_FD_SIDES] = {
        EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR,
        EPOLLOUT | EPOLLHUP | EPOLLERR,
    };
    struct gofer_edge_waiter *waiters[GOFER_FD_SIDES] = { NULL };
    gofer_spin_lock(&fd->lock);
    fd->edges_ended |= fd->generation == generation && events & GOFER_POLL_ENDED;
    for (int side = 0; side < GOFER_FD_SIDES && fd->generation == generation; side++) {
        if (!(events & edges[side]))
            continue;
        fd->directions[side].marked |= (events & (EPOLLRDHUP | EPOLLERR | EPOLLPRI)) != 0;
        waiters[side] = take_waiter(&fd->directions[side], 0);
        if (!waiters[side])
            fd->directions[side].ready = true;
    }
    gofer_spin_unlock(&fd->lock);
    for (int side = 0; side < GOFER_FD_SIDES; side++)
        wake(waiters[side]);
}

static void add_all_again(void)
{
    gofer_spin_lock(&fds.lock);
    uint32_t made = (uint32_t)fds.made;
    gofer_spin_unlock(&fds.lock);
    for (uint32_t i = 0; i < made; i++) {
        go_fd *fd = fd_at(i);
        gofer_spin_lock(&fd->lock);
        if (fd->edges_ended)
            gofer_poller_add_again(gofer_fd_number(fd), key_of(fd));
        fd->edges_ended = false;
        gofer_spin_unlock(&fd->lock);
    }
}

/* Lines that lie far from each other, of which the first is needed soon: on their way together. */
static void fetch(const gofer_poll_batch *batch)
{
    for (int i = 0; i < batch->count; i++)
        if (batch->ready[i].key > GOFER_POLL_ALL_AGAIN)
            __builtin_prefetch(&fd_at((batch->ready[i].key >> 32) - 1)->directions[GOFER_FD_READ]);
    for (int i = 0; i < batch->count; i++)
        if (batch->ready[i].key > GOFER_POLL_ALL_AGAIN)
            __builtin_prefetch(atomic_load_explicit(
                &fd_at((batch->ready[i].key >> 32) - 1)->directions[GOFER_FD_READ].waiter,
                memory_order_relaxed));
}

void gofer_poller_deliver(const gofer_poll_batch *batch)
{
    if (!batch->count)
        return;
    atomic_fetch_add_explicit(&deliveries, 1, memory_order_relaxed);
    fetch(batch);
    for (int i = 0; i < batch->count; i++) {
        uint64_t key = batch->ready[i].key;
        if (key == GOFER_RAW_KEY)
            gofer_raw_deliver(batch->ready[i].events & GOFER_POLL_ENDED);
        else if (key == GOFER_POLL_ALL_AGAIN)
            add_all_again();
        else
            tell_edge(fd_at((key >> 32) - 1), (uint32_t)key, batch->ready[i].events);
    }
    atomic_fetch_sub_explicit(&deliveries, 1, memory_order_release);
}

/* Under the heap's lock. The deadline may have moved since the timer was started. */
static void expire(go_fd *fd, struct gofer_fd_direction *direction, int64_t due)
{
    struct gofer_edge_waiter *waiter = NULL;
    gofer_spin_lock(&fd->lock);
    if (direction->deadline && direction->deadline <= due) {
        direction->expired = true;
        waiter = take_waiter(direction, ETIMEDOUT);
    }
    gofer_spin_unlock(&fd->lock);
    wake(waiter);
}

static void expire_read(gofer_timer *timer, int64_t due)
{
    go_fd *fd = gofer_container(timer, go_fd, directions[GOFER_FD_READ].timer);
    expire(fd, &fd->directions[GOFER_FD_READ], due);
}

static void expire_write(gofer_timer *timer, int64_t due)
{
    go_fd *fd = gofer_container(timer, go_fd, directions[GOFER_FD_WRITE].timer);
    expire(fd, &fd->directions[GOFER_FD_WRITE], due);
}

/* deadline_lock. 0, or an errno. */
static int set_timer(struct gofer_fd_direction *direction, int side, int64_t when)
{
    gofer_timer *timer = &direction->timer;
    if (!when) {
        if (direction->timer_used)
            gofer_timer_stop(timer);
        return 0;
    }
    if (direction->timer_used)
        return gofer_timer_reset(timer, when, 0) < 0 ? ENOMEM : 0;
    timer->fire = side == GOFER_FD_READ ? expire_read : expire_write;
    if (!gofer_timer_start(timer, when))
        return ENOMEM;
    direction->timer_used = true;
    return 0;
}

/* deadline_lock. */
static int set_deadline(go_fd *fd, int side, int64_t when)
{
    struct gofer_fd_direction *direction = &fd->directions[side];
    struct gofer_edge_waiter *waiter = NULL;
    bool past = when && when <= gofer_nanotime();
    gofer_spin_lock(&fd->lock);
    int error = fd->closing ? EBADF : 0;
    if (!error) {
        direction->deadline = when;
        direction->expired = past;
        if (past)
            waiter = take_waiter(direction, ETIMEDOUT);
    }
    gofer_spin_unlock(&fd->lock);
    wake(waiter);
    return error ? error : set_timer(direction, side, past ? 0 : when);
}

static int fail(int error)
{
    *gofer_errno() = error;
    return -1;
}

int go_fd_set_deadline(go_fd *fd, int what, int64_t when)
{
    int error = fd->is_polled ? 0 : ENOTSUP;
    if (what & ~(GO_READABLE | GO_WRITABLE))
        error = EINVAL;
    gofer_spin_lock(&fd->deadline_lock);
    if (!error && what & GO_READABLE)
        error = set_deadline(fd, GOFER_FD_READ, when);
    if (!error && what & GO_WRITABLE)
        error = set_deadline(fd, GOFER_FD_WRITE, when);
    gofer_spin_unlock(&fd->deadline_lock);
    return error ? fail(error) : 0;
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* fd->lock. Why no call may be made, or 0. */
static int refusal(const go_fd *fd, const struct gofer_fd_direction *direction)
{
    return fd->closing ? EBADF : direction->expired ? ETIMEDOUT : 0;
}

static void shut(go_fd *fd);

/* A call has ended: the last one closes what is to be closed. */
void gofer_fd_leave(go_fd *fd)
{
    gofer_spin_lock(&fd->lock);
    bool last = --fd->calls == 0 && fd->closing;
    gofer_g *closer = last ? fd->closer : NULL;
    gofer_spin_unlock(&fd->lock);
    if (closer)
        gofer_ready(closer);
    else if (last)
        shut(fd);
}

int gofer_fd_enter(go_fd *fd)
{
    gofer_spin_lock(&fd->lock);
    int error = fd->closing ? EBADF : 0;
    fd->calls += !error;
    gofer_spin_unlock(&fd->lock);
    return error;
}

void gofer_fd_end(go_fd *fd, enum gofer_fd_side side)
{
    struct gofer_fd_direction *direction = &fd->directions[side];
    gofer_spin_lock(&fd->lock);
    struct gofer_sync_waiter *next = gofer_waiters_claim(&direction->turns);
    if (next)
        direction->ready &= direction->dry;
    else
        direction->busy = false;
    bool last = !next && fd->calls == 1 && fd->closing;
    fd->calls -= !last;
    gofer_spin_unlock(&fd->lock);
    if (next)
        gofer_ready(next->g);
    if (gofer_unlikely(last))
        gofer_fd_leave(fd);
}

/* Another has the turn: waits for it, with fd->lock held, which is released. */
static gofer_cold int wait_for_turn(go_fd *fd, enum gofer_fd_side side, gofer_cancel *source)
{
    struct gofer_fd_direction *direction = &fd->directions[side];
    struct gofer_sync_waiter waiter = { .g = gofer_self() };
    gofer_waiter_prepare(&waiter, source, GOFER_WAIT_SEMACQUIRE);
    gofer_waiters_push(&direction->turns, &waiter);
    gofer_spin_unlock(&fd->lock);
    int error = gofer_park_cancellable(waiter.g, source);
    gofer_spin_lock(&fd->lock);
    if (error) {
        gofer_waiters_remove(&direction->turns, &waiter);
        gofer_spin_unlock(&fd->lock);
        gofer_fd_leave(fd);
        return error;
    }
    error = refusal(fd, direction);
    gofer_spin_unlock(&fd->lock);
    if (error)
        gofer_fd_end(fd, side);
    return error;
}

static int ask_kernel(const go_fd *fd, enum gofer_fd_side side)
{
    struct pollfd ask = { .fd = gofer_fd_number(fd),
                          .events = side == GOFER_FD_READ ? POLLIN | POLLRDHUP : POLLOUT };
    int ready;
    do
        ready = poll(&ask, 1, 0);
    while (ready < 0 && errno == EINTR); /* a signal that is pending: it need not have waited */
    return ready;
}

/* Waits for an edge; none that came since the turn began or since the last wait is missed. */
static int wait_for_edge(go_fd *fd, enum gofer_fd_side side, gofer_cancel *source)
{
    struct gofer_fd_direction *direction = &fd->directions[side];
    struct gofer_edge_waiter waiter = { .base.g = gofer_self() };
    gofer_spin_lock(&fd->lock);
    int error = refusal(fd, direction);
    bool waits = !error && !direction->ready;
    direction->ready = false;
    if (waits) {
        gofer_waiter_prepare(&waiter.base, source, GOFER_WAIT_IO);
        atomic_store_explicit(&direction->waiter, &waiter, memory_order_relaxed);
    }
    gofer_spin_unlock(&fd->lock);
    if (!waits)
        return error;
    if (gofer_unlikely(waiter.base.g->is_thread))
        gofer_poller_need();
    error = gofer_park_cancellable(waiter.base.g, source);
    if (gofer_likely(!error))
        return waiter.error;
    gofer_spin_lock(&fd->lock);
    if (atomic_load_explicit(&direction->waiter, memory_order_relaxed) == &waiter)
        atomic_store_explicit(&direction->waiter, NULL, memory_order_relaxed);
    gofer_spin_unlock(&fd->lock);
    return error;
}

int gofer_fd_wait_ready(go_fd *fd, enum gofer_fd_side side, gofer_cancel *source)
{
    int error = 0;
    while (!error && ask_kernel(fd, side) == 0)
        error = wait_for_edge(fd, side, source);
    return error;
}

bool gofer_fd_may_end(go_fd *fd, enum gofer_fd_side side, const gofer_cancel *source)
{
    gofer_spin_lock(&fd->lock);
    bool has_deadline = fd->directions[side].deadline != 0;
    gofer_spin_unlock(&fd->lock);
    return source || has_deadline;
}

int gofer_fd_begin(go_fd *fd, enum gofer_fd_side side, gofer_cancel *source)
{
    struct gofer_fd_direction *direction = &fd->directions[side];
    int error = gofer_cancel_error(source);
    if (gofer_unlikely(error))
        return error;
    gofer_spin_lock(&fd->lock);
    error = refusal(fd, direction);
    if (gofer_unlikely(error)) {
        gofer_spin_unlock(&fd->lock);
        return error;
    }
    fd->calls++;
    if (gofer_likely(!direction->busy)) {
        direction->busy = true;
        direction->ready &= direction->dry; /* then it is looked at below */
        gofer_spin_unlock(&fd->lock);
    } else if ((error = wait_for_turn(fd, side, source)) != 0) {
        return error;
    }
    if (side == GOFER_FD_READ)
        error = gofer_fd_wait_more(fd, source);
    else if (gofer_unlikely(direction->asks))
        error = gofer_fd_wait_ready(fd, side, source);
    if (gofer_unlikely(error))
        gofer_fd_end(fd, side);
    return error;
}

int gofer_fd_wait_more(go_fd *fd, gofer_cancel *source)
{
    struct gofer_fd_direction *direction = &fd->directions[GOFER_FD_READ];
    if (gofer_unlikely(direction->asks))
        return gofer_fd_wait_ready(fd, GOFER_FD_READ, source);
    if (!direction->dry)
        return 0;
    direction->dry = false;
    gofer_spin_lock(&fd->lock);
    bool marked = direction->marked;
    if (marked)
        direction->ready = false;
    gofer_spin_unlock(&fd->lock);
    return marked ? 0 : wait_for_edge(fd, GOFER_FD_READ, source);
}

int gofer_fd_retry(go_fd *fd, enum gofer_fd_side side, gofer_cancel *source)
{
    int error = errno;
    if (error == EINTR)
        return 0;
    if (error != EAGAIN || !fd->is_polled)
        return error;
    return wait_for_edge(fd, side, source);
}

/* ---- what the kernel cannot watch ----------------------------------------------------------- */

/* Of the others it says itself that they are taken over already. By their numbers. */
static gofer_spin unwatched_lock;
static go_fd *unwatched[256];

static go_fd **unwatched_at(int number)
{
    go_fd **at = &unwatched[(uint32_t)number % 256];
    while (*at && gofer_fd_number(*at) != number)
        at = &(*at)->next_unwatched;
    return at;
}

/* 0, or EEXIST. */
static int add_unwatched(go_fd *fd)
{
    gofer_spin_lock(&unwatched_lock);
    go_fd **at = unwatched_at(gofer_fd_number(fd));
    bool exists = *at != NULL;
    if (!exists) {
        fd->next_unwatched = NULL;
        *at = fd;
    }
    gofer_spin_unlock(&unwatched_lock);
    return exists ? EEXIST : 0;
}

static void remove_unwatched(go_fd *fd)
{
    gofer_spin_lock(&unwatched_lock);
    *unwatched_at(gofer_fd_number(fd)) = fd->next_unwatched;
    gofer_spin_unlock(&unwatched_lock);
}

/* ---- making and closing ---------------------------------------------------------------------- */

static bool speaks_tcp(int number)
{
    int protocol;
    socklen_t size = sizeof protocol;
    return getsockopt(number, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
           protocol == IPPROTO_TCP;
}

/* Sees to O_NONBLOCK. A side that the descriptor is not open for is never ready: a call says EBADF
 * at once instead, unasked. 0, or an errno. */
static int look_at_descriptor(go_fd *fd, int number)
{
    int flags = fcntl(number, F_GETFL), type;
    socklen_t size = sizeof type;
    if (flags < 0)
        return errno;
    fd->is_socket = getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
    fd->is_tcp = fd->is_socket && type == SOCK_STREAM && speaks_tcp(number);
    if (flags & O_NONBLOCK)
        return 0;
    fd->is_terminal = isatty(number);
    fd->is_shared = number <= 2 || fd->is_terminal;
    fd->directions[GOFER_FD_READ].asks = (flags & O_ACCMODE) != O_WRONLY;
    fd->directions[GOFER_FD_WRITE].asks = (flags & O_ACCMODE) != O_RDONLY;
    return fd->is_shared || fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : errno;
}

go_fd *gofer_fd_reserve(void)
{
    gofer_m *m = gofer_m_attached();
    int error = gofer_visit(m); /* somebody must poll */
    if (error) {
        fail(error);
        return NULL;
    }
    atomic_fetch_add_explicit(&open_count, 1, memory_order_relaxed);
    gofer_visit_end(m);
    go_fd *fd = gofer_pool_get(&fds, NULL);
    if (!fd) {
        atomic_fetch_sub_explicit(&open_count, 1, memory_order_relaxed);
        fail(ENOMEM);
        return NULL;
    }
    GOFER_TSAN_ACQUIRE(fd);
    return fd;
}

void gofer_fd_give_back(go_fd *room)
{
    free_fd(room);
}

int gofer_fd_fill(go_fd *fd, int number, enum gofer_fd_kind kind)
{
    int error = 0;
    gofer_spin_lock(&fd->lock);
    fd->generation++;
    fd->references = 1;
    fd->closing = fd->is_shared = fd->is_terminal = false;
    fd->is_socket = kind != GOFER_FD_ANY;
    fd->is_tcp = kind == GOFER_FD_TCP;
    for (int side = 0; side < GOFER_FD_SIDES; side++) {
        struct gofer_fd_direction *direction = &fd->directions[side];
        direction->ready = direction->dry = direction->marked = direction->expired = false;
        direction->asks = direction->blocks = false;
        direction->deadline = 0;
    }
    atomic_store_explicit(&fd->number, number, memory_order_relaxed);
    gofer_spin_unlock(&fd->lock);
    if (kind == GOFER_FD_ANY)
        error = look_at_descriptor(fd, number);
    if (!error)
        error = gofer_poller_add(number, key_of(fd));
    fd->is_polled = error == 0;
    fd->is_shared &= fd->is_polled;
    for (int side = 0; side < GOFER_FD_SIDES; side++)
        fd->directions[side].asks &= fd->is_shared;
    return error == EPERM ? add_unwatched(fd) : error;
}

go_fd *gofer_fd_adopt(int number, enum gofer_fd_kind kind)
{
    go_fd *fd = gofer_fd_reserve();
    int error = fd ? gofer_fd_fill(fd, number, kind) : 0;
    if (error) {
        free_fd(fd);
        fail(error);
        return NULL;
    }
    return fd;
}

go_fd *go_fd_new(int descriptor)
{
    return gofer_fd_adopt(descriptor, GOFER_FD_ANY);
}

int go_fd_number(const go_fd *fd)
{
    return gofer_fd_number(fd);
}

/* No call is in progress and none will come: forgets the descriptor. Returns it. */
static int detach(go_fd *fd)
{
    int number = gofer_fd_number(fd);
    gofer_spin_lock(&fd->deadline_lock);
    for (int side = 0; side < GOFER_FD_SIDES; side++)
        set_timer(&fd->directions[side], side, 0);
    gofer_spin_unlock(&fd->deadline_lock);
    gofer_spin_lock(&fd->lock);
    uint64_t key = key_of(fd);
    fd->generation++; /* edges that are on their way go astray */
    fd->edges_ended = false;
    gofer_spin_unlock(&fd->lock);
    if (fd->is_polled)
        gofer_poller_remove(number, key);
    else
        remove_unwatched(fd);
    gofer_spin_lock(&fd->lock);
    atomic_store_explicit(&fd->number, -1, memory_order_relaxed);
    bool unused = fd->references == 0;
    gofer_spin_unlock(&fd->lock);
    if (unused)
        free_fd(fd);
    return number;
}

static void shut(go_fd *fd)
{
    close(detach(fd));
}

/* Refuses calls from now on, ends those that wait, and waits until none is in progress. 0: the
 * descriptor is the caller's to detach. Where calls block their threads it does not wait:
 * EINPROGRESS, the descriptor is the last call's to detach; with `keep` EBUSY, and all goes on. */
static int stop_calls(go_fd *fd, bool keep)
{
    struct gofer_edge_waiter *waiters[GOFER_FD_SIDES];
    gofer_g *self = gofer_self();
    gofer_spin_lock(&fd->lock);
    bool busy = fd->calls > 0;
    bool waits = busy && fd->is_polled && !fd->is_shared;
    int error = fd->closing ? EBADF : !busy || waits ? 0 : keep ? EBUSY : EINPROGRESS;
    if (error && error != EINPROGRESS) {
        gofer_spin_unlock(&fd->lock);
        return error;
    }
    fd->closing = true;
    for (int side = 0; side < GOFER_FD_SIDES; side++)
        waiters[side] = take_waiter(&fd->directions[side], EBADF);
    fd->closer = waits ? self : NULL;
    if (waits)
        gofer_prepare_park(self, GOFER_WAIT_SEMACQUIRE);
    gofer_spin_unlock(&fd->lock);
    for (int side = 0; side < GOFER_FD_SIDES; side++)
        wake(waiters[side]);
    if (waits)
        gofer_park(self);
    return error;
}

int go_fd_close(go_fd *fd)
{
    int error = stop_calls(fd, false);
    if (error == EINPROGRESS)
        return 0;
    if (!error && close(detach(fd)) != 0)
        error = errno == EINTR ? 0 : errno; /* Linux has closed it then */
    return error ? fail(error) : 0;
}

int go_fd_release(go_fd *fd)
{
    int error = stop_calls(fd, true);
    return error ? fail(error) : detach(fd);
}

go_fd *go_fd_ref(go_fd *fd)
{
    gofer_spin_lock(&fd->lock);
    fd->references++;
    gofer_spin_unlock(&fd->lock);
    return fd;
}

void go_fd_unref(go_fd *fd)
{
    if (!fd)
        return;
    gofer_spin_lock(&fd->lock);
    bool last = --fd->references == 0;
    bool closing = fd->closing, closed = gofer_fd_number(fd) < 0;
    gofer_spin_unlock(&fd->lock);
    if (!last || (closing && !closed)) /* then who closes it frees it: fd may be another's now */
        return;
    int kept = *gofer_errno();
    if (closed)
        free_fd(fd);
    else if (stop_calls(fd, false) == 0)
        shut(fd);
    *gofer_errno() = kept;
}

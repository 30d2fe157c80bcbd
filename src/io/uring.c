/* The poller by io_uring: a multishot poll for each descriptor, edge-triggered.
 *
 * What a poll found is put into the completion queue by the thread that submitted the poll,
 * wherever in the kernel that thread is: its blocking calls are interrupted (epoll_wait of a
 * library would return EINTR), while it sleeps without being interruptible the others' edges wait,
 * and with its end its polls end. So a thread of the poller's own submits them all. It sleeps on a
 * futex, completes polls without leaving the kernel, and lives until go_shutdown.
 *
 * A poll holds its file, so that a close would not reach the peer: remove waits until the poll is
 * over. Its completion is work of the submitter too, which does it before it returns from the
 * call that cancelled.
 *
 * The queue is read without a system call, by who has taken the poller. A multishot poll ends where
 * the queue has no room, and where the kernel lacks memory. Its descriptor is added again, and what
 * it is ready for then is told anew, once the queue is empty: at once would keep it full. */
#include "io/poller_kind.h"
#include "io/uring_abi.h"

#include "gofer/base.h"

#include "base/own_thread.h"
#include "panic/panic.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SUBMISSIONS = 256,
    COMPLETIONS = 4096,
    SUBMITTER_STACK = 128 * 1024,
    RETRY = 1000000, /* nanoseconds, where the kernel cannot take a submission now */
    FEATURES = URING_FEATURE_SINGLE_MAP | URING_FEATURE_NO_DROP | URING_FEATURE_POLL_32_BITS |
               URING_FEATURE_EXTENDED_ARGUMENT | URING_FEATURE_SKIP_SUCCESS /* Linux 5.17 */
};

static struct {
    /* constant while it is open */
    int fd;
    int judge; /* an epoll instance: says which files can be polled, and which are polled already */
    char *map;
    size_t map_size;
    struct uring_sqe *sqes;
    size_t sqes_size;
    const struct uring_cqe *cqes;
    _Atomic uint32_t *sq_head, *sq_tail, *sq_flags, *cq_head, *cq_tail;
    uint32_t sq_entries, cq_entries;
    pthread_t thread;

    gofer_spin lock;  /* of submitting: guards these, the submissions' ring and entering for them */
    uint32_t queued;  /* submissions so far */
    uint32_t entered; /* of them the kernel has */
    bool awaited;     /* somebody waits for `passed` */
    bool ends;

    bool ended; /* polls did, and are to be added again; of who has taken the poller */

    _Atomic uint32_t passed; /* of `entered`, what is done with; futex */
    _Atomic uint32_t work;   /* futex of the submitter: something is queued */
    _Atomic uint32_t broken; /* a wake-up is on its way */
    _Atomic pid_t tid;
} ring;

/* 0 or more, or a negative errno. */
static int enter(uint32_t submit, uint32_t least, uint32_t flags, const void *argument, size_t size)
{
    long n = syscall(URING_ENTER_CALL, ring.fd, submit, least, flags, argument, size);
    return n < 0 ? -*gofer_errno() : (int)n;
}

/* ---- submitting: the lock is held ------------------------------------------------------------ */

static void call_submitter(void)
{
    /* release: pairs with the acquire in the submitter's turn */
    if (atomic_exchange_explicit(&ring.work, 1, memory_order_acq_rel) == 0)
        gofer_futex_wake(&ring.work, 1);
}

/* Waits for room, in which the submitter alone takes part. Returns the submission's number. */
static uint32_t queue(struct uring_sqe sqe)
{
    for (int round = 0; ring.queued - ring.entered == ring.sq_entries; round++) {
        gofer_spin_unlock(&ring.lock);
        call_submitter();
        gofer_spin_pause(round);
        gofer_spin_lock(&ring.lock);
    }
    ring.sqes[ring.queued & (ring.sq_entries - 1)] = sqe;
    atomic_store_explicit(ring.sq_tail, ++ring.queued, memory_order_release);
    return ring.queued;
}

static void submit(void)
{
    int n = ring.queued == ring.entered ? 0 : enter(ring.queued - ring.entered, 0, 0, NULL, 0);
    if (n > 0)
        ring.entered += (uint32_t)n;
    else if (n < 0 && n != -EINTR && n != -EAGAIN && n != -EBUSY && n != -ENOMEM)
        gofer_fatal("runtime: io_uring takes no submissions: %s", strerror(-n));
}

/* ---- the submitter --------------------------------------------------------------------------- */

/* One turn. False: it shall end. */
static bool submit_all(void)
{
    atomic_exchange_explicit(&ring.work, 0, memory_order_acq_rel);
    gofer_spin_lock(&ring.lock);
    submit();
    bool ends = ring.ends, awaited = ring.awaited, left = ring.entered != ring.queued;
    uint32_t entered = ring.entered;
    ring.awaited = left && awaited;
    gofer_spin_unlock(&ring.lock);
    atomic_store_explicit(&ring.passed, entered, memory_order_release);
    if (awaited)
        gofer_futex_wake(&ring.passed, INT32_MAX);
    if (!ends)
        gofer_futex_wait(&ring.work, 0, left ? gofer_nanotime() + RETRY : -1);
    return !ends;
}

static void *submitter(void *unused)
{
    (void)unused;
    atomic_store_explicit(&ring.tid, (pid_t)syscall(SYS_gettid), memory_order_relaxed);
    prctl(PR_SET_NAME, "gofer-poller", 0UL, 0UL, 0UL);
    while (submit_all())
        ;
    return NULL;
}

static int start_submitter(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of the program's runs there */
    int error = gofer_own_thread(&ring.thread, SUBMITTER_STACK, submitter, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static pid_t submitter_tid(void)
{
    return atomic_load_explicit(&ring.tid, memory_order_relaxed);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void poll_in_ring(int fd, uint64_t key)
{
    gofer_spin_lock(&ring.lock);
    queue((struct uring_sqe){ .operation = URING_OP_POLL_ADD,
                              .fd = fd,
                              .length = URING_POLL_MULTISHOT,
                              .events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP,
                              .key = key });
    gofer_spin_unlock(&ring.lock);
    call_submitter();
}

static int add_to_ring(int fd, uint64_t key)
{
    struct epoll_event none = { .events = EPOLLET };
    if (epoll_ctl(ring.judge, EPOLL_CTL_ADD, fd, &none) != 0)
        return errno;
    poll_in_ring(fd, key);
    return 0;
}

static void remove_from_ring(int fd, uint64_t key)
{
    struct epoll_event unused = { 0 };
    epoll_ctl(ring.judge, EPOLL_CTL_DEL, fd, &unused);
    gofer_spin_lock(&ring.lock);
    /* where the poll is over already, its failure is a completion without a key */
    uint32_t number = queue((struct uring_sqe){
        .operation = URING_OP_ASYNC_CANCEL, .flags = URING_SQE_SKIP_SUCCESS, .address = key });
    ring.awaited = true;
    gofer_spin_unlock(&ring.lock);
    call_submitter();
    for (;;) {
        uint32_t passed = atomic_load_explicit(&ring.passed, memory_order_acquire);
        if ((int32_t)(passed - number) >= 0)
            break;
        gofer_futex_wait(&ring.passed, passed, -1);
    }
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void put(gofer_poll_batch *batch, uint64_t key, uint32_t events)
{
    batch->ready[batch->count].key = key;
    batch->ready[batch->count++].events = events;
}

static void take_in(gofer_poll_batch *batch, const struct uring_cqe *cqe)
{
    bool again =
        cqe->key && !(cqe->flags & URING_CQE_MORE) && (cqe->result >= 0 || cqe->result == -ENOMEM);
    uint32_t ended = again ? GOFER_POLL_ENDED : 0;
    ring.ended |= again;
    if (!cqe->key)
        /* who finds a wake-up on its way sends none: a swap, so that we see what it wrote before */
        atomic_exchange_explicit(&ring.broken, 0, memory_order_seq_cst);
    else if (cqe->result >= 0)
        put(batch, cqe->key, (uint32_t)cqe->result | ended);
    else if (cqe->result == -ENOMEM)
        put(batch, cqe->key, ended);
    else if (cqe->result != -ECANCELED)                      /* which was ours */
        put(batch, cqe->key, EPOLLIN | EPOLLOUT | EPOLLERR); /* who uses it finds out */
}

/* Returns how many completions were taken. */
static int reap(gofer_poll_batch *batch)
{
    uint32_t head = atomic_load_explicit(ring.cq_head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(ring.cq_tail, memory_order_acquire);
    int count = 0;
    for (; head != tail && batch->count < GOFER_POLL_BATCH; head++, count++)
        take_in(batch, &ring.cqes[head & (ring.cq_entries - 1)]);
    atomic_store_explicit(ring.cq_head, head, memory_order_release);
    return count;
}

static int wait_in_ring(gofer_poll_batch *batch, int64_t left)
{
    bool overflow =
        atomic_load_explicit(ring.sq_flags, memory_order_acquire) & URING_SQ_CQ_OVERFLOW;
    if (reap(batch))
        return 0;
    if (ring.ended && !overflow) {
        ring.ended = false;
        put(batch, GOFER_POLL_ALL_AGAIN, 0);
        return 0;
    }
    if (left == 0 && !overflow)
        return 0;
    struct uring_time time = { left / 1000000000, left % 1000000000 };
    struct uring_wait_argument argument = { .time = left > 0 ? (uintptr_t)&time : 0 };
    int n = enter(0, left != 0, URING_ENTER_GET_EVENTS | URING_ENTER_EXTENDED_ARGUMENT, &argument,
                  sizeof argument);
    reap(batch);
    bool harmless = n >= 0 || n == -ETIME || n == -EINTR || n == -EAGAIN || n == -EBUSY;
    return harmless ? 0 : -n;
}

/* The waker submits this itself, unless polls are queued before it: a no-op leaves no work. */
static void wake_ring(void)
{
    if (atomic_exchange_explicit(&ring.broken, 1, memory_order_seq_cst))
        return;
    gofer_spin_lock(&ring.lock);
    queue((struct uring_sqe){ .operation = URING_OP_NOP });
    if (ring.queued - ring.entered == 1)
        submit();
    bool left = ring.queued != ring.entered;
    gofer_spin_unlock(&ring.lock);
    if (left)
        call_submitter();
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void free_ring(void)
{
    if (ring.sqes)
        munmap(ring.sqes, ring.sqes_size);
    if (ring.map)
        munmap(ring.map, ring.map_size);
    if (ring.judge >= 0)
        close(ring.judge);
    if (ring.fd >= 0)
        close(ring.fd);
    memset(&ring, 0, sizeof ring);
}

static void *map_ring(size_t size, off_t what)
{
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, what);
    return map == MAP_FAILED ? NULL : map;
}

static _Atomic uint32_t *word_at(uint32_t offset)
{
    return (_Atomic uint32_t *)(void *)(ring.map + offset);
}

/* 0, or an errno. */
static int map_rings(const struct uring_parameters *p)
{
    size_t sq_end = p->sq_offsets.array + p->sq_entries * sizeof(uint32_t);
    size_t cq_end = p->cq_offsets.cqes + p->cq_entries * sizeof(struct uring_cqe);
    ring.map_size = sq_end > cq_end ? sq_end : cq_end;
    ring.sqes_size = p->sq_entries * sizeof(struct uring_sqe);
    ring.map = map_ring(ring.map_size, URING_MAP_RINGS);
    ring.sqes = ring.map ? map_ring(ring.sqes_size, URING_MAP_SQES) : NULL;
    if (!ring.sqes)
        return errno;
    ring.sq_entries = p->sq_entries;
    ring.cq_entries = p->cq_entries;
    ring.sq_head = word_at(p->sq_offsets.head);
    ring.sq_tail = word_at(p->sq_offsets.tail);
    ring.sq_flags = word_at(p->sq_offsets.flags);
    ring.cq_head = word_at(p->cq_offsets.head);
    ring.cq_tail = word_at(p->cq_offsets.tail);
    ring.cqes = (const void *)(ring.map + p->cq_offsets.cqes);
    uint32_t *array = (void *)(ring.map + p->sq_offsets.array);
    for (uint32_t i = 0; i < ring.sq_entries; i++)
        array[i] = i;
    return 0;
}

/* All that is used later is tried, for a sandbox may refuse any of it. 0, or an errno. */
static int try_ring(void)
{
    struct uring_parameters p = { .flags = URING_SETUP_CQ_SIZE, .cq_entries = COMPLETIONS };
    ring.fd = (int)syscall(URING_SETUP_CALL, SUBMISSIONS, &p);
    ring.judge = ring.fd < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
    if (ring.judge < 0)
        return errno;
    if ((p.features & FEATURES) != FEATURES)
        return ENOSYS;
    int error = map_rings(&p);
    if (error)
        return error;
    queue((struct uring_sqe){ .operation = URING_OP_NOP }); /* nobody else knows the ring yet */
    struct uring_wait_argument argument = { 0 };
    int n = enter(1, 0, 0, NULL, 0);
    if (n > 0)
        n = enter(0, 1, URING_ENTER_GET_EVENTS | URING_ENTER_EXTENDED_ARGUMENT, &argument,
                  sizeof argument);
    ring.entered = ring.queued;
    return n < 0 ? -n : start_submitter();
}

static int open_ring(void)
{
    int error = try_ring();
    if (error)
        free_ring();
    return error;
}

static void close_ring(void)
{
    gofer_spin_lock(&ring.lock);
    ring.ends = true;
    gofer_spin_unlock(&ring.lock);
    call_submitter();
    pthread_join(ring.thread, NULL);
    free_ring();
}

const struct gofer_poller_kind gofer_uring = {
    .name = "io_uring",
    .open = open_ring,
    .close = close_ring,
    .thread = submitter_tid,
    .add = add_to_ring,
    .add_again = poll_in_ring,
    .remove = remove_from_ring,
    .wait = wait_in_ring,
    .wake = wake_ring,
};

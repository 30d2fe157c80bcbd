/* What both kinds of poller owe: edges whatever becomes of the thread that adopted the descriptor,
 * none lost where very many come at once, and files that nobody holds once they are closed. */
#define _GNU_SOURCE 1
#include "fd.h"

#include "io/poller.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

/* Each write of 1 is for one read. */
static go_fd *event(void)
{
    go_fd *fd = go_fd_new(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
    CHECK(fd != NULL, 1);
    return fd;
}

/* By a plain call: the writer never parks and never becomes idle. */
static void set_event(go_fd *fd)
{
    uint64_t one = 1;
    CHECK(write(go_fd_number(fd), &one, sizeof one), sizeof one);
}

static void await_event(go_fd *fd)
{
    uint64_t value;
    CHECK(go_fd_read(fd, &value, sizeof value), sizeof value);
}

/* ---- who adopted it -------------------------------------------------------------------------- */

static void *adopt(void *to)
{
    *(go_fd **)to = event();
    return NULL;
}

static void its_thread_may_end(void)
{
    pthread_t thread;
    go_fd *fd;
    CHECK(pthread_create(&thread, NULL, adopt, &fd), 0);
    CHECK(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 100; i++) {
        go_waitgroup waiting = { 0 };
        go_waitgroup_go(&waiting, await_event, fd);
        await_waiter(fd, GOFER_FD_READ);
        set_event(fd);
        go_waitgroup_wait(&waiting);
    }
    go_fd_unref(fd);
}

static _Atomic bool adopted, answered;

static void adopt_and_compute(go_fd **to)
{
    *to = event();
    atomic_store(&adopted, true);
    while (!atomic_load(&answered))
        ; /* never enters the kernel or the runtime */
}

static void its_thread_may_compute(void)
{
    go_fd *fd = NULL;
    go_waitgroup computing = { 0 }, waiting = { 0 };
    go_gomaxprocs(2);
    go_waitgroup_go(&computing, adopt_and_compute, &fd);
    while (!atomic_load(&adopted))
        go_gosched();
    for (int i = 0; i < 100; i++) {
        go_waitgroup_go(&waiting, await_event, fd);
        await_waiter(fd, GOFER_FD_READ);
        set_event(fd);
        go_waitgroup_wait(&waiting);
    }
    atomic_store(&answered, true);
    go_waitgroup_wait(&computing);
    go_fd_unref(fd);
}

/* As a library does that knows nothing of us. The descriptor is adopted by the same thread. */
static void block(go_fd **to, int quit)
{
    struct epoll_event wanted = { .events = EPOLLIN }, told;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    *to = event();
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, quit, &wanted), 0);
    atomic_store(&adopted, true);
    CHECK(epoll_wait(epoll, &told, 1, -1), 1); /* and not EINTR */
    close(epoll);
}

static void its_thread_is_not_interrupted(void)
{
    go_fd *fd = NULL, *quit = event();
    go_waitgroup blocking = { 0 }, waiting = { 0 };
    atomic_store(&adopted, false);
    go_waitgroup_go(&blocking, block, &fd, go_fd_number(quit));
    while (!atomic_load(&adopted))
        go_gosched();
    for (int i = 0; i < 1000; i++) {
        go_waitgroup_go(&waiting, await_event, fd);
        await_waiter(fd, GOFER_FD_READ);
        set_event(fd);
        go_waitgroup_wait(&waiting);
    }
    set_event(quit);
    go_waitgroup_wait(&blocking);
    go_fd_unref(fd);
    go_fd_unref(quit);
}

/* ---- many edges ------------------------------------------------------------------------------ */

/* More than io_uring's queue has room for; TSan has room for fewer goroutines. */
#ifdef GOFER_TSAN
enum { FEW = 500, MANY = 1000, ROUNDS = 5 };
#else
enum { FEW = 500, MANY = 6000, ROUNDS = 5 };
#endif

static void await_events(go_fd *fd)
{
    for (int i = 0; i < ROUNDS; i++)
        await_event(fd);
}

/* Nobody looks meanwhile; and io_uring has told all when its thread has served a close. */
static void set_all(go_fd **all, int count)
{
    go_fd *other = event();
    while (!gofer_poller_take()) {
        set_event(other); /* who sleeps in it comes out */
        go_gosched();
    }
    for (int i = 0; i < count; i++)
        set_event(all[i]);
    CHECK(go_fd_close(other), 0);
    gofer_poller_drop();
    gofer_poller_need(); /* who became idle meanwhile found it taken */
    go_fd_unref(other);
}

static void none_is_lost(void)
{
    static go_fd *all[MANY];
    go_waitgroup waiting = { 0 };
    struct rlimit limit;
    int most = strcmp(gofer_poller_name(), "epoll") == 0 ? FEW : MANY;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int count = limit.rlim_max < MANY + 100 ? FEW : most;
    for (int i = 0; i < count; i++) {
        all[i] = event();
        go_waitgroup_go(&waiting, await_events, all[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < count; i++)
            await_waiter(all[i], GOFER_FD_READ);
        set_all(all, count);
    }
    go_waitgroup_wait(&waiting);
    for (int i = 0; i < count; i++)
        go_fd_unref(all[i]);
}

/* ---- closing --------------------------------------------------------------------------------- */

/* When go_fd_close returns the file is closed, not some time later. */
static void a_closed_file_is_closed(void)
{
    for (int i = 0; i < 1000; i++) {
        char byte;
        int ends[2];
        CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        go_fd *fd = go_fd_new(ends[1]);
        CHECK(fd != NULL, 1);
        CHECK(go_fd_close(fd), 0);
        CHECK(read(ends[0], &byte, 1), 0);
        close(ends[0]);
        go_fd_unref(fd);
    }
}

static void a_file_that_cannot_be_polled(void)
{
    char path[] = "/tmp/gofer-poller-XXXXXX", byte = 'x';
    int numbers[] = { mkstemp(path), open("/dev/null", O_RDWR | O_CLOEXEC) };
    unlink(path);
    for (int i = 0; i < 2; i++) {
        CHECK(gofer_poller_add(numbers[i], 12), EPERM);
        go_fd *fd = go_fd_new(numbers[i]);
        CHECK(go_fd_write(fd, &byte, 1), 1);
        CHECK(go_fd_close(fd), 0);
        go_fd_unref(fd);
    }
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    a_file_that_cannot_be_polled();
    its_thread_may_end();
    its_thread_may_compute();
    its_thread_is_not_interrupted();
    none_is_lost();
    a_closed_file_is_closed();
    printf("polled by %s\n", gofer_poller_name());
    return 0;
}

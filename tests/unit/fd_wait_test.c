/* Calls that are blocked on a descriptor: what ends them (close, deadlines, contexts), and that
 * they are woken whoever runs meanwhile. */
#define _GNU_SOURCE
#include "fd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- the blocking calls ---------------------------------------------------------------------- */

static char buffer[2 << 20]; /* more than a full pipe or socket takes; what is in it is no matter */

static ssize_t do_read(go_context *ctx, go_fd *fd)
{
    char byte;
    return go_fd_read_ctx(ctx, fd, &byte, 1);
}

static ssize_t do_read_full(go_context *ctx, go_fd *fd)
{
    char bytes[2];
    return go_fd_read_full_ctx(ctx, fd, bytes, 2);
}

static ssize_t do_readv(go_context *ctx, go_fd *fd)
{
    char bytes[2];
    struct iovec pieces[2] = { { bytes, 1 }, { bytes + 1, 1 } };
    return go_fd_readv_ctx(ctx, fd, pieces, 2);
}

static ssize_t do_recvmsg(go_context *ctx, go_fd *fd)
{
    char byte;
    struct iovec piece = { &byte, 1 };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    return go_fd_recvmsg_ctx(ctx, fd, &message, 0);
}

static ssize_t do_accept(go_context *ctx, go_fd *fd)
{
    return go_fd_accept_ctx(ctx, fd, NULL, NULL) ? 0 : -1;
}

static ssize_t do_wait_readable(go_context *ctx, go_fd *fd)
{
    return go_fd_wait_ctx(ctx, fd, GO_READABLE);
}

static ssize_t do_write(go_context *ctx, go_fd *fd)
{
    return go_fd_write_ctx(ctx, fd, buffer, sizeof buffer);
}

static ssize_t do_writev(go_context *ctx, go_fd *fd)
{
    return go_fd_writev_ctx(ctx, fd, &(struct iovec){ buffer, sizeof buffer }, 1);
}

static ssize_t do_sendmsg(go_context *ctx, go_fd *fd)
{
    struct iovec piece = { buffer, 100000 };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    return go_fd_sendmsg_ctx(ctx, fd, &message, 0);
}

static ssize_t do_wait_writable(go_context *ctx, go_fd *fd)
{
    return go_fd_wait_ctx(ctx, fd, GO_WRITABLE);
}

static int regular;

static ssize_t do_sendfile(go_context *ctx, go_fd *fd)
{
    off_t start = 0;
    return go_fd_sendfile_ctx(ctx, fd, regular, &start, 1 << 20);
}

/* A pipe of each call's own, so that it is the other end that it waits for. */
static ssize_t do_splice_from(go_context *ctx, go_fd *fd)
{
    go_fd *ends[2];
    CHECK(go_fd_pipe(ends), 0);
    ssize_t n = go_fd_splice_ctx(ctx, fd, ends[1], 100);
    int error = errno;
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
    errno = error;
    return n;
}

static ssize_t do_splice_to(go_context *ctx, go_fd *fd)
{
    go_fd *ends[2];
    CHECK(go_fd_pipe(ends), 0);
    CHECK(go_fd_write(ends[1], buffer, 4096), 4096);
    ssize_t n = go_fd_splice_ctx(ctx, ends[0], fd, 4096);
    int error = errno;
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
    errno = error;
    return n;
}

static struct sockaddr_in unanswered; /* a listener whose queue is full */

static ssize_t do_connect(go_context *ctx, go_fd *fd)
{
    return go_fd_connect_ctx(ctx, fd, (struct sockaddr *)&unanswered, sizeof unanswered);
}

enum source { EMPTY, FULL, LISTENER, UNCONNECTED };

static const struct blocking {
    const char *name;
    ssize_t (*call)(go_context *ctx, go_fd *fd);
    enum source source;
    enum gofer_fd_side side;
} blocking[] = {
    { "read", do_read, EMPTY, GOFER_FD_READ },
    { "read_full", do_read_full, EMPTY, GOFER_FD_READ },
    { "readv", do_readv, EMPTY, GOFER_FD_READ },
    { "recvmsg", do_recvmsg, EMPTY, GOFER_FD_READ },
    { "splice from it", do_splice_from, EMPTY, GOFER_FD_READ },
    { "wait readable", do_wait_readable, EMPTY, GOFER_FD_READ },
    { "accept", do_accept, LISTENER, GOFER_FD_READ },
    { "write", do_write, FULL, GOFER_FD_WRITE },
    { "writev", do_writev, FULL, GOFER_FD_WRITE },
    { "sendfile", do_sendfile, FULL, GOFER_FD_WRITE },
    { "splice to it", do_splice_to, FULL, GOFER_FD_WRITE },
    { "sendmsg", do_sendmsg, FULL, GOFER_FD_WRITE },
    { "wait writable", do_wait_writable, FULL, GOFER_FD_WRITE },
    { "connect", do_connect, UNCONNECTED, GOFER_FD_WRITE },
};
enum { KINDS = sizeof blocking / sizeof *blocking, FIRST_WRITE = 7, WRITES = 5 };

/* The descriptor to block on, and its other end or NULL. */
static go_fd *make_blocking(enum source source, go_fd **other)
{
    go_fd *pair[2];
    struct sockaddr_in address;
    *other = NULL;
    if (source == LISTENER)
        return tcp_listener(&address, 1);
    if (source == UNCONNECTED)
        return tcp_socket();
    make_pair(SOCK_STREAM, pair);
    if (source == FULL)
        fill(pair[0]);
    *other = pair[1];
    return pair[0];
}

/* Connections that nobody accepts fill the queue; the first that stays in progress shows that. */
static void make_unanswered(void)
{
    go_fd *listener = tcp_listener(&unanswered, 0);
    for (bool full = false; !full;) {
        int number = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct pollfd ask = { .fd = number, .events = POLLOUT };
        connect(number, (struct sockaddr *)&unanswered, sizeof unanswered);
        full = poll(&ask, 1, 200) == 0;
    }
    (void)listener; /* stays, as they do */
}

/* ---- what ends them -------------------------------------------------------------------------- */

enum { WAITERS = 3 }; /* the first waits for an edge, the others for their turns */

static void expect_error(const struct blocking *kind, go_context *ctx, go_fd *fd, int error)
{
    errno = 0;
    ssize_t n = kind->call(ctx, fd);
    if (n != -1 || errno != error) {
        fprintf(stderr, "%s: got %zd and errno %d, expected -1 and %d\n", kind->name, n, errno,
                error);
        exit(1);
    }
}

static void start_waiters(const struct blocking *kind, go_fd *fd, int error, go_waitgroup *wg)
{
    for (int i = 0; i < WAITERS; i++)
        go_waitgroup_go(wg, expect_error, kind, (go_context *)NULL, fd, error);
    await_calls(fd, kind->side, WAITERS);
}

static void close_ends_all(const struct blocking *kind)
{
    go_waitgroup wg = { 0 };
    go_fd *other, *fd = make_blocking(kind->source, &other);
    start_waiters(kind, fd, EBADF, &wg);
    CHECK(go_fd_close(fd), 0);
    go_waitgroup_wait(&wg);
    unref_pair((go_fd *[]){ fd, other });
    fd = make_blocking(kind->source, &other);
    start_waiters(kind, fd, EBADF, &wg);
    go_fd_unref(fd); /* the last: closes */
    go_waitgroup_wait(&wg);
    go_fd_unref(other);
}

static int side_bit(const struct blocking *kind)
{
    return kind->side == GOFER_FD_READ ? GO_READABLE : GO_WRITABLE;
}

static void deadlines_end_all(const struct blocking *kind)
{
    go_waitgroup wg = { 0 };
    go_fd *other, *fd = make_blocking(kind->source, &other);
    int what = side_bit(kind);
    start_waiters(kind, fd, ETIMEDOUT, &wg);
    CHECK(go_fd_set_deadline(fd, what, go_now() + GO_HOUR), 0);
    CHECK(go_fd_set_deadline(fd, what ^ 3, 1), 0); /* the other direction's */
    await_waiter(fd, kind->side);
    CHECK(go_fd_set_deadline(fd, what, 1), 0); /* past */
    go_waitgroup_wait(&wg);
    expect_error(kind, NULL, fd, ETIMEDOUT);
    CHECK(go_fd_set_deadline(fd, what, 0), 0);
    start_waiters(kind, fd, ETIMEDOUT, &wg);
    CHECK(go_fd_set_deadline(fd, GO_READABLE | GO_WRITABLE, go_now() + GO_MILLISECOND), 0);
    go_waitgroup_wait(&wg);
    CHECK(go_fd_set_deadline(fd, what, go_now() + GO_MILLISECOND), 0); /* before the call */
    expect_error(kind, NULL, fd, ETIMEDOUT);
    go_fd_unref(fd);
    go_fd_unref(other);
}

static void contexts_end_their_own(const struct blocking *kind)
{
    go_waitgroup first = { 0 }, second = { 0 }, third = { 0 };
    go_fd *other, *fd = make_blocking(kind->source, &other);
    go_context *one = go_context_with_cancel(NULL), *two = go_context_with_cancel(NULL);
    go_context *three = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_waitgroup_go(&first, expect_error, kind, one, fd, ECANCELED);
    await_calls(fd, kind->side, 1);
    go_waitgroup_go(&second, expect_error, kind, two, fd, ECANCELED);
    await_calls(fd, kind->side, 2);
    go_waitgroup_go(&third, expect_error, kind, three, fd, ETIMEDOUT);
    go_waitgroup_wait(&third);
    go_context_cancel(two); /* it waits for its turn */
    go_waitgroup_wait(&second);
    await_calls(fd, kind->side, 1);
    go_context_cancel(one);
    go_waitgroup_wait(&first);
    expect_error(kind, one, fd, ECANCELED);
    CHECK(fd->calls, 0);
    go_context_unref(one);
    go_context_unref(two);
    go_context_unref(three);
    go_fd_unref(fd);
    go_fd_unref(other);
}

/* ---- deadlines ------------------------------------------------------------------------------- */

static void a_deadline_holds_although_there_is_data(void)
{
    go_fd *from, *to;
    char got;
    make_pipe(&from, &to);
    CHECK(go_fd_write(to, "a", 1), 1);
    CHECK(go_fd_set_deadline(from, GO_READABLE, 1), 0);
    CHECK_FAILS(go_fd_read(from, &got, 1), ETIMEDOUT);
    CHECK(go_fd_set_deadline(from, GO_READABLE, go_now() + GO_HOUR), 0);
    CHECK(go_fd_read(from, &got, 1), 1);
    go_fd_unref(from);
    go_fd_unref(to);
}

static void read_byte(go_fd *fd, go_waitgroup *wg)
{
    char got;
    CHECK(go_fd_read(fd, &got, 1), 1);
    go_waitgroup_done(wg);
}

/* A deadline that is moved away while somebody waits does not end the wait. */
static void a_deadline_moves(void)
{
    go_fd *from, *to;
    go_waitgroup wg = { 0 };
    make_pipe(&from, &to);
    CHECK(go_fd_set_deadline(from, GO_READABLE, go_now() + GO_HOUR), 0);
    go_waitgroup_add(&wg, 1);
    go(read_byte, from, &wg);
    await_waiter(from, GOFER_FD_READ);
    CHECK(go_fd_set_deadline(from, GO_READABLE, go_now() + 2 * GO_HOUR), 0);
    CHECK(go_fd_set_deadline(from, GO_READABLE, 0), 0);
    CHECK(go_fd_write(to, "a", 1), 1);
    go_waitgroup_wait(&wg);
    go_fd_unref(from);
    go_fd_unref(to);
}

/* A timer of a descriptor that is closed does not end the next one's waits in its place. */
static void a_deadline_dies_with_its_descriptor(void)
{
    go_fd *from, *to, *first;
    go_waitgroup wg = { 0 };
    make_pipe(&from, &to);
    first = from;
    CHECK(go_fd_set_deadline(from, GO_READABLE, go_now() + 2 * GO_MILLISECOND), 0);
    go_fd_unref(from);
    go_fd_unref(to);
    go_fd *pair[2];
    CHECK(go_fd_pipe(pair), 0);
    CHECK(pair[0] == first || pair[1] == first, 1);
    go_waitgroup_add(&wg, 1);
    go(read_byte, pair[0], &wg);
    await_waiter(pair[0], GOFER_FD_READ);
    go_sleep(4 * GO_MILLISECOND);
    CHECK(go_fd_write(pair[1], "a", 1), 1);
    go_waitgroup_wait(&wg);
    unref_pair(pair);
}

/* ---- who polls ------------------------------------------------------------------------------- */

static void *write_byte(void *to)
{
    CHECK(write(*(int *)to, "a", 1), 1);
    return NULL;
}

/* From a plain thread that knows nothing of gofer. */
static void write_outside(go_fd *to)
{
    pthread_t thread;
    int number = go_fd_number(to);
    CHECK(pthread_create(&thread, NULL, write_byte, &number), 0);
    pthread_join(thread, NULL);
}

static void wakes_when_read(go_fd *from, int to_blocked)
{
    char got;
    CHECK(go_fd_read(from, &got, 1), 1);
    CHECK(write(to_blocked, &got, 1), 1);
}

/* A goroutine holds the only processor in foreign code until another, which waits for a
 * descriptor, was woken. */
static void a_blocked_thread_keeps_nobody_from_polling(void)
{
    go_fd *from, *to;
    go_waitgroup wg = { 0 };
    int foreign[2];
    char got;
    CHECK(pipe(foreign), 0);
    make_pipe(&from, &to);
    go_waitgroup_go(&wg, wakes_when_read, from, foreign[1]);
    await_waiter(from, GOFER_FD_READ);
    for (int i = 0; i < 2; i++) { /* the second time nothing waits any more */
        if (i == 0)
            write_outside(to);
        else
            CHECK(write(foreign[1], "a", 1), 1);
        CHECK(read(foreign[0], &got, 1), 1);
    }
    go_waitgroup_wait(&wg);
    close(foreign[0]);
    close(foreign[1]);
    go_fd_unref(from);
    go_fd_unref(to);
}

static void *write_when_detached(void *to)
{
    while (!atomic_load_explicit(&gofer_sched.detached, memory_order_relaxed))
        sched_yield();
    return write_byte(to);
}

/* The same, but the event comes after the processor was taken away and put aside. */
static void a_processor_put_aside_polls(void)
{
    go_fd *from, *to;
    go_waitgroup wg = { 0 };
    int foreign[2];
    char got;
    pthread_t thread;
    CHECK(pipe(foreign), 0);
    make_pipe(&from, &to);
    int number = go_fd_number(to);
    go_waitgroup_go(&wg, wakes_when_read, from, foreign[1]);
    await_waiter(from, GOFER_FD_READ);
    CHECK(pthread_create(&thread, NULL, write_when_detached, &number), 0);
    CHECK(read(foreign[0], &got, 1), 1);
    pthread_join(thread, NULL);
    go_waitgroup_wait(&wg);
    close(foreign[0]);
    close(foreign[1]);
    go_fd_unref(from);
    go_fd_unref(to);
}

static void *write_when_waited_for(void *argument)
{
    go_fd **ends = argument;
    int number = go_fd_number(ends[1]);
    while (!atomic_load_explicit(&ends[0]->directions[GOFER_FD_READ].waiter, memory_order_relaxed))
        sched_yield();
    return write_byte(&number);
}

/* A goroutine that is tied to its thread waits, and no other thread is there. */
static void a_locked_goroutine_waits(void)
{
    go_fd *ends[2];
    char got;
    pthread_t thread;
    CHECK(go_fd_pipe(ends), 0);
    go_lock_os_thread();
    CHECK(pthread_create(&thread, NULL, write_when_waited_for, ends), 0);
    CHECK(go_fd_read(ends[0], &got, 1), 1);
    go_unlock_os_thread();
    pthread_join(thread, NULL);
    unref_pair(ends);
}

/* ---- plain threads --------------------------------------------------------------------------- */

static void *blocked_thread(void *argument)
{
    go_fd *fd = argument;
    for (int i = 0; i < KINDS; i++)
        if (blocking[i].call == do_read)
            expect_error(&blocking[i], NULL, fd, EBADF);
    return NULL;
}

static void close_ends_plain_threads(void)
{
    go_fd *from, *to;
    pthread_t threads[2];
    make_pipe(&from, &to);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, blocked_thread, from), 0);
    await_calls(from, GOFER_FD_READ, 2);
    CHECK(go_fd_close(from), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    go_fd_unref(from);
    go_fd_unref(to);
}

/* ---- a call that holds its thread up --------------------------------------------------------- */

static void read_terminal(go_fd *tty, go_chan(ssize_t) result)
{
    char line[8];
    ssize_t n = go_fd_read(tty, line, sizeof line);
    go_send(result, n < 0 ? -errno : n);
}

/* A terminal that is blocking: its calls wait as the others do, close ends them, and release gives
 * it back. */
static void terminals_end_too(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];
    go_chan(ssize_t) result = go_chan_make(ssize_t, 1);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, 1);
    CHECK(ptsname_r(master, name, sizeof name), 0);
    go_fd *tty = go_fd_new(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    go(read_terminal, tty, result);
    await_waiter(tty, GOFER_FD_READ);
    CHECK_FAILS(go_fd_release(tty), EBUSY);
    CHECK(write(master, "a\n", 2), 2);
    CHECK(go_recv(result), 2); /* it went on */
    go(read_terminal, tty, result);
    await_waiter(tty, GOFER_FD_READ);
    CHECK(go_fd_close(tty), 0);
    CHECK(go_recv(result), -EBADF);
    go_fd_unref(tty);
    go_chan_unref(result);
    close(master);
}

/* ---- descriptors that are shared ------------------------------------------------------------- */

/* A pipe, a named one, a socket and a terminal that is blocking, for other processes use it too. */
enum shared { PIPE, NAMED_PIPE, SOCKET, TERMINAL, SHARED_KINDS };

static void make_shared(enum shared kind, int ends[2])
{
    char name[64] = "/tmp/gofer-fd-XXXXXX";
    if (kind == PIPE) {
        CHECK(pipe(ends), 0);
    } else if (kind == NAMED_PIPE) {
        CHECK(mkdtemp(name) != NULL, 1);
        CHECK(chdir(name) == 0 && mkfifo("fifo", 0600) == 0, 1);
        ends[0] = open("fifo", O_RDWR);
        ends[1] = open("fifo", O_WRONLY);
        CHECK(unlink("fifo") == 0 && chdir("/") == 0 && rmdir(name) == 0, 1);
    } else if (kind == SOCKET) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    } else {
        ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
        CHECK(ends[0] >= 0 && grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0, 1);
        CHECK(ptsname_r(ends[0], name, sizeof name), 0);
        ends[1] = open(name, O_RDWR | O_NOCTTY);
    }
    CHECK(ends[0] >= 0 && ends[1] >= 0, 1);
    CHECK(dup2(ends[1], 0), 0);
    close(ends[1]);
}

/* Descriptor 0 is closed, or the monitor's for a moment. */
static void put_back(int kept)
{
    for (int number; (number = dup(kept)) != 0; go_gosched())
        close(number);
}

/* Writes until there is an error. */
static void write_until(const struct blocking *kind, go_context *ctx, go_fd *fd, int error)
{
    ssize_t n;
    do {
        errno = 0;
        n = kind->call(ctx, fd);
    } while (n > 0 && errno != error);
    if (errno != error) {
        fprintf(stderr, "%s: got %zd and errno %d, expected errno %d\n", kind->name, n, errno,
                error);
        exit(1);
    }
}

/* What is ready takes less than the call has: a deadline, a context and close end it all the
 * same. */
static void shared_ones_end_too(const struct blocking *write, enum shared kind)
{
    int ends[2], kept = dup(0);
    go_waitgroup wg = { 0 };
    for (int how = 0; how < 4; how++) {
        make_shared(kind, ends);
        go_fd *fd = go_fd_new(0);
        CHECK(fcntl(0, F_GETFL) & O_NONBLOCK, 0);
        go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
        int64_t deadline = how == 0 ? 0 : go_now() + (how == 1 ? GO_MILLISECOND : GO_HOUR);
        CHECK(go_fd_set_deadline(fd, GO_WRITABLE, deadline), 0);
        go_waitgroup_go(&wg, write_until, write, how ? (go_context *)NULL : ctx, fd,
                        how == 3 ? EBADF : ETIMEDOUT);
        if (how >= 2)
            await_waiter(fd, GOFER_FD_WRITE);
        if (how == 2)
            CHECK(go_fd_set_deadline(fd, GO_WRITABLE, 1), 0);
        if (how == 3)
            CHECK(go_fd_close(fd), 0);
        go_waitgroup_wait(&wg);
        go_context_unref(ctx);
        go_fd_unref(fd);
        close(ends[0]);
        put_back(kept);
    }
    close(kept);
}

/* Whether the kernel tries a pipe, and we let it. */
static bool pipes_are_tried(void)
{
#if defined(GOFER_ASAN) || defined(GOFER_TSAN)
    return false;
#else
    int ends[2];
    struct iovec piece = { buffer, 1 };
    CHECK(pipe(ends), 0);
    bool tried = syscall(SYS_pwritev2, ends[1], &piece, 1L, -1L, -1L, 8 /* RWF_NOWAIT */) == 1;
    close(ends[0]);
    close(ends[1]);
    return tried;
#endif
}

/* ... and where nothing was to end it when it began. */
static void shared_ones_close(enum shared kind)
{
    int ends[2], kept = dup(0);
    go_waitgroup wg = { 0 };
    make_shared(kind, ends);
    go_fd *fd = go_fd_new(0);
    go_waitgroup_go(&wg, write_until, &blocking[FIRST_WRITE], (go_context *)NULL, fd, EBADF);
    await_waiter(fd, GOFER_FD_WRITE);
    CHECK(go_fd_close(fd), 0);
    go_waitgroup_wait(&wg);
    go_fd_unref(fd);
    close(ends[0]);
    put_back(kept);
    close(kept);
}

static void shared_ones(void)
{
    for (size_t i = 60; i < sizeof buffer; i += 61)
        buffer[i] = '\n'; /* two characters, for a terminal */
    static const int writes[] = { 4, 4, WRITES, 2 /* the others take byte after byte */ };
    for (int kind = 0; kind < SHARED_KINDS; kind++)
        for (int i = 0; i < writes[kind]; i++)
            shared_ones_end_too(&blocking[FIRST_WRITE + i], kind);
    shared_ones_close(SOCKET);
    if (pipes_are_tried())
        shared_ones_close(PIPE);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_gomaxprocs(1);
    a_locked_goroutine_waits();
    a_blocked_thread_keeps_nobody_from_polling();
    a_processor_put_aside_polls();
    make_unanswered();
    FILE *file = tmpfile();
    regular = fileno(file);
    CHECK(ftruncate(regular, 1 << 20), 0);
    for (int procs = 1; procs <= 4; procs += 3) {
        go_gomaxprocs(procs);
        for (int i = 0; i < KINDS; i++) {
            close_ends_all(&blocking[i]);
            deadlines_end_all(&blocking[i]);
            contexts_end_their_own(&blocking[i]);
        }
        a_deadline_holds_although_there_is_data();
        a_deadline_moves();
        a_deadline_dies_with_its_descriptor();
        a_locked_goroutine_waits();
        a_processor_put_aside_polls();
        close_ends_plain_threads();
        terminals_end_too();
        shared_ones();
    }
    fclose(file);
    return 0;
}

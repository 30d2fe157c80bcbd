/* Signals interrupt no call for its caller: a thread sends them to all others without pause, to a
 * handler without SA_RESTART, while goroutines make each call that can wait. None returns EINTR, or
 * says that something is ready or done which is not. */
#define _GNU_SOURCE
#include "fd.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- the shower ------------------------------------------------------------------------------ */

static _Atomic bool raining = true;
static _Atomic long drops;

static void on_signal(int number)
{
    (void)number;
    atomic_fetch_add_explicit(&drops, 1, memory_order_relaxed);
}

static void *shower(void *unused)
{
    (void)unused;
    pid_t self = gettid();
    while (atomic_load(&raining)) {
        DIR *tasks = opendir("/proc/self/task");
        for (struct dirent *entry; (entry = readdir(tasks));) {
            pid_t task = atoi(entry->d_name);
            if (task > 0 && task != self)
                syscall(SYS_tgkill, getpid(), task, SIGUSR1);
        }
        closedir(tasks);
        struct timespec pause = { 0, 20000 };
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* So many more signals were handled: that much may have been interrupted. */
static void get_wet(long more)
{
    long enough = atomic_load(&drops) + more;
    while (atomic_load(&drops) < enough)
        go_sleep(100 * GO_MICROSECOND);
}

/* Rain falls seldom where it hurts: here it does each second time. The library is part of this
 * program and finds these. */
static bool interrupted(void)
{
    static _Atomic unsigned calls;
    if (atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) % 2)
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

ssize_t read(int fd, void *buffer, size_t size)
{
    return interrupted() ? -1 : syscall(SYS_read, fd, buffer, size);
}

ssize_t readv(int fd, const struct iovec *pieces, int count)
{
    return interrupted() ? -1 : syscall(SYS_readv, fd, pieces, count);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return interrupted() ? -1 : syscall(SYS_writev, fd, pieces, count);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return interrupted() ? -1 : syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return interrupted() ? -1 : syscall(SYS_recvmsg, fd, message, flags);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    return interrupted() ? -1 : syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    return interrupted() ? -1 : (int)syscall(SYS_accept4, fd, address, size, flags);
}

/* ---- what is not there is not found ---------------------------------------------------------- */

/* Each waits in vain until its time is over. */
static go_context *a_while(void)
{
    return go_context_with_timeout(NULL, 30 * GO_MILLISECOND);
}

static void nothing_is_ready_that_is_not(void)
{
    go_fd *ends[2], *from, *to, *event;
    char byte;
    make_pair(SOCK_STREAM, ends);
    make_pipe(&from, &to);
    fill(ends[0]);
    event = go_fd_new(eventfd(0, EFD_CLOEXEC));
    go_context *ctx = a_while();
    CHECK_FAILS(go_fd_wait_ctx(ctx, from, GO_READABLE), ETIMEDOUT);
    go_context_end(ctx);
    ctx = a_while();
    CHECK_FAILS(go_fd_wait_ctx(ctx, ends[0], GO_WRITABLE), ETIMEDOUT);
    go_context_end(ctx);
    ctx = a_while();
    CHECK_FAILS(go_fd_wait_ctx(ctx, event, GO_READABLE), ETIMEDOUT);
    CHECK_FAILS(go_fd_read_ctx(ctx, ends[0], &byte, 1), ETIMEDOUT);
    go_context_end(ctx);
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
    go_fd_unref(from);
    go_fd_unref(to);
    go_fd_unref(event);
}

/* A terminal's O_NONBLOCK is not ours: the kernel is asked before each read, which must not be made
 * where nothing is there. */
static void a_terminal_is_not_read_before_its_time(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64], byte;
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, 1);
    CHECK(ptsname_r(master, name, sizeof name), 0);
    go_fd *terminal = go_fd_new(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    go_context *ctx = a_while();
    CHECK_FAILS(go_fd_read_ctx(ctx, terminal, &byte, 1), ETIMEDOUT);
    go_context_end(ctx);
    go_fd_unref(terminal);
    close(master);
}

/* A listener whose queue is full answers nobody. */
static void a_connection_in_progress_is_none(void)
{
    struct sockaddr_in address;
    go_fd *listener = tcp_listener(&address, 0), *queued[8];
    int count = 0;
    for (bool full = false; !full && count < 8;) {
        queued[count] = tcp_socket();
        go_context *ctx = a_while();
        full = go_fd_connect_ctx(ctx, queued[count++], (struct sockaddr *)&address,
                                 sizeof address) != 0;
        CHECK(full ? errno : ETIMEDOUT, ETIMEDOUT);
        go_context_end(ctx);
    }
    CHECK(count < 8, 1); /* else connect said yes where the kernel has not */
    while (count)
        go_fd_unref(queued[--count]);
    go_fd_unref(listener);
}

/* ---- what is there comes --------------------------------------------------------------------- */

enum { BYTES = 1 << 20 };

static void write_all(go_fd *to, go_waitgroup *wg)
{
    static char bytes[BYTES];
    struct iovec halves[2] = { { bytes, BYTES / 2 }, { bytes + BYTES / 2, BYTES / 2 } };
    CHECK(go_fd_write(to, bytes, BYTES), BYTES);
    CHECK(go_fd_writev(to, halves, 2), BYTES);
    go_waitgroup_done(wg);
}

static void bytes_come_whole(go_fd *from, go_fd *to)
{
    go_waitgroup wg = { 0 };
    char *bytes = malloc(BYTES);
    size_t rest = BYTES;
    go_waitgroup_add(&wg, 1);
    go(write_all, to, &wg);
    CHECK(go_fd_read_full(from, bytes, BYTES), BYTES);
    while (rest) {
        struct iovec piece = { bytes, rest < 1000 ? rest : 1000 };
        ssize_t n =
            rest % 2 ? go_fd_read(from, bytes, piece.iov_len) : go_fd_readv(from, &piece, 1);
        CHECK(n > 0, 1);
        rest -= (size_t)n;
    }
    go_waitgroup_wait(&wg);
    go_fd_unref(from);
    go_fd_unref(to);
    free(bytes);
}

static void send_messages(go_conn *conn, int count, go_waitgroup *wg)
{
    for (int i = 0; i < count; i++)
        CHECK(go_conn_send_fds(conn, "x", 1, NULL, 0), 1);
    go_waitgroup_done(wg);
}

static void serve_one(go_listener *listener, go_waitgroup *wg)
{
    char byte;
    go_conn *conn = go_listener_accept(listener);
    CHECK(conn != NULL, 1);
    while (go_conn_read(conn, &byte, 1) == 1)
        CHECK(go_conn_write(conn, &byte, 1), 1);
    go_conn_unref(conn);
    go_waitgroup_done(wg);
}

static void connections_talk(const char *network, const char *at)
{
    char address[GO_ADDRESS_ROOM], byte = 0;
    go_waitgroup wg = { 0 };
    go_listener *listener = go_listen(network, at);
    CHECK(listener != NULL, 1);
    for (int i = 0; i < 20; i++) {
        go_waitgroup_add(&wg, 1);
        go(serve_one, listener, &wg);
        go_conn *conn = go_dial(network, go_listener_address(listener, address, sizeof address));
        CHECK(conn != NULL, 1);
        for (int j = 0; j < 20; j++) {
            CHECK(go_conn_write(conn, "x", 1), 1);
            CHECK(go_conn_read(conn, &byte, 1), 1);
        }
        CHECK(go_conn_close(conn), 0);
        go_conn_unref(conn);
        go_waitgroup_wait(&wg);
    }
    go_listener_unref(listener);
}

static void messages_come(void)
{
    go_fd *ends[2];
    go_waitgroup wg = { 0 };
    char byte;
    int count;
    make_pair(SOCK_SEQPACKET, ends);
    go_conn *to = go_conn_from_fd(ends[0]), *from = go_conn_from_fd(ends[1]);
    go_waitgroup_add(&wg, 1);
    go(send_messages, to, 1000, &wg);
    for (int i = 0; i < 1000; i++)
        CHECK(go_conn_recv_fds(from, &byte, 1, NULL, 0, &count), 1);
    go_waitgroup_wait(&wg);
    go_conn_unref(to);
    go_conn_unref(from);
}

static void files_are_read_and_sent(void)
{
    char path[] = "/tmp/gofer-eintr-XXXXXX", bytes[1000] = "", copy[1000];
    int number = mkstemp(path);
    go_fd *ends[2], *file = go_fd_new(number);
    unlink(path);
    make_pair(SOCK_STREAM, ends);
    for (int i = 0; i < 50; i++) {
        off_t offset = 0;
        CHECK(go_fd_pwrite(file, bytes, sizeof bytes, 0), sizeof bytes);
        CHECK(go_fd_pread(file, copy, sizeof copy, 0), sizeof copy);
        CHECK(go_fd_sendfile(ends[0], number, &offset, sizeof bytes), sizeof bytes);
        CHECK(go_fd_read_full(ends[1], copy, sizeof copy), sizeof copy);
    }
    go_fd_unref(file);
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
}

static void processes_run(void)
{
    for (int i = 0; i < 10; i++) {
        go_cmd cmd = { .argv = (char *[]){ "sh", "-c", "cat; exit 3", NULL },
                       .in = GO_CMD_BYTES,
                       .input = "text",
                       .input_size = 4 };
        char *output;
        size_t size;
        CHECK(go_cmd_output(&cmd, &output, &size), 3);
        CHECK(size, 4);
        free(output);
    }
}

static void names_are_looked_up(void)
{
    go_address addresses[4];
    for (int i = 0; i < 10; i++)
        CHECK(go_lookup_host("localhost", addresses, 4) > 0, 1);
}

/* Threads that no goroutine runs on block in the kernel by themselves. */
static void *plain_thread(void *argument)
{
    go_fd *const *ends = argument;
    char byte;
    for (int i = 0; i < 100; i++) {
        CHECK(go_fd_write(ends[0], "x", 1), 1);
        CHECK(go_fd_read(ends[0], &byte, 1), 1);
    }
    return NULL;
}

static void plain_threads_too(void)
{
    go_fd *ends[2];
    pthread_t thread;
    char byte;
    make_pair(SOCK_STREAM, ends);
    CHECK(pthread_create(&thread, NULL, plain_thread, ends), 0);
    for (int i = 0; i < 100; i++) {
        CHECK(go_fd_read(ends[1], &byte, 1), 1);
        go_sleep(50 * GO_MICROSECOND); /* now it waits */
        CHECK(go_fd_write(ends[1], "x", 1), 1);
    }
    go_blocking_begin();
    CHECK(pthread_join(thread, NULL), 0);
    go_blocking_end();
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
}

static void sleeps_last(void)
{
    for (int i = 0; i < 10; i++) {
        int64_t end = go_now() + 2 * GO_MILLISECOND;
        go_sleep(2 * GO_MILLISECOND);
        CHECK(go_now() >= end, 1);
    }
}

int go_main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = on_signal };
    pthread_t thread;
    go_fd *from, *to, *ends[2];
    (void)argc;
    (void)argv;
    sigaction(SIGUSR1, &action, NULL);
    CHECK(pthread_create(&thread, NULL, shower, NULL), 0);
    get_wet(10);
    nothing_is_ready_that_is_not();
    a_terminal_is_not_read_before_its_time();
    a_connection_in_progress_is_none();
    make_pipe(&from, &to);
    bytes_come_whole(from, to);
    make_pair(SOCK_STREAM, ends);
    bytes_come_whole(ends[0], ends[1]);
    connections_talk("tcp", "127.0.0.1:0");
    connections_talk("unix", "@gofer-eintr-test");
    messages_come();
    files_are_read_and_sent();
    processes_run();
    names_are_looked_up();
    plain_threads_too();
    sleeps_last();
    get_wet(10);
    atomic_store(&raining, false);
    go_blocking_begin();
    pthread_join(thread, NULL);
    go_blocking_end();
    return 0;
}

/* Descriptors: what is read and written, ends and errors, what kinds there are, who owns them. */
#define _GNU_SOURCE
#include "fd.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

enum { MEGABYTE = 1 << 20 };

/* ---- bytes ----------------------------------------------------------------------------------- */

static void read_returns_what_is_there_then_the_end(go_fd *from, go_fd *to)
{
    char buffer[16] = "";
    CHECK(go_fd_write(to, "hello", 5), 5);
    CHECK(go_fd_read(from, buffer, 3), 3);
    CHECK_TEXT(buffer, "hel");
    CHECK(go_fd_read(from, buffer, sizeof buffer), 2);
    CHECK(memcmp(buffer, "lo", 2), 0);
    CHECK(go_fd_write(to, "", 0), 0);
    CHECK(go_fd_read(from, buffer, 0), 0); /* nothing is wanted: does not wait */
    CHECK(go_fd_read_full(from, buffer, 0), 0);
    go_fd_unref(to);
    CHECK(go_fd_read(from, buffer, sizeof buffer), 0);
    CHECK(go_fd_read(from, buffer, sizeof buffer), 0);
    go_fd_unref(from);
}

static void ends(void)
{
    go_fd *pair[2];
    CHECK(go_fd_pipe(pair), 0);
    read_returns_what_is_there_then_the_end(pair[0], pair[1]);
    make_pair(SOCK_STREAM, pair);
    read_returns_what_is_there_then_the_end(pair[0], pair[1]);
    make_tcp(pair);
    read_returns_what_is_there_then_the_end(pair[0], pair[1]);
    make_tcp(pair);
    read_returns_what_is_there_then_the_end(pair[1], pair[0]);
}

static void write_all(go_fd *to, const char *data, size_t size, go_waitgroup *wg)
{
    CHECK(go_fd_write(to, data, size), (ssize_t)size);
    go_waitgroup_done(wg);
}

static void read_full_waits_for_all(void)
{
    go_fd *from, *to;
    go_waitgroup wg = { 0 };
    char buffer[8] = "";
    make_pipe(&from, &to);
    CHECK(go_fd_write(to, "ab", 2), 2);
    go_waitgroup_add(&wg, 1);
    go(write_all, to, "cdefg", 5, &wg);
    CHECK(go_fd_read_full(from, buffer, 5), 5);
    CHECK_TEXT(buffer, "abcde");
    go_waitgroup_wait(&wg);
    go_fd_unref(to);
    errno = EIO;
    CHECK(go_fd_read_full(from, buffer, 5), 2);
    CHECK(errno, 0);
    CHECK(go_fd_read_full(from, buffer, 5), 0);
    go_fd_unref(from);
}

static void pieces(void)
{
    go_fd *from, *to;
    char a[3] = "", b[5] = "";
    struct iovec out[] = {
        { (char *)"", 0 }, { (char *)"ab", 2 }, { NULL, 0 }, { (char *)"cdef", 4 }
    };
    struct iovec in[] = { { a, 2 }, { b, 4 } };
    make_pipe(&from, &to);
    CHECK(go_fd_writev(to, out, 4), 6);
    CHECK(go_fd_readv(from, in, 2), 6);
    CHECK_TEXT(a, "ab");
    CHECK_TEXT(b, "cdef");
    CHECK(go_fd_writev(to, NULL, 0), 0);
    CHECK_FAILS(go_fd_writev(to, out, 1025), EINVAL);
    CHECK_FAILS(go_fd_writev(to, out, -1), EINVAL);
    go_fd_unref(to);
    go_fd_unref(from);
}

static void write_letters(go_fd *to, int letter, bool in_pieces)
{
    char *data = malloc(MEGABYTE);
    memset(data, letter, MEGABYTE);
    struct iovec halves[2] = { { data, MEGABYTE / 2 - 1 },
                               { data + MEGABYTE / 2 - 1, MEGABYTE / 2 + 1 } };
    ssize_t n = in_pieces ? go_fd_writev(to, halves, 2) : go_fd_write(to, data, MEGABYTE);
    CHECK(n, MEGABYTE);
    free(data);
}

/* Several megabytes at once: each arrives in one piece. */
static void writers_do_not_cut_each_other(go_fd *from, go_fd *to)
{
    enum { WRITERS = 4 };
    go_waitgroup wg = { 0 };
    char *got = malloc(WRITERS * MEGABYTE);
    for (int i = 0; i < WRITERS; i++)
        go_waitgroup_go(&wg, write_letters, to, 'a' + i, i % 2 == 1);
    for (size_t done = 0; done < WRITERS * MEGABYTE;) {
        ssize_t n = go_fd_read(from, got + done, WRITERS * MEGABYTE - done);
        CHECK(n > 0, 1);
        done += (size_t)n;
    }
    for (int i = 0; i < WRITERS; i++)
        for (int at = 1; at < MEGABYTE; at++)
            CHECK(got[i * MEGABYTE + at], got[i * MEGABYTE]);
    go_waitgroup_wait(&wg);
    free(got);
    go_fd_unref(from);
    go_fd_unref(to);
}

static void concurrent_writers(void)
{
    go_fd *pair[2];
    CHECK(go_fd_pipe(pair), 0);
    writers_do_not_cut_each_other(pair[0], pair[1]);
    make_pair(SOCK_STREAM, pair);
    writers_do_not_cut_each_other(pair[0], pair[1]);
    make_tcp(pair);
    writers_do_not_cut_each_other(pair[0], pair[1]);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void write_megabyte(go_fd *to, int error, go_chan(ssize_t) result)
{
    static const char zeros[MEGABYTE];
    errno = 0;
    ssize_t n = go_fd_write(to, zeros, sizeof zeros);
    CHECK(errno, error);
    go_send(result, n);
}

static void an_error_returns_what_was_written(void)
{
    enum { TAKEN = 100000 };
    static char buffer[TAKEN];
    for (int way = 0; way < 3; way++) {
        go_fd *from, *to;
        go_chan(ssize_t) result = go_chan_make(ssize_t, 0);
        make_pipe(&from, &to);
        go(write_megabyte, to, way == 0 ? EPIPE : way == 1 ? EBADF : ETIMEDOUT, result);
        CHECK(go_fd_read_full(from, buffer, TAKEN), TAKEN);
        await_waiter(to, GOFER_FD_WRITE);
        if (way == 0)
            CHECK(go_fd_close(from), 0);
        else if (way == 1)
            CHECK(go_fd_close(to), 0);
        else
            CHECK(go_fd_set_deadline(to, GO_WRITABLE, 1), 0);
        ssize_t n = go_recv(result);
        CHECK(n >= TAKEN && n < MEGABYTE, 1);
        go_chan_unref(result);
        go_fd_unref(from);
        go_fd_unref(to);
    }
}

static void read_ten(go_fd *from, go_chan(ssize_t) result)
{
    char buffer[10];
    errno = 0;
    ssize_t n = go_fd_read_full(from, buffer, sizeof buffer);
    CHECK(errno, ETIMEDOUT);
    go_send(result, n);
}

static void an_error_returns_what_was_read(void)
{
    go_fd *from, *to;
    char buffer[10];
    go_chan(ssize_t) result = go_chan_make(ssize_t, 0);
    make_pipe(&from, &to);
    CHECK(go_fd_write(to, "abc", 3), 3);
    go(read_ten, from, result);
    await_waiter(from, GOFER_FD_READ);
    CHECK(go_fd_set_deadline(from, GO_READABLE, 1), 0);
    CHECK(go_recv(result), 3);
    CHECK_FAILS(go_fd_read_full(from, buffer, sizeof buffer), ETIMEDOUT);
    go_chan_unref(result);
    go_fd_unref(from);
    go_fd_unref(to);
}

/* SIGPIPE would end the program. */
static void writing_to_nobody_is_epipe(void)
{
    go_fd *pair[2], *full[2];
    FILE *file = tmpfile();
    sigset_t pending;
    CHECK(ftruncate(fileno(file), 4096), 0);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            CHECK(go_fd_pipe(pair), 0);
        else
            make_pair(SOCK_STREAM, pair);
        go_fd_unref(pair[0]);
        CHECK_FAILS(go_fd_write(pair[1], "x", 1), EPIPE);
        CHECK_FAILS(go_fd_writev(pair[1], &(struct iovec){ (char *)"x", 1 }, 1), EPIPE);
        CHECK_FAILS(go_fd_sendfile(pair[1], fileno(file), NULL, 100), EPIPE);
        CHECK(go_fd_pipe(full), 0);
        CHECK(go_fd_write(full[1], "x", 1), 1);
        CHECK_FAILS(go_fd_splice(full[0], pair[1], 1), EPIPE);
        unref_pair(full);
        if (i == 1) {
            struct iovec piece = { (char *)"x", 1 };
            struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
            CHECK_FAILS(go_fd_sendmsg(pair[1], &message, 0), EPIPE);
        }
        go_fd_unref(pair[1]);
    }
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGPIPE), 0);
    fclose(file);
}

static void reset_by_peer(void)
{
    go_fd *pair[2];
    char buffer[8];
    struct linger at_once = { 1, 0 };
    make_tcp(pair);
    CHECK(setsockopt(go_fd_number(pair[1]), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    go_fd_unref(pair[1]);
    CHECK_FAILS(go_fd_read(pair[0], buffer, sizeof buffer), ECONNRESET);
    CHECK_FAILS(go_fd_write(pair[0], "x", 1), EPIPE);
    go_fd_unref(pair[0]);
}

static void half_close(void)
{
    go_fd *pair[2];
    char buffer[8];
    make_tcp(pair);
    CHECK(go_fd_write(pair[0], "question", 8), 8);
    CHECK(go_fd_shutdown(pair[0], SHUT_WR), 0);
    CHECK(go_fd_read_full(pair[1], buffer, 8), 8);
    CHECK(go_fd_read(pair[1], buffer, 8), 0);
    CHECK(go_fd_write(pair[1], "answer", 6), 6);
    CHECK(go_fd_read(pair[0], buffer, 8), 6);
    CHECK_FAILS(go_fd_write(pair[0], "x", 1), EPIPE);
    CHECK(go_fd_shutdown(pair[0], SHUT_RD), 0);
    CHECK(go_fd_read(pair[0], buffer, 8), 0);
    unref_pair(pair);
}

/* ---- edges: none is waited for that will not come -------------------------------------------- */

static void data_and_end_together(void)
{
    for (int dialled = 0; dialled < 2; dialled++) {
        go_fd *pair[2];
        char buffer[8];
        make_tcp(pair);
        CHECK(go_fd_write(pair[!dialled], "ab", 2), 2);
        go_fd_unref(pair[!dialled]);
        await_edge(pair[dialled], POLLIN | POLLRDHUP);
        CHECK(go_fd_read(pair[dialled], buffer, 8), 2);
        CHECK(go_fd_read(pair[dialled], buffer, 8), 0);
        go_fd_unref(pair[dialled]);
    }
}

static void echo_once(go_fd *fd, go_waitgroup *wg)
{
    char buffer[100];
    for (ssize_t n; (n = go_fd_read(fd, buffer, sizeof buffer)) > 0;)
        CHECK(go_fd_write(fd, buffer, (size_t)n), n);
    CHECK(go_fd_shutdown(fd, SHUT_WR), 0);
    go_waitgroup_done(wg);
}

static void short_reads_then_more(void)
{
    go_fd *pair[2];
    go_waitgroup wg = { 0 };
    char buffer[100];
    make_tcp(pair);
    go_waitgroup_add(&wg, 1);
    go(echo_once, pair[1], &wg);
    for (int i = 1; i <= 50; i++) {
        CHECK(go_fd_write(pair[0], buffer, (size_t)i), i);
        for (int got = 0; got < i;) {
            ssize_t n = go_fd_read(pair[0], buffer, sizeof buffer);
            CHECK(n > 0, 1);
            got += (int)n;
            CHECK(go_fd_read(pair[0], buffer, 0), 0); /* also after a short read */
        }
    }
    CHECK(go_fd_shutdown(pair[0], SHUT_WR), 0);
    CHECK(go_fd_read(pair[0], buffer, 1), 0);
    go_waitgroup_wait(&wg);
    unref_pair(pair);
}

/* A stream's read stops where a descriptor was passed, though there is more. */
static void passed_descriptors(void)
{
    go_fd *pair[2];
    char buffer[8], control[CMSG_SPACE(sizeof(int))] = { 0 };
    make_pair(SOCK_STREAM, pair);
    for (int i = 0; i < 3; i++) {
        struct iovec piece = { (char *)"abc" + i, 1 };
        struct msghdr message = { .msg_iov = &piece,
                                  .msg_iovlen = 1,
                                  .msg_control = control,
                                  .msg_controllen = sizeof control };
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        *rights = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                    .cmsg_level = SOL_SOCKET,
                                    .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(rights), &(int){ 2 }, sizeof(int));
        CHECK(go_fd_sendmsg(pair[0], &message, 0), 1);
    }
    await_edge(pair[1], POLLIN);
    for (int i = 0; i < 2; i++) {
        CHECK(go_fd_read(pair[1], buffer, 8), 1);
        CHECK(buffer[0], "ab"[i]);
    }
    struct iovec piece = { buffer, sizeof buffer };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    CHECK(go_fd_recvmsg(pair[1], &message, 0), 1);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    int passed = -1;
    memcpy(&passed, CMSG_DATA(rights), sizeof passed);
    CHECK(passed > 2, 1);
    CHECK(fcntl(passed, F_GETFD), FD_CLOEXEC);
    close(passed);
    unref_pair(pair);
}

static void messages_of_an_accepted_socket(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char buffer[8];
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "gofer-fd-test-%d", (int)getpid());
    int number = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK(bind(number, (struct sockaddr *)&address, sizeof address), 0);
    CHECK(listen(number, 1), 0);
    go_fd *listener = go_fd_new(number);
    go_fd *dialled = go_fd_new(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    CHECK(go_fd_connect(dialled, (struct sockaddr *)&address, sizeof address), 0);
    struct sockaddr_un peer;
    socklen_t size = sizeof peer;
    go_fd *accepted = go_fd_accept(listener, (struct sockaddr *)&peer, &size);
    CHECK(accepted != NULL, 1);
    CHECK(peer.sun_family, AF_UNIX);
    for (int i = 1; i <= 3; i++)
        CHECK(go_fd_write(dialled, "abc", (size_t)i), i);
    await_edge(accepted, POLLIN);
    for (int i = 1; i <= 3; i++)
        CHECK(go_fd_read(accepted, buffer, 8), i);
    go_fd_unref(dialled);
    CHECK(go_fd_read(accepted, buffer, 8), 0);
    go_fd_unref(accepted);
    go_fd_unref(listener);
}

/* TCP's reads stop at urgent data. */
static void urgent_data(void)
{
    go_fd *pair[2];
    char buffer[8] = "";
    make_tcp(pair);
    int to = go_fd_number(pair[0]);
    CHECK(send(to, "abc", 3, 0), 3);
    CHECK(send(to, "!", 1, MSG_OOB), 1);
    CHECK(send(to, "def", 3, 0), 3);
    for (int unacknowledged = 1; unacknowledged; go_gosched()) /* all of it is there */
        CHECK(ioctl(to, TIOCOUTQ, &unacknowledged), 0);
    await_edge(pair[1], POLLIN);
    CHECK(go_fd_read(pair[1], buffer, 8), 3);
    CHECK(go_fd_read(pair[1], buffer, 8), 3);
    CHECK_TEXT(buffer, "def");
    unref_pair(pair);
}

/* ---- kinds of descriptors -------------------------------------------------------------------- */

static void counters(void)
{
    go_fd *event = go_fd_new(eventfd(0, EFD_CLOEXEC));
    go_waitgroup wg = { 0 };
    uint64_t five = 5, got = 0;
    go_waitgroup_add(&wg, 1);
    go(write_all, event, (char *)&five, sizeof five, &wg);
    CHECK(go_fd_read(event, &got, sizeof got), 8);
    CHECK(got, 5);
    go_waitgroup_wait(&wg);
    go_fd_unref(event);

    go_fd *timer = go_fd_new(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    struct itimerspec soon = { .it_value.tv_nsec = 1000 };
    CHECK(timerfd_settime(go_fd_number(timer), 0, &soon, NULL), 0);
    CHECK(go_fd_read(timer, &got, sizeof got), 8);
    CHECK(got, 1);
    go_fd_unref(timer);
}

static void make_file(const char *path)
{
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void watched_folder(void)
{
    char folder[] = "/tmp/gofer-fd-test-XXXXXX", path[64];
    char buffer[512] __attribute__((aligned(8)));
    go_waitgroup wg = { 0 };
    CHECK(mkdtemp(folder) != NULL, 1);
    snprintf(path, sizeof path, "%s/file", folder);
    go_fd *watch = go_fd_new(inotify_init1(IN_CLOEXEC));
    CHECK(inotify_add_watch(go_fd_number(watch), folder, IN_CREATE) >= 0, 1);
    go_waitgroup_go(&wg, make_file, path);
    CHECK(go_fd_read(watch, buffer, sizeof buffer) >= (ssize_t)sizeof(struct inotify_event), 1);
    CHECK_TEXT(((struct inotify_event *)buffer)->name, "file");
    go_waitgroup_wait(&wg);
    go_fd_unref(watch);
    unlink(path);
    rmdir(folder);
}

static void terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64], buffer[16] = "";
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, 1);
    CHECK(ptsname_r(master, name, sizeof name), 0);
    go_fd *typist = go_fd_new(dup(master));
    go_fd *tty = go_fd_new(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    go_waitgroup wg = { 0 };
    CHECK(fcntl(go_fd_number(tty), F_GETFL) & O_NONBLOCK, 0); /* others use it too */
    go_waitgroup_add(&wg, 1);
    go(write_all, typist, "line\n", 5, &wg);
    CHECK(go_fd_read(tty, buffer, sizeof buffer), 5);
    CHECK_TEXT(buffer, "line\n");
    go_waitgroup_wait(&wg);
    CHECK(go_fd_set_deadline(tty, GO_READABLE, go_now() + GO_MILLISECOND), 0);
    CHECK_FAILS(go_fd_read(tty, buffer, sizeof buffer), ETIMEDOUT);
    CHECK(go_fd_write(tty, "out", 3), 3);
    go_fd_unref(tty);
    go_fd_unref(typist);
    close(master);
}

static void regular_file(void)
{
    FILE *file = tmpfile();
    char buffer[16] = "";
    go_fd *fd = go_fd_new(dup(fileno(file)));
    CHECK(go_fd_write(fd, "0123456789", 10), 10);
    CHECK(go_fd_pwrite(fd, "ab", 2, 4), 2);
    CHECK(go_fd_pread(fd, buffer, 4, 3), 4);
    CHECK_TEXT(buffer, "3ab6");
    CHECK(go_fd_read(fd, buffer, 4), 0); /* it stands at the end */
    CHECK(lseek(go_fd_number(fd), 0, SEEK_SET), 0);
    CHECK(go_fd_read_full(fd, buffer, 16), 10);
    CHECK(go_fd_wait(fd, GO_READABLE), 0);
    CHECK(go_fd_wait(fd, GO_WRITABLE), 0);
    CHECK_FAILS(go_fd_set_deadline(fd, GO_READABLE, 1), ENOTSUP);
    CHECK_FAILS(go_fd_shutdown(fd, SHUT_WR), ENOTSOCK);
    CHECK_FAILS(go_fd_pread(fd, buffer, 1, -1), EINVAL);
    CHECK(go_fd_close(fd), 0);
    CHECK_FAILS(go_fd_pread(fd, buffer, 1, 0), EBADF);
    CHECK_FAILS(go_fd_pwrite(fd, buffer, 1, 0), EBADF);
    go_fd_unref(fd);
    fclose(file);
}

static void send_a_file(void)
{
    FILE *file = tmpfile();
    go_fd *pair[2];
    char buffer[16] = "";
    off_t offset = 2;
    CHECK(write(fileno(file), "0123456789", 10), 10);
    make_tcp(pair);
    CHECK(go_fd_sendfile(pair[0], fileno(file), &offset, 5), 5);
    CHECK(offset, 7);
    CHECK(go_fd_read_full(pair[1], buffer, 5), 5);
    CHECK_TEXT(buffer, "23456");
    CHECK(go_fd_sendfile(pair[0], fileno(file), NULL, 5), 0);
    unref_pair(pair);
    fclose(file);
}

static void write_all_and_close(go_fd *fd, const char *bytes, size_t size)
{
    CHECK(go_fd_write(fd, bytes, size), size);
    CHECK(go_fd_close(fd), 0);
}

static void splice_all(go_fd *from, go_fd *to)
{
    ssize_t n;
    while ((n = go_fd_splice(from, to, 1 << 20)) > 0)
        ;
    CHECK(n, 0);
    CHECK(go_fd_close(to), 0);
}

/* From a socket through a pipe to another: more than any of them holds, so that each end is waited
 * for. */
static void spliced(void)
{
    static char sent[3 << 20], got[sizeof sent + 1];
    go_fd *first[2], *second[2], *ends[2];
    go_waitgroup wg = { 0 };
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i * i >> 7);
    make_tcp(first);
    make_tcp(second);
    CHECK(go_fd_pipe(ends), 0);
    go_waitgroup_go(&wg, write_all_and_close, first[0], sent, sizeof sent);
    go_waitgroup_go(&wg, splice_all, first[1], ends[1]);
    go_waitgroup_go(&wg, splice_all, ends[0], second[0]);
    CHECK(go_fd_read_full(second[1], got, sizeof got), sizeof sent);
    CHECK(memcmp(sent, got, sizeof sent), 0);
    go_waitgroup_wait(&wg);
    CHECK_FAILS(go_fd_splice(ends[1], second[1], 0), EBADF);
    CHECK_FAILS(go_fd_splice(second[1], first[1], 1), EINVAL); /* none is a pipe */
    unref_pair(first);
    unref_pair(second);
    unref_pair(ends);
}

static void expire_when_empty(go_fd *fd)
{
    int left;
    do {
        go_gosched();
        CHECK(ioctl(go_fd_number(fd), FIONREAD, &left), 0);
    } while (left);
    CHECK(go_fd_set_deadline(fd, GO_READABLE, 1), 0);
}

/* Standard input stays blocking, and still only the goroutine waits. */
static void standard_input(void)
{
    int numbers[2], kept = dup(0);
    char buffer[16] = "";
    go_waitgroup wg = { 0 };
    CHECK(pipe(numbers), 0);
    CHECK(dup2(numbers[0], 0), 0);
    close(numbers[0]);
    go_fd *in = go_fd_new(0), *to = go_fd_new(numbers[1]);
    CHECK(fcntl(0, F_GETFL) & O_NONBLOCK, 0);
    go_waitgroup_add(&wg, 1);
    go(write_all, to, "abc", 3, &wg);
    CHECK(go_fd_read(in, buffer, sizeof buffer), 3);
    go_waitgroup_wait(&wg);
    CHECK(go_fd_write(to, "abc", 3), 3);
    go(expire_when_empty, in);
    CHECK(go_fd_read_full(in, buffer, 6), 3);
    CHECK(errno, ETIMEDOUT);
    go_fd_unref(to);
    CHECK(go_fd_set_deadline(in, GO_READABLE, 0), 0);
    CHECK(go_fd_read(in, buffer, sizeof buffer), 0);
    go_fd_unref(in);
    CHECK(dup2(kept, 0), 0);
    close(kept);
}

static void datagrams(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    char buffer[16];
    go_fd *a = go_fd_new(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    go_fd *b = go_fd_new(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    CHECK(bind(go_fd_number(a), (struct sockaddr *)&address, size), 0);
    CHECK(getsockname(go_fd_number(a), (struct sockaddr *)&address, &size), 0);
    struct iovec out = { (char *)"hello", 5 }, in = { buffer, sizeof buffer };
    struct sockaddr_in sender;
    struct msghdr send = {
        .msg_name = &address, .msg_namelen = size, .msg_iov = &out, .msg_iovlen = 1
    };
    struct msghdr receive = {
        .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &in, .msg_iovlen = 1
    };
    CHECK(go_fd_sendmsg(b, &send, 0), 5);
    CHECK(go_fd_recvmsg(a, &receive, 0), 5);
    CHECK(sender.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    send.msg_name = &sender;
    CHECK(go_fd_sendmsg(a, &send, 0), 5);
    CHECK(go_fd_read(b, buffer, 2), 2); /* the rest of the message is lost */
    CHECK(go_fd_connect(b, (struct sockaddr *)&address, size), 0);
    CHECK(go_fd_write(b, "", 0), 0); /* an empty message */
    CHECK(go_fd_read(a, buffer, sizeof buffer), 0);
    go_fd_unref(a);
    go_fd_unref(b);
}

/* Nothing ever makes the wrong end ready: it is not waited for. */
static void standard_input_the_wrong_way(void)
{
    int numbers[2], kept = dup(0);
    char byte = 'x';
    CHECK(pipe(numbers), 0);
    for (int end = 0; end < 2; end++) {
        CHECK(dup2(numbers[end], 0), 0);
        go_fd *fd = go_fd_new(0);
        if (end == 0)
            CHECK_FAILS(go_fd_write(fd, &byte, 1), EBADF);
        else
            CHECK_FAILS(go_fd_read(fd, &byte, 1), EBADF);
        CHECK(go_fd_release(fd), 0);
        go_fd_unref(fd);
    }
    close(numbers[0]);
    close(numbers[1]);
    CHECK(dup2(kept, 0), 0);
    close(kept);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void dial(struct sockaddr_in address, go_waitgroup *wg)
{
    go_fd *fd = tcp_socket();
    CHECK(go_fd_connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK(go_fd_write(fd, "x", 1), 1);
    go_fd_unref(fd);
    go_waitgroup_done(wg);
}

static void connections(void)
{
    struct sockaddr_in address, peer;
    go_fd *listener = tcp_listener(&address, 16);
    go_waitgroup wg = { 0 };
    for (int i = 0; i < 10; i++) {
        go_waitgroup_add(&wg, 1);
        go(dial, address, &wg);
    }
    for (int i = 0; i < 10; i++) {
        socklen_t size = sizeof peer;
        char buffer[2];
        go_fd *accepted = go_fd_accept(listener, (struct sockaddr *)&peer, &size);
        CHECK(accepted != NULL, 1);
        CHECK(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
        CHECK(fcntl(go_fd_number(accepted), F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(go_fd_number(accepted), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        CHECK(go_fd_read(accepted, buffer, 2), 1);
        CHECK(go_fd_read(accepted, buffer, 2), 0);
        go_fd_unref(accepted);
    }
    go_waitgroup_wait(&wg);
    go_fd_unref(listener);
    go_fd *refused = tcp_socket();
    CHECK_FAILS(go_fd_connect(refused, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    go_fd_unref(refused);
}

/* As often as it is tried the kernel is asked anew, and knows what came of it. */
static void connected_again(void)
{
    struct sockaddr_in address;
    const struct sockaddr *at = (struct sockaddr *)&address;
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof address;
    address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK(bind(number, at, size), 0);
    CHECK(getsockname(number, (struct sockaddr *)&address, &size), 0);
    go_fd *fd = tcp_socket(), *again = tcp_socket();
    CHECK_FAILS(go_fd_connect(fd, at, size), ECONNREFUSED);
    CHECK_FAILS(go_fd_connect(fd, at, size), ECONNREFUSED);
    CHECK(listen(number, 8), 0);
    CHECK(go_fd_connect(fd, at, size), 0);
    CHECK_FAILS(go_fd_connect(fd, at, size), EISCONN);
    CHECK(go_fd_connect(again, at, size), 0);
    CHECK_FAILS(go_fd_connect(again, at, size), EISCONN);
    go_fd_unref(fd);
    go_fd_unref(again);
    close(number);
}

/* ---- who owns it ----------------------------------------------------------------------------- */

static bool is_open(int number)
{
    return fcntl(number, F_GETFD) >= 0;
}

static void ownership(void)
{
    int numbers[2];
    CHECK(pipe(numbers), 0);
    CHECK(go_fd_new(-1) == NULL && errno == EBADF, 1);
    go_fd *fd = go_fd_new(numbers[0]);
    CHECK(go_fd_number(fd), numbers[0]);
    CHECK(go_fd_new(numbers[0]) == NULL && errno == EEXIST, 1);
    CHECK(go_fd_release(fd), numbers[0]);
    CHECK(is_open(numbers[0]), 1);
    CHECK(go_fd_number(fd), -1);
    CHECK_FAILS(go_fd_release(fd), EBADF);
    go_fd_unref(fd);
    fd = go_fd_new(numbers[0]);
    CHECK(go_fd_ref(fd) == fd, 1);
    go_fd_unref(fd);
    CHECK(is_open(numbers[0]), 1);
    errno = EXDEV;
    go_fd_unref(fd);
    go_fd_unref(NULL);
    CHECK(errno, EXDEV);
    CHECK(is_open(numbers[0]), 0);
    close(numbers[1]);
}

/* The kernel watches no regular files, and does not say that one is taken over already. */
static void ownership_of_files(void)
{
    FILE *files[2] = { tmpfile(), tmpfile() };
    int number = dup(fileno(files[0])), other;
    go_fd *fd = go_fd_new(number);
    CHECK(go_fd_new(number) == NULL && errno == EEXIST, 1);
    other = fcntl(fileno(files[1]), F_DUPFD, number + 256); /* it does not mind others */
    go_fd *far_ = go_fd_new(other), *near_ = go_fd_new(dup(fileno(files[1])));
    CHECK(far_ && near_, 1);
    CHECK(go_fd_new(other) == NULL && errno == EEXIST, 1);
    CHECK(go_fd_release(fd), number);
    go_fd *again = go_fd_new(number);
    CHECK(again != NULL, 1);
    go_fd_unref(fd);
    CHECK(go_fd_new(number) == NULL && errno == EEXIST, 1);
    CHECK(go_fd_new(other) == NULL && errno == EEXIST, 1);
    CHECK(go_fd_close(again), 0);
    CHECK(is_open(number), 0);
    CHECK(dup2(fileno(files[0]), number), number);
    fd = go_fd_new(number);
    CHECK(fd != NULL, 1);
    go_fd_unref(again);
    CHECK(is_open(number), 1);
    go_fd_unref(fd);
    go_fd_unref(far_);
    go_fd_unref(near_);
    fclose(files[0]);
    fclose(files[1]);
}

static void after_close_all_is_ebadf(void)
{
    go_fd *pair[2];
    char buffer[1];
    struct iovec piece = { buffer, 1 };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    struct sockaddr_in address = { .sin_family = AF_INET };
    make_pair(SOCK_STREAM, pair);
    go_fd *fd = pair[0];
    int number = go_fd_number(fd);
    CHECK(go_fd_close(fd), 0);
    CHECK(is_open(number), 0);
    CHECK(go_fd_number(fd), -1);
    CHECK_FAILS(go_fd_close(fd), EBADF);
    CHECK_FAILS(go_fd_read(fd, buffer, 1), EBADF);
    CHECK_FAILS(go_fd_read(fd, buffer, 0), EBADF);
    CHECK_FAILS(go_fd_read_full(fd, buffer, 1), EBADF);
    CHECK_FAILS(go_fd_write(fd, buffer, 1), EBADF);
    CHECK_FAILS(go_fd_readv(fd, &piece, 1), EBADF);
    CHECK_FAILS(go_fd_writev(fd, &piece, 1), EBADF);
    CHECK_FAILS(go_fd_recvmsg(fd, &message, 0), EBADF);
    CHECK_FAILS(go_fd_sendmsg(fd, &message, 0), EBADF);
    CHECK_FAILS(go_fd_sendfile(fd, 0, NULL, 1), EBADF);
    CHECK_FAILS(go_fd_splice(fd, fd, 1), EBADF);
    CHECK_FAILS(go_fd_connect(fd, (struct sockaddr *)&address, sizeof address), EBADF);
    CHECK_FAILS(go_fd_shutdown(fd, SHUT_WR), EBADF);
    CHECK_FAILS(go_fd_wait(fd, GO_READABLE), EBADF);
    CHECK_FAILS(go_fd_wait(fd, GO_READABLE | GO_WRITABLE), EINVAL);
    CHECK_FAILS(go_fd_set_deadline(fd, GO_READABLE, 1), EBADF);
    CHECK_FAILS(go_fd_set_deadline(fd, 4, 1), EINVAL);
    errno = 0;
    CHECK(go_fd_accept(fd, NULL, NULL) == NULL && errno == EBADF, 1);
    unref_pair(pair);
}

/* Lengths that no buffer has: nothing is read, and nothing behind the data written. */
static void huge_lengths(void)
{
    if (runs_under("memcheck")) /* which reports such calls themselves */
        return;
    go_fd *pair[2], *from, *to;
    char byte = 'x';
    static const size_t huge[] = { SIZE_MAX, (size_t)SSIZE_MAX + 1 };
    make_pair(SOCK_STREAM, pair);
    make_pipe(&from, &to);
    for (int i = 0; i < 2; i++) {
        struct iovec pieces[2] = { { &byte, 1 }, { &byte, huge[i] } };
        CHECK(go_fd_write(to, "y", 1), 1);
        CHECK_FAILS(go_fd_readv(from, pieces, 2), EINVAL);
        CHECK_FAILS(go_fd_writev(to, pieces, 2), EINVAL);
        CHECK_FAILS(go_fd_readv(from, pieces, -1), EINVAL);
        CHECK_FAILS(go_fd_writev(to, pieces, -1), EINVAL);
        CHECK_FAILS(go_fd_readv(from, pieces, INT_MAX), EINVAL);
        CHECK_FAILS(go_fd_writev(to, pieces, INT_MAX), EINVAL);
        CHECK_FAILS(go_fd_writev(pair[0], pieces, 2), EINVAL);
        CHECK_FAILS(go_fd_write(to, &byte, huge[i]), EINVAL);
        CHECK(go_fd_read(from, &byte, huge[i]), -1);
        CHECK(errno == EINVAL || errno == EFAULT, 1); /* the kernel's choice */
        CHECK(go_fd_read(from, &byte, 1), 1);
        CHECK(byte, 'y');
    }
    CHECK_FAILS(go_fd_pwrite(to, &byte, 1, 0), ESPIPE);
    CHECK_FAILS(go_fd_pread(from, &byte, 1, 0), ESPIPE);
    unref_pair(pair);
    go_fd_unref(from);
    go_fd_unref(to);
}

int go_main(int argc, char **argv)
{
    (void)argv;
    for (int procs = 1; procs <= 4; procs += 3) {
        if (argc == 1)
            go_gomaxprocs(procs);
        ends();
        huge_lengths();
        read_full_waits_for_all();
        pieces();
        concurrent_writers();
        an_error_returns_what_was_written();
        an_error_returns_what_was_read();
        writing_to_nobody_is_epipe();
        reset_by_peer();
        half_close();
        data_and_end_together();
        short_reads_then_more();
        passed_descriptors();
        messages_of_an_accepted_socket();
        urgent_data();
        counters();
        watched_folder();
        terminal();
        regular_file();
        send_a_file();
        spliced();
        standard_input();
        standard_input_the_wrong_way();
        datagrams();
        connections();
        connected_again();
        ownership();
        ownership_of_files();
        after_close_all_is_ebadf();
    }
    return 0;
}

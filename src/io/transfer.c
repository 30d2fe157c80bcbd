/* Reading, writing, accepting, connecting: each tries the kernel's call, and waits where that says
 * that nothing is ready. */
#include "io/fd.h"

#include "context/context.h"
#include "io/shared.h"
#include "signal/caught.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST_PIECES = 1024 }; /* IOV_MAX */

static ssize_t fail(int error)
{
    *gofer_errno() = error;
    return -1;
}

/* What a call returns that transferred `done` bytes before it met `error`. */
static ssize_t outcome(size_t done, int error)
{
    *gofer_errno() = error;
    return done ? (ssize_t)done : -1;
}

/* ---- one call of the kernel's ---------------------------------------------------------------- */

/* Around a call that raises SIGPIPE where it fails with EPIPE: without that. */
static sigset_t hold_sigpipe(void)
{
    sigset_t pipe_signal, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    return before;
}

static void drop_sigpipe(const sigset_t *before, ssize_t n)
{
    int error = errno;
    if (n < 0 && error == EPIPE && !sigismember(before, SIGPIPE)) {
        struct timespec at_once = { 0, 0 };
        sigset_t pipe_signal;
        sigemptyset(&pipe_signal);
        sigaddset(&pipe_signal, SIGPIPE);
        sigtimedwait(&pipe_signal, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = error;
}

/* Go's rule: for standard output and error, or where the program has asked for the signal. */
static bool raises_sigpipe(int number)
{
    return number == 1 || number == 2 ||
           atomic_load_explicit(&gofer_caught.wanted, memory_order_relaxed) &
               gofer_signal_bit(SIGPIPE);
}

static int message_flags(const go_fd *fd)
{
    return (raises_sigpipe(gofer_fd_number(fd)) ? 0 : MSG_NOSIGNAL) |
           (fd->is_shared ? MSG_DONTWAIT : 0);
}

static ssize_t writev_any(go_fd *fd, const struct iovec *pieces, int count,
                          const gofer_cancel *source)
{
    return gofer_unlikely(fd->is_shared) ? gofer_shared_writev(fd, pieces, count, source)
                                         : writev(gofer_fd_number(fd), pieces, count);
}

static gofer_noinline ssize_t writev_quietly(go_fd *fd, const struct iovec *pieces, int count,
                                             const gofer_cancel *source)
{
    sigset_t before = hold_sigpipe();
    ssize_t n = writev_any(fd, pieces, count, source);
    drop_sigpipe(&before, n);
    return n;
}

static gofer_noinline ssize_t sendfile_quietly(int number, int file, off_t *offset, size_t size)
{
    sigset_t before = hold_sigpipe();
    ssize_t n = sendfile(number, file, offset, size);
    drop_sigpipe(&before, n);
    return n;
}

static ssize_t splice_once(const go_fd *from, const go_fd *to, size_t size)
{
    int in = gofer_fd_number(from), out = gofer_fd_number(to);
    if (raises_sigpipe(out))
        return splice(in, NULL, out, NULL, size, SPLICE_F_NONBLOCK);
    sigset_t before = hold_sigpipe();
    ssize_t n = splice(in, NULL, out, NULL, size, SPLICE_F_NONBLOCK);
    drop_sigpipe(&before, n);
    return n;
}

static ssize_t writev_once(go_fd *fd, const struct iovec *pieces, int count,
                           const gofer_cancel *source)
{
    if (fd->is_socket) {
        struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)pieces,
                                  .msg_iovlen = (size_t)count };
        return sendmsg(gofer_fd_number(fd), &message, message_flags(fd));
    }
    return !fd->is_polled || raises_sigpipe(gofer_fd_number(fd))
               ? writev_any(fd, pieces, count, source)
               : writev_quietly(fd, pieces, count, source);
}

static ssize_t sendfile_once(const go_fd *fd, int file, off_t *offset, size_t size)
{
    int number = gofer_fd_number(fd);
    return raises_sigpipe(number) ? sendfile(number, file, offset, size)
                                  : sendfile_quietly(number, file, offset, size);
}

static ssize_t write_once(go_fd *fd, const void *data, size_t size, const gofer_cancel *source)
{
    if (fd->is_socket)
        return send(gofer_fd_number(fd), data, size, message_flags(fd));
    struct iovec piece = { (void *)(uintptr_t)data, size };
    return writev_once(fd, &piece, 1, source);
}

/* The same for sockets by a call that does not go through the files' layer: a tenth less. */
static ssize_t read_once(go_fd *fd, void *buffer, size_t size)
{
    int number = gofer_fd_number(fd);
    if (fd->is_socket)
        return recv(number, buffer, size, fd->is_shared ? MSG_DONTWAIT : 0);
    struct iovec piece = { buffer, size };
    return gofer_unlikely(fd->is_shared) ? gofer_shared_readv(fd, &piece, 1)
                                         : read(number, buffer, size);
}

static ssize_t readv_once(go_fd *fd, const struct iovec *pieces, int count)
{
    return gofer_unlikely(fd->is_shared) ? gofer_shared_readv(fd, pieces, count)
                                         : readv(gofer_fd_number(fd), pieces, count);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* No bytes are wanted: waits for none. */
static ssize_t read_none(go_fd *fd, gofer_cancel *source)
{
    int error = gofer_cancel_error(source);
    if (!error && (error = gofer_fd_enter(fd)) == 0)
        gofer_fd_leave(fd);
    *gofer_errno() = error;
    return error ? -1 : 0;
}

ssize_t go_fd_read_ctx(go_context *ctx, go_fd *fd, void *buffer, size_t size)
{
    gofer_cancel *source = gofer_context_source(ctx);
    ssize_t n = 0;
    if (!size)
        return read_none(fd, source);
    int error = gofer_fd_begin(fd, GOFER_FD_READ, source);
    if (error)
        return fail(error);
    while (!error && (n = read_once(fd, buffer, size)) < 0)
        error = gofer_fd_retry(fd, GOFER_FD_READ, source);
    gofer_fd_note_read(fd, n, size);
    gofer_fd_end(fd, GOFER_FD_READ);
    return error ? fail(error) : n;
}

ssize_t go_fd_read_full_ctx(go_context *ctx, go_fd *fd, void *buffer, size_t size)
{
    gofer_cancel *source = gofer_context_source(ctx);
    size_t done = 0;
    if (!size)
        return read_none(fd, source);
    int error = gofer_fd_begin(fd, GOFER_FD_READ, source);
    if (error)
        return fail(error);
    while (!error && done < size) {
        ssize_t n = read_once(fd, (char *)buffer + done, size - done);
        if (n == 0)
            break;
        gofer_fd_note_read(fd, n, size - done);
        if (n < 0)
            error = gofer_fd_retry(fd, GOFER_FD_READ, source);
        else if ((done += (size_t)n) < size)
            error = gofer_fd_wait_more(fd, source);
    }
    gofer_fd_end(fd, GOFER_FD_READ);
    if (error)
        return outcome(done, error);
    *gofer_errno() = 0;
    return (ssize_t)done;
}

ssize_t go_fd_write_ctx(go_context *ctx, go_fd *fd, const void *data, size_t size)
{
    gofer_cancel *source = gofer_context_source(ctx);
    size_t done = 0;
    if (size >
        SSIZE_MAX) /* write refuses it too, but send and writev would go on behind the data */
        return fail(EINVAL);
    int error = gofer_fd_begin(fd, GOFER_FD_WRITE, source);
    if (error)
        return fail(error);
    do {
        ssize_t n = write_once(fd, (const char *)data + done, size - done, source);
        if (n < 0)
            error = gofer_fd_retry(fd, GOFER_FD_WRITE, source);
        else if ((done += (size_t)n) == size)
            break;
        else if (n == 0)
            error = EIO; /* as no file shall, but a driver may */
        else if (fd->directions[GOFER_FD_WRITE].blocks)
            error = gofer_fd_wait_ready(fd, GOFER_FD_WRITE, source);
    } while (!error);
    gofer_fd_end(fd, GOFER_FD_WRITE);
    return error ? outcome(done, error) : (ssize_t)size;
}

ssize_t go_fd_readv_ctx(go_context *ctx, go_fd *fd, const struct iovec *pieces, int count)
{
    gofer_cancel *source = gofer_context_source(ctx);
    ssize_t n = 0;
    int error = gofer_fd_begin(fd, GOFER_FD_READ, source);
    if (error)
        return fail(error);
    while (!error && (n = readv_once(fd, pieces, count)) < 0)
        error = gofer_fd_retry(fd, GOFER_FD_READ, source);
    gofer_fd_end(fd, GOFER_FD_READ);
    return error ? fail(error) : n;
}

bool gofer_pieces_fit(const struct iovec *pieces, int count)
{
    size_t room = SSIZE_MAX;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > room)
            return false;
        room -= pieces[i].iov_len;
    }
    return count >= 0;
}

/* Drops `n` bytes from the pieces' front. Returns how many pieces are left. */
static int skip(struct iovec **pieces, int count, size_t n)
{
    while (count && n >= (*pieces)->iov_len) {
        n -= (*pieces)->iov_len;
        ++*pieces;
        count--;
    }
    if (count) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + n;
        (*pieces)->iov_len -= n;
    }
    return count;
}

ssize_t go_fd_writev_ctx(go_context *ctx, go_fd *fd, const struct iovec *pieces, int count)
{
    gofer_cancel *source = gofer_context_source(ctx);
    struct iovec left[MOST_PIECES], *first = left;
    size_t done = 0;
    if (count > MOST_PIECES || !gofer_pieces_fit(pieces, count))
        return fail(EINVAL);
    if (count)
        memcpy(left, pieces, (size_t)count * sizeof *pieces);
    int error = gofer_fd_begin(fd, GOFER_FD_WRITE, source);
    if (error)
        return fail(error);
    while (!error && count) {
        ssize_t n = writev_once(fd, first, count, source);
        if (n < 0) {
            error = gofer_fd_retry(fd, GOFER_FD_WRITE, source);
        } else {
            done += (size_t)n;
            count = skip(&first, count, (size_t)n);
            if (n == 0 && count)
                error = EIO; /* as above */
            else if (count && fd->directions[GOFER_FD_WRITE].blocks)
                error = gofer_fd_wait_ready(fd, GOFER_FD_WRITE, source);
        }
    }
    gofer_fd_end(fd, GOFER_FD_WRITE);
    return error ? outcome(done, error) : (ssize_t)done;
}

/* Two may be at different places of a file at a time: no turn. */
ssize_t go_fd_pread(go_fd *fd, void *buffer, size_t size, off_t offset)
{
    ssize_t n;
    int error = gofer_fd_enter(fd);
    if (error)
        return fail(error);
    do
        n = pread(gofer_fd_number(fd), buffer, size, offset);
    while (n < 0 && errno == EINTR);
    error = n < 0 ? errno : 0;
    gofer_fd_leave(fd);
    return error ? fail(error) : n;
}

ssize_t go_fd_pwrite(go_fd *fd, const void *data, size_t size, off_t offset)
{
    size_t done = 0;
    int error = gofer_fd_enter(fd);
    if (error)
        return fail(error);
    while (!error && done < size) {
        ssize_t n = pwrite(gofer_fd_number(fd), (const char *)data + done, size - done,
                           offset + (off_t)done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            error = n == 0 ? EIO : errno;
    }
    gofer_fd_leave(fd);
    return error ? outcome(done, error) : (ssize_t)done;
}

ssize_t go_fd_sendfile_ctx(go_context *ctx, go_fd *fd, int file, off_t *offset, size_t size)
{
    gofer_cancel *source = gofer_context_source(ctx);
    ssize_t n = 0;
    int error = gofer_fd_begin(fd, GOFER_FD_WRITE, source);
    if (error)
        return fail(error);
    size = gofer_shared_part(fd, size, source);
    while (!error && (n = sendfile_once(fd, file, offset, size)) < 0)
        error = gofer_fd_retry(fd, GOFER_FD_WRITE, source);
    gofer_fd_end(fd, GOFER_FD_WRITE);
    return error ? fail(error) : n;
}

/* A splice failed, and the kernel does not say at which end nothing was ready: waits for both. */
static int splice_retry(go_fd *from, go_fd *to, gofer_cancel *source)
{
    int error = errno;
    if (error == EINTR)
        return 0;
    if (error != EAGAIN)
        return error;
    error = gofer_fd_wait_ready(from, GOFER_FD_READ, source);
    return error ? error : gofer_fd_wait_ready(to, GOFER_FD_WRITE, source);
}

/* The turn to read comes first. Who has a turn to write waits for no other: nobody waits in a
 * circle. */
ssize_t go_fd_splice_ctx(go_context *ctx, go_fd *from, go_fd *to, size_t size)
{
    gofer_cancel *source = gofer_context_source(ctx);
    ssize_t n = 0;
    if (!size)
        return read_none(from, source);
    int error = gofer_fd_begin(from, GOFER_FD_READ, source);
    if (error)
        return fail(error);
    error = gofer_fd_begin(to, GOFER_FD_WRITE, source);
    if (!error) {
        size = gofer_shared_part(to, size, source);
        while (!error && (n = splice_once(from, to, size)) < 0)
            error = splice_retry(from, to, source);
        gofer_fd_end(to, GOFER_FD_WRITE);
    }
    gofer_fd_end(from, GOFER_FD_READ);
    return error ? fail(error) : n;
}

/* ---- messages -------------------------------------------------------------------------------- */

ssize_t go_fd_recvmsg_ctx(go_context *ctx, go_fd *fd, struct msghdr *message, int flags)
{
    gofer_cancel *source = gofer_context_source(ctx);
    ssize_t n = 0;
    int error = gofer_fd_begin(fd, GOFER_FD_READ, source);
    if (error)
        return fail(error);
    flags |= MSG_CMSG_CLOEXEC | (fd->is_shared ? MSG_DONTWAIT : 0);
    while (!error && (n = recvmsg(gofer_fd_number(fd), message, flags)) < 0)
        error = gofer_fd_retry(fd, GOFER_FD_READ, source);
    gofer_fd_end(fd, GOFER_FD_READ);
    return error ? fail(error) : n;
}

ssize_t go_fd_sendmsg_ctx(go_context *ctx, go_fd *fd, const struct msghdr *message, int flags)
{
    gofer_cancel *source = gofer_context_source(ctx);
    ssize_t n = 0;
    int error = gofer_fd_begin(fd, GOFER_FD_WRITE, source);
    if (error)
        return fail(error);
    flags |= message_flags(fd);
    while (!error && (n = sendmsg(gofer_fd_number(fd), message, flags)) < 0)
        error = gofer_fd_retry(fd, GOFER_FD_WRITE, source);
    gofer_fd_end(fd, GOFER_FD_WRITE);
    return error ? fail(error) : n;
}

/* ---- connections ----------------------------------------------------------------------------- */

/* A connection that the peer gave up while it was in the queue is none. */
static int accept_once(const go_fd *fd, struct sockaddr *address, socklen_t *size, socklen_t room)
{
    int number;
    do {
        if (size)
            *size = room;
        number = accept4(gofer_fd_number(fd), address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (number < 0 && errno == ECONNABORTED);
    return number;
}

go_fd *go_fd_accept_ctx(go_context *ctx, go_fd *fd, struct sockaddr *address, socklen_t *size)
{
    gofer_cancel *source = gofer_context_source(ctx);
    socklen_t room = size ? *size : 0;
    enum gofer_fd_kind kind = GOFER_FD_SOCKET;
    int number = -1, error;
    go_fd *accepted = gofer_fd_reserve(); /* before: without it the connection waits on */
    if (!accepted)
        return NULL;
    error = gofer_fd_begin(fd, GOFER_FD_READ, source);
    if (!error) {
        while (!error && (number = accept_once(fd, address, size, room)) < 0)
            error = gofer_fd_retry(fd, GOFER_FD_READ, source);
        kind = fd->is_tcp ? GOFER_FD_TCP : GOFER_FD_SOCKET; /* while it is ours */
        gofer_fd_end(fd, GOFER_FD_READ);
    }
    if (!error && (error = gofer_fd_fill(accepted, number, kind)) == 0)
        return accepted;
    if (number >= 0)
        close(number);
    gofer_fd_give_back(accepted);
    fail(error);
    return NULL;
}

static bool is_under_way(int error)
{
    return error == EINPROGRESS || error == EALREADY || error == EINTR;
}

/* A connection is being made: waits for its outcome, 0 or an errno. The call itself tells it, made
 * again: by SO_ERROR the kernel's socket would not learn that its attempt is over, and the next
 * connect would meet that one's end. */
static int wait_connected(go_fd *fd, const struct sockaddr *address, socklen_t size,
                          gofer_cancel *source)
{
    int error;
    do {
        error = gofer_fd_wait_ready(fd, GOFER_FD_WRITE, source);
        if (error)
            return error;
        error = connect(gofer_fd_number(fd), address, size) == 0 ? 0 : errno;
    } while (is_under_way(error));
    return error == EISCONN ? 0 : error;
}

int go_fd_connect_ctx(go_context *ctx, go_fd *fd, const struct sockaddr *address, socklen_t size)
{
    gofer_cancel *source = gofer_context_source(ctx);
    int error = gofer_fd_begin(fd, GOFER_FD_WRITE, source);
    if (error)
        return (int)fail(error);
    if (connect(gofer_fd_number(fd), address, size) != 0)
        error = errno;
    if (is_under_way(error))
        error = wait_connected(fd, address, size, source);
    gofer_fd_end(fd, GOFER_FD_WRITE);
    return error ? (int)fail(error) : 0;
}

int go_fd_shutdown(go_fd *fd, int how)
{
    int error = gofer_fd_enter(fd);
    if (error)
        return (int)fail(error);
    if (shutdown(gofer_fd_number(fd), how) != 0)
        error = errno;
    gofer_fd_leave(fd);
    return error ? (int)fail(error) : 0;
}

int go_fd_wait_ctx(go_context *ctx, go_fd *fd, int what)
{
    gofer_cancel *source = gofer_context_source(ctx);
    enum gofer_fd_side side = what == GO_READABLE ? GOFER_FD_READ : GOFER_FD_WRITE;
    if (what != GO_READABLE && what != GO_WRITABLE)
        return (int)fail(EINVAL);
    int error = gofer_fd_begin(fd, side, source);
    if (error)
        return (int)fail(error);
    if (fd->is_polled)
        error = gofer_fd_wait_ready(fd, side, source);
    gofer_fd_end(fd, side);
    return error ? (int)fail(error) : 0;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static int adopt_pair(const int numbers[2], go_fd *ends[2])
{
    ends[0] = go_fd_new(numbers[0]);
    ends[1] = ends[0] ? go_fd_new(numbers[1]) : NULL;
    if (ends[1])
        return 0;
    int error = *gofer_errno();
    if (ends[0])
        go_fd_unref(ends[0]);
    else
        close(numbers[0]);
    close(numbers[1]);
    return (int)fail(error);
}

int go_fd_pipe(go_fd *ends[2])
{
    int numbers[2];
    return pipe2(numbers, O_CLOEXEC | O_NONBLOCK) != 0 ? -1 : adopt_pair(numbers, ends);
}

int go_fd_socketpair(int domain, int type, int protocol, go_fd *ends[2])
{
    int numbers[2];
    return socketpair(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol, numbers) != 0
               ? -1
               : adopt_pair(numbers, ends);
}

/* ---- without a context ----------------------------------------------------------------------- */

ssize_t go_fd_read(go_fd *fd, void *buffer, size_t size)
{
    return go_fd_read_ctx(NULL, fd, buffer, size);
}

ssize_t go_fd_read_full(go_fd *fd, void *buffer, size_t size)
{
    return go_fd_read_full_ctx(NULL, fd, buffer, size);
}

ssize_t go_fd_write(go_fd *fd, const void *data, size_t size)
{
    return go_fd_write_ctx(NULL, fd, data, size);
}

ssize_t go_fd_readv(go_fd *fd, const struct iovec *pieces, int count)
{
    return go_fd_readv_ctx(NULL, fd, pieces, count);
}

ssize_t go_fd_writev(go_fd *fd, const struct iovec *pieces, int count)
{
    return go_fd_writev_ctx(NULL, fd, pieces, count);
}

ssize_t go_fd_sendfile(go_fd *fd, int file, off_t *offset, size_t size)
{
    return go_fd_sendfile_ctx(NULL, fd, file, offset, size);
}

ssize_t go_fd_splice(go_fd *from, go_fd *to, size_t size)
{
    return go_fd_splice_ctx(NULL, from, to, size);
}

ssize_t go_fd_recvmsg(go_fd *fd, struct msghdr *message, int flags)
{
    return go_fd_recvmsg_ctx(NULL, fd, message, flags);
}

ssize_t go_fd_sendmsg(go_fd *fd, const struct msghdr *message, int flags)
{
    return go_fd_sendmsg_ctx(NULL, fd, message, flags);
}

go_fd *go_fd_accept(go_fd *fd, struct sockaddr *address, socklen_t *size)
{
    return go_fd_accept_ctx(NULL, fd, address, size);
}

int go_fd_connect(go_fd *fd, const struct sockaddr *address, socklen_t size)
{
    return go_fd_connect_ctx(NULL, fd, address, size);
}

int go_fd_wait(go_fd *fd, int what)
{
    return go_fd_wait_ctx(NULL, fd, what);
}

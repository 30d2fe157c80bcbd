/* See shared.h. A call that blocks in the kernel keeps neither a deadline nor a context. So it is
 * told not to, by RWF_NOWAIT, which newer kernels take for pipes, but neither for named
 * ones nor for terminals. Those are found ready before, and given no more than what is ready takes.
 * It is little, and on a terminal the lines of those that share it would be mixed: so only where
 * something may end the call. */
#include "io/shared.h"

#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    NOWAIT = 8,        /* RWF_NOWAIT, which not all headers have */
    TERMINAL_RUN = 256 /* the least that there is room for on a terminal that has any */
};

/* The sanitizers look at the memory that readv and writev are given, and do not know these. */
#if defined(GOFER_ASAN) || defined(GOFER_TSAN)
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* False: the kernel does not try this file, nor will it later. */
static bool call_at_once(go_fd *fd, enum gofer_fd_side side, const struct iovec *pieces, int count,
                         ssize_t *n)
{
    struct gofer_fd_direction *direction = &fd->directions[side];
    long call = side == GOFER_FD_READ ? SYS_preadv2 : SYS_pwritev2;
    direction->blocks |= SANITIZED;
    if (direction->blocks)
        return false;
    *n = syscall(call, gofer_fd_number(fd), pieces, (long)count, -1L, -1L, NOWAIT);
    /* EPERM: a sandbox's way to say ENOSYS */
    direction->blocks = *n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM);
    return !direction->blocks;
}

static size_t gather(char *room, size_t size, const struct iovec *pieces, int count)
{
    size_t done = 0;
    for (int i = 0; i < count && done < size; i++) {
        size_t n = pieces[i].iov_len < size - done ? pieces[i].iov_len : size - done;
        if (n)
            memcpy(room + done, pieces[i].iov_base, n);
        done += n;
    }
    return done;
}

/* A terminal takes characters that it may put others in the place of one by one, and what stands
 * between them in one go, and looks each time whether there is room. One go is sure. */
static size_t run_of(const char *text, size_t size)
{
    static const char replaced[] = { '\n', '\r', '\t', '\b' };
    size_t n = 0;
    while (n < size && n < TERMINAL_RUN && !memchr(replaced, text[n], sizeof replaced))
        n++;
    return n ? n : size > 0;
}

ssize_t gofer_shared_writev(go_fd *fd, const struct iovec *pieces, int count,
                            const gofer_cancel *source)
{
    ssize_t n;
    char room[PIPE_BUF];
    if (call_at_once(fd, GOFER_FD_WRITE, pieces, count, &n))
        return n;
    if (!gofer_fd_may_end(fd, GOFER_FD_WRITE, source))
        return writev(gofer_fd_number(fd), pieces, count);
    size_t size = gather(room, sizeof room, pieces, count);
    return write(gofer_fd_number(fd), room, fd->is_terminal ? run_of(room, size) : size);
}

ssize_t gofer_shared_readv(go_fd *fd, const struct iovec *pieces, int count)
{
    ssize_t n;
    if (call_at_once(fd, GOFER_FD_READ, pieces, count, &n))
        return n;
    return readv(gofer_fd_number(fd), pieces, count);
}

/* To a pipe such calls do not wait once there is room. */
size_t gofer_shared_part(go_fd *fd, size_t size, const gofer_cancel *source)
{
    size_t most = fd->is_terminal ? 1 : PIPE_BUF;
    bool fits = !fd->is_shared || !(fd->is_terminal || fd->is_socket) || size <= most;
    return fits || !gofer_fd_may_end(fd, GOFER_FD_WRITE, source) ? size : most;
}

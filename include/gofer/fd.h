/* Descriptors: reading, writing and waiting that park the goroutine and never hold up a thread.
 *
 *     go_fd *in = go_fd_new(socket);
 *     ssize_t n = go_fd_read(in, buffer, sizeof buffer);
 *     go_fd_unref(in);
 *
 * For sockets, pipes, terminals, eventfds, timerfds, inotify: whatever the kernel can tell the
 * readiness of. Calls on other descriptors (regular files) may block their thread, and the runtime
 * goes on with another, as it does for any foreign call.
 *
 * A go_fd is counted: go_fd_new gives one reference, go_fd_unref drops one, and the last closes the
 * descriptor. go_fd_close closes it at once for all who use it; blocked calls return then. Calls on
 * one go_fd may be made at the same time by goroutines and plain threads: one reads at a time and
 * one writes at a time, first come, first served, and a go_fd_write is never cut by another's.
 *
 * Errors: a call returns -1 with errno: EBADF after go_fd_close, ETIMEDOUT after the deadline; the
 * _ctx forms, where the context ends first, ECANCELED or ETIMEDOUT, as all of them; else what the
 * kernel said. EINTR and EAGAIN are never seen, and no call raises SIGPIPE but on descriptors 1 and
 * 2, or where go_signal_notify was asked for it, as in Go. Go's internal/poll and os.File.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_FD_H
#define GOFER_FD_H

#include <gofer/base.h>
#include <gofer/context.h>

#include <sys/types.h>

/* Not <sys/socket.h>, whose names (send, accept, bind, …) programs use for their own: who passes
 * addresses includes it. socklen_t is unsigned. */
struct sockaddr;
struct msghdr;
struct iovec;

GOFER_BEGIN

/* A descriptor and who uses it; made by go_fd_new, go_fd_accept and the makers of pairs. Go:
 * os.File, net.Conn. */
typedef struct go_fd go_fd;

/* What to wait for, and which deadlines to set. */
enum { GO_READABLE = 1, GO_WRITABLE = 2 };

/* ---- making, sharing, closing ---------------------------------------------------------------- */

/* Takes over `descriptor`, which nobody else may close or read from now on. Sets O_NONBLOCK on it,
 * but for 0 to 2 and terminals, which other processes share. NULL and errno: EBADF, EEXIST (it is
 * taken over already), EMFILE, ENFILE, ENOMEM, ENOSPC (the kernel watches no more), ENOSYS (a
 * sandbox refuses epoll). Does not block; until its last reference is gone go_shutdown returns
 * EBUSY. Go: os.NewFile. */
GOFER_API go_fd *go_fd_new(int descriptor);

/* One more reference, and one less; the last closes. unref(NULL) does nothing. Not in Go. */
GOFER_API go_fd *go_fd_ref(go_fd *fd);
GOFER_API void go_fd_unref(go_fd *fd);

/* Closes the descriptor: calls that are blocked return EBADF, and when this returns it is closed.
 * 0, or -1 with errno: EBADF (it was closed before), or as close. Blocks until the calls in
 * progress have ended, but for calls that hold their threads up: then the last of them closes it.
 * Go: File.Close. */
GOFER_API int go_fd_close(go_fd *fd);

/* Gives the descriptor back to the caller, open, as if closed for all others. It stays
 * non-blocking. -1 with errno: EBADF after go_fd_close, EBUSY (a call holds its thread up, so that
 * there is no end to wait for; all goes on). Not in Go. */
GOFER_API int go_fd_release(go_fd *fd);

/* The descriptor's number, or -1 after go_fd_close. It may be given to calls that neither close it
 * nor read or write in a blocking manner. Go: File.Fd. */
GOFER_API int go_fd_number(const go_fd *fd);

/* A pipe: ends[0] to read, ends[1] to write. 0, or -1 with errno. Go: os.Pipe. */
GOFER_API int go_fd_pipe(go_fd *ends[2]);

/* Two connected sockets, as socketpair(2) with SOCK_CLOEXEC. 0, or -1 with errno. */
GOFER_API int go_fd_socketpair(int domain, int type, int protocol, go_fd *ends[2]);

/* ---- reading and writing --------------------------------------------------------------------- */

/* Up to `size` bytes, as soon as there are any: how many; 0 at the end of what there is. Go:
 * File.Read. */
GOFER_API ssize_t go_fd_read(go_fd *fd, void *buffer, size_t size);

/* All `size` bytes: `size`; fewer where they end before (errno 0) or an error comes (errno) after
 * some were read. Go: io.ReadFull. */
GOFER_API ssize_t go_fd_read_full(go_fd *fd, void *buffer, size_t size);

/* All `size` bytes: `size`; fewer, with errno, where an error comes after some were written. Go:
 * File.Write. */
GOFER_API ssize_t go_fd_write(go_fd *fd, const void *data, size_t size);

/* As go_fd_read, and as go_fd_write, of several pieces; at most 1024. */
GOFER_API ssize_t go_fd_readv(go_fd *fd, const struct iovec *pieces, int count);
GOFER_API ssize_t go_fd_writev(go_fd *fd, const struct iovec *pieces, int count);

/* At a place of a file; they may block the thread. As go_fd_read and go_fd_write. Go: File.ReadAt,
 * WriteAt. */
GOFER_API ssize_t go_fd_pread(go_fd *fd, void *buffer, size_t size, off_t offset);
GOFER_API ssize_t go_fd_pwrite(go_fd *fd, const void *data, size_t size, off_t offset);

/* One message, as recvmsg(2) and sendmsg(2). Go: UDPConn.ReadMsgUDP, WriteMsgUDP. */
GOFER_API ssize_t go_fd_recvmsg(go_fd *fd, struct msghdr *message, int flags);
GOFER_API ssize_t go_fd_sendmsg(go_fd *fd, const struct msghdr *message, int flags);

/* Up to `size` bytes of a file, from *offset on (NULL: where it stands), to fd, without copying
 * them through the program: how many; 0 at the file's end. Go: what TCPConn.ReadFrom does. */
GOFER_API ssize_t go_fd_sendfile(go_fd *fd, int file, off_t *offset, size_t size);

/* Up to `size` bytes from one descriptor to another, as soon as there are any, without copying them
 * through the program: how many; 0 at the end of what there is. One of the two is a pipe (EINVAL),
 * as for splice(2). It takes its turn among those that read `from` and those that write `to`, and
 * the deadlines of both count. Go: what TCPConn.ReadFrom does with a connection. */
GOFER_API ssize_t go_fd_splice(go_fd *from, go_fd *to, size_t size);

/* ---- sockets
 * -------------------------------------------------------------------------------------- */

/* The next connection of a listening socket, non-blocking and closed on exec; the peer's address
 * goes to `address` where that is not NULL, as with accept(2). NULL and errno; where no descriptor
 * is left (EMFILE, ENFILE, ENOBUFS, ENOMEM) wait a little before the next call: the connection
 * still waits, unless the kernel cannot watch it (ENOMEM, ENOSPC). Go: Listener.Accept. */
GOFER_API go_fd *go_fd_accept(go_fd *fd, struct sockaddr *address, unsigned *size);

/* Connects a socket. 0, or -1 with errno; EAGAIN: a unix socket's listener has its queue full. Go:
 * what Dial does. */
GOFER_API int go_fd_connect(go_fd *fd, const struct sockaddr *address, unsigned size);

/* As shutdown(2). Go: CloseRead, CloseWrite. */
GOFER_API int go_fd_shutdown(go_fd *fd, int how);

/* ---- waiting and deadlines
 * ------------------------------------------------------------------------ */

/* Blocks until fd is readable (GO_READABLE) or writable (GO_WRITABLE), one of the two: 0, or -1
 * with errno. Ready means that the next call will not block, if nobody else makes it. Go: what
 * RawConn.Read and Write do. */
GOFER_API int go_fd_wait(go_fd *fd, int what);

/* From `when` on (as go_now counts; 0: never; a time past: now) the calls that read (GO_READABLE)
 * or write (GO_WRITABLE), or both, fail with ETIMEDOUT, those in progress too; a later deadline, or
 * 0, lets them go on. A terminal or named pipe (with older kernels any pipe; for
 * go_fd_sendfile and go_fd_splice a socket too) that is not non-blocking: a write that began with
 * neither a deadline nor a context ends when all is written. 0, or -1 with errno: EBADF, EINVAL,
 * ENOMEM, or ENOTSUP (the kernel cannot tell its readiness). Go: SetDeadline, SetReadDeadline,
 * SetWriteDeadline. */
GOFER_API int go_fd_set_deadline(go_fd *fd, int what, int64_t when);

/* ---- with a context -------------------------------------------------------------------------- */

/* The same, ended by ctx too; NULL: never. What was read or written before is not lost: go_fd_write
 * and go_fd_read_full return how much. */
GOFER_API ssize_t go_fd_read_ctx(go_context *ctx, go_fd *fd, void *buffer, size_t size);
GOFER_API ssize_t go_fd_read_full_ctx(go_context *ctx, go_fd *fd, void *buffer, size_t size);
GOFER_API ssize_t go_fd_write_ctx(go_context *ctx, go_fd *fd, const void *data, size_t size);
GOFER_API ssize_t go_fd_readv_ctx(go_context *ctx, go_fd *fd, const struct iovec *pieces,
                                  int count);
GOFER_API ssize_t go_fd_writev_ctx(go_context *ctx, go_fd *fd, const struct iovec *pieces,
                                   int count);
GOFER_API ssize_t go_fd_sendfile_ctx(go_context *ctx, go_fd *fd, int file, off_t *offset,
                                     size_t size);
GOFER_API ssize_t go_fd_splice_ctx(go_context *ctx, go_fd *from, go_fd *to, size_t size);
GOFER_API ssize_t go_fd_recvmsg_ctx(go_context *ctx, go_fd *fd, struct msghdr *message, int flags);
GOFER_API ssize_t go_fd_sendmsg_ctx(go_context *ctx, go_fd *fd, const struct msghdr *message,
                                    int flags);
GOFER_API go_fd *go_fd_accept_ctx(go_context *ctx, go_fd *fd, struct sockaddr *address,
                                  unsigned *size);
GOFER_API int go_fd_connect_ctx(go_context *ctx, go_fd *fd, const struct sockaddr *address,
                                unsigned size);
GOFER_API int go_fd_wait_ctx(go_context *ctx, go_fd *fd, int what);

GOFER_END
#endif

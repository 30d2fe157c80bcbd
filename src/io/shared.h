/* Calls on descriptors whose O_NONBLOCK is not ours to set, for other processes use them too. */
#ifndef GOFER_SRC_SHARED_H
#define GOFER_SRC_SHARED_H

#include "io/fd.h"

#include <sys/uio.h>

/* As writev and readv of what is non-blocking, for who has the turn and has found fd ready; a write
 * may take less though there is room. For sockets a write is sendmsg with MSG_DONTWAIT instead. */
ssize_t gofer_shared_writev(go_fd *fd, const struct iovec *pieces, int count,
                            const gofer_cancel *source);
ssize_t gofer_shared_readv(go_fd *fd, const struct iovec *pieces, int count);

/* How many of `size` bytes a call is given that writes them to fd and cannot be told not to block;
 * of any fd. */
size_t gofer_shared_part(go_fd *fd, size_t size, const gofer_cancel *source);

#endif

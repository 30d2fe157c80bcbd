/* Waiting for descriptors by their numbers, adopted by nobody: for libgofer-hook.
 *
 * An epoll instance of its own, which the poller watches as one descriptor: what is adopted as a
 * go_fd may have its number here too, and any poller that can watch one descriptor will do. Each
 * wait arms its numbers once (EPOLLONESHOT), level-triggered, so nothing is known of a descriptor
 * between waits, and one that was closed unseen leaves nothing behind but an entry that is not
 * armed. A number that has another file by now is armed anew for that one.
 *
 * Waiters lie on their own stacks, in lists by number; each list has a lock, which comes before no
 * other and is held while the kernel is told. A waiter is claimable (park/cancel.h): by what became
 * ready, by its timer, by who closes the number. */
#ifndef GOFER_SRC_RAW_H
#define GOFER_SRC_RAW_H

#include "base/base.h"

#include <poll.h>

enum { GOFER_RAW_KEY = 1 }; /* among the poller's keys */

/* As gofer_hook_service's wait (src/hook/service.h), but that it may come back on any thread. */
int gofer_raw_wait(const struct pollfd *fds, unsigned long count, int64_t deadline);

/* Ends the waits for a number with EBADF. From any thread; one in the child of a vfork changes
 * nothing. */
void gofer_raw_closing(int number);

/* The poller found something for GOFER_RAW_KEY: wakes who waits for it. `ended`: as
 * GOFER_POLL_ENDED. */
void gofer_raw_deliver(bool ended);

/* Whether anybody waits for a descriptor. Exact when nothing runs. */
bool gofer_raw_waits(void);

/* For go_shutdown: nobody waits. */
void gofer_raw_free(void);

#endif

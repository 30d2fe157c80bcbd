/* The poller: tells which descriptors became ready.
 *
 * One for the process, by epoll or by io_uring. Nobody owns it: an idle thread sleeps in it instead
 * of on its futex, a thread that runs out of work looks into it, and the monitor does where nobody
 * else did for a while. At most one of them at a time: the poller is "taken". So no goroutine holds
 * it, and descriptors are looked at however busy the others are. */
#ifndef GOFER_SRC_POLLER_H
#define GOFER_SRC_POLLER_H

#include "base/base.h"

#include <sys/types.h>

enum { GOFER_POLL_BATCH = 128 };

/* Among the events: edges of this key come no more until gofer_poller_add_again, which shall be
 * called when GOFER_POLL_ALL_AGAIN comes in place of a key. */
#define GOFER_POLL_ENDED 0x80000000U
enum { GOFER_POLL_ALL_AGAIN = 2 };

typedef struct gofer_poll_batch {
    int count;
    struct {
        uint64_t key;    /* gofer_poller_add's */
        uint32_t events; /* in epoll's words */
    } ready[GOFER_POLL_BATCH];
} gofer_poll_batch;

/* Edges of fd, and first what it is ready for, are told as `key`, which is not 0 or 2, until
 * gofer_poller_remove: then nothing holds fd's file but the number. 0, or an errno: EPERM where the
 * kernel cannot tell fd's readiness. From any thread. */
int gofer_poller_add(int fd, uint64_t key);
void gofer_poller_remove(int fd, uint64_t key);

/* Only where the key is not removed yet nor being removed. */
void gofer_poller_add_again(int fd, uint64_t key);

/* "epoll" or "io_uring"; NULL: not open. */
const char *gofer_poller_name(void);

/* The number of the poller's own thread, which wakes no goroutine; 0: it has none. */
pid_t gofer_poller_thread(void);

/* Whether any descriptor is watched. */
bool gofer_poller_watches(void);

/* Descriptors are watched, and nobody waits for them or looks. */
bool gofer_poller_is_unattended(void);

/* True: the caller alone may wait, until it drops it. */
bool gofer_poller_take(void);
void gofer_poller_drop(void);

/* For who has taken it: fills the batch with what became ready; where nothing has, waits for it
 * until `deadline` (0: not at all; negative: none) or gofer_poller_break. */
void gofer_poller_wait(gofer_poll_batch *batch, int64_t deadline);
void gofer_poller_break(void);

/* Wakes who waits for what is in the batch: src/io/fd.c. */
void gofer_poller_deliver(const gofer_poll_batch *batch);

/* Looks without waiting and delivers, if nobody else has taken it. True: something was ready. */
bool gofer_poller_look(void);

/* How often it was looked at or slept in so far: the monitor looks where this stands still. */
uint32_t gofer_poller_looks(void);

/* Whether a goroutine or plain thread waits for a descriptor, or is being woken: src/io/fd.c. Exact
 * when nothing runs. */
bool gofer_poller_can_wake(void);

/* Sees to it that an idle thread polls where a processor is idle and nobody does, and that the
 * monitor does where none is: src/sched/wake.c. */
void gofer_poller_need(void);

/* For go_shutdown: nothing is watched. */
void gofer_poller_free(void);

#endif

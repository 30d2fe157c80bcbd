/* A kind of poller: one of the kernel's interfaces that tell readiness, in a file of its own
 * (epoll.c, uring.c). What all share, and which is used, is in poller.c. */
#ifndef GOFER_SRC_POLLER_KIND_H
#define GOFER_SRC_POLLER_KIND_H

#include "io/poller.h"

struct gofer_poller_kind {
    const char *name;                 /* in GOFER_POLLER */
    int (*open)(void);                /* one at a time; 0, or an errno: then all is as before */
    void (*close)(void);              /* nothing is watched */
    pid_t (*thread)(void);            /* of its own, 0: none */
    int (*add)(int fd, uint64_t key); /* from any thread; 0, or an errno */
    void (*add_again)(int fd, uint64_t key); /* after GOFER_POLL_ENDED; NULL: it tells of none */
    /* from any thread; once it returns the kernel holds fd's file no more for our sake */
    void (*remove)(int fd, uint64_t key);
    /* by who has taken the poller; adds to the empty batch. `left`: nanoseconds; 0: does not wait;
     * negative: for ever. May return early. 0, or an errno that nothing can be done about. */
    int (*wait)(gofer_poll_batch *batch, int64_t left);
    void (*wake)(void); /* ends a wait, or the next one; from any thread */
};

extern const struct gofer_poller_kind gofer_epoll, gofer_uring;

#endif

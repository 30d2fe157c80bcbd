/* A go_fd: who uses a descriptor, whose turn it is, who waits for it to become ready.
 *
 * Each direction has one user at a time (its turn) and a queue of those that wait for theirs. Who
 * has the turn tries the call; where the kernel says EAGAIN it waits for an edge. The poller's
 * edges are remembered while nobody waits: none is lost between the call and the wait.
 *
 * `lock` guards all but what is constant. It comes after a timer heap's lock and before sched.lock.
 * The memory of a go_fd is never unmapped while the runtime runs: an edge that was on its way when
 * it was closed finds another generation there. */
#ifndef GOFER_SRC_FD_H
#define GOFER_SRC_FD_H

#include "base/base.h"

#include "gofer/fd.h"

#include "park/cancel.h"
#include "sync/waiters.h"
#include "time/timer.h"

enum gofer_fd_side { GOFER_FD_READ, GOFER_FD_WRITE, GOFER_FD_SIDES };

/* Who has the turn and waits for an edge; on its own stack. */
struct gofer_edge_waiter {
    struct gofer_sync_waiter base;
    int error; /* by who woke it: 0, ETIMEDOUT, EBADF */
};

struct gofer_fd_direction {
    void *turns;                              /* who wait for their turn: see sync/waiters.h */
    struct gofer_edge_waiter *_Atomic waiter; /* peeked at by the deadlock check */
    bool busy;                                /* somebody has the turn */
    bool ready;                               /* an edge came since the last try began */
    bool dry;         /* a stream's last read got all there was: the next waits for an edge first */
    bool marked;      /* ... unless this came with an edge: an end or error to read, urgent data */
    bool asks;        /* a call may block: it is shared, and open for this side; constant */
    bool blocks;      /* ... and the kernel has refused to try; of who has the turn */
    bool expired;     /* the deadline has passed */
    bool timer_used;  /* deadline_lock: the timer was started once */
    int64_t deadline; /* 0: none */
    gofer_timer timer;
};

struct go_fd {
    gofer_spin lock;
    gofer_spin deadline_lock; /* one sets deadlines at a time; before a heap's lock */
    uint32_t index;           /* where it lies; constant */
    uint32_t generation;      /* of the descriptors that had this place */
    _Atomic int number;       /* -1: it was closed */
    uint32_t references;      /* the program's */
    uint32_t calls;           /* in progress */
    bool closing;
    bool edges_ended; /* the poller tells none until the number is added again */
    /* constant while it is open */
    bool is_polled;   /* else calls may block their thread */
    bool is_shared;   /* its O_NONBLOCK is not ours to set: see `asks` */
    bool is_terminal; /* ... and it is one */
    bool is_socket;
    bool is_tcp;     /* a read that gets less than it asked for has emptied it */
    gofer_g *closer; /* waits until no call is in progress */
    struct go_fd *next_unwatched;
    struct gofer_fd_direction directions[GOFER_FD_SIDES];
};

/* What the file is, where the caller knows. */
enum gofer_fd_kind {
    GOFER_FD_ANY,
    GOFER_FD_SOCKET, /* these two are non-blocking already */
    GOFER_FD_TCP
};
go_fd *gofer_fd_adopt(int number, enum gofer_fd_kind kind);

/* In parts: room for one, NULL and errno; then the descriptor, 0 or an errno, after which the room
 * is there still. */
go_fd *gofer_fd_reserve(void);
int gofer_fd_fill(go_fd *room, int number, enum gofer_fd_kind kind);
void gofer_fd_give_back(go_fd *room);

/* Waits for the turn. 0, or an errno; then there is nothing to end. */
int gofer_fd_begin(go_fd *fd, enum gofer_fd_side side, gofer_cancel *source);

/* After a call of the kernel's failed, whose errno is still there: 0 where it shall be made again,
 * after fd became ready if it was not, else an errno. */
int gofer_fd_retry(go_fd *fd, enum gofer_fd_side side, gofer_cancel *source);

/* A read got n bytes of `size`: whether more is there to be had at once, or an edge comes first.
 * Of TCP alone: other streams' reads (unix, SCTP) may get less than there is, for they stop at the
 * end of a message or where descriptors were passed. TCP's stop at urgent data: see `marked`. */
static inline void gofer_fd_note_read(go_fd *fd, ssize_t n, size_t size)
{
    fd->directions[GOFER_FD_READ].dry = fd->is_tcp && n > 0 && (size_t)n < size;
}

/* Before a read: waits where the last one left nothing, or where a read may block. */
int gofer_fd_wait_more(go_fd *fd, gofer_cancel *source);

/* Waits until fd is ready. */
int gofer_fd_wait_ready(go_fd *fd, enum gofer_fd_side side, gofer_cancel *source);

/* Whether a context or a deadline may end the call that has the turn. */
bool gofer_fd_may_end(go_fd *fd, enum gofer_fd_side side, const gofer_cancel *source);

/* Gives the turn up. */
void gofer_fd_end(go_fd *fd, enum gofer_fd_side side);

/* A call that needs no turn. */
int gofer_fd_enter(go_fd *fd);
void gofer_fd_leave(go_fd *fd);

static inline int gofer_fd_number(const go_fd *fd)
{
    return atomic_load_explicit(&fd->number, memory_order_relaxed);
}

/* Whether their sizes, and those together, are sizes that a write may have: up to SSIZE_MAX. A
 * negative count has none. */
bool gofer_pieces_fit(const struct iovec *pieces, int count);

/* For go_shutdown. */
bool gofer_fds_are_open(void);
void gofer_fds_free(void);

#endif

/* The forms of sync's blocking calls that a source of cancellation cuts short: 0, or -1 and errno.
 * A source that was cancelled already wins over a thing that is free. `source` may be NULL. */
#ifndef GOFER_SRC_SYNC_H
#define GOFER_SRC_SYNC_H

#include "gofer/semaphore.h"
#include "gofer/sync.h"
#include "park/cancel.h"

int gofer_mutex_lock_cancellable(go_mutex *m, gofer_cancel *source);
int gofer_rwmutex_lock_cancellable(go_rwmutex *rw, gofer_cancel *source);
int gofer_rwmutex_rlock_cancellable(go_rwmutex *rw, gofer_cancel *source);
int gofer_waitgroup_wait_cancellable(go_waitgroup *wg, gofer_cancel *source);
/* Holds the locker again also where it returns -1. */
int gofer_cond_wait_cancellable(go_cond *c, gofer_cancel *source);
int gofer_semaphore_acquire_cancellable(go_semaphore *s, int64_t n, gofer_cancel *source);
/* `reason`: what a dump shall say. */
int gofer_semaphore_acquire_as(go_semaphore *s, int64_t n, gofer_cancel *source,
                               enum gofer_reason reason);

/* After this, what every thread stored before is visible, and what it loads from now on sees what
 * the caller stored. A membarrier; where the kernel refuses that, a store is taken to arrive within
 * a millisecond. */
void gofer_fence_others(void);

/* For the monitor: what was done to have waiters woken is undone where there are none. */
void gofer_mutexes_unwatch(void);

/* -1 and errno. */
static inline int gofer_cancelled(int error)
{
    *gofer_errno() = error;
    return -1;
}

#endif

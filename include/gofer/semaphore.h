/* A weighted semaphore. Go's golang.org/x/sync/semaphore.
 *
 *     static go_semaphore connections = GO_SEMAPHORE(10);
 *
 * By goroutines and plain threads. First in, first out: one that needs much is not overtaken for
 * ever by those that need little. When a call has returned that observed the last event, the caller
 * may let the object go at once, where no other call on it is in progress.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_SEMAPHORE_H
#define GOFER_SEMAPHORE_H

#include <gofer/base.h>

GOFER_BEGIN

/* As `= {0}` a semaphore of size 0. Go: semaphore.Weighted. */
typedef struct go_semaphore {
    int64_t size; /* how much there is to hold */
    int64_t held; /* the library's own: see src/sync/semaphore.c; so below */
    uint32_t lock;
    uint32_t reserved;
    void *waiters;
} go_semaphore;

#define GO_SEMAPHORE(n)    \
    {                      \
        (n), 0, 0, 0, NULL \
    }

/* Makes a semaphore of size n of the memory at s. Panics: "semaphore: size < 0".
 * Go: semaphore.NewWeighted. */
GOFER_API void go_semaphore_init(go_semaphore *s, int64_t n);

/* Blocks until n can be held besides what is; n beyond the size: for ever. Panics: "semaphore: n <
 * 0". Go: Weighted.Acquire. */
GOFER_API void go_semaphore_acquire(go_semaphore *s, int64_t n);

/* Takes n if it can be held now and nobody waits, and returns 1, else 0. Panics: "semaphore: n <
 * 0". Go: Weighted.TryAcquire. */
GOFER_API int go_semaphore_try_acquire(go_semaphore *s, int64_t n);

/* Gives n back and wakes who can go on. Does not block. Panics: "semaphore: n < 0", "semaphore:
 * released more than held". Go: Weighted.Release. */
GOFER_API void go_semaphore_release(go_semaphore *s, int64_t n);

GOFER_END
#endif

/* Wait groups, mutexes, once. Go's package sync. All are usable as `= {0}`, by goroutines and
 * plain threads, and must not be copied after first use. When a call has returned that observed
 * the last event, the caller may let the object go at once.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_SYNC_H
#define GOFER_SYNC_H

#include <gofer/base.h>

GOFER_BEGIN

/* Waits for a collection of goroutines to finish. Go: sync.WaitGroup. */
typedef struct go_waitgroup {
    uint64_t state; /* the library's own: see src/sync/waitgroup.c */
    uint32_t lock;
    uint32_t reserved;
    void *waiters;
} go_waitgroup;

/* Adds delta, which may be negative, to the counter; at zero all waiters wake. Does not block.
 * Panics: "sync: negative WaitGroup counter", "sync: WaitGroup misuse: Add called concurrently
 * with Wait". Go: WaitGroup.Add. */
GOFER_API void go_waitgroup_add(go_waitgroup *wg, int delta);

/* Takes one from the counter. Go: WaitGroup.Done. */
GOFER_API void go_waitgroup_done(go_waitgroup *wg);

/* Blocks until the counter is zero. Panics: "sync: WaitGroup is reused before previous Wait has
 * returned". Go: WaitGroup.Wait. */
GOFER_API void go_waitgroup_wait(go_waitgroup *wg);

/* A mutual exclusion lock, not recursive, owned by no one: any goroutine may unlock it.
 * Go: sync.Mutex. */
typedef struct go_mutex {
    uint32_t state;
    uint32_t lock;
    void *waiters;
} go_mutex;

/* Blocks until the mutex is held. A waiter that waited 1 ms gets it next. Go: Mutex.Lock. */
GOFER_API void go_mutex_lock(go_mutex *m);
/* Takes the mutex if it is free and returns 1, else 0. Go: Mutex.TryLock. */
GOFER_API int go_mutex_trylock(go_mutex *m);
/* Releases it. Not held: fatal error "sync: unlock of unlocked mutex". Go: Mutex.Unlock. */
GOFER_API void go_mutex_unlock(go_mutex *m);

/* Runs something once. Go: sync.Once. */
typedef struct go_once {
    uint32_t done;
    go_mutex mutex;
} go_once;

/* Calls fn(arg) if this is the first call for `once`; returns after that call has ended, by
 * whoever made it, also where it panicked. fn calling go_once_do on the same once deadlocks.
 * Go: Once.Do. */
GOFER_API void go_once_do(go_once *once, void (*fn)(void *), void *arg);

GOFER_END
#endif

/* A cache of things that are costly to make, for many goroutines at once. Go's sync.Pool.
 *
 *     static go_pool buffers = { .create = new_buffer, .destroy = free };
 *     char *buffer = go_pool_get(&buffers);
 *     …
 *     go_pool_put(&buffers, buffer);
 *
 * Usable as `= {0}`, by goroutines and plain threads. Each processor has a cache of its own and
 * takes from the others' when it is empty. What lies unused while the program goes on is destroyed
 * little by little: a pool is no place to keep things. SPDX-License-Identifier: MIT */
#ifndef GOFER_POOL_H
#define GOFER_POOL_H

#include <gofer/base.h>

GOFER_BEGIN

/* A cache of things that are costly to make. Go: sync.Pool. */
typedef struct go_pool {
    /* Makes one where the pool has none; NULL: go_pool_get returns NULL then. Go: Pool.New. */
    void *(*create)(void);
    /* Takes back what the pool gives up, in a call of go_pool_put or go_pool_drain. NULL: the pool
     * never gives anything up. Not in Go, where the collector does it. */
    void (*destroy)(void *item);
    void *parts; /* the library's own: see src/sync/pool.c */
} go_pool;

/* Any item of the pool, which the caller then owns, or a new one. Does not block, but for what
 * `create` does. Go: Pool.Get. */
GOFER_API void *go_pool_get(go_pool *pool);

/* Gives an item to the pool. NULL is ignored. Where memory is short it is destroyed, or lost if
 * there is no `destroy`. Does not block. Go: Pool.Put. */
GOFER_API void go_pool_put(go_pool *pool, void *item);

/* Destroys all items and gives the pool's own memory back; it may be used again. No other call may
 * be in progress. Items are lost without `destroy`. Not in Go. */
GOFER_API void go_pool_drain(go_pool *pool);

GOFER_END
#endif

/* Pools: things that are made once and used again and again, never given back to the system while
 * the runtime runs (stacks, descriptors, captured calls).
 *
 * A pool's stock is an array of addresses, last in, first out, under the pool's lock: taking one
 * touches nothing of the thing itself. Each processor has a cache in front of it, touched only by
 * who may touch the processor. Half a cache moves at a time, so the lock is taken once in many
 * uses. The stock has room for all that was ever made: putting back cannot fail. */
#ifndef GOFER_SRC_POOL_H
#define GOFER_SRC_POOL_H

#include "base/base.h"

enum { GOFER_CACHE_SIZE = 256, GOFER_CACHE_BATCH = GOFER_CACHE_SIZE / 2 };

typedef struct gofer_pool {
    gofer_spin lock; /* guards all below */
    /* Makes the index-th thing, under the lock; NULL: no memory. Constant. */
    void *(*make)(size_t index);
    void **items; /* the stock; the coldest are at the front */
    size_t count, capacity;
    size_t least; /* the lowest count since somebody set it: those below lay unused */
    size_t made;
} gofer_pool;

typedef struct gofer_cache {
    uint32_t count;
    void *items[GOFER_CACHE_SIZE];
} gofer_cache;

/* The slow paths; `cache` may be NULL. gofer_pool_get: NULL where there is no memory. */
void *gofer_pool_get(gofer_pool *pool, gofer_cache *cache);
void gofer_pool_put(gofer_pool *pool, gofer_cache *cache, void *item);

/* Forgets all things, which the caller frees, and frees the stock's array. */
void gofer_pool_free(gofer_pool *pool);

static inline void *gofer_cache_get(gofer_cache *cache, gofer_pool *pool)
{
    if (gofer_likely(cache && cache->count))
        return cache->items[--cache->count];
    return gofer_pool_get(pool, cache);
}

static inline bool gofer_cache_has_room(const gofer_cache *cache)
{
    return cache && cache->count < GOFER_CACHE_SIZE;
}

static inline void gofer_cache_put(gofer_cache *cache, gofer_pool *pool, void *item)
{
    if (gofer_likely(gofer_cache_has_room(cache)))
        cache->items[cache->count++] = item;
    else
        gofer_pool_put(pool, cache, item);
}

#endif

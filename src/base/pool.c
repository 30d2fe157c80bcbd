/* See pool.h. TSan does not see what orders the uses of a cache, and so shall not see the uses:
 * this file is compiled without it, and what it intercepts (memcpy and the like) is ignored. */
#include "base/pool.h"

enum { FIRST_ROOM = 256 };

static bool make_room(gofer_pool *pool)
{
    if (pool->made < pool->capacity)
        return true;
    size_t capacity = pool->capacity ? pool->capacity * 2 : FIRST_ROOM;
    void **items = realloc(pool->items, capacity * sizeof *items);
    if (!items)
        return false;
    pool->items = items;
    pool->capacity = capacity;
    return true;
}

static void *make_one(gofer_pool *pool)
{
    void *item = make_room(pool) ? pool->make(pool->made) : NULL;
    pool->made += item != NULL;
    return item;
}

gofer_cold void *gofer_pool_get(gofer_pool *pool, gofer_cache *cache)
{
    GOFER_TSAN_IGNORE_BEGIN();
    gofer_spin_lock(&pool->lock);
    void *item = pool->count ? pool->items[--pool->count] : make_one(pool);
    uint32_t n = pool->count < GOFER_CACHE_BATCH ? (uint32_t)pool->count : GOFER_CACHE_BATCH;
    if (cache && n) {
        pool->count -= n;
        memcpy(cache->items + cache->count, pool->items + pool->count, n * sizeof *pool->items);
        cache->count += n;
    }
    if (pool->count < pool->least)
        pool->least = pool->count;
    gofer_spin_unlock(&pool->lock);
    GOFER_TSAN_IGNORE_END();
    return item;
}

/* The coldest half of a full cache goes; without a cache the item itself does. */
gofer_cold void gofer_pool_put(gofer_pool *pool, gofer_cache *cache, void *item)
{
    GOFER_TSAN_IGNORE_BEGIN();
    gofer_spin_lock(&pool->lock);
    if (cache) {
        memcpy(pool->items + pool->count, cache->items, GOFER_CACHE_BATCH * sizeof *pool->items);
        pool->count += GOFER_CACHE_BATCH;
    } else {
        pool->items[pool->count++] = item;
    }
    gofer_spin_unlock(&pool->lock);
    if (cache) {
        cache->count -= GOFER_CACHE_BATCH;
        memmove(cache->items, cache->items + GOFER_CACHE_BATCH,
                cache->count * sizeof *cache->items);
        cache->items[cache->count++] = item;
    }
    GOFER_TSAN_IGNORE_END();
}

void gofer_pool_free(gofer_pool *pool)
{
    free(pool->items);
    pool->items = NULL;
    pool->count = pool->capacity = pool->least = pool->made = 0;
}

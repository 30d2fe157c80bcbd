/* Go's own list of benchmarks for sync.Map, by Go's names. */
#include "bench.h"
#include <stdatomic.h>

enum { SIZE = 1024, HALF = 128 };

typedef go_map(long, long) numbers;
static numbers map;
static atomic_long next; /* a number that no goroutine has had */

/* Puts so many numbers into the map, and runs the body in a goroutine a processor. */
static long with(int count, long n, void (*body)(long n, void *arg))
{
    stop_clock();
    for (long i = 0; i < count; i++)
        go_map_store(&map, i, i);
    start_clock();
    return in_parallel(1, n, body, NULL);
}

static void loads(long n, void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++)
        go_map_load(&map, i % SIZE, NULL);
}

static long load_mostly_hits(void)
{
    return with(SIZE - 1, times(10000000), loads);
}

static long load_mostly_misses(void)
{
    return with(1, times(10000000), loads);
}

static void loads_or_stores(long n, void *unused)
{
    (void)unused;
    long first = atomic_fetch_add_explicit(&next, n, memory_order_relaxed) + SIZE;
    for (long i = first; i < first + n; i++) {
        long j = i % (2L * HALF);
        if (j < HALF)
            check(go_map_load_or_store(&map, j, i, NULL) == 1);
        else
            check(go_map_load_or_store(&map, i, i, NULL) == 0);
    }
}

static long load_or_store_balanced(void)
{
    return with(HALF, times(1000000), loads_or_stores);
}

static void stores(long n, void *unused)
{
    (void)unused;
    long first = atomic_fetch_add_explicit(&next, n, memory_order_relaxed);
    for (long i = first; i < first + n; i++)
        go_map_load_or_store(&map, i, i, NULL);
}

static long load_or_store_unique(void)
{
    return with(0, times(500000), stores);
}

static void loads_zero(long n, void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++)
        go_map_load_or_store(&map, 0, 0, NULL);
}

static long load_or_store_collision(void)
{
    return with(1, times(10000000), loads_zero);
}

static void deletes(long n, void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++)
        go_map_load_and_delete(&map, i, NULL);
}

static long load_and_delete_unique(void)
{
    return with(0, times(10000000), deletes);
}

static void deletes_zero(long n, void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++) {
        if (go_map_load_and_delete(&map, 0, NULL))
            go_map_store(&map, 0, 0);
    }
}

static long load_and_delete_collision(void)
{
    return with(1, times(3000000), deletes_zero);
}

static void ranges(long n, void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++) {
        long count = 0;
        go_map_range (&map, key, value)
            count += key == value;
        check(count == SIZE);
    }
}

static long range(void)
{
    return with(SIZE, times(10000), ranges);
}

static const struct row rows[] = {
    { "go/MapLoadMostlyHits", "load one of 1,023 keys, sometimes one that is not there",
      load_mostly_hits },
    { "go/MapLoadMostlyMisses", "load a key that mostly is not there", load_mostly_misses },
    { "go/MapLoadOrStoreBalanced", "load half of the time, store else", load_or_store_balanced },
    { "go/MapLoadOrStoreUnique", "store new keys", load_or_store_unique },
    { "go/MapLoadOrStoreCollision", "all load the same key", load_or_store_collision },
    { "go/MapLoadAndDeleteUnique", "delete keys that are not there", load_and_delete_unique },
    { "go/MapLoadAndDeleteCollision", "all delete and store the same key",
      load_and_delete_collision },
    { "go/MapRange", "go through 1,024 keys", range },
    { 0 },
};
const struct table go_map_table = { "Go's own list: sync.Map", rows };

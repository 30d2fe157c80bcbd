/* The map and the pool for many goroutines. */
#include "case.h"

typedef go_map(const char *, int) numbers;
static numbers map;

static void load(const char *key)
{
    int v = 0, ok = go_map_load(&map, key, &v);
    printf("%s %d %d\n", key, v, ok);
}

static void range_sorted(void)
{
    static const char *const keys[] = { "a", "b", "c", "d", "e" };
    for (int i = 0; i < 5; i++)
        go_map_range (&map, key, value)
            if (strcmp(key, keys[i]) == 0)
                printf("%s=%d ", key, value);
    puts("");
}

CASE(map_load_store)
{
    load("a");
    go_map_store(&map, "a", 1);
    load("a");
    go_map_store(&map, "a", 2);
    load("a");
    load("b");
    return 0;
}

CASE(map_load_or_store)
{
    int v = 0, loaded = go_map_load_or_store(&map, "a", 1, &v);
    printf("%d %d\n", v, loaded);
    loaded = go_map_load_or_store(&map, "a", 2, &v);
    printf("%d %d\n", v, loaded);
    load("a");
    return 0;
}

CASE(map_load_and_delete)
{
    go_map_store(&map, "a", 1);
    int v = 0, loaded = go_map_load_and_delete(&map, "a", &v);
    printf("%d %d\n", v, loaded);
    v = 0;
    loaded = go_map_load_and_delete(&map, "a", &v);
    printf("%d %d\n", v, loaded);
    load("a");
    return 0;
}

CASE(map_delete)
{
    go_map_delete(&map, "a");
    go_map_store(&map, "a", 1);
    go_map_store(&map, "b", 2);
    go_map_delete(&map, "a");
    go_map_delete(&map, "a");
    load("a");
    load("b");
    return 0;
}

CASE(map_swap)
{
    int v = 0, loaded = go_map_swap(&map, "a", 1, &v);
    printf("%d %d\n", v, loaded);
    loaded = go_map_swap(&map, "a", 2, &v);
    printf("%d %d\n", v, loaded);
    load("a");
    return 0;
}

static void compare_and_swap(int old, int new)
{
    printf("%d\n", go_map_compare_and_swap(&map, "a", old, new));
    load("a");
}

CASE(map_compare_and_swap)
{
    compare_and_swap(0, 1);
    go_map_store(&map, "a", 1);
    compare_and_swap(2, 3);
    compare_and_swap(1, 3);
    compare_and_swap(3, 3);
    return 0;
}

CASE(map_compare_and_delete)
{
    printf("%d\n", go_map_compare_and_delete(&map, "a", 0));
    go_map_store(&map, "a", 1);
    printf("%d\n", go_map_compare_and_delete(&map, "a", 2));
    load("a");
    printf("%d\n", go_map_compare_and_delete(&map, "a", 1));
    load("a");
    return 0;
}

CASE(map_range)
{
    range_sorted();
    go_map_store(&map, "c", 3);
    go_map_store(&map, "a", 1);
    go_map_store(&map, "b", 2);
    range_sorted();
    return 0;
}

CASE(map_range_stops)
{
    int n = 0;
    for (int i = 0; i < 10; i++)
        go_map_store(&map, ((char[2]){ (char)('a' + i), 0 }), i);
    go_map_range (&map, key, value) {
        (void)key, (void)value;
        if (++n == 3)
            break;
    }
    printf("%d\n", n);
    return 0;
}

CASE(map_range_deletes)
{
    int n = 0;
    for (int i = 0; i < 10; i++)
        go_map_store(&map, ((char[2]){ (char)('a' + i), 0 }), i);
    go_map_range (&map, key, value) {
        n += value;
        go_map_delete(&map, key);
    }
    printf("%d\n", n);
    range_sorted();
    return 0;
}

CASE(map_range_nested)
{
    int n = 0;
    go_map_store(&map, "a", 1);
    go_map_store(&map, "b", 2);
    go_map_range (&map, outer, x)
        go_map_range (&map, inner, y)
            n += x * y + (strcmp(outer, inner) == 0);
    printf("%d\n", n);
    return 0;
}

CASE(map_clear)
{
    go_map_clear(&map);
    go_map_store(&map, "a", 1);
    go_map_store(&map, "b", 2);
    go_map_clear(&map);
    load("a");
    range_sorted();
    go_map_store(&map, "c", 3);
    range_sorted();
    return 0;
}

struct point {
    int x, y;
};
typedef go_map(struct point, struct point *) points;
static points by_point;

CASE(map_struct_keys)
{
    struct point p = { 1, 2 }, *got = NULL;
    go_map_store(&by_point, p, &p);
    int ok = go_map_load(&by_point, ((struct point){ 1, 2 }), &got);
    printf("%d %d\n", ok, got == &p);
    ok = go_map_load(&by_point, ((struct point){ 2, 1 }), &got);
    printf("%d\n", ok);
    return 0;
}

typedef go_map(int, int) squares;
static squares by_int;

CASE(map_many)
{
    long sum = 0;
    int n = 0;
    for (int i = 0; i < 10000; i++)
        go_map_store(&by_int, i, 2 * i);
    for (int i = 0; i < 10000; i += 2)
        go_map_delete(&by_int, i);
    go_map_range (&by_int, key, value) {
        sum += value - key;
        n++;
    }
    printf("%d %ld\n", n, sum);
    return 0;
}

static void store_all(int id)
{
    for (int i = 0; i < 1000; i++) {
        int v;
        if (!go_map_load_or_store(&by_int, i, id, &v))
            go_map_load(&by_int, i, &v);
        if (i % 100 == 0)
            go_gosched();
    }
}

CASE(map_each_key_stored_once)
{
    go_waitgroup wg = { 0 };
    int n = 0;
    for (int i = 0; i < 4; i++)
        go_waitgroup_go(&wg, store_all, i);
    go_waitgroup_wait(&wg);
    go_map_range (&by_int, key, value) {
        (void)value;
        n += key >= 0;
    }
    printf("%d\n", n);
    return 0;
}

/* ---- pool --------------------------------------------------------------------------------- */

static void *make_item(void)
{
    puts("new");
    return "made";
}

static go_pool without, with = { .create = make_item };

static void get(go_pool *pool)
{
    const char *item = go_pool_get(pool);
    puts(item ? item : "nil");
}

CASE(pool_empty)
{
    get(&without);
    go_pool_put(&without, NULL);
    get(&without);
    return 0;
}

CASE(pool_new)
{
    get(&with);
    get(&with);
    return 0;
}

CASE(pool_order)
{
    go_pool_put(&with, "a");
    go_pool_put(&with, "b");
    go_pool_put(&with, "c");
    go_pool_put(&with, "d");
    for (int i = 0; i < 5; i++)
        get(&with);
    return 0;
}

static void put_and_get(const char *item)
{
    go_pool_put(&without, (void *)(uintptr_t)item);
    go_gosched();
    get(&without);
}

CASE(pool_of_several_goroutines)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_go(&wg, put_and_get, "a");
    go_waitgroup_go(&wg, put_and_get, "b");
    go_waitgroup_go(&wg, put_and_get, "c");
    go_waitgroup_wait(&wg);
    get(&without);
    return 0;
}

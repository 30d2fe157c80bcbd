/* A map under random schedules, with plain threads among its users: each key is stored by one and
 * deleted by one, counts that compare-and-swap adds up are whole, loads and ranges see no torn
 * entry, also while a map is cleared and grows. */
#include "stress.h"

enum { WORKERS = 4, THREADS = 2, KEYS = 16 };

struct pair {
    long count, check; /* always count == -check */
};
typedef go_map(int, struct pair) pairs;
typedef go_map(const char *, long) texts;

static go_map(int, struct pair) passing;
static pairs counters;
static texts owned;
static long added, stored, deleted;

static void add(unsigned *random)
{
    int key = (int)(stress_random(random) % KEYS);
    struct pair old;
    (void)go_map_load_or_store(&counters, key, ((struct pair){ 0, 0 }), &old);
    STRESS_CHECK(old.count, -old.check);
    while (!go_map_compare_and_swap(&counters, key, old,
                                    ((struct pair){ old.count + 1, -old.count - 1 }))) {
        STRESS_CHECK(go_map_load(&counters, key, &old), 1);
        STRESS_CHECK(old.count, -old.check);
    }
    __atomic_fetch_add(&added, 1, __ATOMIC_RELAXED);
}

static void own(unsigned *random)
{
    char key[16];
    snprintf(key, sizeof key, "key %u", stress_random(random) % (4 * KEYS));
    long id = (long)stress_random(random), before = 0;
    switch (stress_random(random) % 4) {
    case 0:
        if (go_map_load_and_delete(&owned, key, &before))
            __atomic_fetch_add(&deleted, 1, __ATOMIC_RELAXED);
        break;
    case 1:
        if (go_map_load(&owned, key, &before) && go_map_compare_and_delete(&owned, key, before))
            __atomic_fetch_add(&deleted, 1, __ATOMIC_RELAXED);
        break;
    case 2:
        if (go_map_swap(&owned, key, id, &before) == 0)
            __atomic_fetch_add(&stored, 1, __ATOMIC_RELAXED);
        break;
    default:
        if (go_map_load_or_store(&owned, key, id, &before) == 0)
            __atomic_fetch_add(&stored, 1, __ATOMIC_RELAXED);
        break;
    }
}

static void range_passing(void)
{
    char seen[256] = { 0 };
    go_map_range (&passing, key, value) {
        STRESS_CHECK(seen[key]++, 0);
        STRESS_CHECK(value.count, key);
        STRESS_CHECK(value.check, -key);
    }
}

/* A map that is cleared and grows anew while it is read: what a key has, is the key's. */
static void pass(unsigned *random)
{
    int key = (int)(stress_random(random) % 256);
    struct pair value = { key, -key }, none = { -1, -1 };
    switch (stress_random(random) % 16) {
    case 0:
        if (stress_random(random) % 32 == 0)
            go_map_clear(&passing);
        break;
    case 1:
        go_map_delete(&passing, key);
        break;
    case 2:
        if (stress_random(random) % 8 == 0)
            range_passing();
        break;
    case 3:
    case 4:
    case 5:
        STRESS_CHECK(go_map_store(&passing, key, value), 0);
        break;
    default:
        value = none;
        if (go_map_load(&passing, key, &value)) {
            STRESS_CHECK(value.count, key);
            STRESS_CHECK(value.check, -key);
        } else { /* although it may have met one that was deleted then */
            STRESS_CHECK(value.count, none.count);
            STRESS_CHECK(value.check, none.check);
        }
        break;
    }
}

static void look(unsigned *random)
{
    if (stress_random(random) % 2) {
        go_map_range (&counters, key, value) {
            STRESS_CHECK(key >= 0 && key < KEYS, 1);
            STRESS_CHECK(value.count, -value.check);
        }
        return;
    }
    long n = 0;
    go_map_range (&owned, key, value) {
        (void)value;
        STRESS_CHECK(strncmp(key, "key ", 4), 0);
        if (++n == 20)
            break;
        stress_pause(random);
    }
}

static void worker(int id)
{
    unsigned random = stress_seed + (unsigned)id * 7919u;
    for (long i = 0; i < stress_rounds; i++) {
        add(&random);
        own(&random);
        pass(&random);
        if (i % 16 == 0)
            look(&random);
        stress_pause(&random);
    }
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 5000);
    stress_run_workers(worker, WORKERS, THREADS);
    long sum = 0, left = 0;
    go_map_range (&counters, key, value)
        sum += value.count + 0 * key;
    go_map_range (&owned, key, value)
        left += key != NULL && value >= 0;
    STRESS_CHECK(sum, added);
    STRESS_CHECK(left, stored - deleted);
    go_map_free(&counters);
    go_map_free(&owned);
    go_map_free(&passing);
    return 0;
}

/* go_pool: what is put is got, what nobody needs is destroyed, nothing is made or destroyed twice.
 */
#include "unit.h"

#include "sched/sched.h"

#include <pthread.h>

static long made, destroyed;

static void *make(void)
{
    made++;
    return calloc(1, sizeof(long));
}

static void destroy(void *item)
{
    destroyed++;
    free(item);
}

static go_pool pool = { .create = make, .destroy = destroy };

static void empty_pool_makes_or_gives_null(void)
{
    go_pool without = { 0 };
    CHECK(go_pool_get(&without) == NULL, 1);
    go_pool_put(&without, NULL);
    CHECK(go_pool_get(&without) == NULL, 1);
    int thing;
    go_pool_put(&without, &thing);
    CHECK(go_pool_get(&without) == &thing, 1);
    CHECK(go_pool_get(&without) == NULL, 1);
    go_pool_drain(&without);
}

static void items_come_back(void)
{
    void *items[100];
    for (int i = 0; i < 100; i++)
        items[i] = go_pool_get(&pool);
    CHECK(made, 100);
    for (int i = 0; i < 100; i++)
        go_pool_put(&pool, items[i]);
    for (int i = 0; i < 100; i++) {
        items[i] = go_pool_get(&pool);
        CHECK(++*(long *)items[i], 1); /* each once */
    }
    CHECK(made, 100);
    for (int i = 0; i < 100; i++)
        go_pool_put(&pool, items[i]);
    CHECK(destroyed, 0);
}

static void *take_fifty(void *unused)
{
    (void)unused;
    void *items[50];
    for (int i = 0; i < 50; i++)
        items[i] = go_pool_get(&pool);
    for (int i = 0; i < 50; i++)
        go_pool_put(&pool, items[i]);
    return NULL;
}

static void plain_threads_take_from_it(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, take_fifty, NULL);
    pthread_join(thread, NULL);
    CHECK(made, 100);
}

/* Two items in use at a time: the others go, half of them in each epoch. */
static void unused_items_are_destroyed(void)
{
    for (int epoch = 0; epoch < 200; epoch++) {
        atomic_fetch_add(&gofer_trim_epoch, 1);
        void *a = go_pool_get(&pool), *b = go_pool_get(&pool);
        go_pool_put(&pool, a);
        go_pool_put(&pool, b);
    }
    CHECK(made, 100);
    CHECK(destroyed >= 90, 1);
    CHECK(destroyed <= 98, 1);
}

static void drain_destroys_the_rest(void)
{
    go_pool_drain(&pool);
    CHECK(destroyed, made);
    go_pool_put(&pool, go_pool_get(&pool));
    go_pool_drain(&pool);
    CHECK(destroyed, made);
    go_pool_drain(&pool);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_gomaxprocs(1);
    empty_pool_makes_or_gives_null();
    items_come_back();
    plain_threads_take_from_it();
    unused_items_are_destroyed();
    drain_destroys_the_rest();
    return 0;
}

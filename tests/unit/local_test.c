/* errno and go_local belong to the goroutine, through switches and from thread to thread. */
#include "unit.h"

static const char key;
static int destroyed;
static go_waitgroup wg;

static void destroy(void *value)
{
    free(value);
    __atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

static void keeps(int number)
{
    int *value = malloc(sizeof *value);
    *value = number;
    CHECK(go_local_get(&key) == NULL, 1);
    CHECK(go_local_set(&key, value, destroy), 0);
    for (int i = 0; i < 100; i++) {
        errno = number;
        go_gosched();
        CHECK(errno, number);
        CHECK(*(int *)go_local_get(&key), number);
    }
    go_waitgroup_done(&wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    enum { GOROUTINES = 50 };
    go_waitgroup_add(&wg, GOROUTINES);
    for (int i = 1; i <= GOROUTINES; i++)
        go(keeps, i);
    go_waitgroup_wait(&wg);
    while (__atomic_load_n(&destroyed, __ATOMIC_RELAXED) < GOROUTINES)
        go_gosched();
    return 0;
}

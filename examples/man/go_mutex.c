#include <gofer.h>
#include <stdio.h>

struct counter {
    go_mutex mutex;
    go_waitgroup wg;
    int value;
};

static void count(struct counter *counter)
{
    for (int i = 0; i < 100; i++) {
        go_mutex_lock(&counter->mutex);
        go_defer(go_mutex_unlock, &counter->mutex);
        counter->value++;
    }
    go_waitgroup_done(&counter->wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct counter counter = { 0 };
    go_waitgroup_add(&counter.wg, 10);
    for (int i = 0; i < 10; i++)
        go(count, &counter);
    go_waitgroup_wait(&counter.wg);
    printf("%d\n", counter.value);
    return 0;
}
// Output:
// 1000

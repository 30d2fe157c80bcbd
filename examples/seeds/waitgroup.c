/* A wait group counts the goroutines; main waits until all have ended. */
#include <gofer.h>
#include <stdio.h>

static void run(int iter, const char *name)
{
    for (int i = 0; i < iter; i++) {
        go_sleep(GO_SECOND);
        printf("%s\n", name);
    }
}

static void run_a(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    run(1, "A");
}

static void run_b(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    run(5, "B");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go(run_a, &wg);
    go(run_b, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}

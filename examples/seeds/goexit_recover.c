/* A Goexit is no panic: recover gives nil in its deferred calls, and nothing reverses it. */
#include <gofer.h>
#include <stdio.h>

static void try_to_recover(void)
{
    printf("recovered: %s\n", go_recover() ? "something" : "nil");
}

static void worker(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_recoverable();
    go_defer(try_to_recover);
    go_goexit();
    printf("not reached\n");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(worker, &wg);
    go_waitgroup_wait(&wg);
    printf("the goroutine has ended\n");
    return 0;
}

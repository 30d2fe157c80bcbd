/* Use case: a goroutine deep in its work ends gracefully, giving back what it holds. */
#include <gofer.h>
#include <stdio.h>

static void step(int number)
{
    if (number == 3) {
        printf("nothing left to do\n");
        go_goexit();
    }
    printf("step %d\n", number);
}

static void worker(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_defer(puts, "resources released");
    for (int i = 1;; i++)
        step(i);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(worker, &wg);
    go_waitgroup_wait(&wg);
    printf("done\n");
    return 0;
}

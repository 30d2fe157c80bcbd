/* Goexit affects no other goroutine: the second of three ends in its first round, the others
 * finish. */
#include <gofer.h>
#include <stdio.h>

static void worker(go_waitgroup *wg, int number)
{
    go_defer(go_waitgroup_done, wg);
    for (int round = 1; round <= 2; round++) {
        printf("worker %d round %d\n", number, round);
        if (number == 2)
            go_goexit();
        go_gosched();
    }
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 3);
    go(worker, &wg, 1);
    go(worker, &wg, 2);
    go(worker, &wg, 3);
    go_waitgroup_wait(&wg);
    return 0;
}

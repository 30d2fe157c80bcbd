#include <gofer.h>
#include <stdio.h>

static void square(int n, int *result, go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    *result = n * n;
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    int squares[4];
    go_waitgroup_add(&wg, 4);
    for (int i = 0; i < 4; i++)
        go(square, i, &squares[i], &wg);
    go_waitgroup_wait(&wg);
    printf("%d %d %d %d\n", squares[0], squares[1], squares[2], squares[3]);
    return 0;
}
// Output:
// 0 1 4 9

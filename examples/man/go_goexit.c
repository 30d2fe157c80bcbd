#include <gofer.h>
#include <stdio.h>

static void deep_inside(void)
{
    puts("nothing left to do");
    go_goexit();
}

static void work(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg); // runs although work does not return
    deep_inside();
    puts("not reached");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(work, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}
// Output:
// nothing left to do

#include <gofer.h>
#include <stdio.h>

static void greet(const char *name, go_waitgroup *wg)
{
    printf("hello, %s\n", name);
    go_waitgroup_done(wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(greet, "goroutine", &wg);
    go_waitgroup_wait(&wg);
    printf("main is done\n");
    return 0;
}
// Output:
// hello, goroutine
// main is done

#include <gofer.h>
#include <stdio.h>

static void greet(const char *whom, int times, go_waitgroup *wg)
{
    for (int i = 0; i < times; i++)
        printf("hello, %s\n", whom);
    go_waitgroup_done(wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(greet, "world", 1, &wg);
    go_waitgroup_wait(&wg);
    go_waitgroup_add(&wg, 1);
    go_with((&(go_options){ .name = "greeter", .stack = 1 << 20 }), greet, "again", 2, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}
// Output:
// hello, world
// hello, again
// hello, again

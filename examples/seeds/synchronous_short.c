/* The loop on main's own goroutine is the shorter one: the other is cut off. */
#include <gofer.h>
#include <stdio.h>

static void run(int iter, const char *name)
{
    for (int i = 0; i < iter; i++) {
        go_sleep(GO_SECOND);
        printf("%s\n", name);
    }
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go(run, 5, "A");
    run(1, "B");
    return 0;
}

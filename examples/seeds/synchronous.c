/* The longer loop runs on main's own goroutine and keeps the program alive. */
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
    go(run, 1, "A");
    run(5, "B");
    return 0;
}

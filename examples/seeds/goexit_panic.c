/* After main's Goexit another goroutine panics: the program crashes as by any panic. */
#include <gofer.h>
#include <stdio.h>

static void run(int iter, const char *name)
{
    for (int i = 0; i < iter; i++) {
        go_sleep(GO_SECOND);
        printf("%s\n", name);
    }
}

static void fail(void)
{
    run(1, "A");
    go_panic("something went wrong");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go(fail);
    go(run, 5, "B");
    go_goexit();
}

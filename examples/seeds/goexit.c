/* Main's goroutine ends by Goexit: the others run to their end, then the program crashes with
 * exit status 2. */
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
    go(run, 5, "B");
    go_goexit();
}

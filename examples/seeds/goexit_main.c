/* Goexit in main: its deferred calls run, the others go on, and when none is left the program
 * crashes. */
#include <gofer.h>
#include <stdio.h>

static void others(void)
{
    for (int i = 1; i <= 3; i++) {
        printf("other goroutine: %d\n", i);
        go_gosched();
    }
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_defer(puts, "main's deferred call");
    go(others);
    go_goexit();
}

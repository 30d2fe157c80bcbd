/* Both loops are goroutines and main returns at once: nothing is printed, exit status 0. The
 * document prints the listing of synchronous.c here, by mistake; this is the program it describes.
 */
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
    return 0;
}

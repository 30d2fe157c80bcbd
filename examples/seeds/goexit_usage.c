/* Goexit ends the goroutine that calls it, after its deferred calls. */
#include <gofer.h>
#include <stdio.h>

static void worker(void)
{
    go_defer(puts, "Deferred function in goroutine");
    puts("About to exit goroutine");
    go_goexit();
    puts("This line will not be reached");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go(worker);
    go_gosched(); /* give the goroutine a chance to run */
    return 0;
}

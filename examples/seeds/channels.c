/* A buffered channel as large as the number of goroutines counts their ends. */
#include <gofer.h>
#include <stdio.h>

static void run(int iter, const char *name)
{
    for (int i = 0; i < iter; i++) {
        go_sleep(GO_SECOND);
        printf("%s\n", name);
    }
}

static void run_a(go_chan(go_unit) done)
{
    go_defer(go_signal, done);
    run(1, "A");
}

static void run_b(go_chan(go_unit) done)
{
    go_defer(go_signal, done);
    run(5, "B");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(go_unit) done = go_chan_make(go_unit, 2);
    go(run_a, done);
    go(run_b, done);
    for (int i = 0; i < 2; i++)
        go_recv(done);
    go_chan_unref(done);
    return 0;
}

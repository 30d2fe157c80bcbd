/* What a wrong number of receives does, by argument: one too `many` waits for a signal that nobody
 * sends (deadlock, exit 2); one too `few` lets main leave early (exit 0). */
#include <gofer.h>
#include <stdio.h>
#include <string.h>

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
    int receives = argc > 1 && strcmp(argv[1], "few") == 0 ? 1 : 3;
    go_chan(go_unit) done = go_chan_make(go_unit, 2);
    go(run_a, done);
    go(run_b, done);
    for (int i = 0; i < receives; i++)
        go_recv(done);
    return 0; /* the channel stays: run_b may still signal on it */
}

/* Use case: a goroutine that cannot go on reports its error and ends; the others do not notice. */
#include <gofer.h>
#include <stdio.h>

static void check(go_chan(const char *) errors, int input)
{
    if (input < 0) {
        go_send(errors, "negative input");
        go_goexit();
    }
}

static void worker(go_waitgroup *wg, go_chan(const char *) errors, int input)
{
    go_defer(go_waitgroup_done, wg);
    check(errors, input);
    printf("worked on %d\n", input);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_chan(const char *) errors = go_chan_make(const char *, 1);
    go_waitgroup_add(&wg, 2);
    go(worker, &wg, errors, -1);
    go(worker, &wg, errors, 7);
    go_waitgroup_wait(&wg);
    printf("error: %s\n", go_recv(errors));
    go_chan_unref(errors);
    return 0;
}

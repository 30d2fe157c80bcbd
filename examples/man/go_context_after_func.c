#include <gofer.h>
#include <stdio.h>

static void hang_up(void *done)
{
    puts("hanging up");
    go_signal(done);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_after *after = go_context_after_func(ctx, hang_up, done);
    go_context_cancel(ctx);
    go_recv(done);
    printf("stopped: %d\n", go_context_after_stop(after));
    go_context_after_free(after);
    go_context_unref(ctx);
    go_chan_unref(done);
    return 0;
}
// Output:
// hanging up
// stopped: 0

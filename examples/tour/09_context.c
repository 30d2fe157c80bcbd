#include <gofer.h>
#include <stdio.h>

static void generate(go_context *ctx, go_chan(int) numbers)
{
    for (int i = 1; go_send_ctx(ctx, numbers, i) == 0; i++)
        ;
    printf("generator: %s\n", go_context_err_text(ctx));
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_context *ctx = go_context_with_cancel(NULL);
    go_chan(int) numbers = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_go(&wg, generate, ctx, numbers);
    for (int i = 0; i < 3; i++)
        printf("%d\n", go_recv(numbers));
    go_context_cancel(ctx);
    go_waitgroup_wait(&wg);
    go_context_unref(ctx);
    go_chan_unref(numbers);

    ctx = go_context_with_timeout(NULL, 10 * GO_MILLISECOND);
    go_defer(go_context_end, ctx);
    if (go_sleep_ctx(ctx, GO_HOUR) != 0 && errno == ETIMEDOUT)
        printf("main: %s\n", go_context_err_text(ctx));
    return 0;
}
// Output:
// 1
// 2
// 3
// generator: context canceled
// main: context deadline exceeded

#include <gofer.h>
#include <stdio.h>
#include <string.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    int value;
    go_chan(int) c = go_chan_make(int, 1);
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    printf("send: %d\n", go_send_ctx(ctx, c, 42));
    printf("receive: %d\n", go_recv_ctx(ctx, c, &value));
    if (go_sleep_ctx(ctx, GO_HOUR) != 0)
        printf("sleep: %s\n", errno == ETIMEDOUT ? "ETIMEDOUT" : strerror(errno));
    switch (go_select(go_case_recv(c, &value), go_case_done(ctx))) {
    case 0:
        printf("got %d\n", value);
        break;
    case 1:
        printf("select: %s\n", go_context_err_text(ctx));
    }
    go_context_end(ctx);
    go_chan_unref(c);
    return 0;
}
// Output:
// send: 0
// receive: 1
// sleep: ETIMEDOUT
// select: context deadline exceeded

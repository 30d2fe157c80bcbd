#include <gofer.h>
#include <signal.h>
#include <stdio.h>

static void clients(go_chan(int) requests)
{
    for (int i = 1; i <= 5; i++)
        go_send(requests, i);
    raise(SIGTERM); // in life: an operator's kill
}

static void serve(go_context *ctx, go_chan(int) requests, int *answers)
{
    int request;
    while (go_recv_ctx(ctx, requests, &request) == 1)
        answers[request] = request * request;
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) signals = go_chan_make(int, 1);
    go_signal_notify(signals, SIGTERM);
    go_chan(int) requests = go_chan_make(int, 0);
    int answers[6];
    go_scope(server)
    {
        for (int i = 0; i < 3; i++)
            go_in(server, serve, go_scope_context(server), requests, answers);
        go(clients, requests);
        printf("stopped by signal %d\n", go_recv(signals));
        go_scope_cancel(server); // no new requests; what was received is answered
    }
    for (int i = 1; i <= 5; i++)
        printf("%d: %d\n", i, answers[i]);
    return 0;
}
// Output:
// stopped by signal 15
// 1: 1
// 2: 4
// 3: 9
// 4: 16
// 5: 25

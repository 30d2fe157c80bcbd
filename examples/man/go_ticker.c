#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_ticker *t = go_ticker_new(GO_MILLISECOND);
    for (int i = 0; i < 3; i++) {
        go_recv(go_ticker_chan(t));
        puts("tick");
    }
    go_ticker_free(t);
    return 0;
}
// Output:
// tick
// tick
// tick

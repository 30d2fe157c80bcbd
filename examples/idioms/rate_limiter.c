#include <gofer.h>
#include <stdio.h>

#define INTERVAL (5 * GO_MILLISECOND)

// refill lets a request through every interval; two may be saved up.
static void refill(go_chan(go_unit) tokens)
{
    go_range (now, go_tick(INTERVAL)) {
        (void)now;
        go_signal(tokens);
    }
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(go_unit) tokens = go_chan_make(go_unit, 2);
    go_signal(tokens);
    go_signal(tokens);
    int64_t start = go_now();
    go(refill, tokens);
    for (int request = 1; request <= 5; request++) {
        go_recv(tokens);
        printf("request %d\n", request);
    }
    int slow = go_now() - start >= 3 * INTERVAL;
    printf("two at once, three one by one: %s\n", slow ? "true" : "false");
    return 0;
}
// Output:
// request 1
// request 2
// request 3
// request 4
// request 5
// two at once, three one by one: true

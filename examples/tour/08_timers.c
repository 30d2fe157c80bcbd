#include <gofer.h>
#include <stdio.h>

static void ring(void *done)
{
    printf("after func\n");
    go_signal(done);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    int64_t start = go_now();
    go_ticker *ticker = go_ticker_new(5 * GO_MILLISECOND);
    for (int i = 1; i <= 3; i++) {
        go_recv(go_ticker_chan(ticker));
        printf("tick %d\n", i);
    }
    go_ticker_free(ticker);
    printf("15 ms or more: %s\n", go_now() - start >= 15 * GO_MILLISECOND ? "yes" : "no");

    go_timer *timer = go_timer_new(GO_HOUR);
    printf("stopped in time: %d\n", go_timer_stop(timer));
    go_timer_reset(timer, GO_MILLISECOND);
    go_recv(go_timer_chan(timer));
    printf("timer\n");
    go_timer_free(timer);

    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    go_timer *after = go_after_func(GO_MILLISECOND, ring, done);
    go_recv(done);
    go_timer_free(after);
    return 0;
}
// Output:
// tick 1
// tick 2
// tick 3
// 15 ms or more: yes
// stopped in time: 1
// timer
// after func

#include <gofer.h>
#include <stdio.h>

static void say(void *text)
{
    puts(text);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_timer *t = go_timer_new(GO_HOUR);
    go_timer_reset(t, 5 * GO_MILLISECOND);
    puts(go_recv(go_timer_chan(t)) > 0 ? "expired" : "never");
    printf("stopped in time: %d\n", go_timer_stop(t));
    go_timer_free(t);

    t = go_after_func(GO_HOUR, say, "an hour has passed");
    printf("stopped in time: %d\n", go_timer_stop(t));
    go_timer_free(t);
    return 0;
}
// Output:
// expired
// stopped in time: 0
// stopped in time: 1

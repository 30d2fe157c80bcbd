#include <gofer.h>
#include <stdio.h>

static void wait_for(go_chan(go_unit) end)
{
    go_recv(end);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(go_unit) end = go_chan_make(go_unit, 0);
    go(wait_for, end);
    printf("%d goroutines; this is %d\n", go_num_goroutine(), (int)go_goid());
    go_signal(end);
    go_chan_unref(end);
    return 0;
}
// Output:
// 2 goroutines; this is 1

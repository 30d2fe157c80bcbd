#include <gofer.h>
#include <stdio.h>

static void produce(go_chan(int) numbers)
{
    for (int i = 1; i <= 3; i++)
        go_send(numbers, i);
    go_close(numbers);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) numbers = go_chan_make(int, 2);
    go(produce, numbers);
    go_range (number, numbers)
        printf("%d\n", number);
    int value, ok = go_recv_ok(numbers, &value);
    printf("closed: %d %d\n", ok, value);
    go_chan_unref(numbers);
    return 0;
}
// Output:
// 1
// 2
// 3
// closed: 0 0

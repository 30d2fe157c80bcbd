#include <gofer.h>
#include <stdio.h>

static void count(int from, int to, go_chan(int) numbers)
{
    for (int i = from; i <= to; i++)
        go_send(numbers, i); // blocks until somebody receives
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) numbers = go_chan_make(int, 0);
    go(count, 1, 3, numbers);
    int first = go_recv(numbers);
    int second = go_recv(numbers);
    int third = go_recv(numbers);
    printf("%d %d %d\n", first, second, third);
    return 0;
}
// Output:
// 1 2 3

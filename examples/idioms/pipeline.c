#include <gofer.h>
#include <stdio.h>

static void count(int n, go_chan(int) out)
{
    go_defer(go_close, out);
    for (int i = 1; i <= n; i++)
        go_send(out, i);
}

static void square(go_chan(int) in, go_chan(int) out)
{
    go_defer(go_close, out);
    go_range (v, in)
        go_send(out, v * v);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) numbers = go_chan_make(int, 0), squares = go_chan_make(int, 0);
    go(count, 4, numbers);
    go(square, numbers, squares);
    go_range (v, squares)
        printf("%d\n", v);
    return 0;
}
// Output:
// 1
// 4
// 9
// 16

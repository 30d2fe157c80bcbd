#include <gofer.h>
#include <stdio.h>

static void produce(int from, int to, go_chan(int) out)
{
    go_defer(go_close, out);
    for (int v = from; v < to; v++)
        go_send(out, v);
}

static void forward(go_chan(int) in, go_chan(int) out)
{
    go_range (v, in)
        go_send(out, v);
}

static void merge(go_chan(int) *inputs, int n, go_chan(int) out)
{
    go_waitgroup wg = { 0 };
    for (int i = 0; i < n; i++)
        go_waitgroup_go(&wg, forward, inputs[i], out);
    go_waitgroup_wait(&wg);
    go_close(out);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) inputs[3];
    for (int i = 0; i < 3; i++) {
        inputs[i] = go_chan_make(int, 0);
        go(produce, 10 * i, 10 * (i + 1), inputs[i]);
    }
    go_chan(int) out = go_chan_make(int, 0);
    go(merge, inputs, 3, out);
    int values = 0, sum = 0;
    go_range (v, out) {
        values++;
        sum += v;
    }
    printf("%d values, sum %d\n", values, sum);
    return 0;
}
// Output:
// 30 values, sum 435

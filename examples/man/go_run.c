#include <gofer.h>
#include <stdio.h>

static int sum(int argc, char **argv)
{
    (void)argv;
    go_chan(int) c = go_chan_make(int, argc);
    for (int i = 1; i <= argc; i++)
        go_send(c, i);
    go_close(c);
    int result = 0;
    go_range (value, c)
        result += value;
    go_chan_unref(c);
    return result;
}

int main(void)
{
    printf("%d\n", go_run(sum, 3, NULL));
    return go_shutdown(-1);
}
// Output:
// 6

#include <gofer.h>
#include <stdio.h>

static void swallow(void)
{
    (void)go_recover();
}

static int twice(int n)
{
    int result = 0;
    go_recoverable(result);
    go_defer(swallow);
    if (n < 0)
        go_panic_int(n);
    return 2 * n;
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("%d\n", twice(2));
    printf("%d\n", twice(-2));
    return 0;
}
// Output:
// 4
// 0

#include <gofer.h>
#include <stdio.h>

static void say_why(void)
{
    const go_panic_value *panic = go_recover();
    if (panic)
        printf("recovered: %s\n", panic->text);
}

static int checked_division(int a, int b)
{
    int result = -1; // what a recovered panic returns
    go_recoverable(result);
    go_defer(say_why);
    if (b == 0)
        go_panic("division of %d by zero", a);
    return a / b;
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("%d\n", checked_division(7, 2));
    printf("%d\n", checked_division(7, 0));
    return 0;
}
// Output:
// 3
// recovered: division of 7 by zero
// -1

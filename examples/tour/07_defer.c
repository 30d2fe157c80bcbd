#include <gofer.h>
#include <stdio.h>

static void rescue(int *result)
{
    const go_panic_value *panic = go_recover();
    if (panic) {
        printf("recovered: %s\n", panic->text);
        *result = -1;
    }
}

static int divide(int a, int b)
{
    int result = 0;
    go_recoverable(result); // what divide returns after a recovered panic
    go_defer(rescue, &result);
    go_defer(puts, "divide is left");
    if (b == 0)
        go_panic("division of %d by zero", a);
    result = a / b;
    return result;
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("%d\n", divide(42, 6));
    printf("%d\n", divide(42, 0));
    return 0;
}
// Output:
// divide is left
// 7
// divide is left
// recovered: division of 42 by zero
// -1

#include <gofer.h>
#include <stdio.h>

static int part(go_context *ctx, int n, int *result)
{
    if (n < 0)
        return 22; /* the others are cancelled */
    *result = n * n;
    return n == 0 && go_sleep_ctx(ctx, GO_HOUR) ? 1 : 0;
}

static int sum(int a, int b)
{
    int error = 0, results[2] = { 0, 0 };
    go_scope(s, NULL, &error)
    {
        go_in(s, part, go_scope_context(s), a, &results[0]);
        go_in(s, part, go_scope_context(s), b, &results[1]);
    }
    if (error)
        printf("error %d\n", error);
    return results[0] + results[1];
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("%d\n", sum(3, 4));
    printf("%d\n", sum(0, -1));
    return 0;
}
// Output:
// 25
// error 22
// 0

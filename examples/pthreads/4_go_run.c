#include <gofer.h>
#include <stdio.h>

static void square(int n, long *result)
{
    *result = (long)n * n;
}

// A task of the program's own that any thread may call: it runs as a goroutine, and so can defer,
// panic, recover and end by go_goexit.
static int sum_of_squares(int argc, char **argv)
{
    (void)argv;
    long squares[10] = { 0 }, sum = 0;
    go_scope(s)
    {
        for (int i = 0; i < argc; i++)
            go_in(s, square, i + 1, &squares[i]);
    } // all have ended here
    for (int i = 0; i < argc; i++)
        sum += squares[i];
    return (int)sum;
}

int main(void)
{
    int sum = go_run(sum_of_squares, 10, NULL);
    printf("%d\n", sum);
    return go_shutdown(-1);
}
// Output:
// 385

#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    int64_t start = go_now();
    go_sleep(20 * GO_MILLISECOND);
    puts(go_now() - start >= 20 * GO_MILLISECOND ? "slept" : "woke early");
    return 0;
}
// Output:
// slept

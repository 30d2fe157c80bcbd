#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_gomaxprocs(2);
    int before = go_gomaxprocs(1);
    printf("%d, was %d\n", go_gomaxprocs(0), before);
    printf("%s\n", go_num_cpu() >= 1 ? "at least one CPU" : "no CPU");
    return 0;
}
// Output:
// 1, was 2
// at least one CPU

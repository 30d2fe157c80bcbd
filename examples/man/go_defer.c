#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_defer(puts, "last");
    for (int i = 0; i < 2; i++) {
        go_defer(printf, "left block %d\n", i);
        printf("in block %d\n", i);
    }
    return 0;
}
// Output:
// in block 0
// left block 0
// in block 1
// left block 1
// last

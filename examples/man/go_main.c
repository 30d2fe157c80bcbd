#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("main's goroutine has the number %d\n", (int)go_goid());
    return 0;
}
// Output:
// main's goroutine has the number 1

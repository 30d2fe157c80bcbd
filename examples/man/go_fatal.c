#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    int table_is_whole = 1;
    if (!table_is_whole)
        go_fatal("the table is corrupt"); // nothing recovers this
    puts("the table is whole");
    return 0;
}
// Output:
// the table is whole

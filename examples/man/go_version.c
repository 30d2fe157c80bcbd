#include <gofer.h>
#include <stdio.h>
#include <string.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts(strcmp(go_version(), GOFER_VERSION) == 0 ? "header and library agree" : "they differ");
    return 0;
}
// Output:
// header and library agree

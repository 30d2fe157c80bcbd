#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char *found = go_look_path("sh");
    printf("%s\n", found ? "there is a shell" : "there is none");
    free(found);
    if (!go_look_path("no-such-command"))
        perror("no-such-command");
    return 0;
}
// Output:
// there is a shell

#include <gofer.h>
#include <stdio.h>
#include <string.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    static char text[64 * 1024];
    size_t n = go_stack(text, sizeof text, 1); /* all goroutines; here there is one */
    printf("%.*s\n", (int)strcspn(text, "\n"), text);
    return n == 0;
}
// Output:
// goroutine 1 [running]:

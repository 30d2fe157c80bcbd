#include <gofer.h>
#include <stdio.h>

__attribute__((noinline)) static void log_line(const char *text)
{
    go_frame from;
    int known = go_caller(1, &from) && from.line > 0; /* without -g there are no lines */
    printf("%s: %s\n", known ? "somewhere" : "nowhere", text);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    log_line("hello");
    return 0;
}
// Output:
// nowhere: hello

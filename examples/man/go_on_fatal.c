#include <gofer.h>
#include <stdio.h>

static void log_text(const char *text)
{
    fprintf(stderr, "logged: %s\n", text);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_on_fatal(log_text);
    go_on_fatal(NULL); // no longer
    puts("nothing was fatal");
    return 0;
}
// Output:
// nothing was fatal

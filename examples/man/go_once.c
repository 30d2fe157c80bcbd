#include <gofer.h>
#include <stdio.h>

static go_once once;

static void set_up(void *what)
{
    puts(what);
}

static void use(void)
{
    go_once_do(&once, set_up, "set up");
    puts("used");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (int i = 0; i < 3; i++)
        use();
    return 0;
}
// Output:
// set up
// used
// used
// used

#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char buffer_key; // its address is the key

static void work(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    char *buffer = strdup("its own buffer");
    if (!buffer || go_local_set(&buffer_key, buffer, free) != 0)
        go_panic("no memory");
    puts((char *)go_local_get(&buffer_key));
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(work, &wg);
    go_waitgroup_wait(&wg);
    puts(go_local_get(&buffer_key) ? "set here too" : "not set here");
    return 0;
}
// Output:
// its own buffer
// not set here

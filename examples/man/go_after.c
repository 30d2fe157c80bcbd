#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int64_t) later = go_after(5 * GO_MILLISECOND);
    puts(go_recv(later) > 0 ? "later" : "never");
    go_chan_unref(later);
    return 0;
}
// Output:
// later

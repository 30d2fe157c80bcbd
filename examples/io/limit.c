#include <gofer.h>
#include <stdio.h>
#include <sys/resource.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max; /* as far as it may go without a privilege */
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            puts("as many descriptors as may be had");
    }
    return 0;
}
// Output:
// as many descriptors as may be had

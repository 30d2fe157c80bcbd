/* go_run where there is no thread for it: an error, and none any more once there are threads. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <gofer.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int work(int argc, char **argv)
{
    (void)argv;
    return argc;
}

/* As a user that may have no more threads. */
static int as_nobody(void)
{
    struct rlimit limit, none;
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return 77;
    getrlimit(RLIMIT_NPROC, &limit);
    none = limit;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NPROC, &none);
    int result = go_run(work, 1, NULL);
    printf("limit: %d %s\n", result, strerror(errno));
    setrlimit(RLIMIT_NPROC, &limit);
    printf("again: %d\n", go_run(work, 5, NULL));
    return go_shutdown(-1);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "limit"))
        return as_nobody();
    int result = go_run(work, 1, NULL);
    printf("refused: %d %s\n", result, strerror(errno));
    return go_shutdown(0);
}

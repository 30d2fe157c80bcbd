/* Runs a command N times, one after the other, and prints the mean time of one in microseconds: the
 * row `startup`. For every contender the same. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1 /* O_WRONLY */, 0);
    int n = argc > 2 ? atoi(argv[1]) : 0;
    double start = now();
    for (int i = 0; i < n; i++) {
        pid_t child;
        int status;
        if (posix_spawn(&child, argv[2], &actions, NULL, argv + 2, environ) != 0 ||
            waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    printf("%.2f\n", (now() - start) / n);
    return n < 1;
}

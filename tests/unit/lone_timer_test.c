/* Timers fire although a program has but one goroutine, and that computes or stays in foreign code.
 * Each case is a process of its own, as a second goroutine would change the matter for good. Where
 * one fails it hangs. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic int over;

static void end(void *arg)
{
    (void)arg;
    over = 1;
}

static void compute(void)
{
    while (!over)
        ;
}

static int function_while_it_computes(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_timer *t = go_after_func(GO_MILLISECOND, end, NULL);
    compute();
    go_timer_free(t);
    return 0;
}

static int function_while_it_is_blocked(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_timer *t = go_after_func(GO_MILLISECOND, end, NULL);
    while (!over)
        usleep(1000);
    go_timer_free(t);
    return 0;
}

static int context_while_it_computes(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    while (!go_context_err(ctx))
        ;
    go_context_end(ctx);
    return 0;
}

static void *sleeps(void *arg)
{
    go_sleep(GO_MILLISECOND);
    end(arg);
    return NULL;
}

static int thread_sleeps_while_it_computes(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sleeps, NULL), 0);
    compute();
    pthread_join(thread, NULL);
    return 0;
}

static void run(int (*one)(int, char **), const char *procs)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("GOMAXPROCS", procs, 1);
        exit(go_run(one, 0, NULL));
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0), child);
    CHECK(status, 0);
}

int main(void)
{
    static int (*const all[])(
        int, char **) = { function_while_it_computes, function_while_it_is_blocked,
                          context_while_it_computes, thread_sleeps_while_it_computes };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        run(all[i], "1");
        run(all[i], "2");
    }
    return 0;
}

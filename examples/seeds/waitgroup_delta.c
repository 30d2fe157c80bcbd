/* What a wrong delta does, by argument: `large` never comes down to zero (deadlock, exit 2),
 * `small` lets main leave early (exit 0), `negative` is too small with main still alive (panic,
 * exit 2). */
#include <gofer.h>
#include <stdio.h>
#include <string.h>

static void run(int iter, const char *name)
{
    for (int i = 0; i < iter; i++) {
        go_sleep(GO_SECOND);
        printf("%s\n", name);
    }
}

static void run_a(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    run(1, "A");
}

static void run_b(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    run(5, "B");
}

int go_main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "large";
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, strcmp(which, "large") == 0 ? 3 : 1);
    go(run_a, &wg);
    go(run_b, &wg);
    go_waitgroup_wait(&wg);
    if (strcmp(which, "negative") == 0)
        run(10, "main");
    return 0;
}

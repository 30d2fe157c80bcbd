#include <gofer.h>
#include <stdio.h>

static int user; /* a key: its address counts */

static void serve(go_context *ctx, go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    printf("for %s\n", (const char *)go_context_value(ctx, &user));
    int error = go_context_wait(ctx);
    printf("%s: %s\n", error == ECANCELED ? "ECANCELED" : "ETIMEDOUT", go_context_cause_text(ctx));
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_context *all = go_context_with_timeout(NULL, GO_HOUR);
    go_context *request = go_context_with_value(all, &user, "gopher");
    go_waitgroup_add(&wg, 1);
    go(serve, request, &wg);
    go_gosched();
    go_context_cancel_cause(all, 0, "closing time");
    go_waitgroup_wait(&wg);
    go_context_unref(request);
    go_context_unref(all);
    return 0;
}
// Output:
// for gopher
// ECANCELED: closing time

#!/usr/bin/env bash
# What only a wrong program does with contexts and scopes: the text names it, the status is 2.
# shellcheck source=tests/unit/expect.sh
. "$(dirname "$0")/expect.sh"
compile misuse <<'C'
#include <gofer.h>
#include <stdio.h>
#include <string.h>
static int key;
static void wait_for(go_context *ctx)
{
    go_context_wait(ctx);
}
static void receive(go_context *ctx)
{
    go_recv_ok(go_context_done(ctx), NULL);
}
static void panics(void)
{
    go_panic("in a child");
}
int go_main(int argc, char **argv)
{
    const char *which = argv[1];
    go_context *ctx = go_context_with_cancel(NULL), *value = go_context_with_value(ctx, &key, &key);
    go_context *other = go_context_with_cancel(NULL);
    go_mutex mutex = { 0 };
    (void)argc;
    go_context_unref(other);
    if (strcmp(which, "err") == 0)
        go_context_err(other);
    else if (strcmp(which, "cancel") == 0)
        go_context_cancel(other);
    else if (strcmp(which, "unref") == 0)
        go_context_unref(other);
    else if (strcmp(which, "derive") == 0)
        go_context_with_cancel(other);
    else if (strcmp(which, "call") == 0)
        go_mutex_lock_ctx(other, &mutex);
    else if (strcmp(which, "value") == 0)
        go_context_cancel(value);
    else if (strcmp(which, "background") == 0)
        go_context_cancel(go_context_background());
    else if (strcmp(which, "waited-for") == 0 || strcmp(which, "received") == 0) {
        ctx = go_context_with_cancel(NULL);
        go(which[0] == 'w' ? wait_for : receive, ctx);
        go_gosched();
        go_sleep(GO_MILLISECOND);
        go_context_unref(ctx);
    } else if (strcmp(which, "nil-function") == 0)
        go_context_after_func(ctx, NULL, NULL);
    else if (strcmp(which, "nil-in-scope") == 0)
        go_scope (s)
            go_scope_spawn(s, NULL, NULL);
    else if (strcmp(which, "nil-key") == 0)
        go_context_with_value(ctx, NULL, NULL);
    else if (strcmp(which, "panic") == 0)
        go_scope (s)
            go_in(s, panics);
    puts("went on");
    return 0;
}
C
for which in err cancel unref derive call; do
    expect misuse $which 2 'fatal error: use of a go_context after its last reference is gone' 'no:went on'
done
for which in value background; do
    expect misuse $which 2 'fatal error: go_context_cancel of a context that was not made to be cancelled' 'no:went on'
done
for which in waited-for received; do
    expect misuse $which 2 'fatal error: go_context_unref: the last reference to a context for which goroutines wait'
done
expect misuse nil-function 2 'fatal error: go of nil func value'
expect misuse nil-in-scope 2 'fatal error: go of nil func value'
expect misuse nil-key 2 'panic: nil key' 'goroutine 1 [running]'
expect misuse panic 2 'panic: in a child' 'goroutine 1 [running]' 'no:went on'
expect misuse nothing 0 'went on'
exit $failed

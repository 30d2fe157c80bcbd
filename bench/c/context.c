/* Contexts. */
#include "bench.h"

/* The cancelling alone, for each child. */
static long context_cancel_1000(void)
{
    enum { CHILDREN = 1000 };
    static go_context *children[CHILDREN];
    long rounds = times(1000);
    for (long i = 0; i < rounds; i++) {
        stop_clock();
        go_context *parent = go_context_with_cancel(NULL);
        for (int j = 0; j < CHILDREN; j++)
            children[j] = go_context_with_cancel(parent);
        start_clock();
        go_context_cancel(parent);
        stop_clock();
        for (int j = 0; j < CHILDREN; j++)
            go_context_unref(children[j]);
        go_context_unref(parent);
        start_clock();
    }
    return rounds * CHILDREN;
}

enum { WIDE = 8, DEEP = 4 };

static void grow(go_context *parent, int depth, go_waitgroup *ready, go_waitgroup *gone)
{
    go_context *ctx = go_context_with_cancel(parent);
    if (depth > 0) {
        for (int i = 0; i < WIDE; i++)
            go(grow, ctx, depth - 1, ready, gone);
    }
    go_waitgroup_done(ready);
    check(go_context_wait(ctx) == ECANCELED);
    go_waitgroup_done(gone);
}

/* A goroutine waits for each context of a tree. */
static long context_tree(void)
{
    int size = 0;
    for (int depth = 0, level = 1; depth <= DEEP; depth++, level *= WIDE)
        size += level;
    long rounds = times(50);
    for (long i = 0; i < rounds; i++) {
        go_waitgroup ready = { 0 }, gone = { 0 };
        stop_clock();
        go_context *root = go_context_with_cancel(NULL);
        go_waitgroup_add(&ready, size);
        go_waitgroup_add(&gone, size);
        go(grow, root, DEEP, &ready, &gone);
        go_waitgroup_wait(&ready);
        start_clock();
        go_context_cancel(root);
        go_waitgroup_wait(&gone);
        go_context_unref(root);
    }
    return rounds * size;
}

static long context_value_depth10(void)
{
    static int keys[10];
    long n = times(20000000), found = 0;
    go_context *ctx = NULL;
    for (int i = 0; i < 10; i++) {
        go_context *above = ctx;
        ctx = go_context_with_value(above, &keys[i], &keys[i]);
        go_context_unref(above);
    }
    for (long i = 0; i < n; i++)
        found += go_context_value(ctx, &keys[0]) != NULL;
    check(found == n);
    go_context_unref(ctx);
    return n;
}

static long with_timeout_stop(void)
{
    long n = times(2000000);
    for (long i = 0; i < n; i++)
        go_context_end(go_context_with_timeout(NULL, GO_HOUR));
    return n;
}

static const struct row rows[] = {
    { "context_cancel_1000", "cancel a context with a thousand children: one child",
      context_cancel_1000 },
    { "context_tree", "cancel a tree of 4,681 contexts, each waited for: one goroutine",
      context_tree },
    { "context_value_depth10", "a value that the tenth context from here up has",
      context_value_depth10 },
    { "with_timeout_stop", "make a context with a timeout and end it", with_timeout_stop },
    { 0 },
};
const struct table context_table = { "Contexts", rows };

/* Starting goroutines, and taking turns. */
#include "bench.h"

static go_waitgroup wg;

static void yielder(long n)
{
    for (long i = 0; i < n; i++)
        go_gosched();
    go_waitgroup_done(&wg);
}

static long yield(void)
{
    long n = times(1000000);
    go_waitgroup_add(&wg, 2);
    go(yielder, n);
    go(yielder, n);
    go_waitgroup_wait(&wg);
    return 2 * n;
}

static void nothing(void)
{
    go_waitgroup_done(&wg);
}

static long spawn_finish(void)
{
    long rounds = times(1000);
    for (long i = 0; i < rounds; i++) {
        go_waitgroup_add(&wg, 1000);
        for (int j = 0; j < 1000; j++)
            go(nothing);
        go_waitgroup_wait(&wg);
    }
    return 1000 * rounds;
}

static void joined(go_chan(go_unit) c)
{
    go_signal(c);
}

static long spawn_join(void)
{
    long n = times(500000);
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    for (long i = 0; i < n; i++) {
        go(joined, c);
        go_recv(c);
    }
    go_chan_unref(c);
    return n;
}

static void nested(int depth)
{
    if (depth > 0) {
        go(nested, depth - 1);
        go(nested, depth - 1);
    }
    go_waitgroup_done(&wg);
}

static long spawn_nested(void)
{
    int depth = times(1000) > 1 ? 18 : 6, n = (2 << depth) - 1;
    go_waitgroup_add(&wg, n);
    nested(depth);
    go_waitgroup_wait(&wg);
    return n;
}

static void sky(go_chan(long) up, long number, long size)
{
    if (size == 1) {
        go_send(up, number);
        return;
    }
    go_chan(long) c = go_chan_make(long, 10);
    long sum = 0;
    for (int i = 0; i < 10; i++)
        go(sky, c, number + i * (size / 10), size / 10);
    for (int i = 0; i < 10; i++)
        sum += go_recv(c);
    go_chan_unref(c);
    go_send(up, sum);
}

static long skynet(void)
{
    long leaves = times(1000000);
    go_chan(long) c = go_chan_make(long, 0);
    go(sky, c, 0, leaves);
    check(go_recv(c) == leaves * (leaves - 1) / 2);
    return leaves;
}

/* The runner measures the whole process. */
static double startup(void)
{
    return 0;
}

static const struct row rows[] = {
    { "yield", "two goroutines take turns: one yield", yield },
    { "spawn_finish", "start a goroutine that ends at once, a thousand at a time", spawn_finish },
    { "spawn_join", "start a goroutine and wait for its word, one at a time", spawn_join },
    { "spawn_nested", "each goroutine starts two more, 18 levels deep: one goroutine",
      spawn_nested },
    { "skynet", "a tree of goroutines, ten below each, adds up a million numbers: one leaf",
      skynet },
    { "startup", "a whole process whose main returns at once", NULL, "us", startup },
    { 0 },
};
const struct table sched_table = { "Goroutines", rows };

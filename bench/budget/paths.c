/* The hot paths, each made N times between two marks that callgrind counts from and to: budget.py
 * reads the counts. On one processor. */
#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

static long n;
static go_waitgroup wg;

static void yields(void)
{
    for (long i = 0; i < n; i++)
        go_gosched();
    go_waitgroup_done(&wg);
}

static void yield(void)
{
    go_waitgroup_add(&wg, 1);
    go(yields);
    for (long i = 0; i < n; i++)
        go_gosched();
    go_waitgroup_wait(&wg);
}

static void echo(go_chan(long) in, go_chan(long) out)
{
    long v;
    while (go_recv_ok(in, &v))
        go_send(out, v);
    go_chan_unref(in);
    go_waitgroup_done(&wg);
}

/* Two hops. */
static void hop(void)
{
    go_chan(long) there = go_chan_make(long, 0), back = go_chan_make(long, 0);
    go_waitgroup_add(&wg, 1);
    go_chan_ref(there);
    go(echo, there, back);
    for (long i = 0; i < n; i++) {
        go_send(there, i);
        go_recv(back);
    }
    go_close(there);
    go_waitgroup_wait(&wg);
    go_chan_unref(there);
    go_chan_unref(back);
}

static void buffered(void)
{
    go_chan(long) c = go_chan_make(long, 1);
    for (long i = 0; i < n; i++) {
        go_send(c, i);
        go_recv(c);
    }
    go_chan_unref(c);
}

static void nothing(void)
{
}

static void nothing_of(void *a, long b)
{
    (void)a;
    (void)b;
}

static void spawn_finish(void)
{
    for (long i = 0; i < n; i++) {
        go(nothing);
        go_gosched();
    }
}

static void spawn_finish_arguments(void)
{
    for (long i = 0; i < n; i++) {
        go(nothing_of, NULL, i);
        go_gosched();
    }
}

static void select_ready(void)
{
    go_chan(long) a = go_chan_make(long, 1), b = go_chan_make(long, 1);
    for (long i = 0; i < n; i++) {
        long v;
        go_send(a, i);
        go_select(go_case_recv(a, &v), go_case_recv(b, &v));
    }
    go_chan_unref(a);
    go_chan_unref(b);
}

static void select_default(void)
{
    go_chan(long) a = go_chan_make(long, 0), b = go_chan_make(long, 0);
    for (long i = 0; i < n; i++) {
        long v;
        go_select(go_case_recv(a, &v), go_case_recv(b, &v), go_case_default);
    }
    go_chan_unref(a);
    go_chan_unref(b);
}

static void mutex(void)
{
    static go_mutex m;
    for (long i = 0; i < n; i++) {
        go_mutex_lock(&m);
        __asm__ volatile("" ::: "memory");
        go_mutex_unlock(&m);
    }
}

static void one_defer(void)
{
    go_defer(nothing);
}

static void defer(void)
{
    for (long i = 0; i < n; i++)
        one_defer();
}

static void recovers(void)
{
    go_recover();
}

static void panics(void)
{
    go_recoverable();
    go_defer(recovers);
    go_panic("a panic");
}

static void panic_recover(void)
{
    for (long i = 0; i < n / 10; i++) /* they take long: a tenth of the others */
        panics();
}

static void once(void)
{
    static go_once o;
    for (long i = 0; i < n; i++)
        go_once_do(&o, (void (*)(void *))(void *)nothing, NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} paths[] = {
    { "yield", yield },
    { "hop", hop },
    { "buffered", buffered },
    { "spawn_finish", spawn_finish },
    { "spawn_finish_arguments", spawn_finish_arguments },
    { "select_ready", select_ready },
    { "select_default", select_default },
    { "mutex", mutex },
    { "defer", defer },
    { "panic_recover", panic_recover },
    { "once", once },
};

int go_main(int argc, char **argv)
{
    n = argc > 1 ? atol(argv[1]) : 1000;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        paths[i].run(); /* caches are filled */
        CALLGRIND_ZERO_STATS;
        paths[i].run();
        CALLGRIND_DUMP_STATS_AT(paths[i].name);
    }
    return 0;
}

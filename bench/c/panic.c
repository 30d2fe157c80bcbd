/* Deferred calls, panics, and calls of foreign C functions. */
#include "bench.h"

static long counted;

static void count(long by)
{
    counted += by;
}

static __attribute__((noinline)) void defers(void)
{
    go_defer(count, 1);
}

static long defer(void)
{
    long n = times(20000000);
    for (long i = 0; i < n; i++)
        defers();
    check(counted == n);
    return n;
}

static void recovers(void)
{
    if (go_recover())
        counted++;
}

static __attribute__((noinline)) void panics(long i)
{
    go_recoverable();
    go_defer(recovers);
    go_panic_int(i);
}

static long panic_recover(void)
{
    long n = times(2000000);
    for (long i = 0; i < n; i++)
        panics(i);
    check(counted == n);
    return n;
}

static volatile int at_the_bottom = 1; /* or the compiler sees an endless recursion */

static __attribute__((noinline)) void sinks(int depth)
{
    go_defer(count, 1);
    if (depth > 1)
        sinks(depth - 1);
    if (at_the_bottom)
        go_panic_int(1);
}

static __attribute__((noinline)) void lands(void)
{
    go_recoverable();
    go_defer(recovers);
    sinks(10);
}

static long panic_deep(void)
{
    long n = times(500000);
    for (long i = 0; i < n; i++)
        lands();
    check(counted == 11 * n);
    return n;
}

/* What a library's function is to the compiler: unknown. */
static __attribute__((noinline)) long foreign(long v)
{
    __asm__ volatile("" : "+r"(v));
    return v + 1;
}

static long foreign_call(void)
{
    long n = times(20000000), v = 0;
    for (long i = 0; i < n; i++)
        v = foreign(v);
    check(v == n);
    return n;
}

static const struct row rows[] = {
    { "defer", "a function with a deferred call", defer },
    { "panic_recover", "panic, and recover in a deferred call", panic_recover },
    { "panic_deep", "panic through ten functions with deferred calls, and recover", panic_deep },
    { "foreign_call", "call a C function: here a plain call, in Go cgo's", foreign_call },
    { 0 },
};
const struct table panic_table = { "Defer, panic, foreign calls", rows };

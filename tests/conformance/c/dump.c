/* Crash reports whose form is compared, not only their states: see dump.py. The functions have the
 * same names in Go. */
#include "case.h"

#define NOINLINE __attribute__((noinline))

NOINLINE static void inner(go_chan(int) c)
{
    printf("%d\n", go_recv(c));
}

NOINLINE static void outer(go_chan(int) c)
{
    inner(c);
    puts("never");
}

NOINLINE static void worker(go_chan(int) a, go_chan(int) b)
{
    int index = go_select(go_case_recv(a, NULL), go_case_send(b, 1));
    printf("%d\n", index);
}

NOINLINE static void locked(go_chan(int) c)
{
    go_lock_os_thread();
    outer(c);
    puts("never");
}

NOINLINE static void begin(go_chan(int) c)
{
    go(worker, go_chan_make(int, 0), go_chan_make(int, 0));
    go(locked, c);
    go_gosched();
}

CASE(dump_of_a_deadlock)
{
    go_chan(int) c = go_chan_make(int, 0);
    begin(go_chan_make(int, 0));
    outer(c);
    return 0;
}

NOINLINE static void fails(int depth)
{
    if (depth == 0)
        go_panic("deep");
    fails(depth - 1);
    puts("never");
}

CASE(dump_of_a_panic)
{
    fails(2);
    return 0;
}

CASE(dump_of_a_deep_panic)
{
    fails(200);
    return 0;
}

NOINLINE static void prepare(void)
{
    go(fails, 1);
}

CASE(dump_of_a_goroutines_panic)
{
    prepare();
    go_recv(go_chan_make(int, 0));
    return 0;
}

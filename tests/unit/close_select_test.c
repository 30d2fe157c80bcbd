/* A close that wakes a plain receiver and then a select in the same queue: the select, awake, must
 * not touch the receiver's record, whose stack belongs to somebody else by then. The receiver
 * fills its stack with a pattern and yields until the select has gone on; an odd word is a write.
 */
#include "unit.h"

enum { WORDS = 512 };
static go_chan(int) closing;
static go_chan(int) other;
static int selected;
static go_waitgroup wg;

static __attribute__((noinline)) void watch(void)
{
    volatile uintptr_t words[WORDS];
    for (int i = 0; i < WORDS; i++)
        words[i] = (uintptr_t)0x5a5a5a5a5a5a5a5a;
    while (!__atomic_load_n(&selected, __ATOMIC_ACQUIRE))
        go_gosched();
    for (int i = 0; i < WORDS; i++)
        CHECK(words[i], (uintptr_t)0x5a5a5a5a5a5a5a5a);
}

static void receive(void)
{
    int v;
    CHECK(go_recv_ok(closing, &v), 0);
    watch();
    go_waitgroup_done(&wg);
}

static void choose(void)
{
    int v;
    CHECK(go_select(go_case_recv(closing, &v), go_case_recv(other, &v)), 0);
    __atomic_store_n(&selected, 1, __ATOMIC_RELEASE);
    go_waitgroup_done(&wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_gomaxprocs(1); /* yields bring the goroutines to where they wait, in order */
    for (int round = 0; round < 100; round++) {
        selected = 0;
        closing = go_chan_make(int, 0);
        other = go_chan_make(int, 0);
        go_waitgroup_add(&wg, 3);
        go(receive);
        go_gosched();
        go(choose);
        go_gosched();
        go(receive);
        go_gosched();
        go_close(closing);
        go_waitgroup_wait(&wg);
        go_chan_unref(closing);
        go_chan_unref(other);
    }
    return 0;
}

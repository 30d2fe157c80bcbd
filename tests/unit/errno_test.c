/* errno goes with its goroutine from thread to thread, through every kind of park. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <unistd.h>

static go_waitgroup wg;
static go_mutex mutex;
static int moved;

static void park_somehow(int number, int round, go_chan(int) c)
{
    switch ((number + round) % 5) {
    case 0:
        go_gosched();
        break;
    case 1:
        go_sleep(GO_MICROSECOND);
        break;
    case 2:
        go_mutex_lock(&mutex);
        go_gosched();
        go_mutex_unlock(&mutex);
        break;
    case 3:
        if (go_try_send(c, number) != GO_DONE)
            go_recv(c);
        break;
    default:
        go_select(go_case_recv(c, NULL), go_case_after(GO_MICROSECOND));
        break;
    }
}

/* Until it woke on another thread, and some rounds more. */
static void keeps_errno(int number, go_chan(int) c)
{
    pid_t thread = gettid();
    for (int round = 0, left = 50; left > 0; round++) {
        errno = number * 1000 + round % 1000;
        park_somehow(number, round, c);
        CHECK(errno, number * 1000 + round % 1000);
        left -= __atomic_load_n(&moved, __ATOMIC_RELAXED) > 0;
        if (gettid() != thread)
            __atomic_store_n(&moved, 1, __ATOMIC_RELAXED);
    }
    go_waitgroup_done(&wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    enum { GOROUTINES = 40 };
    go_chan(int) c = go_chan_make(int, 4);
    go_gomaxprocs(4);
    go_waitgroup_add(&wg, GOROUTINES);
    for (int i = 1; i <= GOROUTINES; i++)
        go(keeps_errno, i, c);
    errno = 7;
    go_waitgroup_wait(&wg);
    CHECK(errno, 7);
    return 0;
}

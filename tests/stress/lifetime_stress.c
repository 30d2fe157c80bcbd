/* What a call has observed the last event of may be gone at once: each round poisons and frees the
 * object right after wait, receive or lock returned. Run under ASan and TSan this finds a waker
 * that touches the object late. */
#include "stress.h"

#include <string.h>

static void done(go_waitgroup *wg)
{
    go_waitgroup_done(wg);
}

static void send(go_chan(int) c)
{
    go_send(c, 1);
}

static void close_it(go_chan(int) c)
{
    go_close(c);
}

static void unlock(go_mutex *m)
{
    go_mutex_unlock(m);
}

static void poison(void *object, size_t size)
{
    memset(object, 0xa5, size);
    free(object);
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 5000);
    unsigned random = stress_seed;
    for (long i = 0; i < stress_rounds; i++) {
        go_waitgroup *wg = calloc(1, sizeof *wg);
        go_waitgroup_add(wg, 2);
        go(done, wg);
        go(done, wg);
        stress_pause(&random);
        go_waitgroup_wait(wg);
        poison(wg, sizeof *wg);

        go_chan(int) c = go_chan_make(int, (int)(stress_random(&random) % 2));
        go(send, c);
        stress_pause(&random);
        STRESS_CHECK(go_recv(c), 1);
        go_chan_unref(c);

        c = go_chan_make(int, 0);
        go(close_it, c);
        stress_pause(&random);
        STRESS_CHECK(go_select(go_case_recv(c, NULL), go_case_after(GO_HOUR)), 0);
        go_chan_unref(c);

        go_mutex *m = calloc(1, sizeof *m);
        go_mutex_lock(m);
        go(unlock, m);
        stress_pause(&random);
        go_mutex_lock(m);
        go_mutex_unlock(m);
        poison(m, sizeof *m);
    }
    return 0;
}

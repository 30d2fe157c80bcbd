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

static void write_unlock(go_rwmutex *rw)
{
    go_rwmutex_unlock(rw);
}

static void read_unlock(go_rwmutex *rw)
{
    go_rwmutex_runlock(rw);
}

static void release(go_semaphore *s)
{
    go_semaphore_release(s, 1);
}

struct event {
    go_mutex mutex;
    go_cond cond;
    int came;
};

static void happen(struct event *event)
{
    go_mutex_lock(&event->mutex);
    event->came = 1;
    go_cond_signal(&event->cond);
    go_mutex_unlock(&event->mutex);
}

static void poison(void *object, size_t size)
{
    memset(object, 0xa5, size);
    free(object);
}

static void locks(unsigned *random)
{
    go_rwmutex *rw = calloc(1, sizeof *rw);
    go_rwmutex_lock(rw);
    go(write_unlock, rw);
    stress_pause(random);
    go_rwmutex_rlock(rw);
    go(read_unlock, rw);
    stress_pause(random);
    go_rwmutex_lock(rw);
    poison(rw, sizeof *rw);

    go_semaphore *s = calloc(1, sizeof *s);
    go_semaphore_init(s, 1);
    go_semaphore_acquire(s, 1);
    go(release, s);
    stress_pause(random);
    go_semaphore_acquire(s, 1);
    poison(s, sizeof *s);

    struct event *event = calloc(1, sizeof *event);
    event->cond.locker = go_mutex_locker(&event->mutex);
    go(happen, event);
    stress_pause(random);
    go_mutex_lock(&event->mutex);
    while (!event->came)
        go_cond_wait(&event->cond);
    go_mutex_unlock(&event->mutex);
    poison(event, sizeof *event);

    go_waitgroup *wg = calloc(1, sizeof *wg);
    go_waitgroup_go(wg, stress_pause, random);
    go_waitgroup_wait(wg);
    poison(wg, sizeof *wg);
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

        locks(&random);
    }
    return 0;
}

/* Cancelling those who wait for a mutex, a condition, a semaphore or a wait group: the call returns
 * -1 and the reason, the object is as if the call had never been, and who stood behind goes on. */
#include "unit.h"

#include "sync/sync.h"

#include <stdatomic.h>

static go_mutex mutex;
static go_rwmutex rw;
static go_semaphore semaphore = GO_SEMAPHORE(3);
static go_waitgroup group, ended;
static go_cond cond = { .locker = GO_LOCKER_MUTEX(&mutex) };
static _Atomic int events;

static int lock_mutex(gofer_cancel *source)
{
    return gofer_mutex_lock_cancellable(&mutex, source);
}

static int lock_rw(gofer_cancel *source)
{
    return gofer_rwmutex_lock_cancellable(&rw, source);
}

static int rlock_rw(gofer_cancel *source)
{
    return gofer_rwmutex_rlock_cancellable(&rw, source);
}

static int acquire_three(gofer_cancel *source)
{
    return gofer_semaphore_acquire_cancellable(&semaphore, 3, source);
}

static int acquire_four(gofer_cancel *source)
{
    return gofer_semaphore_acquire_cancellable(&semaphore, 4, source);
}

static int wait_group(gofer_cancel *source)
{
    return gofer_waitgroup_wait_cancellable(&group, source);
}

static int wait_cond(gofer_cancel *source)
{
    go_mutex_lock(&mutex);
    int result = gofer_cond_wait_cancellable(&cond, source), error = errno;
    CHECK(go_mutex_trylock(&mutex), 0); /* held again */
    go_mutex_unlock(&mutex);
    errno = error;
    return result;
}

static void expect_cancelled(int (*wait)(gofer_cancel *), gofer_cancel *source, int error)
{
    errno = 0;
    CHECK(wait(source), -1);
    CHECK(errno, error);
    events++;
}

static void yields(void)
{
    for (int i = 0; i < 5; i++)
        go_gosched();
}

/* `wait` would block now. */
static void check_cancel(int (*wait)(gofer_cancel *))
{
    gofer_cancel sources[3] = { 0 };
    events = 0;
    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&ended, expect_cancelled, wait, &sources[i],
                        i == 2 ? ETIMEDOUT : ECANCELED);
    yields();
    CHECK(events, 0);
    gofer_cancel_fire(&sources[1], ECANCELED);
    yields();
    CHECK(events, 1);
    gofer_cancel_fire(&sources[0], ECANCELED);
    gofer_cancel_fire(&sources[2], ETIMEDOUT);
    go_waitgroup_wait(&ended);
    CHECK(events, 3);
    expect_cancelled(wait, &sources[0], ECANCELED); /* already cancelled */
}

static void cancelled_waits_leave_no_trace(void)
{
    go_mutex_lock(&mutex);
    check_cancel(lock_mutex);
    CHECK(mutex.state, 1);
    go_mutex_unlock(&mutex);
    check_cancel(wait_cond);
    CHECK(cond.waiters == NULL, 1);
    go_rwmutex_lock(&rw);
    check_cancel(lock_rw);
    check_cancel(rlock_rw);
    CHECK(rw.state, 1);
    go_rwmutex_unlock(&rw);
    go_rwmutex_rlock(&rw);
    check_cancel(lock_rw);
    CHECK(rw.state, INT64_C(1) << 32); /* one reader */
    go_rwmutex_runlock(&rw);
    go_semaphore_acquire(&semaphore, 1);
    check_cancel(acquire_three);
    check_cancel(acquire_four);
    CHECK(semaphore.held, 1);
    go_semaphore_release(&semaphore, 1);
    go_waitgroup_add(&group, 1);
    check_cancel(wait_group);
    go_waitgroup_done(&group);
    CHECK(group.state, 0);
}

static void already_cancelled_wins_over_free(void)
{
    gofer_cancel source = { 0 };
    gofer_cancel_fire(&source, ECANCELED);
    expect_cancelled(lock_mutex, &source, ECANCELED);
    expect_cancelled(lock_rw, &source, ECANCELED);
    expect_cancelled(rlock_rw, &source, ECANCELED);
    expect_cancelled(acquire_three, &source, ECANCELED);
    expect_cancelled(wait_group, &source, ECANCELED);
    CHECK(mutex.state, 0);
    CHECK(rw.state, 0);
    CHECK(semaphore.held, 0);
}

static void read_once(void)
{
    go_rwmutex_rlock(&rw);
    events++;
    go_rwmutex_runlock(&rw);
}

/* Readers that wait behind a writer go on when it is cancelled, while another still reads. */
static void cancelled_writer_lets_readers_in(void)
{
    gofer_cancel source = { 0 };
    go_rwmutex_rlock(&rw);
    go_waitgroup_go(&ended, expect_cancelled, lock_rw, &source, ECANCELED);
    go_gosched();
    events = 0;
    go_waitgroup_go(&ended, read_once);
    go_waitgroup_go(&ended, read_once);
    yields();
    CHECK(events, 0);
    gofer_cancel_fire(&source, ECANCELED);
    go_waitgroup_wait(&ended);
    CHECK(events, 3);
    go_rwmutex_runlock(&rw);
    CHECK(rw.state, 0);
}

static void write_once(void)
{
    go_rwmutex_lock(&rw);
    events++;
    go_rwmutex_unlock(&rw);
}

/* The next writer waits in its place. */
static void cancelled_writer_makes_room_for_the_next(void)
{
    gofer_cancel source = { 0 };
    go_rwmutex_rlock(&rw);
    go_waitgroup_go(&ended, expect_cancelled, lock_rw, &source, ECANCELED);
    go_gosched();
    go_waitgroup_go(&ended, write_once);
    go_gosched();
    events = 0;
    gofer_cancel_fire(&source, ECANCELED);
    yields();
    CHECK(events, 1);
    CHECK(go_rwmutex_tryrlock(&rw), 0);
    go_rwmutex_runlock(&rw);
    go_waitgroup_wait(&ended);
    CHECK(events, 2);
    CHECK(rw.state, 0);
}

static void acquire(int64_t n)
{
    go_semaphore_acquire(&semaphore, n);
    events++;
}

/* One that asks for little gets it when the one in front gives up. */
static void cancelled_head_lets_the_next_in(void)
{
    gofer_cancel source = { 0 };
    go_semaphore_acquire(&semaphore, 2);
    go_waitgroup_go(&ended, expect_cancelled, acquire_three, &source, ECANCELED);
    go_gosched();
    go_waitgroup_go(&ended, acquire, 1);
    yields();
    events = 0;
    CHECK(go_semaphore_try_acquire(&semaphore, 1), 0);
    gofer_cancel_fire(&source, ECANCELED);
    go_waitgroup_wait(&ended);
    CHECK(events, 2);
    CHECK(semaphore.held, 3);
    go_semaphore_release(&semaphore, 3);
}

static void signal_goes_past_the_cancelled(void)
{
    gofer_cancel sources[2] = { 0 };
    go_waitgroup_go(&ended, expect_cancelled, wait_cond, &sources[0], ECANCELED);
    go_gosched();
    go_waitgroup_go(&ended, wait_cond, &sources[1]);
    go_gosched();
    gofer_cancel_fire(&sources[0], ECANCELED);
    go_cond_signal(&cond); /* the first has not run yet since */
    go_waitgroup_wait(&ended);
    CHECK(cond.waiters == NULL, 1);
}

static void lock_and_count(void)
{
    go_mutex_lock(&mutex);
    events++;
    go_mutex_unlock(&mutex);
}

static void unlock_goes_past_the_cancelled(void)
{
    gofer_cancel source = { 0 };
    go_mutex_lock(&mutex);
    go_waitgroup_go(&ended, expect_cancelled, lock_mutex, &source, ECANCELED);
    go_gosched();
    go_waitgroup_go(&ended, lock_and_count);
    go_gosched();
    events = 0;
    gofer_cancel_fire(&source, ECANCELED);
    go_mutex_unlock(&mutex);
    go_waitgroup_wait(&ended);
    CHECK(events, 2);
    CHECK(mutex.state, 0);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_gomaxprocs(1);
    cancelled_waits_leave_no_trace();
    already_cancelled_wins_over_free();
    cancelled_writer_lets_readers_in();
    cancelled_writer_makes_room_for_the_next();
    cancelled_head_lets_the_next_in();
    signal_goes_past_the_cancelled();
    unlock_goes_past_the_cancelled();
    return 0;
}

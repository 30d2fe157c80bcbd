/* Conditions whose waiters do not wait: those that are woken or cancelled and have not run since
 * when the condition goes, and those whose locker does not unlock. */
#include "unit.h"

#include "sync/sync.h"

static go_mutex mutex;
static go_waitgroup ended;
static int woken;

static void lock(void *unused)
{
    (void)unused;
    go_mutex_lock(&mutex);
}

/* As by a thread that is preempted then. */
static void unlock_slowly(void *unused)
{
    (void)unused;
    go_mutex_unlock(&mutex);
    go_gosched();
}

static void yields(void)
{
    for (int i = 0; i < 5; i++)
        go_gosched();
}

static go_cond *new_cond(void (*unlock)(void *))
{
    go_cond *c = calloc(1, sizeof *c);
    c->locker = (go_locker){ NULL, lock, unlock };
    return c;
}

/* As in POSIX's example for pthread_cond_destroy: all are woken, so none touches it any more. */
static void broadcast_and_free(go_cond *c)
{
    go_mutex_lock(&mutex);
    CHECK(c->waiters != NULL, 1);
    go_cond_broadcast(c);
    go_mutex_unlock(&mutex);
    memset(c, 0xa5, sizeof *c);
    __asm__ volatile("" ::: "memory"); /* or the compiler leaves the store out */
    free(c);
}

static void wait_for(go_cond *c, gofer_cancel *source, int result)
{
    go_mutex_lock(&mutex);
    CHECK(gofer_cond_wait_cancellable(c, source), result);
    woken++;
    go_mutex_unlock(&mutex);
}

static void goes_before_the_woken_park(void)
{
    woken = 0;
    for (int waiters = 1; waiters <= 3; waiters++) {
        go_cond *c = new_cond(unlock_slowly);
        for (int i = 0; i < waiters; i++)
            go_waitgroup_go(&ended, wait_for, c, NULL, 0);
        go_gosched();
        broadcast_and_free(c);
        go_waitgroup_wait(&ended);
    }
    CHECK(woken, 6);
}

static void goes_before_the_cancelled_run(void)
{
    woken = 0;
    go_cond *c = new_cond(unlock_slowly);
    gofer_cancel source = { 0 };
    go_waitgroup_go(&ended, wait_for, c, &source, -1);
    yields();
    gofer_cancel_fire(&source, ECANCELED);
    broadcast_and_free(c);
    go_waitgroup_wait(&ended);
    CHECK(woken, 1);
}

/* ---- lockers that do not unlock ----------------------------------------------------------- */

static void lock_nothing(void *unused)
{
    (void)unused;
}

static void unlock_by_panic(void *fails)
{
    if (*(int *)fails)
        go_panic("no unlock");
}

static void unlock_by_goexit(void *fails)
{
    if (*(int *)fails)
        go_goexit();
}

static void recover(int *recovered)
{
    *recovered = go_recover() != NULL;
}

static void wait_and_recover(go_cond *c, int *recovered)
{
    go_recoverable();
    go_defer(recover, recovered);
    go_cond_wait(c);
}

static void wait_once(go_cond *c)
{
    go_cond_wait(c);
    woken++;
}

/* The failed wait has left nothing behind: the signal is for the one that waits. */
static void signal_wakes_the_one_behind(go_cond *c)
{
    CHECK(c->waiters == NULL, 1);
    woken = 0;
    go_waitgroup_go(&ended, wait_once, c);
    yields();
    go_cond_signal(c);
    go_waitgroup_wait(&ended);
    CHECK(woken, 1);
}

static void unlock_panics(void)
{
    int fails = 1, recovered = 0;
    go_cond c = { .locker = { &fails, lock_nothing, unlock_by_panic } };
    wait_and_recover(&c, &recovered);
    CHECK(recovered, 1);
    fails = 0;
    signal_wakes_the_one_behind(&c);
}

static void unlock_ends_the_goroutine(void)
{
    int fails = 1;
    go_cond c = { .locker = { &fails, lock_nothing, unlock_by_goexit } };
    go_waitgroup_go(&ended, wait_once, &c);
    go_waitgroup_wait(&ended);
    fails = 0;
    signal_wakes_the_one_behind(&c);
}

int go_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    go_gomaxprocs(1);
    goes_before_the_woken_park();
    goes_before_the_cancelled_run();
    unlock_panics();
    unlock_ends_the_goroutine();
    return 0;
}

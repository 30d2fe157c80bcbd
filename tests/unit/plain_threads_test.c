/* Plain threads use everything as goroutines do: channels, select, wait groups, mutexes, once, go,
 * go_sleep, go_defer, panics; several are in go_run at once, and again. */
#include "unit.h"

#include <pthread.h>

enum { THREADS = 6, ROUNDS = 100 };

static go_chan(int) requests, replies, quit;
static go_mutex mutex;
static go_once once;
static int guarded, onces, deferred;

static void count(void *counter)
{
    ++*(int *)counter;
}

static void reply(void)
{
    for (;;) {
        int value = 0, ok = 0;
        switch (go_select(go_case_recv_ok(requests, &value, &ok), go_case_recv(quit, NULL))) {
        case 0:
            go_send(replies, value + 1);
            break;
        default:
            return;
        }
    }
}

static void add_guarded(int n)
{
    go_mutex_lock(&mutex);
    go_defer(go_mutex_unlock, &mutex);
    guarded += n;
}

static void note(int *sum)
{
    const go_panic_value *value = go_recover();
    *sum += value ? (int)value->integer : 1000;
}

static int panics(int code)
{
    int result = 0;
    go_recoverable(result);
    go_defer(note, &result);
    go_panic_error(code, "code %d", code);
}

static void done(go_waitgroup *wg)
{
    go_gosched();
    go_waitgroup_done(wg);
}

static int leaves(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_goexit();
}

static int returns(int argc, char **argv)
{
    (void)argv;
    go_gosched();
    return argc;
}

static int nested(int argc, char **argv)
{
    int result = go_run(returns, argc + 1, argv); /* in a goroutine */
    errno = 0;
    CHECK(go_run(leaves, 0, NULL), -1);
    CHECK(errno, ECANCELED);
    return result;
}

static void one_round(int i)
{
    int value = 0;
    switch (go_select(go_case_send(requests, i), go_case_after(GO_HOUR))) {
    case 0:
        break;
    default:
        CHECK(0, 1);
    }
    CHECK(go_select(go_case_recv(replies, &value), go_case_after(GO_HOUR)), 0);
    CHECK(value > 0, 1);
    CHECK(go_select(go_case_recv(quit, NULL), go_case_after(GO_MICROSECOND)), 1);
    CHECK(go_try_recv(quit, NULL), GO_WOULD_BLOCK);
    add_guarded(1);
    go_once_do(&once, count, &onces);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 3);
    for (int k = 0; k < 3; k++)
        go(done, &wg);
    go_waitgroup_wait(&wg);
    go_sleep(GO_MICROSECOND);
    CHECK(panics(i + 1), i + 1);
    CHECK(go_goid(), 0);
    {
        go_defer(count, &value);
    }
    CHECK(go_run(nested, i, NULL), i + 1);
}

static void *thread(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++)
        one_round(i);
    __atomic_fetch_add(&deferred, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void lock_guarded(void *sum)
{
    go_mutex_lock(&mutex);
    go_defer(go_mutex_unlock, &mutex);
    ++*(int *)sum;
}

static __attribute__((noinline)) void exit_here(void *room)
{
    go_defer(count, room);
    pthread_exit(NULL);
}

/* Compiled without -fexceptions the frames' deferred calls are skipped. */
static void *exits(void *sum)
{
    int room[1024] = { 0 }; /* the deferred call lies below all that destructors call */
    CHECK(go_local_set(&deferred, sum, lock_guarded), 0);
    exit_here(room);
    return NULL;
}

static void destructors_defer_after_pthread_exit(void)
{
    pthread_t exiting;
    int destroyed = 0;
    CHECK(pthread_create(&exiting, NULL, exits, &destroyed), 0);
    pthread_join(exiting, NULL);
    CHECK(destroyed, 1);
}

int main(void)
{
    pthread_t threads[THREADS];
    requests = go_chan_make(int, 0);
    replies = go_chan_make(int, THREADS);
    quit = go_chan_make(int, 0);
    go(reply);
    go(reply);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    go_close(quit);
    CHECK(guarded, THREADS * ROUNDS);
    CHECK(onces, 1);
    CHECK(deferred, THREADS);
    destructors_defer_after_pthread_exit();
    CHECK(go_shutdown(-1), 0);
    return 0;
}

/* go_shutdown: the runtime ends, leaves no thread, and starts again; or says that it is busy. */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

enum { ROUNDS = 100, THREADS = 4 };

static int thread_count(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n - 2;
}

static int threads_before;

/* The kernel tells who joins a thread a moment before it takes that out of the list. */
static int threads_left(void)
{
    int n = thread_count();
    for (int i = 0; n != threads_before && i < 1000000; i++) {
        sched_yield();
        n = thread_count();
    }
    return n;
}

static void shut_down(void)
{
    CHECK(go_shutdown(-1), 0);
    CHECK(threads_left(), threads_before);
    CHECK(go_num_goroutine(), 0);
}

static void add_one(int *sum, go_mutex *mutex, go_waitgroup *wg)
{
    go_sleep(GO_MICROSECOND);
    go_mutex_lock(mutex);
    ++*sum;
    go_mutex_unlock(mutex);
    go_waitgroup_done(wg);
}

static void ends_locked(go_waitgroup *wg)
{
    go_lock_os_thread();
    go_gosched();
    go_waitgroup_done(wg);
}

static int work(int argc, char **argv)
{
    (void)argv;
    int sum = 0;
    go_mutex mutex = { 0 };
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, argc + 2);
    for (int i = 0; i < argc; i++)
        go(add_one, &sum, &mutex, &wg);
    go(ends_locked, &wg);
    go(ends_locked, &wg);
    go_waitgroup_wait(&wg);
    return sum;
}

static void runs_again_and_again(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(go_run(work, 20, NULL), 20);
        if (i % 3 == 0)
            go_gomaxprocs(1 + i % 5);
        shut_down();
        CHECK(go_shutdown(0), 0);
    }
}

static void receive(go_chan(int) c)
{
    go_recv(c);
}

static void says_busy_while_goroutines_are_left(void)
{
    go_chan(int) c = go_chan_make(int, 0);
    go(receive, c);
    errno = 0;
    CHECK(go_shutdown(0), -1);
    CHECK(errno, EBUSY);
    CHECK(go_shutdown(GO_MILLISECOND), -1);
    CHECK(errno, EBUSY);
    go_send(c, 1); /* all went on */
    shut_down();
    go_chan_unref(c);
}

static void waits_for_goroutines(void)
{
    static int sum;
    static go_mutex mutex;
    static go_waitgroup wg;
    go_waitgroup_add(&wg, 50);
    for (int i = 0; i < 50; i++)
        go(add_one, &sum, &mutex, &wg);
    shut_down();
    CHECK(sum, 50);
}

static int in_goroutine(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    errno = 0;
    CHECK(go_shutdown(0), -1);
    CHECK(errno, EDEADLK);
    return 0;
}

static int meet(int argc, char **argv)
{
    (void)argc;
    go_chan(int) c = (void *)argv;
    return go_recv(c);
}

static void *in_go_run(void *c)
{
    CHECK(go_run(meet, 0, c), 7);
    return NULL;
}

static void is_busy_while_threads_are_inside(void)
{
    pthread_t threads[THREADS];
    go_chan(int) c = go_chan_make(int, 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, in_go_run, c), 0);
    while (go_num_goroutine() < THREADS)
        sched_yield();
    CHECK(go_shutdown(0), -1);
    CHECK(errno, EBUSY);
    for (int i = 0; i < THREADS; i++)
        go_send(c, 7);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    shut_down();
    go_chan_unref(c);
}

static void drops_a_timer_that_nobody_waits_for(void)
{
    int64_t value;
    go_chan(int64_t) after = go_after(GO_HOUR);
    shut_down();
    CHECK(go_try_recv(after, &value), GO_WOULD_BLOCK);
    go_chan_unref(after);
}

static void handlers_are_as_they_were(void)
{
    struct sigaction before, after;
    sigaction(SIGQUIT, NULL, &before);
    CHECK(go_run(work, 1, NULL), 1);
    shut_down();
    sigaction(SIGQUIT, NULL, &after);
    CHECK(after.sa_handler == before.sa_handler, 1);
}

/* Threads that run, spawn and shut down as they like: no call fails but by EBUSY. */
static void *any_order(void *seed)
{
    unsigned random = (unsigned)(uintptr_t)seed;
    for (int i = 0; i < ROUNDS; i++) {
        random = random * 1103515245 + 12345;
        switch (random >> 16 & 3) {
        case 0:
            CHECK(go_run(work, 3, NULL), 3);
            break;
        case 1:
            go_sleep(GO_MICROSECOND);
            break;
        case 2: {
            go_chan(int) c = go_chan_make(int, 0);
            go(receive, c);
            go_send(c, 1);
            go_chan_unref(c);
            break;
        }
        default:
            if (go_shutdown((random >> 20 & 3) * 10 * GO_MICROSECOND) != 0)
                CHECK(errno, EBUSY);
            break;
        }
    }
    return NULL;
}

static void at_once_from_several_threads(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, any_order, (void *)(uintptr_t)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    shut_down();
}

static pthread_key_t key;
static int destroyed;

/* On a thread of the runtime's that ends: it starts the runtime anew. */
static void run_at_end(void *value)
{
    (void)value;
    CHECK(go_run(work, 3, NULL), 3);
    if (__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED) % 2 && go_shutdown(GO_MICROSECOND) != 0)
        CHECK(errno, EBUSY);
}

static void set_value(go_waitgroup *all)
{
    go_lock_os_thread(); /* each has another */
    CHECK(pthread_setspecific(key, &key), 0);
    go_waitgroup_done(all);
    go_waitgroup_wait(all);
    go_unlock_os_thread();
}

static int set_values(int argc, char **argv)
{
    (void)argv;
    go_waitgroup all = { 0 };
    go_waitgroup_add(&all, argc);
    for (int i = 1; i < argc; i++)
        go(set_value, &all);
    set_value(&all);
    return 0;
}

static void *shut_down_too(void *unused)
{
    (void)unused;
    CHECK(go_shutdown(-1), 0);
    return NULL;
}

static void destructors_use_the_runtime(void)
{
    CHECK(pthread_key_create(&key, run_at_end), 0);
    for (int i = 1; i <= 10; i++) {
        pthread_t other;
        go_run(set_values, THREADS, NULL);
        CHECK(pthread_create(&other, NULL, shut_down_too, NULL), 0);
        CHECK(go_shutdown(-1), 0);
        CHECK(__atomic_load_n(&destroyed, __ATOMIC_RELAXED), i * THREADS);
        pthread_join(other, NULL);
        shut_down();
    }
    pthread_key_delete(key);
}

int main(void)
{
    threads_before = thread_count();
    CHECK(go_shutdown(0), 0); /* it does not run */
    runs_again_and_again();
    says_busy_while_goroutines_are_left();
    waits_for_goroutines();
    CHECK(go_run(in_goroutine, 0, NULL), 0);
    is_busy_while_threads_are_inside();
    drops_a_timer_that_nobody_waits_for();
    handlers_are_as_they_were();
    at_once_from_several_threads();
    destructors_use_the_runtime();
    return 0;
}

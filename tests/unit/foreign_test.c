/* A goroutine that computes or blocks in foreign code holds up nobody, with one processor. Where
 * that fails the program hangs; nothing here depends on how long things take. */
#define _GNU_SOURCE 1
#include "unit.h"

#include "sched/sched.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

static go_waitgroup wg;
static int stop, pipes[2];

static int thread_count(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n - 2;
}

static void spin(void)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        ;
    go_waitgroup_done(&wg);
}

static void computing_holds_up_nobody(void)
{
    go_waitgroup_add(&wg, 2);
    go(spin);
    go(spin);
    for (int i = 0; i < 20; i++)
        go_gosched();
    go_sleep(GO_MILLISECOND);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    go_waitgroup_wait(&wg);
}

static void read_one(void)
{
    char byte;
    CHECK(read(pipes[0], &byte, 1), 1);
    go_waitgroup_done(&wg);
}

static void blocking_holds_up_nobody(int n)
{
    static const char bytes[1000];
    CHECK(pipe(pipes), 0);
    go_waitgroup_add(&wg, n);
    for (int i = 0; i < n; i++)
        go(read_one);
    go_sleep(GO_MILLISECOND);
    CHECK(write(pipes[1], bytes, (size_t)n), n);
    go_waitgroup_wait(&wg);
    close(pipes[0]);
    close(pipes[1]);
}

static double cpu_milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int most_threads;

static void compute(double milliseconds)
{
    double start = cpu_milliseconds();
    while (cpu_milliseconds() - start < milliseconds)
        ;
    int n = thread_count();
    if (n > __atomic_load_n(&most_threads, __ATOMIC_RELAXED))
        __atomic_store_n(&most_threads, n, __ATOMIC_RELAXED);
    go_waitgroup_done(&wg);
}

/* A crowd that computes does not become a crowd of threads. */
static void few_threads_for_many_hogs(void)
{
    int before = thread_count();
    go_waitgroup_add(&wg, 60);
    for (int i = 0; i < 60; i++)
        go(compute, 30.0);
    go_waitgroup_wait(&wg);
    int limit = before > 12 ? before : 12;
    CHECK(most_threads <= limit, 1);
}

#ifndef __SANITIZE_THREAD__ /* it looks at the monitor's notes */
static bool is_hog(const gofer_m *m)
{
    return __atomic_load_n(&m->is_hog, __ATOMIC_RELAXED);
}

/* Ends, and its thread with it unless that is the process's first, soon after its processor was
 * taken. */
static void compute_until_taken(gofer_m **where)
{
    go_lock_os_thread();
    gofer_m *m = gofer_m_self();
    while (!is_hog(m))
        if (atomic_load_explicit(&m->is_detached, memory_order_relaxed))
            go_gosched(); /* taken, as if it blocked */
    __atomic_store_n(where, m, __ATOMIC_RELAXED);
}

/* The monitor's patience grows with the hogs that it counts. */
static void hogs_that_ended_count_no_more(void)
{
    for (int i = 0; i < 10; i++) {
        gofer_m *m = NULL;
        go(compute_until_taken, &m);
        while (!__atomic_load_n(&m, __ATOMIC_RELAXED))
            go_gosched();
        while (is_hog(m))
            go_gosched();
    }
}
#endif

static void in_region(void)
{
    char byte;
    go_blocking_begin();
    CHECK(read(pipes[0], &byte, 1), 1);
    go_blocking_end();
    go_waitgroup_done(&wg);
}

static void blocking_region(void)
{
    CHECK(pipe(pipes), 0);
    go_waitgroup_add(&wg, 1);
    go(in_region);
    go_gosched();
    CHECK(write(pipes[1], "x", 1), 1);
    go_waitgroup_wait(&wg);
}

static void same_thread(int lock)
{
    if (lock)
        go_lock_os_thread();
    pid_t before = gettid();
    for (int i = 0; i < 200; i++) {
        if (i % 50 == 0)
            go_sleep(GO_MICROSECOND);
        else
            go_gosched();
        CHECK(gettid(), before);
    }
    go_waitgroup_done(&wg);
}

static void goroutines_keep_their_thread(void)
{
    go_options sticky = { .sticky = 1 };
    go_waitgroup_add(&wg, 20);
    for (int i = 0; i < 10; i++) {
        go_with(&sticky, same_thread, 0);
        go(same_thread, 1);
    }
    go_waitgroup_wait(&wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_gomaxprocs(1);
    few_threads_for_many_hogs();
    computing_holds_up_nobody();
#ifndef __SANITIZE_THREAD__
    hogs_that_ended_count_no_more();
#endif
    blocking_holds_up_nobody(200);
    blocking_region();
    goroutines_keep_their_thread();
    go_gomaxprocs(4);
    goroutines_keep_their_thread();
    return 0;
}

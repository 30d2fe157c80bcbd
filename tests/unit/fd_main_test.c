/* Descriptors in a program with its own main: plain threads alone, one goroutine alone, the
 * runtime's end, and that an idle program sleeps. */
#define _GNU_SOURCE
#include "fd.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { BYTES = 1 << 20 };

static void *write_bytes(void *to)
{
    char *bytes = calloc(1, BYTES);
    CHECK(go_fd_write(to, bytes, BYTES), BYTES);
    free(bytes);
    return NULL;
}

/* No goroutine was ever there. */
static void plain_threads_alone(void)
{
    go_fd *from, *to;
    pthread_t thread;
    char *bytes = malloc(BYTES);
    make_pipe(&from, &to);
    CHECK(pthread_create(&thread, NULL, write_bytes, to), 0);
    CHECK(go_fd_read_full(from, bytes, BYTES), BYTES);
    pthread_join(thread, NULL);
    CHECK(go_fd_set_deadline(from, GO_READABLE, go_now() + GO_MILLISECOND), 0);
    CHECK_FAILS(go_fd_read(from, bytes, 1), ETIMEDOUT);
    CHECK(go_fd_set_deadline(from, GO_READABLE, 0), 0);
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    CHECK_FAILS(go_fd_read_ctx(ctx, from, bytes, 1), ETIMEDOUT);
    go_context_unref(ctx);
    CHECK_FAILS(go_shutdown(0), EBUSY);
    go_fd_unref(from);
    go_fd_unref(to);
    free(bytes);
    CHECK(go_shutdown(-1), 0);
}

/* ---- one goroutine that never waits ---------------------------------------------------------- */

static _Atomic bool was_read;
static go_fd *ends[2];

static void *read_byte(void *unused)
{
    char byte;
    CHECK(go_fd_read(ends[0], &byte, 1), 1);
    atomic_store_explicit(&was_read, true, memory_order_relaxed);
    return unused;
}

static int computes(int argc, char **argv)
{
    (void)argv;
    pthread_t thread;
    atomic_store_explicit(&was_read, false, memory_order_relaxed);
    CHECK(pthread_create(&thread, NULL, read_byte, NULL), 0);
    while (!atomic_load_explicit(&ends[0]->directions[GOFER_FD_READ].waiter, memory_order_relaxed))
        sched_yield();
    CHECK(write(go_fd_number(ends[1]), "a", 1), 1);
    while (!atomic_load_explicit(&was_read, memory_order_relaxed))
        ;
    pthread_join(thread, NULL);
    return argc;
}

static void one_goroutine_computes(void)
{
    for (int procs = 1; procs <= 2; procs++) {
        go_gomaxprocs(procs);
        CHECK(go_fd_pipe(ends), 0);
        CHECK(go_run(computes, 7, NULL), 7);
        unref_pair(ends);
        CHECK(go_shutdown(-1), 0); /* so that the next begins without a monitor */
    }
    go_gomaxprocs(2);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void *shut_down(void *waiting)
{
    atomic_store_explicit((_Atomic bool *)waiting, true, memory_order_relaxed);
    CHECK(go_shutdown(-1), 0);
    return NULL;
}

/* go_shutdown waits for the last descriptor, whoever closes it. */
static void shutdown_waits_for_descriptors(void)
{
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        _Atomic bool waiting = false;
        make_pipe(&ends[0], &ends[1]);
        CHECK(pthread_create(&thread, NULL, shut_down, &waiting), 0);
        while (!atomic_load_explicit(&waiting, memory_order_relaxed))
            sched_yield();
        if (i % 2) /* so that it waits in all likelihood */
            usleep(1000);
        char byte = 'a';
        CHECK(go_fd_write(ends[1], &byte, 1), 1);
        CHECK(go_fd_read(ends[0], &byte, 1), 1);
        CHECK(go_fd_close(ends[0]), 0);
        unref_pair(ends);
        pthread_join(thread, NULL);
    }
}

/* ---- a child --------------------------------------------------------------------------------- */

/* A close in the child of a fork is the child's own. */
static void fork_leaves_the_parent_alone(void)
{
    char byte;
    int status;
    make_pipe(&ends[0], &ends[1]);
    pid_t child = fork();
    if (child == 0) {
        go_fd_unref(ends[0]);
        go_fd_unref(ends[1]);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0), child);
    CHECK(status, 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, read_byte, NULL), 0);
    while (!atomic_load_explicit(&ends[0]->directions[GOFER_FD_READ].waiter, memory_order_relaxed))
        sched_yield();
    CHECK(go_fd_write(ends[1], "a", 1), 1);
    pthread_join(thread, NULL);
    unref_pair(ends);
    (void)byte;
}

/* ---- sleeping -------------------------------------------------------------------------------- */

/* How often the other threads went to sleep so far: each wake-up is followed by one. */
static long sleeps_of_others(void)
{
    DIR *tasks = opendir("/proc/self/task");
    long sum = 0;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        char path[300], line[128];
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = fopen(path, "re");
        long n = 0;
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
                sum += n;
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return sum;
}

static void accept_none(go_fd *listener)
{
    CHECK(go_fd_accept(listener, NULL, NULL) == NULL && errno == EBADF, 1);
}

static int start_accepting(int argc, char **argv)
{
    (void)argv;
    go(accept_none, ends[0]);
    await_waiter(ends[0], GOFER_FD_READ);
    return argc;
}

/* A listener is open, and somebody accepts, with a deadline far off: nobody wakes up now and then
 * to look. In a whole second there may be an odd wake-up of a system that was asleep, no more. */
__attribute__((unused)) static void an_idle_program_sleeps(void)
{
    struct sockaddr_in address;
    ends[0] = tcp_listener(&address, 1);
    CHECK(go_run(start_accepting, 0, NULL), 0);
    CHECK(go_fd_set_deadline(ends[0], GO_READABLE, go_now() + GO_HOUR), 0);
    while (!atomic_load_explicit(&gofer_sched.monitor_sleeps, memory_order_relaxed))
        usleep(1000);
    long before = sleeps_of_others();
    sleep(1);
    long after = sleeps_of_others();
    if (after - before > 3) {
        fprintf(stderr, "%ld wake-ups in an idle second, expected 3 at most\n", after - before);
        exit(1);
    }
    CHECK(go_fd_close(ends[0]), 0);
    go_fd_unref(ends[0]);
    CHECK(go_shutdown(-1), 0);
}

int main(void)
{
    one_goroutine_computes();
    for (int i = 0; i < 20; i++)
        plain_threads_alone();
    shutdown_waits_for_descriptors();
    fork_leaves_the_parent_alone();
#ifndef __SANITIZE_THREAD__ /* which has a thread that looks about now and then */
    an_idle_program_sleeps();
#endif
    return 0;
}

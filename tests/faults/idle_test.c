/* A program in which all wait wakes nothing periodically: once it has come to rest, its threads are
 * not scheduled again, however long one looks. */
#define _GNU_SOURCE 1
#include "../unit/unit.h"

#include <dirent.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static go_chan(int) gate;
static pid_t watcher;

static long switches_of(const char *tid)
{
    char path[300], line[128];
    long n = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        long value;
        if (sscanf(line, "voluntary_ctxt_switches: %ld", &value) == 1)
            n = value;
    }
    if (file)
        fclose(file);
    return n;
}

/* Of all threads but the watcher. */
static long switches(void)
{
    long n = 0;
    struct dirent *entry;
    DIR *tasks = opendir("/proc/self/task");
    while ((entry = readdir(tasks)))
        if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != watcher)
            n += switches_of(entry->d_name);
    closedir(tasks);
    return n;
}

static void pass(long milliseconds)
{
    struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

/* Whether nothing woke in a second. It may take some looks until all have come to rest: a thread
 * that keeps the deadlock report quiet is looked for again, less and less often. */
static int rests(void)
{
    long before = switches();
    pass(1000);
    return switches() - before <= 2;
}

static void *watch(void *unused)
{
    (void)unused;
    watcher = gettid();
    int rested = 0;
    for (int i = 0; i < 60 && rested < 2; i++)
        rested = rests() ? rested + 1 : 0;
    CHECK(rested, 2);
    go_send(gate, 1);
    return NULL;
}

static void wait_for(go_chan(int) c)
{
    go_recv(c);
}

static void read_from(go_fd *fd)
{
    char byte;
    go_fd_read(fd, &byte, 1);
}

int go_main(int argc, char **argv)
{
    pthread_t thread;
    (void)argc;
    (void)argv;
    gate = go_chan_make(int, 0);
    go_chan(int) never = go_chan_make(int, 0);
    go_gomaxprocs(4);
    for (int i = 0; i < 100; i++)
        go(wait_for, never);
    for (int i = 0; i < 100; i++) { /* nor do descriptors, with a deadline or without */
        go_fd *ends[2];
        CHECK(go_fd_pipe(ends), 0);
        if (i % 2)
            CHECK(go_fd_set_deadline(ends[0], GO_READABLE, go_now() + GO_HOUR), 0);
        go(read_from, ends[0]);
    }
    CHECK(pthread_create(&thread, NULL, watch, NULL), 0);
    go_recv(gate); /* with a timer far away, too */
    go_chan(int64_t) after = go_after(GO_HOUR);
    CHECK(pthread_join(thread, NULL), 0);
    CHECK(pthread_create(&thread, NULL, watch, NULL), 0);
    go_recv(gate);
    CHECK(pthread_join(thread, NULL), 0);
    /* and waiting for a descriptor */
    go_fd *pipes[2];
    CHECK(go_fd_pipe(pipes), 0);
    go(read_from, pipes[0]);
    CHECK(pthread_create(&thread, NULL, watch, NULL), 0);
    go_recv(gate);
    CHECK(pthread_join(thread, NULL), 0);
    go_fd_unref(pipes[1]);
    go_chan_unref(after);
    return 0;
}

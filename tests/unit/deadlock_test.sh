#!/usr/bin/env bash
# Deadlocks that come about without anybody who could tell the runtime: a plain thread ends or waits
# for good, while the goroutines wait already. The pauses let them come to that; with none the
# report must come too.
# shellcheck source=tests/unit/expect.sh
. "$(dirname "$0")/expect.sh"
compile ends <<'C'
#include <gofer.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
static go_chan(int) never, to_plain;
static go_fd *fd;
static const char *which;
static int begun;
static int is(const char *word)
{
    return !strncmp(which, word, strlen(word));
}
static void start(void *(*fn)(void *))
{
    pthread_t thread;
    pthread_create(&thread, NULL, fn, NULL);
    pthread_detach(thread);
}
static void *ends(void *unused)
{
    usleep(100000);
    return NULL;
}
/* The last that runs, when the other threads are idle: its own ends with it, before the plain one
 * does. */
static void tied(void)
{
    __atomic_store_n(&begun, 1, __ATOMIC_RELAXED);
    go_lock_os_thread();
    go_sleep(20 * GO_MILLISECOND);
    usleep(5000);
    start(ends);
}
static void *selects(void *unused)
{
    int value;
    go_select(go_case_recv(to_plain, &value), go_case_after(GO_HOUR));
    return NULL;
}
static void *sends(void *unused)
{
    usleep(100000);
    go_send(to_plain, 1);
    return NULL;
}
static void *reads(void *unused)
{
    char byte;
    if (is("reader that wakes nobody"))
        go_thread_ignore();
    go_fd_read(fd, &byte, 1);
    return NULL;
}
static void *closes(void *unused)
{
    usleep(100000);
    go_fd_close(fd);
    return NULL;
}
int go_main(int argc, char **argv)
{
    int ends_of_pipe[2];
    which = argv[1];
    never = go_chan_make(int, 0);
    to_plain = go_chan_make(int, 0);
    pipe(ends_of_pipe);
    fd = go_fd_new(ends_of_pipe[0]);
    if (is("tied")) {
        go(tied);
        while (!__atomic_load_n(&begun, __ATOMIC_RELAXED)) /* on another thread than this */
            ;
        if (is("tied, and main"))
            go_lock_os_thread();
    } else if (is("timer")) {
        start(selects);
        start(sends);
    } else {
        start(reads);
        start(closes);
    }
    go_recv(never);
}
C
compile own_main <<'C'
#define GOFER_NO_MAIN 1
#include <gofer.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
static void blocked(go_chan(int) never)
{
    go_recv(never);
}
/* The only thread that runs goroutines ends, and leaves one that waits. */
static int tied(int argc, char **argv)
{
    go(blocked, go_chan_make(int, 0));
    go_gosched();
    go_lock_os_thread();
    return 0;
}
static void *waits(void *unused)
{
    go(blocked, go_chan_make(int, 0));
    usleep(100000);
    return NULL;
}
int main(int argc, char **argv)
{
    pthread_t thread;
    if (!strcmp(argv[1], "main thread left")) {
        pthread_create(&thread, NULL, waits, NULL);
        pthread_exit(NULL);
    }
    go_gomaxprocs(1);
    go_run(tied, 0, NULL);
    usleep(100000);
    go_recv(go_chan_make(int, 0));
}
C
deadlock='fatal error: all goroutines are asleep - deadlock!'
for which in 'tied' 'tied, and main' 'timer' 'reader' 'reader that wakes nobody'; do
    expect ends "$which" 2 "$deadlock"
done
GOFER_POLLER=io_uring expect ends 'reader' 2 "$deadlock"
for which in 'main thread left' 'tied'; do
    expect own_main "$which" 2 "$deadlock"
done
exit $failed

#!/usr/bin/env bash
# GOFER_DEBUG: hog, deadlock, migrate, and words that it does not know. Each program goes on until
# it has seen what it waits for, or is killed.
# shellcheck source=tests/unit/expect.sh
. "$(dirname "$0")/expect.sh"
compile debug <<'C'
#define _GNU_SOURCE
#include <gofer.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static int stop;
static go_waitgroup wg;
static go_chan(int) c;
static __thread int thread_local;

/* Out of line, and opaque: asked again each time. */
__attribute__((noinline)) static int *address_of_thread_local(void)
{
    int *address = &thread_local;
    __asm__ volatile("" : "+r"(address) : : "memory");
    return address;
}

/* What comes on standard error from now on, until the text; then that goes on to the real one. */
static int pipe_from_error[2], real_error;
static void *watch(void *text)
{
    static char all[65536];
    size_t size = 0;
    while (!strstr(all, text)) {
        ssize_t n = read(pipe_from_error[0], all + size, sizeof all - 1 - size);
        if (n <= 0)
            break;
        write(real_error, all + size, (size_t)n);
        size += (size_t)n;
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    if (c)
        go_close(c);
    return NULL;
}
static pthread_t watch_error(const char *text)
{
    pthread_t id;
    real_error = dup(2);
    pipe(pipe_from_error);
    dup2(pipe_from_error[1], 2);
    pthread_create(&id, NULL, watch, (void *)text);
    return id;
}
static void burn(void)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        ;
    go_waitgroup_done(&wg);
}
static void hog(void)
{
    watch_error("created by main.hog in goroutine 1");
    go_waitgroup_add(&wg, 1);
    go_with((&(go_options){ .name = "burner" }), burn);
    go_waitgroup_wait(&wg);
}
static void waiter(void)
{
    go_recv(c);
}
static void blocked(void)
{
    c = go_chan_make(int, 0);
    go(waiter);
    watch_error("created by main.blocked in goroutine 1");
    go_recv(c);
    puts("went on");
}
/* Keeps the address of a thread-local over a park: wrong. */
static void wrong(void)
{
    int *kept = address_of_thread_local();
    go_gosched();
    puts(kept == address_of_thread_local() ? "the same thread" : "another thread");
}
static void keeps_thread(int lock)
{
    if (lock)
        go_lock_os_thread();
    int *kept = address_of_thread_local();
    for (int i = 0; i < 100; i++) {
        go_gosched();
        if (kept != address_of_thread_local())
            puts("tied, and moved");
    }
    go_waitgroup_done(&wg);
}
static void wake(go_chan(int) ping, go_chan(int) pong)
{
    for (;;)
        go_send(pong, go_recv(ping));
}
/* Everything that parks moves; values and order are as ever. */
static void moves(void)
{
    int moved = 0;
    go_chan(int) ping = go_chan_make(int, 0), pong = go_chan_make(int, 0);
    go(wake, ping, pong);
    for (int i = 0; i < 100; i++) {
        int *before = address_of_thread_local();
        go_send(ping, i);
        if (go_recv(pong) != i)
            puts("lost");
        int *between = address_of_thread_local();
        go_sleep(1);
        moved += between != address_of_thread_local();
        (void)before;
    }
    go_waitgroup_add(&wg, 2);
    go(keeps_thread, 1);
    go_with((&(go_options){ .sticky = 1 }), keeps_thread, 0);
    go_waitgroup_wait(&wg);
    printf("moved in %d of 100 sleeps\n", moved);
}
int go_main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "";
    if (!strcmp(which, "hog"))
        hog();
    if (!strcmp(which, "hog-taken")) {
        signal(SIGRTMAX - 3, SIG_IGN);
        watch_error("GOFER_HOG_SIGNAL");
        go_waitgroup_add(&wg, 1);
        go(burn);
        go_waitgroup_wait(&wg);
    }
    if (!strcmp(which, "blocked"))
        blocked();
    if (!strcmp(which, "wrong"))
        wrong();
    if (!strcmp(which, "moves"))
        moves();
    return 0;
}
C
GOFER_DEBUG=hog expect debug hog 0 'gofer: hog: goroutine 2 "burner" kept its processor for ' \
    'main.burn(' 'created by main.hog in goroutine 1'
GOFER_DEBUG=hog expect debug hog-taken 0 'gofer: GOFER_DEBUG=hog: the program uses the signal' 'no:main.burn'
GOFER_DEBUG=deadlock expect debug blocked 0 'all goroutines are blocked; only foreign threads could wake them

goroutine 1 [chan receive]:
main.blocked(' '
goroutine 2 [chan receive]:
main.waiter(' 'created by main.blocked in goroutine 1' 'went on'
for processors in 1 4; do
    export GOMAXPROCS=$processors
    GOFER_DEBUG=migrate expect debug wrong 0 'another thread'
    GOFER_DEBUG=migrate expect debug moves 0 'moved in 100 of 100 sleeps' no:lost no:tied
done
unset GOMAXPROCS
GOFER_DEBUG=,hgo,migrate expect debug wrong 0 \
    'gofer: GOFER_DEBUG: "hgo" is unknown; there are hog, deadlock, migrate, poller' 'another thread'
GOFER_DEBUG='' expect debug '' 0 no:gofer
exit $failed

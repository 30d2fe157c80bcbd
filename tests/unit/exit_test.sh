#!/usr/bin/env bash
# go_main returns while goroutines compute, print, block and wait: the status is main's, what was
# printed is out, functions of atexit ran, and nothing crashes or hangs, each time. Functions of
# atexit and destructors may wait for goroutines, and end by what else ends a program.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
compile busy <<'END'
#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void computes(void)
{
    for (volatile long i = 0;; i++)
        ;
}

static void prints(FILE *file)
{
    for (long i = 0;; i++)
        fprintf(file, "%ld\n", i);
}

static void allocates(void)
{
    for (;;)
        free(malloc(1000));
}

static void blocks(void)
{
    char byte;
    int ends[2];
    if (pipe(ends) == 0 && read(ends[0], &byte, 1) == 1)
        abort();
}

static void pings(go_chan(int) c)
{
    for (;;) {
        go_send(c, 1);
        go_recv(c);
    }
}

static void at_exit(void)
{
    printf("atexit ran\n");
}

int go_main(int argc, char **argv)
{
    static char room[65536];
    setvbuf(stdout, room, _IOFBF, sizeof room);
    atexit(at_exit);
    go_gomaxprocs(3);
    go_chan(int) c = go_chan_make(int, 0);
    FILE *null = fopen("/dev/null", "w");
    go(computes);
    go(prints, null);
    go(allocates);
    go(blocks);
    go(pings, c);
    go(pings, c);
    printf("main's line\n");
    for (int i = 0; i < atoi(argv[1]) % 7; i++)
        go_gosched();
    return 7;
}
END
compile waits <<'END'
#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char which[16], room[1 << 16];
static go_mutex mutex;
static go_chan(int) never, request, answer;

static int is(const char *name)
{
    return strcmp(which, name) == 0;
}

static void serve(void)
{
    go_mutex_lock(&mutex);
    go_recv(request);
    go_mutex_unlock(&mutex);
    for (;;) {
        go_recv(request);
        go_send(answer, 1);
    }
}

static void pings(go_chan(int) c)
{
    for (;;) {
        go_send(c, 1);
        go_recv(c);
    }
}

static void ask(void)
{
    go_send(request, 1);
    go_recv(answer);
}

static int seven(int argc, char **argv)
{
    (void)argv;
    return argc;
}

static void at_exit(void)
{
    if (is("sleep"))
        go_sleep(GO_MILLISECOND);
    if (is("mutex"))
        go_mutex_lock(&mutex);
    if (is("stack") && !go_stack(room, sizeof room, 1))
        abort();
    if (is("run") && go_run(seven, 7, NULL) != 7)
        abort();
    if (is("goexit"))
        go_goexit();
    if (is("deadlock"))
        go_recv(never);
    if (is("panic"))
        go_panic("at exit");
    if (is("fatal"))
        go_fatal("at exit");
    if (!is("mutex"))
        ask();
    printf("handler done\n");
}

static void prints(go_waitgroup *wg, int i)
{
    printf("%d\n", i);
    go_waitgroup_done(wg);
}

__attribute__((destructor)) static void late(void)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 30);
    for (int i = 0; i < 30; i++)
        go(prints, &wg, i);
    go_waitgroup_wait(&wg);
    printf("destructor done\n");
}

int go_main(int argc, char **argv)
{
    sscanf(argv[1], "%15[^,]", which);
    never = go_chan_make(int, 0);
    request = go_chan_make(int, 0);
    answer = go_chan_make(int, 0);
    atexit(at_exit);
    go(serve);
    if (is("mutex")) /* the lock is held until somebody else, who still waits, lets it go */
        go(ask);
    else if (!is("deadlock") && !is("goexit")) {
        go_gomaxprocs(3);
        go_chan(int) c = go_chan_make(int, 0);
        go(pings, c);
        go(pings, c);
    }
    go_gosched();
    if (!is("mutex"))
        go_send(request, 1);
    if (is("locked"))
        go_lock_os_thread();
    if (strstr(argv[1], ",exit"))
        exit(7);
    return 7;
}
END
for ((i = 0; i < 200; i++)); do
    expect busy $i 7 "main's line" 'atexit ran' >"$work/said"
    grep -q '^ok' "$work/said" || cat "$work/said"
    [ $failed = 0 ] || break
done
[ $failed != 0 ] || echo "ok, $i times"
for end in return exit; do
    for which in sleep mutex stack run locked plain; do
        for ((i = 0; i < 20; i++)); do
            expect waits $which,$end 7 'handler done' 'destructor done' >"$work/said"
            grep -q '^ok' "$work/said" || cat "$work/said"
            [ $failed = 0 ] || break
        done
        [ $failed != 0 ] || echo "ok waits $which,$end, $i times"
    done
    expect waits goexit,$end 2 'all goroutines are asleep - deadlock!' 'no:handler done'
    expect waits deadlock,$end 2 'all goroutines are asleep - deadlock!' 'no:handler done'
    expect waits panic,$end 2 'panic: at exit' 'no:handler done'
    expect waits fatal,$end 2 'fatal error: at exit' 'no:handler done'
done
exit $failed

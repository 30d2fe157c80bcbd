#!/usr/bin/env bash
# go_main returns while goroutines compute, print, block and wait: the status is main's, what was
# printed is out, functions of atexit ran, and nothing crashes or hangs, each time.
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
for ((i = 0; i < 200; i++)); do
    expect busy $i 7 "main's line" 'atexit ran' >"$work/said"
    grep -q '^ok' "$work/said" || cat "$work/said"
    [ $failed = 0 ] || break
done
[ $failed != 0 ] || echo "ok, $i times"
exit $failed

#!/usr/bin/env bash
# A deliberate race between two goroutines is found by -race, a deliberate overflow by -asan.
set -uo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFERCACHE=$work/cache
cat >"$work/race.c" <<'C'
#include <gofer.h>
static int shared;
static void writer(go_waitgroup *wg)
{
    shared++;
    go_waitgroup_done(wg);
}
int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go(writer, &wg);
    go(writer, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}
C
cat >"$work/overflow.c" <<'C'
#include <gofer.h>
#include <stdlib.h>
static void writer(char *bytes, int at, go_waitgroup *wg)
{
    bytes[at] = 1;
    go_waitgroup_done(wg);
}
int go_main(int argc, char **argv)
{
    (void)argv;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(writer, malloc(8), 7 + argc, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}
C
output=$("$source/gofer" run -race "$work/race.c" 2>&1)
status=$?
if [ $status = 0 ] || [[ $output != *'data race'* ]]; then
    printf 'FAIL the race was not found (status %s):\n%s\n' $status "$output"
    exit 1
fi
echo 'ok -race finds the race'
output=$("$source/gofer" run -asan "$work/overflow.c" 2>&1)
status=$?
if [ $status = 0 ] || [[ $output != *'heap-buffer-overflow'* ]]; then
    printf 'FAIL the overflow was not found (status %s):\n%s\n' $status "$output"
    exit 1
fi
echo 'ok -asan finds the overflow'
cat >"$work/leak.c" <<'C'
#include <gofer.h>
#include <stdlib.h>
#include <string.h>
static go_chan(int) never;
static void *volatile leaked;
static void holder(char *given)
{
    char *volatile own = malloc(10);
    go_recv(never);
    free(own);
    free(given);
}
__attribute__((noinline)) static void overwrite(void)
{
    char frame[4000];
    memset(frame, 0, sizeof frame);
    __asm__ volatile("" ::"r"(frame) : "memory");
}
int go_main(int argc, char **argv)
{
    (void)argv;
    never = go_chan_make(int, 0);
    for (int i = 0; i < 10; i++)
        go(holder, malloc(10));
    go_with((&(go_options){ .stack = 1 << 20 }), holder, malloc(10));
    for (int i = 0; i < 5; i++)
        go_gosched();
    go_gomaxprocs(1);
    go(holder, malloc(10)); /* is not begun */
    if (argc > 1) {
        leaked = malloc(77);
        leaked = NULL;
        overwrite();
    }
    return 0;
}
C
export ASAN_OPTIONS=detect_leaks=1
output=$("$source/gofer" run -asan "$work/leak.c" 2>&1)
status=$?
if [ $status != 0 ]; then
    printf 'FAIL what goroutines hold that wait is no leak (status %s):\n%s\n' $status "$output"
    exit 1
fi
echo 'ok -asan takes nothing for a leak that a goroutine holds'
output=$("$source/gofer" run -asan "$work/leak.c" leak 2>&1)
status=$?
if [ $status = 0 ] || [[ $output != *'77 byte(s) leaked in 1 allocation'* ]]; then
    printf 'FAIL the leak was not found (status %s):\n%s\n' $status "$output"
    exit 1
fi
echo 'ok -asan finds the leak'

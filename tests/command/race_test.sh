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

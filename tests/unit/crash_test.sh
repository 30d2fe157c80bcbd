#!/usr/bin/env bash
# Faults, overflow, SIGQUIT, thread exhaustion, GOTRACEBACK: texts and exit statuses.
set -uo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/crash.c" <<'C'
#include <gofer.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static long deep(long n)
{
    volatile char room[64];
    room[0] = 0;
    return n == 0 ? room[0] : 1 + deep(n - 1);
}
static void overflow(void)
{
    printf("%ld\n", deep(1L << 40));
}
static void wait_for_ever(void)
{
    int fds[2];
    char byte;
    if (pipe(fds) == 0 && read(fds[0], &byte, 1) == 1)
        printf("?\n");
}
static void parked(go_chan(int) c)
{
    go_recv(c);
}
static void log_text(const char *text)
{
    fprintf(stderr, "logged: %s\n", text);
}
int go_main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "";
    if (!strcmp(which, "nil"))
        *(volatile int *)NULL = argc;
    if (!strcmp(which, "deep"))
        printf("%ld\n", deep(2000000));
    if (!strcmp(which, "overflow")) {
        go_with((&(go_options){ .name = "digger" }), overflow);
        go_sleep(GO_MINUTE);
    }
    if (!strcmp(which, "quit")) {
        go_gomaxprocs(1); /* so that it has parked, and is not about to on another thread */
        go(parked, go_chan_make(int, 0));
        go_gosched();
        raise(SIGQUIT);
        go_sleep(GO_MINUTE);
    }
    if (!strcmp(which, "threads")) {
        go_set_max_threads(20);
        for (int i = 0; i < 100; i++)
            go(wait_for_ever);
        go_sleep(GO_MINUTE);
    }
    if (!strcmp(which, "panic")) {
        go(parked, go_chan_make(int, 0));
        go_gosched();
        go_on_fatal(log_text);
        go_panic("boom");
    }
    return 0;
}
C
# the words are flags
# shellcheck disable=SC2086
${GOFER_CC:-cc} -std=gnu11 -O1 -g -w -I"$source/include" "$work/crash.c" "$build/libgofer.a" -pthread -o "$work/crash" || exit 1
read -r -a run <<<"${GOFER_EMULATOR:-} $work/crash"
failed=0
ulimit -c 0

# expect ARGUMENT STATUS TEXT…: the exit status, and every TEXT in the output.
expect() {
    local argument=$1 status=$2 output got text
    shift 2
    output=$("${run[@]}" "$argument" 2>&1)
    got=$?
    for text in "$@"; do
        [ $got = "$status" ] && [[ $output == *"$text"* ]] && continue
        printf 'FAIL %s: status %s, expected %s; expected in it: %s; output:\n%.2000s\n' "$argument" $got "$status" "$text" "$output"
        failed=1
        return
    done
    echo "ok $argument ${GOTRACEBACK:-}"
}

expect nil 2 'panic: runtime error: invalid memory address or nil pointer dereference' \
    '[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=' 'goroutine 1 [running]:' 'main.go_main'
expect deep 0 2000000
expect overflow 2 'runtime: goroutine stack exceeds' 'digger' 'fatal error: stack overflow' 'main.deep' \
    'created by main.go_main in goroutine 1'
expect quit 2 'SIGQUIT: quit' 'goroutine 1 [running]:' '[chan receive]:' 'main.parked'
expect threads 2 'runtime: program exceeds 20-thread limit' 'fatal error: thread exhaustion'
expect panic 2 'panic: boom' 'goroutine 1 [running]:' 'logged: panic: boom'
if [[ $("${run[@]}" panic 2>&1) == *'[chan receive]'* ]]; then
    echo 'FAIL a panic dumps its own goroutine only'
    failed=1
fi
GOTRACEBACK=all expect panic 2 'panic: boom' '[chan receive]:'
GOTRACEBACK=none expect panic 2 'panic: boom'
GOTRACEBACK=crash expect panic 134 'panic: boom'
exit $failed

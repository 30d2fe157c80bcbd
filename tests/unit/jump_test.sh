#!/usr/bin/env bash
# pthread_exit in a goroutine and longjmp where it must not go are fatal errors that say so; a
# longjmp that stays between its goroutine's deferred calls is nobody's business.
# shellcheck source=tests/unit/expect.sh
. "$(dirname "$0")/expect.sh"
compile jump <<'C'
#include <gofer.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
static jmp_buf target;
static go_chan(int) c;
static void quit_thread(void)
{
    pthread_exit(NULL);
}
__attribute__((noinline)) static void jump(void)
{
    longjmp(target, 1);
}
__attribute__((noinline)) static void jump_over(void)
{
    go_defer(puts, "never");
    jump();
}
static int jump_over_mark(void)
{
    int result = 0;
    go_recoverable(result);
    jump();
    return result;
}
static void outer(void (*inner)(void), const char *then)
{
    go_defer(puts, "outer's own");
    if (setjmp(target) == 0)
        inner();
    if (!strcmp(then, "defer")) {
        go_defer(puts, "more");
    }
    if (!strcmp(then, "park"))
        go_recv(c);
    if (!strcmp(then, "panic"))
        go_panic("x");
    if (!strcmp(then, "goexit"))
        go_goexit();
}
static void end_without_leaving(void)
{
    if (setjmp(target) == 0)
        jump_over();
}
static void jump_in_deferred(void)
{
    go_defer(jump);
}
static void victim(void)
{
    if (setjmp(target) == 0)
        go_recv(c);
    go_recv(c);
}
__attribute__((noinline)) static int depth(int n)
{
    if (n == 0)
        jump();
    return depth(n - 1) + 1;
}
static void harmless(void)
{
    go_defer(puts, "left");
    if (setjmp(target) == 0)
        depth(100);
    go_defer(puts, "registered after");
    go_sleep(1);
}
int go_main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "";
    c = go_chan_make(int, 0);
    if (!strcmp(which, "exit"))
        go(quit_thread);
    if (!strcmp(which, "exit-main"))
        quit_thread();
    if (!strcmp(which, "mark"))
        go(outer, (void (*)(void))jump_over_mark, "defer");
    if (!strncmp(which, "over-", 5))
        go(outer, jump_over, which + 5);
    if (!strcmp(which, "end"))
        go(end_without_leaving);
    if (!strcmp(which, "deferred"))
        go(outer, jump_in_deferred, "defer");
    if (!strcmp(which, "out")) {
        go(victim);
        go_gosched();
        go(jump);
    }
    if (!strcmp(which, "harmless")) {
        harmless();
        return 0;
    }
    go_recv(c);
    return 0;
}
C
expect jump exit 2 'fatal error: pthread_exit in goroutine 2 (main.quit_thread)' \
    'created by main.go_main in goroutine 1'
expect jump exit-main 2 'fatal error: pthread_exit in goroutine 1 (main.go_main)'
expect jump mark 2 'fatal error: longjmp over a deferred call of jump_over_mark ('
for then in defer park panic goexit leave; do
    expect jump over-$then 2 'fatal error: longjmp over a deferred call of jump_over (' \
        'created by main.go_main in goroutine 1' no:never
done
expect jump end 2 'fatal error: longjmp over a deferred call of jump_over ('
expect jump deferred 2 'fatal error: longjmp out of a deferred call'
expect jump out 2 'fatal error: longjmp out of goroutine ' "'s stack"
expect jump harmless 0 'registered after
left'
exit $failed

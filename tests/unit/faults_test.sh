#!/usr/bin/env bash
# Faults: the texts, go_set_panic_on_fault, handlers of the program's own, threads that are no
# goroutine's.
# shellcheck source=tests/unit/expect.sh
. "$(dirname "$0")/expect.sh"
compile faults <<'C'
#define _GNU_SOURCE
#include <gofer.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
__attribute__((noinline)) static int deref(volatile int *p)
{
    return *p;
}
__attribute__((noinline)) static int divide(volatile int a, volatile int b)
{
    return a / b;
}
__attribute__((noinline)) static int call(int (*volatile fn)(void))
{
    return fn() + 1;
}
static volatile int *beyond_the_file(void)
{
    char name[] = "/tmp/gofer-XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    return mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
}
static void show(const char *what)
{
    const go_panic_value *p = go_recover();
    printf("%s: %s at %p\n", what, p ? p->text : "nothing", p ? p->pointer : NULL);
}
static int try_deref(const char *what, volatile int *p)
{
    int result = 7;
    go_recoverable(result);
    go_defer(show, what);
    return deref(p);
}
static int try_call(const char *what, int (*fn)(void))
{
    int result = 7;
    go_recoverable(result);
    go_defer(show, what);
    return call(fn);
}
static int try_divide(int by)
{
    int result = 7;
    go_recoverable(result);
    go_defer(show, "divide");
    return divide(1, by);
}
static sigset_t mask(void)
{
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    return now;
}
static int on_alternate_stack(void)
{
    stack_t now;
    sigaltstack(NULL, &now);
    return now.ss_flags & SS_ONSTACK;
}
static void others_setting(go_chan(int) c)
{
    go_send(c, go_set_panic_on_fault(0));
}
static void recover_all(void)
{
    printf("before %d\n", go_set_panic_on_fault(1));
    sigset_t before = mask();
    printf("returned %d\n", try_deref("nil", NULL));
    printf("returned %d\n", try_deref("wild", (int *)0x123456789000));
    printf("returned %d\n", try_deref("bus", beyond_the_file()));
    printf("returned %d\n", try_divide(0));
    printf("returned %d\n", try_call("call of nil", NULL));
    printf("returned %d\n", try_call("call of data", (int (*)(void))"data"));
    sigset_t after = mask();
    printf("mask %s, stack %s\n", memcmp(&before, &after, 128) ? "differs" : "as before",
           on_alternate_stack() ? "alternate" : "own");
    go_chan(int) c = go_chan_make(int, 0);
    go(others_setting, c);
    printf("another goroutine's: %d\n", go_recv(c));
    printf("own: %d\n", go_set_panic_on_fault(1));
}
static void on_signal(int number)
{
    static const char text[] = "the program's handler\n";
    write(1, text, sizeof text - 1);
    _exit(number == SIGSEGV ? 40 : 41);
}
static struct sigaction replaced;
static void calls_replaced(int number, siginfo_t *info, void *context)
{
    static const char text[] = "the program's handler, then what was there\n";
    write(1, text, sizeof text - 1);
    replaced.sa_sigaction(number, info, context);
}
static sigjmp_buf out;
static void jumps_out(int number)
{
    siglongjmp(out, number);
}
/* A handler set after the runtime has started. */
static void handle_late(const char *which)
{
    struct sigaction action = { .sa_sigaction = calls_replaced, .sa_flags = SA_SIGINFO };
    if (!strcmp(which, "late"))
        signal(SIGSEGV, on_signal);
    if (!strcmp(which, "late-calls"))
        sigaction(SIGSEGV, &action, &replaced);
    if (!strcmp(which, "late-jumps"))
        signal(SIGSEGV, jumps_out);
}
static void jump_often(void)
{
    volatile int jumps = 0;
    for (int i = 0; i < 3; i++)
        if (sigsetjmp(out, 1))
            jumps++;
        else
            deref(NULL);
    printf("jumped %d times\n", jumps);
}
static long dig(long n)
{
    volatile char room[256];
    room[0] = 0;
    return n == 0 ? room[0] : 1 + dig(n - 1);
}
static void *thread(void *argument)
{
    go_gosched(); /* attached */
    if (argument)
        printf("%ld\n", dig(1L << 40));
    deref(NULL);
    return NULL;
}
static int in_goroutine(int argc, char **argv)
{
    const char *which = argv[1];
    pthread_t id;
    if (!strcmp(which, "nil"))
        deref(NULL);
    if (!strcmp(which, "divide"))
        divide(argc, 0);
    if (!strcmp(which, "wild"))
        deref((int *)0x123456789000);
    if (!strcmp(which, "bus"))
        deref(beyond_the_file());
    if (!strcmp(which, "call"))
        call(NULL);
    if (!strcmp(which, "wild-call"))
        call((int (*)(void))0x1000000);
    if (!strcmp(which, "uncaught-call")) {
        go_set_panic_on_fault(1);
        call(NULL);
    }
    if (!strcmp(which, "sent")) {
        kill(getpid(), SIGSEGV);
        pause(); /* another thread may be the one that gets it */
    }
    bool late = !strncmp(which, "late", 4);
    if (late)
        handle_late(which);
    if (!strcmp(which, "recover") || !strcmp(which, "front") || late)
        recover_all();
    if (!strcmp(which, "front") || late)
        go_set_panic_on_fault(0);
    if (!strcmp(which, "late-jumps"))
        jump_often();
    else if (!strcmp(which, "front") || !strcmp(which, "own") || late)
        deref(NULL);
    if (!strcmp(which, "uncaught")) {
        go_set_panic_on_fault(1);
        go_defer(puts, "deferred");
        deref(beyond_the_file());
    }
    if (!strcmp(which, "thread"))
        pthread_create(&id, NULL, thread, NULL);
    if (!strcmp(which, "thread-overflow"))
        pthread_create(&id, NULL, thread, "");
    if (!strncmp(which, "thread", 6))
        pthread_join(id, NULL);
    return 0;
}
static int nothing(int argc, char **argv)
{
    return 0;
}
int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(argv[1], "own") || !strcmp(argv[1], "front"))
        signal(SIGSEGV, on_signal);
    if (!strcmp(argv[1], "restart")) { /* the program's handler stays over the first end */
        go_run(nothing, 0, NULL);
        signal(SIGSEGV, on_signal);
        go_shutdown(-1);
        signal(SIGSEGV, SIG_DFL);
        argv[1] = "recover";
    }
    if (!strcmp(argv[1], "main-overflow")) {
        go_gosched();
        go_run(in_goroutine, argc, argv);
        printf("%ld\n", dig(1L << 40));
    }
    return go_run(in_goroutine, argc, argv);
}
C
nil='panic: runtime error: invalid memory address or nil pointer dereference'
expect faults nil 2 "$nil
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x" '[running' 'main.deref('
expect faults divide 2 'panic: runtime error: integer divide by zero

goroutine ' 'main.divide('
expect faults wild 2 'unexpected fault address 0x123456789000
fatal error: fault
[signal SIGSEGV: segmentation violation code=0x1 addr=0x123456789000 pc=0x' 'main.deref('
expect faults bus 2 'unexpected fault address 0x' 'fatal error: fault
[signal SIGBUS: bus error code=0x2 addr=0x' 'main.deref('
expect faults call 2 "$nil
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x0]" 'main.call(' 'main.in_goroutine('
expect faults wild-call 2 'unexpected fault address 0x1000000
fatal error: fault
[signal SIGSEGV: segmentation violation code=0x1 addr=0x1000000 pc=0x1000000]' 'main.call(' 'main.in_goroutine('
expect faults uncaught-call 2 "$nil
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x0]" 'main.call(' 'main.in_goroutine('
expect faults sent 2 'SIGSEGV: segmentation violation
PC=0x' ' sigcode=0 addr=0x'
expect faults recover 0 'before 0
nil: runtime error: invalid memory address or nil pointer dereference at (nil)
returned 7
wild: runtime error: invalid memory address or nil pointer dereference at 0x123456789000
returned 7
bus: runtime error: invalid memory address or nil pointer dereference at 0x' 'divide: runtime error: integer divide by zero at (nil)
returned 7
call of nil: runtime error: invalid memory address or nil pointer dereference at (nil)
returned 7
call of data: runtime error: invalid memory address or nil pointer dereference at 0x' '
returned 7
mask as before, stack own
another goroutine'"'"'s: 0
own: 1'
expect faults uncaught 2 "deferred
$nil
[signal SIGBUS: bus error code=0x2 addr=0x" 'main.deref(' 'main.in_goroutine('
expect faults own 40 "the program's handler" 'no:panic'
expect faults front 40 'own: 1' "the program's handler"
expect faults late 40 'own: 1' "the program's handler"
expect faults late-calls 2 "own: 1
the program's handler, then what was there
$nil" 'main.deref('
expect faults late-jumps 0 'own: 1' 'jumped 3 times'
expect faults restart 0 'own: 1'
expect faults thread 2 "$nil" 'main.deref(' 'main.thread('
expect faults thread-overflow 2 'runtime: thread stack exceeds' 'fatal error: stack overflow' 'main.dig('
expect faults main-overflow 2 'runtime: thread stack exceeds' 'fatal error: stack overflow' 'main.dig('
for which in nil bus divide sent; do
    GOTRACEBACK=crash expect faults $which 134 # as Go: always by SIGABRT
done
exit $failed

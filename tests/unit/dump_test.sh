#!/usr/bin/env bash
# What a dump shows, in static and stripped programs too, and that nothing makes it hang.
# shellcheck source=tests/unit/expect.sh
. "$(dirname "$0")/expect.sh"
cat >"$work/source" <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <gofer.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static go_chan(int) c;
static int flag, no_malloc;
static time_t ahead;
/* The library asks this one too: two and a half minutes go by at once. */
int clock_gettime(clockid_t id, struct timespec *t)
{
    int result = (int)syscall(SYS_clock_gettime, id, t);
    t->tv_sec += ahead;
    return result;
}
#ifdef WATCH_MALLOC
void *__libc_malloc(size_t);
void *malloc(size_t size)
{
    if (no_malloc)
        _exit(99);
    return __libc_malloc(size);
}
#endif
__attribute__((noinline)) static void inner(void)
{
    go_recv(c);
}
static void parked(void)
{
    inner();
    puts("?");
}
static void parked_locked(void)
{
    go_lock_os_thread();
    inner();
    puts("?");
}
static void hold_stdout(void)
{
    flockfile(stdout);
    __atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
    for (;;)
        ;
}
static void fill(int end)
{
    int fds[2];
    char bytes[4096] = "";
    pipe(fds);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    while (write(fds[1], bytes, sizeof bytes) > 0)
        ;
    fcntl(fds[1], F_SETFL, 0);
    dup2(fds[1], end);
}
static void *stranger(void *mutex)
{
    go_mutex_unlock(mutex);
    return NULL;
}
__attribute__((noinline)) static int deep(int n)
{
    volatile int kept = n; /* no tail call */
    if (n == 0)
        go_panic("deep");
    return deep(n - 1) + kept;
}
static void log_text(const char *text)
{
    fprintf(stderr, "logged: %s\n", text);
}
int go_main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "";
    c = go_chan_make(int, 0);
    go(parked);
    go_with((&(go_options){ .name = "the \"second\"" }), parked_locked);
    while (go_num_goroutine() > 3)
        go_gosched();
    go_gosched();
    go_on_fatal(log_text);
    if (!strcmp(which, "deadlock"))
        inner();
    if (!strcmp(which, "minutes")) {
        go_sleep(10 * GO_MILLISECOND);
        ahead = 150;
        go_fatal("old");
    }
    if (!strcmp(which, "panic"))
        go_panic("boom");
    if (!strcmp(which, "named")) {
        go_with((&(go_options){ .name = "a\r\nb\t\x01\x7f\xc3\xa9\xf0\x9f\x98\x80\xff\xc0\x80\\" }), parked);
        inner();
    }
    if (!strcmp(which, "stranger")) {
        static go_mutex mutex;
        pthread_t thread;
        pthread_create(&thread, NULL, stranger, &mutex);
        pthread_join(thread, NULL);
    }
    if (!strcmp(which, "deep"))
        deep(1000);
    if (!strcmp(which, "quit")) {
        kill(getpid(), SIGQUIT);
        go_sleep(GO_MINUTE);
    }
    if (!strcmp(which, "stdout-held")) {
        go(hold_stdout);
        while (!__atomic_load_n(&flag, __ATOMIC_ACQUIRE))
            go_sleep(GO_MILLISECOND);
        go_fatal("held");
    }
    if (!strcmp(which, "stdout-full")) {
        static char large[100000], buffer[100000];
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
        memset(large, 'x', sizeof large / 2);
        fill(1);
        fwrite(large, 1, sizeof large / 2, stdout);
        go_fatal("full");
    }
    if (!strcmp(which, "stderr-full")) {
        fill(2);
        go_fatal("full");
    }
    if (!strcmp(which, "malloc")) {
        for (int i = 0; i < 300; i++)
            go(parked);
        go_gosched();
        go_on_fatal(NULL);
        no_malloc = 1;
        *(volatile int *)NULL = 0;
    }
    return 0;
}
C
compile dump <"$work/source"
compile dump-static -static <"$work/source"
compile dump-fixed -no-pie <"$work/source"
compile dump-malloc -DWATCH_MALLOC <"$work/source"
strip -o "$work/dump-stripped" "$work/dump"
strip -o "$work/dump-static-stripped" "$work/dump-static"
strip -o "$work/dump-fixed-stripped" "$work/dump-fixed"

header='goroutine 2 [chan receive]:'
for program in dump dump-static; do
    expect $program deadlock 2 'fatal error: all goroutines are asleep - deadlock!

goroutine 1 [chan receive]:
main.inner(...)
	' "$program.c:" 'main.go_main(...)' "$header"'
main.inner(...)' 'main.parked(...)' 'created by main.go_main in goroutine 1
	' 'goroutine 3 [chan receive, locked to thread labels:{"name": "the \"second\""}]:' \
        'logged: fatal error: all goroutines are asleep' no:gofer_ no:src/
done
for program in dump-stripped dump-static-stripped dump-fixed-stripped; do # what the spawn sites know
    expect $program deadlock 2 "$header" 'main.go_main(...)' 'main.parked(...)' 'main.parked_locked(...)' \
        "$program:0 +0x" 'created by main.go_main in goroutine 1'
    # the offsets are such as addr2line knows, and not of the place in memory
    functions=$("$work/$program" deadlock 2>&1 | sed -n "s/.*$program:0 +//p" | addr2line -fse "$work/${program%-stripped}")
    [[ $functions == *$'\ninner\n'"${program%-stripped}.c:"* ]] || {
        printf 'FAIL %s: the offsets are of:\n%s\n' "$program" "$functions"
        failed=1
    }
done

# What a stripped program's trace says of a place finds it in a copy with symbols.
compile dump-fixed -no-pie <"$work/source"
compile dump-static-pie -static-pie <"$work/source"
for program in dump dump-static dump-fixed dump-static-pie; do
    strip -o "$work/$program-stripped" "$work/$program"
    offsets=$(timeout -s KILL 60 "$work/$program-stripped" panic 2>&1 | sed -n 's/.*:0 +0x/0x/p')
    # shellcheck disable=SC2086
    if ! addr2line -f -e "$work/$program" $offsets | grep -qx go_main; then
        printf 'FAIL %s: no offset of go_main among\n%s\n' $program "$offsets"
        failed=1
    fi
done
expect dump named 2 'labels:{"name": "a\r\nb\t\x01\u007f\u00e9\U0001f600\ufffd\ufffd\ufffd\\"}]:'
for program in dump dump-static; do
    expect $program stranger 2 'fatal error: sync: unlock of unlocked mutex

goroutine 0 [running]:
main.' 'main.stranger(...)' no:gofer_
done

# The 50 innermost and the 50 outermost frames, as Go shows them.
expect dump deep 2 '...902 frames elided...' 'main.go_main(...)'
shown=$(timeout -s KILL 60 "$work/dump" deep 2>&1 | grep -c '^main[.]deep(' )
if [ "$shown" != 99 ]; then
    echo "FAIL dump: $shown frames of deep shown, expected 99"
    failed=1
fi
expect dump-stripped deep 2 ' frames elided...' 'main.go_main(...)'
expect dump minutes 2 'goroutine 2 [chan receive, 2 minutes]:' \
    'goroutine 3 [chan receive, 2 minutes, locked to thread labels:'
expect dump quit 2 'SIGQUIT: quit
PC=0x' 'goroutine 1 [' "$header"
expect dump stdout-held 2 'fatal error: held' "$header"
expect dump stdout-full 2 'fatal error: full' "$header"
expect dump stderr-full 2
expect dump-malloc malloc 2 'panic: runtime error: invalid memory address' 'main.go_main(...)'
GOTRACEBACK=all expect dump-malloc malloc 2 'goroutine 1 [running]:' 'main.parked(...)'
shown=$(GOTRACEBACK=all timeout -s KILL 60 "$work/dump-malloc" malloc 2>&1 | grep -c '^goroutine .*:$')
if [ "$shown" != 303 ]; then
    echo "FAIL dump-malloc: $shown goroutines shown, expected 303"
    failed=1
fi

for level in none 0 bogus -1; do
    GOTRACEBACK=$level expect dump panic 2 'panic: boom' 'no:goroutine'
    GOTRACEBACK=$level expect dump deadlock 2 'deadlock!' 'no:goroutine 1'
done
for level in single ''; do
    GOTRACEBACK=$level expect dump panic 2 'panic: boom' 'goroutine 1 [running]:' "no:$header"
    GOTRACEBACK=$level expect dump deadlock 2 "$header"
done
for level in all 1; do
    GOTRACEBACK=$level expect dump panic 2 'goroutine 1 [running]:' "$header" no:gofer_
done
for level in system 2 3; do
    GOTRACEBACK=$level expect dump panic 2 'goroutine 1 [running]:' "$header" main.gofer_
done
GOTRACEBACK=crash expect dump panic 134 'goroutine 1 [running]:' "$header" main.gofer_ 'logged: panic: boom'

# The program's file is found where its first thread has ended.
compile leader <<'C'
#include <gofer.h>
#include <pthread.h>
#include <unistd.h>
static void fails(void)
{
    char first;
    while (readlink("/proc/self/exe", &first, 1) > 0)
        go_sleep(GO_MILLISECOND);
    go_panic("alone");
}
int main(void)
{
    go(fails);
    pthread_exit(NULL);
}
C
expect leader '' 2 'panic: alone' 'main.fails(...)
	' leader.c:9
exit $failed

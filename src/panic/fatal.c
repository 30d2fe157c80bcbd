/* The end by a fatal error or an uncaught panic: Go's text, the traces, exit status 2, or with
 * GOTRACEBACK=crash, as Go, a death by SIGABRT.
 *
 * Nothing here allocates; the first thread to arrive ends the process, others wait for that. An
 * alarm ends it where the report does not go on: nobody reads the pipe, or a stopped thread holds a
 * lock of the C library that unwinding needs. */
#include "panic/panic.h"

#include "debug/dump.h"
#include "panic/unwind.h"

#include <poll.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { LOCK_MILLISECONDS = 1000, FLUSH_MILLISECONDS = 200, PATIENCE_SECONDS = 5 };

static void (*_Atomic on_fatal)(const char *);
static _Atomic pid_t ending; /* the thread that ends the process */
static char first_text[256]; /* for go_on_fatal; written by that thread */

void go_on_fatal(void (*fn)(const char *text))
{
    atomic_store_explicit(&on_fatal, fn, memory_order_release);
}

/* ---- one thread ends the process ---------------------------------------------------------- */

static void unblock(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static _Noreturn void die_now(void)
{
    if (gofer_traceback_level() == GOFER_TRACE_CRASH) {
        signal(SIGABRT, SIG_DFL);
        unblock(SIGABRT);
        raise(SIGABRT);
    }
    _exit(2);
}

static void on_alarm(int number)
{
    static unsigned seen;
    unsigned printed = atomic_load_explicit(&gofer_printed, memory_order_relaxed);
    (void)number;
    if (printed == seen)
        die_now();
    seen = printed;
}

/* Whatever the program used the alarm for is over; 0 seconds: no alarm. */
static void set_alarm(int seconds)
{
    struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_ONSTACK | SA_RESTART };
    struct itimerval timer = { { seconds, 0 }, { seconds, 0 } };
    sigaction(SIGALRM, &action, NULL);
    unblock(SIGALRM);
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* A pipe that can be written to takes at least so much. */
static void flush_into_pipe(void)
{
    struct pollfd out = { .fd = 1, .events = POLLOUT };
    if (poll(&out, 1, FLUSH_MILLISECONDS) != 1 || (out.revents & POLLNVAL))
        return;
    int flags = fcntl(1, F_GETFL);
    bool large = __fpending(stdout) > 4096 && flags >= 0;
    if (large) /* what fits goes out */
        fcntl(1, F_SETFL, flags | O_NONBLOCK);
    fflush_unlocked(stdout);
    if (large)
        fcntl(1, F_SETFL, flags);
}

bool gofer_lock_stdout(void)
{
    for (int i = 0; ftrylockfile(stdout) != 0; i++) {
        if (i == LOCK_MILLISECONDS)
            return false;
        poll(NULL, 0, 1);
    }
    return true;
}

/* Stdio's lock may be held by a thread that is stopped, the pipe may be full. */
static void flush_stdout(void)
{
    struct stat status;
    if (!gofer_lock_stdout())
        return;
    if (fstat(fileno_unlocked(stdout), &status) == 0 && S_ISREG(status.st_mode))
        fflush_unlocked(stdout);
    else
        flush_into_pipe();
    funlockfile(stdout);
}

static _Noreturn void end(void)
{
    void (*fn)(const char *) = atomic_load_explicit(&on_fatal, memory_order_acquire);
    set_alarm(0);
    if (fn)
        fn(first_text);
    die_now();
}

/* A trace led through a stack that is not in order, most likely. */
static _Noreturn void report_second_failure(void)
{
    static bool reported;
    if (reported)
        die_now();
    reported = true;
    gofer_print("gofer: another failure while printing this\n");
    end();
}

/* Returns for the first thread only. */
static void begin_end(void)
{
    pid_t self = (pid_t)syscall(SYS_gettid), nobody = 0;
    if (atomic_compare_exchange_strong_explicit(&ending, &nobody, self, memory_order_acq_rel,
                                                memory_order_acquire)) {
        gofer_print_to(NULL); /* go_stack may have failed */
        set_alarm(PATIENCE_SECONDS);
        gofer_freeze_world();
        flush_stdout();
        return;
    }
    while (nobody != self)
        pause();
    report_second_failure();
}

void gofer_let_end(void)
{
    while (atomic_load_explicit(&ending, memory_order_acquire) != 0)
        pause();
}

static void keep_text(const char *prefix, const char *text)
{
    snprintf(first_text, sizeof first_text, "%s%.200s", prefix, text);
}

/* ---- uncaught panics ---------------------------------------------------------------------- */

/* Newlines in a value are followed by a tab: the report stays parseable. */
static void print_indented(const char *text)
{
    for (const char *newline; (newline = strchr(text, '\n')); text = newline + 1) {
        gofer_print_bytes(text, (size_t)(newline - text) + 1);
        gofer_print("\t");
    }
    gofer_print(text);
}

void gofer_print_panics(const struct gofer_panic *panic)
{
    if (panic->older) {
        gofer_print_panics(panic->older);
        if (panic->older->repanicked)
            return;
        if (!panic->older->is_goexit)
            gofer_print("\t");
    }
    if (panic->is_goexit)
        return;
    gofer_print("panic: ");
    print_indented(panic->value.text);
    if (panic->recovered)
        gofer_print(panic->repanicked ? " [recovered, repanicked]" : " [recovered]");
    gofer_print("\n");
}

/* In one piece, if it is short: what the program prints meanwhile does not come in between. */
static void print_panics_at_once(const struct gofer_panic *panic)
{
    char room[1024];
    struct gofer_text text = { .at = room, .size = sizeof room };
    gofer_print_to(&text);
    gofer_print_panics(panic);
    gofer_print_to(NULL);
    if (text.used < sizeof room - 1)
        gofer_print_bytes(room, text.used);
    else
        gofer_print_panics(panic);
}

/* As Go's: run-time errors, panic(nil) and the bools are each one value, wherever they are raised;
 * but a fault at a wild address is its own. */
static bool is_same_value(const struct gofer_panic *a, const struct gofer_panic *b)
{
    const go_panic_value *v = &a->value, *w = &b->value;
    bool shared =
        v->kind == GO_VALUE_RUNTIME || v->kind == GO_VALUE_NIL || v->kind == GO_VALUE_BOOL;
    return shared && v->kind == w->kind && strcmp(v->text, w->text) == 0 &&
           (uintptr_t)v->pointer < GOFER_NIL_PAGE && (uintptr_t)w->pointer < GOFER_NIL_PAGE;
}

/* The same value twice in a row is printed once. */
static void mark_same_values(struct gofer_panic *newest)
{
    for (struct gofer_panic *panic = newest; panic && panic->older; panic = panic->older)
        panic->older->repanicked |= is_same_value(panic, panic->older);
}

_Noreturn gofer_cold void gofer_die_of_panic(gofer_g *self)
{
    begin_end();
    mark_same_values(self->panics);
    const struct gofer_panic *panic = self->panics;
    keep_text("panic: ", panic->value.text);
    print_panics_at_once(panic);
    if (panic->signal_line)
        gofer_print(panic->signal_line);
    if (gofer_traceback_level() != GOFER_TRACE_NONE) {
        gofer_print("\n");
        gofer_dump(gofer_traceback_level() >= GOFER_TRACE_ALL, 0);
    }
    end();
}

/* ---- fatal errors ------------------------------------------------------------------------- */

/* The panics that an end interrupts come first. As in Go a fatal error is indented after a Goexit
 * too, a panic is not. */
static void print_pending_panics(bool is_panic)
{
    gofer_m *m = gofer_m_self();
    struct gofer_panic *newest = m ? m->g->panics : NULL;
    if (!newest)
        return;
    mark_same_values(newest);
    gofer_print_panics(newest);
    if (!is_panic || !newest->is_goexit)
        gofer_print("\t");
}

static _Noreturn void die(const char *line, const char *text, bool all)
{
    begin_end();
    gofer_print(line);
    print_pending_panics(false);
    keep_text("fatal error: ", text);
    gofer_print("fatal error: ");
    gofer_print(text);
    gofer_print("\n");
    if (gofer_traceback_level() != GOFER_TRACE_NONE) {
        gofer_print("\n");
        gofer_dump(all || gofer_traceback_level() >= GOFER_TRACE_ALL, 0);
    }
    end();
}

_Noreturn gofer_cold void gofer_fatal(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    die("", text, true);
}

_Noreturn gofer_cold void gofer_fatal_after(const char *line, const char *text)
{
    die(line, text, true);
}

_Noreturn gofer_cold void gofer_fatal_misuse(const char *text)
{
    die("", text, false);
}

void(go_fatal)(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    die("", text, true);
}

_Noreturn gofer_cold void gofer_fatal_deadlock(bool main_exited)
{
    if (main_exited)
        gofer_fatal("no goroutines (main called runtime.Goexit) - deadlock!");
    gofer_fatal("all goroutines are asleep - deadlock!");
}

_Noreturn gofer_cold void gofer_die_of_signal(const char *first, const char *second, bool all,
                                              uintptr_t interrupted)
{
    begin_end();
    keep_text("", first);
    print_pending_panics(true);
    gofer_print(first);
    gofer_print(second);
    if (gofer_traceback_level() != GOFER_TRACE_NONE) {
        gofer_print("\n");
        gofer_dump(all || gofer_traceback_level() >= GOFER_TRACE_ALL, interrupted);
    }
    end();
}

/* The end by a fatal error or an uncaught panic: Go's text, the traces, exit status 2.
 *
 * Nothing here allocates or waits without a bound; the first thread to arrive ends the process,
 * others wait for that. */
#include "panic/panic.h"

#include "debug/dump.h"
#include "panic/unwind.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOCK_MILLISECONDS = 1000, FLUSH_MILLISECONDS = 200 };

static void (*_Atomic on_fatal)(const char *);
static _Atomic pid_t ending; /* the thread that ends the process */
static char first_text[256]; /* for go_on_fatal; written by that thread */

void go_on_fatal(void (*fn)(const char *text))
{
    atomic_store_explicit(&on_fatal, fn, memory_order_release);
}

/* ---- one thread ends the process ---------------------------------------------------------- */

bool gofer_lock_stdout(void)
{
    for (int i = 0; ftrylockfile(stdout) != 0; i++) {
        if (i == LOCK_MILLISECONDS)
            return false;
        poll(NULL, 0, 1);
    }
    return true;
}

static void flush_stdout(void)
{
    struct pollfd out = { .fd = 1, .events = POLLOUT };
    if (!gofer_lock_stdout())
        return;
    if (poll(&out, 1, FLUSH_MILLISECONDS) == 1 && !(out.revents & POLLNVAL))
        fflush_unlocked(stdout);
    funlockfile(stdout);
}

/* Returns for the first thread only; false: this thread fails while it ends the process. */
static bool begin_end(void)
{
    pid_t self = (pid_t)syscall(SYS_gettid), nobody = 0;
    if (atomic_compare_exchange_strong_explicit(&ending, &nobody, self, memory_order_acq_rel,
                                                memory_order_acquire)) {
        gofer_freeze_world();
        flush_stdout();
        return true;
    }
    while (nobody != self)
        pause();
    return false;
}

static _Noreturn void end(void)
{
    void (*fn)(const char *) = atomic_load_explicit(&on_fatal, memory_order_acquire);
    if (fn)
        fn(first_text);
    if (gofer_traceback_level() == GOFER_TRACE_CRASH) {
        signal(SIGABRT, SIG_DFL);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGABRT);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        raise(SIGABRT);
    }
    _exit(2);
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

_Noreturn gofer_cold void gofer_die_of_panic(gofer_g *self)
{
    if (!begin_end())
        _exit(4);
    const struct gofer_panic *panic = self->panics;
    keep_text("panic: ", panic->value.text);
    gofer_print_panics(panic);
    if (gofer_traceback_level() != GOFER_TRACE_NONE) {
        gofer_print("\n");
        gofer_dump(gofer_traceback_level() >= GOFER_TRACE_ALL, 0);
    }
    end();
}

/* ---- fatal errors ------------------------------------------------------------------------- */

static _Noreturn void die(const char *text, bool all)
{
    if (!begin_end())
        _exit(4);
    gofer_m *m = gofer_m_self();
    if (m && m->g->panics && !m->g->panics->is_goexit) {
        gofer_print_panics(m->g->panics);
        gofer_print("\t");
    }
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
    die(text, true);
}

_Noreturn gofer_cold void gofer_fatal_misuse(const char *text)
{
    die(text, false);
}

void(go_fatal)(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    die(text, true);
}

_Noreturn gofer_cold void gofer_fatal_deadlock(bool main_exited)
{
    if (main_exited)
        gofer_fatal("no goroutines (main called runtime.Goexit) - deadlock!");
    gofer_fatal("all goroutines are asleep - deadlock!");
}

static _Noreturn void die_of_signal(const char *text, const char *line, bool all,
                                    uintptr_t interrupted)
{
    if (!begin_end())
        _exit(4);
    keep_text("", text);
    gofer_print(text);
    gofer_print(line);
    if (gofer_traceback_level() != GOFER_TRACE_NONE) {
        gofer_print("\n");
        gofer_dump(all || gofer_traceback_level() >= GOFER_TRACE_ALL, interrupted);
    }
    end();
}

_Noreturn gofer_cold void gofer_die_of_signal(const char *panic_text, const char *signal_line,
                                              uintptr_t interrupted)
{
    die_of_signal(panic_text, signal_line, false, interrupted);
}

_Noreturn gofer_cold void gofer_die_of_quit(const char *pc_line, uintptr_t interrupted)
{
    die_of_signal("SIGQUIT: quit\n", pc_line, true, interrupted);
}

/* GOFER_DEBUG=hog: goroutines that keep their processor for long.
 *
 * The monitor sees a thread that burned CPU and made no call into the runtime. What runs there only
 * that thread knows for sure, so it is asked by a signal, the only one that the runtime ever sends,
 * and only with this option: the handler copies the goroutine's name and trace into `answer`, and
 * the monitor, alone in waiting for it, prints them once for each place that starts goroutines.
 * GOFER_HOG_SIGNAL names another number than SIGRTMAX - 3. Without an answer there is no report:
 * the thread may block the signal. */
#include "arch/fault.h"
#include "debug/dump.h"
#include "debug/faults.h"
#include "debug/hog.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PLACES = 256, WAIT_MILLISECONDS = 100 };

static struct {
    _Atomic pid_t asked;   /* the thread that shall answer, until it begins to; else 0 */
    _Atomic bool answered; /* all below is written */
    uint64_t id, creator;
    const char *name;
    const gofer_site *site;
    void (*fn)(void);
    bool is_main;
    struct gofer_trace trace;
} answer;

/* The monitor's alone, and the process's end's. */
static struct place {
    const void *key; /* the spawn site, or where there is none the function */
    unsigned count;
    char text[160]; /* the site's, copied: what has it may be unloaded by the end */
} places[PLACES];
static int signal_number; /* 0: not looked for yet; -1: the program uses it */

/* ---- the thread that is asked -------------------------------------------------------------- */

static void on_question(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    (void)number;
    (void)info;
    gofer_m *m = gofer_m_self();
    pid_t self = m ? m->tid : -1;
    if (m && !m->g->is_system && !m->is_foreign &&
        atomic_compare_exchange_strong_explicit(&answer.asked, &self, 0, memory_order_relaxed,
                                                memory_order_relaxed)) {
        const gofer_g *g = m->g;
        answer.id = g->id;
        answer.creator = g->creator;
        answer.name = g->name;
        answer.site = g->site;
        answer.fn = g->first.fn;
        answer.is_main = g == gofer_sched.main_g;
        gofer_trace_collect(&answer.trace, gofer_fault_pc(context));
        /* pairs with the acquire in has_answered */
        atomic_store_explicit(&answer.answered, true, memory_order_release);
    }
    errno = saved;
}

/* ---- the monitor ---------------------------------------------------------------------------- */

/* How often each place's goroutines were seen, where more than once. */
static void print_counts(void)
{
    char line[300];
    for (int i = 0; i < PLACES && places[i].count; i++) {
        if (!places[i].text[0] || places[i].count == 1)
            continue;
        int n = snprintf(line, sizeof line, "gofer: hog: %u times: goroutines of main.%s\n",
                         places[i].count, places[i].text);
        gofer_print_bytes(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
    }
}

static void print_counts_at_exit(void)
{
    static bool asked_for;
    if (!asked_for)
        asked_for = atexit(print_counts) == 0;
}

static void choose_signal(void)
{
    const char *text = getenv("GOFER_HOG_SIGNAL");
    int number = text ? atoi(text) : SIGRTMAX - 3;
    struct sigaction now, action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
    action.sa_sigaction = on_question;
    sigfillset(&action.sa_mask);
    signal_number = -1;
    if (number > 0 && sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL &&
        sigaction(number, &action, NULL) == 0)
        signal_number = number;
    if (signal_number > 0) {
        gofer_bypass_tsan(signal_number, on_question);
        print_counts_at_exit();
    } else {
        gofer_print("gofer: GOFER_DEBUG=hog: the program uses the signal; give another number in "
                    "GOFER_HOG_SIGNAL\n");
    }
}

static bool has_answered(void)
{
    return atomic_load_explicit(&answer.answered, memory_order_acquire);
}

static void nap(void)
{
    struct timespec t = { 0, 100000 };
    nanosleep(&t, NULL);
}

static bool ask(const gofer_m *m)
{
    pid_t asked = m->tid;
    atomic_store_explicit(&answer.answered, false, memory_order_relaxed);
    atomic_store_explicit(&answer.asked, asked, memory_order_relaxed);
    if (syscall(SYS_tgkill, getpid(), asked, signal_number) == 0)
        for (int i = 0; i < WAIT_MILLISECONDS * 10 && !has_answered(); i++)
            nap();
    if (atomic_compare_exchange_strong_explicit(&answer.asked, &asked, 0, memory_order_relaxed,
                                                memory_order_relaxed))
        return false; /* it has not begun, and now it will not */
    while (!has_answered())
        nap();
    return true;
}

/* NULL: there are more places than there is room for. */
static struct place *place_of_answer(void)
{
    const void *key = answer.site ? (const void *)answer.site : (const void *)(uintptr_t)answer.fn;
    for (int i = 0; i < PLACES; i++)
        if (places[i].key == key || !places[i].key) {
            places[i].key = key;
            return &places[i];
        }
    return NULL;
}

static void print_report(int64_t nanoseconds)
{
    char line[240];
    const char *name = answer.is_main ? "go_main" : answer.site ? answer.site->name : NULL;
    const char *given = answer.name;
    int n = snprintf(line, sizeof line,
                     "gofer: hog: goroutine %llu%s%.80s%s kept its processor for %lld ms\n",
                     (unsigned long long)answer.id, given ? " \"" : "", given ? given : "",
                     given ? "\"" : "", (long long)(nanoseconds / 1000000));
    gofer_print_bytes(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
    gofer_trace_print(&answer.trace, name);
    gofer_print_origin(answer.site, answer.creator);
}

/* m's goroutine has burned so much CPU since its last call into the runtime. */
void gofer_hog_seen(const gofer_m *m, int64_t nanoseconds)
{
    if (signal_number == 0)
        choose_signal();
    if (signal_number < 0 || !ask(m))
        return;
    struct place *place = place_of_answer();
    if (!place || place->count++ > 0)
        return;
    const gofer_site *site = answer.site;
    if (site)
        snprintf(place->text, sizeof place->text, "%s, %s:%d", site->function, site->file,
                 site->line);
    print_report(nanoseconds);
}

void gofer_hog_end(void)
{
    struct sigaction now, none = { .sa_handler = SIG_DFL };
    if (signal_number <= 0)
        return;
    if (sigaction(signal_number, NULL, &now) == 0 && now.sa_sigaction == on_question)
        sigaction(signal_number, &none, NULL);
    signal_number = 0;
}

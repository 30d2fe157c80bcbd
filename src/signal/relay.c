/* Signals to channels and contexts: who is registered for what, and the thread that passes them on.
 *
 * The thread starts with the first registration, sleeps on a futex until a signal comes, and lives
 * until go_shutdown. One lock guards the registrations and each passing on, so who holds it and has
 * passed on what is pending knows that no value is on its way any more. Goroutines are made ready
 * and contexts cancelled after its release.
 *
 * Of all threads this one alone changes its signal mask: it lets in what is wanted and nothing
 * else, so a signal that the program blocks everywhere is received while somebody is registered for
 * it. */
#include "gofer/signal.h"

#include "base/own_thread.h"
#include "chan/chan.h"
#include "context/context.h"
#include "sched/internal.h"
#include "signal/caught.h"
#include "signal/relay.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>

enum { RELAY_STACK = 256 * 1024 };

struct registration {
    struct registration *next;
    gofer_chan *c; /* one of the two, to which it holds a reference */
    go_context *ctx;
    uint64_t wanted;
};

static struct {
    gofer_spin lock; /* guards all below */
    struct registration *first;
    bool runs; /* there is a thread */
    bool ends; /* it shall end */
    gofer_m *m;
    pthread_t thread;
    _Atomic uint64_t lets_in; /* what its signal mask lets in; written by it alone while it runs */
} relay;

/* ---- registrations: the lock is held ------------------------------------------------------ */

static uint64_t wanted_by_any(void)
{
    uint64_t wanted = 0;
    for (const struct registration *r = relay.first; r; r = r->next)
        wanted |= r->wanted;
    return wanted;
}

static struct registration **find_registration(const gofer_chan *c, const go_context *ctx)
{
    struct registration **at = &relay.first;
    while (*at && ((*at)->c != c || (*at)->ctx != ctx))
        at = &(*at)->next;
    return at;
}

/* Takes the signals from all registrations, and out of the list those that have none left. */
static struct registration *withdraw(uint64_t signals)
{
    struct registration *gone = NULL;
    for (struct registration **at = &relay.first; *at;) {
        struct registration *r = *at;
        r->wanted &= ~signals;
        if (r->wanted) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        r->next = gone;
        gone = r;
    }
    return gone;
}

/* A thread that has nothing to pass on wakes nobody: the deadlock check need not wait for it. */
static void tell_deadlock_check(void)
{
    if (relay.m)
        gofer_thread_set_ignored(relay.m, relay.first == NULL);
}

/* ---- passing on --------------------------------------------------------------------------- */

/* What is to be done after the lock's release. */
struct woken {
    gofer_g *first, *last;
    gofer_signal_context *cancelled; /* with a reference each */
};

static void offer(gofer_chan *c, int number, struct woken *woken)
{
    gofer_g *g;
    gofer_spin_lock(&c->lock);
    gofer_chan_attempt_send(c, &number, &g); /* no room, or closed: lost */
    gofer_spin_unlock(&c->lock);
    if (!g)
        return;
    g->link = NULL;
    if (woken->last)
        woken->last->link = g;
    else
        woken->first = g;
    woken->last = g;
}

/* The first signal alone cancels. */
static void note_cancelled(go_context *ctx, int number, struct woken *woken)
{
    gofer_signal_context *s = gofer_signal_context_of(ctx);
    if (s->signal)
        return;
    s->signal = number;
    go_context_ref(ctx);
    s->next = woken->cancelled;
    woken->cancelled = s;
}

static void pass_to(const struct registration *r, int number, struct woken *woken)
{
    if (r->c)
        offer(r->c, number, woken);
    else
        note_cancelled(r->ctx, number, woken);
}

/* The lock is held; the caller makes the woken ready after its release. */
static struct woken pass_pending(void)
{
    struct woken woken = { NULL, NULL, NULL };
    /* pairs with the release in the handler */
    uint64_t pending = atomic_exchange_explicit(&gofer_caught.pending, 0, memory_order_acquire);
    for (int number = 1; pending >> (number - 1); number++) {
        for (const struct registration *r = relay.first; r; r = r->next)
            if (r->wanted & pending & gofer_signal_bit(number))
                pass_to(r, number, &woken);
        if (number == GOFER_SIGNALS)
            break;
    }
    return woken;
}

static void wake_all(struct woken woken)
{
    while (woken.first) {
        gofer_g *g = woken.first;
        woken.first = g->link;
        gofer_ready_last(g);
    }
    while (woken.cancelled) {
        gofer_signal_context *s = woken.cancelled;
        char name[32];
        woken.cancelled = s->next;
        gofer_context_cancel_by_signal(s, go_signal_string(s->signal, name, sizeof name));
        go_context_unref(&s->canceller.node.context);
    }
}

/* Passes on what is pending; returns whether that was the last time. Cancelling may start
 * goroutines: where go_shutdown is about to end the runtime, this waits until it has decided. */
static bool pass_on(gofer_m *m)
{
    bool visits;
    gofer_spin_lock(&relay.lock);
    while (!(visits = gofer_visit_running(m)) && !relay.ends) {
        gofer_spin_unlock(&relay.lock);
        sched_yield();
        gofer_spin_lock(&relay.lock);
    }
    bool ends = relay.ends;
    relay.m = ends ? NULL : m;
    tell_deadlock_check();
    struct woken woken = { NULL, NULL, NULL };
    if (visits)
        woken = pass_pending();
    gofer_spin_unlock(&relay.lock);
    wake_all(woken);
    if (visits)
        gofer_visit_end(m);
    return ends;
}

static void let_in(uint64_t wanted)
{
    sigset_t mask;
    sigfillset(&mask);
    for (int number = 1; number <= GOFER_SIGNALS; number++)
        if (wanted & gofer_signal_bit(number))
            sigdelset(&mask, number);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    /* pairs with the acquire in wait_until_blocked */
    atomic_store_explicit(&relay.lets_in, wanted, memory_order_release);
}

static void *relay_main(void *argument)
{
    gofer_m *m = argument;
    gofer_attach_as(m);
    prctl(PR_SET_NAME, "gofer-signals", 0UL, 0UL, 0UL);
    for (bool ends = false; !ends;) {
        /* pairs with the release in gofer_signals_wake */
        uint32_t seen = atomic_load_explicit(&gofer_caught.news, memory_order_acquire);
        let_in(atomic_load_explicit(&gofer_caught.wanted, memory_order_relaxed));
        ends = pass_on(m);
        if (!ends)
            gofer_futex_wait(&gofer_caught.news, seen, -1);
    }
    return NULL;
}

/* What was taken back is blocked again where the program blocks it, once the thread lets it in no
 * more. */
static void wait_until_blocked(uint64_t signals)
{
    gofer_signals_wake();
    while (atomic_load_explicit(&relay.lets_in, memory_order_acquire) & signals &
           ~atomic_load_explicit(&gofer_caught.wanted, memory_order_relaxed))
        sched_yield();
}

/* ---- the thread's beginning and end ------------------------------------------------------- */

/* Only this thread is left; nobody would pass signals on here. */
static void end_in_child(void)
{
    static const gofer_spin open;
    relay.lock = open;
    atomic_store_explicit(&gofer_caught.handling, 0, memory_order_relaxed);
    gofer_signals_restore(atomic_load_explicit(&gofer_caught.wanted, memory_order_relaxed));
    relay.first = NULL;
    relay.runs = false;
    relay.m = NULL;
    atomic_store_explicit(&relay.lets_in, 0, memory_order_relaxed);
}

/* The lock is held. 0, or an errno. */
static int need_thread(void)
{
    static bool knows_forks;
    sigset_t all, mine;
    if (relay.runs)
        return 0;
    gofer_m *m = gofer_m_new(); /* it could tell nobody that there is no memory for one */
    if (!m)
        return ENOMEM;
    if (!knows_forks)
        knows_forks = pthread_atfork(NULL, NULL, end_in_child) == 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mine); /* it begins so */
    int error = gofer_own_thread(&relay.thread, RELAY_STACK, relay_main, m);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    relay.runs = error == 0;
    if (error)
        free(m);
    return error;
}

static void free_registrations(struct registration *gone)
{
    while (gone) {
        struct registration *r = gone;
        gone = r->next;
        if (r->c)
            gofer_chan_release(r->c);
        go_context_unref(r->ctx);
        free(r);
    }
}

/* Contexts that a signal was about to cancel stay as they are: it would start goroutines again. */
void gofer_signals_end(void)
{
    gofer_spin_lock(&relay.lock);
    bool runs = relay.runs;
    relay.ends = true;
    gofer_signals_restore(atomic_load_explicit(&gofer_caught.wanted, memory_order_relaxed));
    struct woken woken = pass_pending();
    struct registration *gone = withdraw(UINT64_MAX);
    gofer_spin_unlock(&relay.lock);
    while (woken.cancelled) {
        go_context *ctx = &woken.cancelled->canceller.node.context;
        woken.cancelled = woken.cancelled->next;
        go_context_unref(ctx);
    }
    wake_all(woken);
    free_registrations(gone);
    if (runs) {
        gofer_signals_wake();
        pthread_join(relay.thread, NULL);
    }
    gofer_spin_lock(&relay.lock);
    /* it may have read what was wanted before all was taken back */
    atomic_store_explicit(&relay.lets_in, 0, memory_order_relaxed);
    relay.runs = relay.ends = false;
    gofer_spin_unlock(&relay.lock);
}

/* ---- the verbs ---------------------------------------------------------------------------- */

/* `first` and those after it, up to a 0; none: all. */
static uint64_t listed(int first, va_list more)
{
    uint64_t signals = 0;
    if (!first)
        return UINT64_MAX;
    for (int number = first; number; number = va_arg(more, int))
        signals |= gofer_signal_bit(number);
    return signals;
}

/* One of c and ctx is NULL. 0, or an errno. */
static int notify(gofer_chan *c, go_context *ctx, uint64_t signals)
{
    struct registration *fresh = malloc(sizeof *fresh);
    if (!fresh)
        return ENOMEM;
    gofer_spin_lock(&relay.lock);
    int error = need_thread();
    if (error) {
        gofer_spin_unlock(&relay.lock);
        free(fresh);
        return error;
    }
    struct registration **at = find_registration(c, ctx);
    if (!*at) {
        *fresh = (struct registration){ .c = c, .ctx = go_context_ref(ctx) };
        if (c)
            go_chan_ref(c);
        *at = fresh;
        fresh = NULL;
        tell_deadlock_check();
    }
    (*at)->wanted |= signals;
    gofer_signals_catch(signals);
    gofer_spin_unlock(&relay.lock);
    gofer_signals_wake(); /* it lets more in */
    free(fresh);
    return 0;
}

/* go_shutdown waits until it is through. */
static int visit_and_notify(gofer_chan *c, go_context *ctx, uint64_t signals)
{
    gofer_m *m = gofer_m_attached();
    int error = gofer_visit(m);
    if (error)
        return error;
    error = notify(c, ctx, signals);
    gofer_visit_end(m);
    return error;
}

int(go_signal_notify)(go_chan(int) handle, ...)
{
    va_list more;
    if (!handle)
        go_panic("os/signal: Notify using nil channel");
    gofer_chan_check((const gofer_chan *)(void *)handle, sizeof(int), "go_signal_notify");
    va_start(more, handle);
    int first = va_arg(more, int);
    uint64_t signals = listed(first, more);
    va_end(more);
    int error = visit_and_notify((gofer_chan *)(void *)handle, NULL, signals);
    if (error)
        *gofer_errno() = error;
    return error ? -1 : 0;
}

/* What was caught before goes to who is registered still. */
static void withdraw_from_all(uint64_t signals, void (*change)(uint64_t signals))
{
    gofer_spin_lock(&relay.lock);
    change(signals);
    struct woken woken = pass_pending();
    struct registration *gone = withdraw(signals);
    tell_deadlock_check();
    gofer_spin_unlock(&relay.lock);
    wake_all(woken);
    free_registrations(gone);
    wait_until_blocked(signals);
}

void(go_signal_ignore)(int first, ...)
{
    va_list more;
    va_start(more, first);
    uint64_t signals = listed(first, more);
    va_end(more);
    withdraw_from_all(first ? signals : signals & ~gofer_signals_of_faults(), gofer_signals_ignore);
}

void(go_signal_reset)(int first, ...)
{
    va_list more;
    va_start(more, first);
    uint64_t signals = listed(first, more);
    va_end(more);
    withdraw_from_all(signals, gofer_signals_restore);
}

static void stop_registration(const gofer_chan *c, const go_context *ctx)
{
    struct woken woken = { NULL, NULL, NULL };
    uint64_t unwanted = 0;
    gofer_spin_lock(&relay.lock);
    struct registration **at = find_registration(c, ctx);
    struct registration *gone = *at;
    if (gone) {
        uint64_t mine = gone->wanted;
        gone->wanted = 0;
        unwanted = mine & ~wanted_by_any();
        gone->wanted = mine;
        gofer_signals_restore(unwanted); /* waits for all handlers, also where this is none */
        woken = pass_pending();
        *at = gone->next;
        gone->next = NULL;
        tell_deadlock_check();
    }
    gofer_spin_unlock(&relay.lock);
    wake_all(woken);
    free_registrations(gone);
    if (unwanted)
        wait_until_blocked(unwanted);
}

void go_signal_stop(go_chan(int) handle)
{
    stop_registration((const gofer_chan *)(void *)handle, NULL);
}

/* ---- contexts ----------------------------------------------------------------------------- */

static void stop_context(go_context *ctx)
{
    stop_registration(NULL, ctx);
}

/* ", [interrupt terminated])", or ")" where there are none. Cut where it does not fit. */
static void name_listed(char *buf, size_t size, int first, va_list more)
{
    size_t used = 0;
    for (int number = first; number && used < size; number = va_arg(more, int)) {
        char name[32];
        go_signal_string(number, name, sizeof name);
        used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? " " : ", [", name);
    }
    if (used >= size)
        used = size - 1;
    snprintf(buf + used, size - used, "%s", first ? "])" : ")");
}

go_context *(go_signal_notify_context)(go_context *parent, ...)
{
    char names[1024];
    va_list more;
    va_start(more, parent);
    int first = va_arg(more, int);
    name_listed(names, sizeof names, first, more);
    va_end(more);
    go_context *ctx = gofer_context_with_signals(parent, names, stop_context);
    if (!ctx)
        return NULL;
    va_start(more, parent);
    first = va_arg(more, int);
    int error = visit_and_notify(NULL, ctx, listed(first, more));
    va_end(more);
    if (gofer_likely(!error))
        return ctx;
    go_context_unref(ctx);
    *gofer_errno() = error;
    return NULL;
}

int go_signal_ignored(int signal)
{
    struct sigaction now;
    return gofer_signal_bit(signal) && sigaction(signal, NULL, &now) == 0 &&
           !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_IGN;
}

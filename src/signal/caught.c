/* See caught.h. Nothing here is instrumented for TSan: the handler runs where TSan does not expect
 * it. */
#include "signal/caught.h"

#include "debug/faults.h"

#include <sched.h>
#include <signal.h>

struct gofer_caught gofer_caught;

/* What was there before ours; handlers read it. Kept from the first time that we change a signal
 * until we give it back. */
static struct sigaction before[GOFER_SIGNALS + 1];
static uint64_t kept;    /* whose `before` holds; relay.c's lock */
static uint64_t ignored; /* by us; relay.c's lock */

uint64_t gofer_signals_of_faults(void)
{
    return gofer_signal_bit(SIGSEGV) | gofer_signal_bit(SIGBUS) | gofer_signal_bit(SIGFPE) |
           gofer_signal_bit(SIGILL);
}

/* ---- the handler -------------------------------------------------------------------------- */

void gofer_signals_wake(void)
{
    /* release: pairs with the relay's acquire; what woke it is visible */
    atomic_fetch_add_explicit(&gofer_caught.news, 1, memory_order_release);
    gofer_futex_wake(&gofer_caught.news, 1);
}

/* seq_cst: the count before the look at wanted; pairs with gofer_signals_restore, which clears
 * wanted before it looks at the count. */
static bool note(uint64_t bit)
{
    atomic_fetch_add_explicit(&gofer_caught.handling, 1, memory_order_seq_cst);
    bool is_wanted = (atomic_load_explicit(&gofer_caught.wanted, memory_order_seq_cst) & bit) != 0;
    if (is_wanted) /* pairs with the acquire of who takes pending */
        atomic_fetch_or_explicit(&gofer_caught.pending, bit, memory_order_release);
    atomic_fetch_sub_explicit(&gofer_caught.handling, 1, memory_order_release);
    return is_wanted;
}

/* Nobody wants it from us. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    struct sigaction now;
    if (gofer_call_handler(&before[number], number, info, context) ||
        before[number].sa_handler == SIG_IGN)
        return;
    bool is_fault = info->si_code > 0 && (gofer_signal_bit(number) & gofer_signals_of_faults());
    if (is_fault)
        sigaction(number, &before[number], NULL); /* the instruction fails again, by default */
    else if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        raise(number); /* it was taken back while the signal was on its way */
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    uint64_t bit = gofer_signal_bit(number);
    bool is_fault = info->si_code > 0 && (bit & gofer_signals_of_faults());
    if (!is_fault && note(bit))
        gofer_signals_wake();
    else
        pass_on(number, info, context);
    errno = saved;
}

/* ---- dispositions ------------------------------------------------------------------------- */

bool gofer_signals_is_catcher(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_signal;
}

/* Of the masks what the kernel has: the C library leaves the rest as it is. */
static bool is_same(const struct sigaction *a, const struct sigaction *b)
{
    return a->sa_sigaction == b->sa_sigaction && a->sa_flags == b->sa_flags &&
           memcmp(&a->sa_mask, &b->sa_mask, GOFER_SIGNALS / 8) == 0;
}

/* Keeps what is there, unless that was kept already. False: the signal cannot be changed. */
static bool keep(int number)
{
    struct sigaction now;
    if (kept & gofer_signal_bit(number))
        return true;
    if (sigaction(number, NULL, &now) != 0)
        return false;
    if (!is_same(&before[number], &now)) /* a late handler may read it */
        before[number] = now;
    kept |= gofer_signal_bit(number);
    return true;
}

/* A fault's handler may fail itself, and then the signal must not be blocked. */
static bool install_catcher(int number)
{
    bool is_fault = (gofer_signal_bit(number) & gofer_signals_of_faults()) != 0;
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
    action.sa_sigaction = on_signal;
    if (is_fault)
        action.sa_flags |= SA_NODEFER;
    else
        sigfillset(&action.sa_mask);
    if (sigaction(number, &action, NULL) != 0)
        return false;
    gofer_bypass_tsan(number, on_signal);
    return true;
}

void gofer_signals_catch(uint64_t signals)
{
    uint64_t caught = atomic_load_explicit(&gofer_caught.wanted, memory_order_relaxed);
    for (int number = 1; number <= GOFER_SIGNALS; number++) {
        uint64_t bit = gofer_signal_bit(number);
        if (!(signals & ~caught & bit) || !keep(number))
            continue;
        /* before the handler is there: one that runs at once is wanted */
        atomic_fetch_or_explicit(&gofer_caught.wanted, bit, memory_order_seq_cst);
        ignored &= ~bit;
        if (!install_catcher(number)) { /* SIGKILL, SIGSTOP */
            atomic_fetch_and_explicit(&gofer_caught.wanted, ~bit, memory_order_seq_cst);
            kept &= ~bit;
        }
    }
}

/* The signals have another disposition by now. */
static void forget(uint64_t signals)
{
    atomic_fetch_and_explicit(&gofer_caught.wanted, ~signals, memory_order_seq_cst);
    while (atomic_load_explicit(&gofer_caught.handling, memory_order_seq_cst) != 0)
        sched_yield();
}

void gofer_signals_ignore(uint64_t signals)
{
    for (int number = 1; number <= GOFER_SIGNALS; number++) {
        struct sigaction action = { .sa_handler = SIG_IGN };
        if ((signals & gofer_signal_bit(number)) && keep(number) &&
            sigaction(number, &action, NULL) == 0)
            ignored |= gofer_signal_bit(number);
    }
    forget(signals);
}

/* Where the program has put another handler in front of ours, that one stays, and may go on calling
 * ours, for which `before` is kept. */
void gofer_signals_restore(uint64_t signals)
{
    for (int number = 1; number <= GOFER_SIGNALS; number++) {
        struct sigaction now;
        uint64_t bit = gofer_signal_bit(number);
        if (!(signals & kept & bit) || sigaction(number, NULL, &now) != 0)
            continue;
        if (gofer_signals_is_catcher(&now) || ((ignored & bit) && now.sa_handler == SIG_IGN)) {
            sigaction(number, &before[number], NULL);
            kept &= ~bit;
        }
        ignored &= ~bit;
    }
    forget(signals);
}

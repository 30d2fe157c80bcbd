/* Signals that are caught, and those that wait to be passed on.
 *
 * A signal takes two steps. The handler, which may interrupt any code, sets the signal's bit in
 * `pending` and wakes the thread of relay.c; that thread, which is as any other, puts it in the
 * channels. Bit n - 1 of a word stands for signal n; Linux has 64.
 *
 * Who takes a signal back: gives it its earlier disposition, then clears its bit in `wanted`, then
 * waits until `handling` is 0: from then on every signal that our handler took is in `pending`, and
 * a handler that comes too late finds itself unwanted and lets the earlier disposition have it. */
#ifndef GOFER_SRC_CAUGHT_H
#define GOFER_SRC_CAUGHT_H

#include "base/base.h"

#include <signal.h>

enum { GOFER_SIGNALS = 64 };

static inline uint64_t gofer_signal_bit(int number)
{
    return number >= 1 && number <= GOFER_SIGNALS ? (uint64_t)1 << (number - 1) : 0;
}

/* Those that a failing instruction raises. */
uint64_t gofer_signals_of_faults(void);

extern struct gofer_caught {
    _Atomic uint64_t wanted;   /* written by the functions below; read by handlers */
    _Atomic uint64_t pending;  /* caught and not yet passed on */
    _Atomic uint32_t handling; /* handlers between their look at wanted and their mark in pending */
    _Atomic uint32_t news;     /* futex: pending or wanted has changed */
} gofer_caught;

/* Whether the handler is the one that catches signals. */
bool gofer_signals_is_catcher(const struct sigaction *action);

/* The callers of these hold relay.c's lock. */
void gofer_signals_catch(uint64_t signals);
void gofer_signals_ignore(uint64_t signals);
void gofer_signals_restore(uint64_t signals); /* waits for handlers; what they caught is pending */

void gofer_signals_wake(void); /* the relay's thread */

#endif

/* The panics of one goroutine, as the files of src/panic see them.
 *
 * g->defers: deferred calls and go_recoverable marks, newest first; the records lie in the user's
 * frames. g->panics: panics and Goexits in progress, newest first. g->running: deferred calls in
 * progress, innermost first. All three are touched by the goroutine itself alone. Deferred calls
 * run on top of the stack, so a frame's address tells which of two is the outer one: what lies
 * deeper than a landing's mark is gone with the landing. */
#ifndef GOFER_SRC_UNWIND_H
#define GOFER_SRC_UNWIND_H

#include "park/park.h"

enum gofer_defer_kind {
    GOFER_DEFERRED_CALL = 0,
    GOFER_FRAME_MARK = 1,
    GOFER_DEFERRED_CLOSURE = 2 /* C++: call.fn calls record->stack, the deferred function itself */
};

struct gofer_panic {
    struct gofer_panic *older;
    const char *frame; /* its frame's address */
    go_panic_value value;
    bool is_goexit;
    bool recovered;
    bool repanicked; /* a newer panic carries the same value */
    char *allocated; /* value.text, where it did not fit on the stack */
};

struct gofer_running {
    struct gofer_running *outer;
    const char *frame;
    struct gofer_panic *panic; /* on whose account it runs; NULL: its block was left */
    const gofer_defer *record;
};

/* Runs every deferred call of the goroutine for the panic; returns where none recovered it. */
void gofer_run_deferred(gofer_g *self, struct gofer_panic *panic);

/* Ends the process for a panic that nobody recovered. */
_Noreturn void gofer_die_of_panic(gofer_g *self);

/* The panics, oldest first, as an uncaught one prints them. */
void gofer_print_panics(const struct gofer_panic *panic);

#endif

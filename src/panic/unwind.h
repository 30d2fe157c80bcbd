/* The panics of one goroutine, as the files of src/panic see them.
 *
 * g->defers: deferred calls and go_recoverable marks, newest first; the records lie in the user's
 * frames. g->panics: panics and Goexits in progress, newest first. g->running: deferred calls in
 * progress, innermost first. All three are touched by the goroutine itself alone. Deferred calls
 * run on top of the stack, so a frame's address tells which of two is the outer one: what lies
 * deeper than a landing's mark is gone with the landing. g->defers_site is the newest record's
 * site, which can be read where a longjmp has left the record's frame behind. */
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
    bool repanicked;         /* a newer panic carries the same value */
    const char *signal_line; /* printed after an uncaught fault's text, or NULL */
    char *allocated;         /* value.text, where it did not fit on the stack */
};

struct gofer_running {
    struct gofer_running *outer;
    const char *frame;
    struct gofer_panic *panic; /* on whose account it runs; NULL: its block was left */
    const gofer_defer *record;
};

static inline void gofer_defers_push(gofer_g *self, gofer_defer *record)
{
    record->next = self->defers;
    self->defers = record;
    self->defers_site = record->site;
}

/* The newest. */
static inline void gofer_defers_pop(gofer_g *self, gofer_defer *record)
{
    self->defers = record->next;
    self->defers_site = record->next ? record->next->site : NULL;
}

/* Runs every deferred call of the goroutine for the panic; returns where none recovered it. */
void gofer_run_deferred(gofer_g *self, struct gofer_panic *panic);

/* Ends the process for a panic that nobody recovered. */
_Noreturn void gofer_die_of_panic(gofer_g *self);

/* The panics, oldest first, as an uncaught one prints them. */
void gofer_print_panics(const struct gofer_panic *panic);

#endif

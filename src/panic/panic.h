/* Panics and fatal errors, as the rest of the library raises them. */
#ifndef GOFER_SRC_PANIC_H
#define GOFER_SRC_PANIC_H

#include "sched/sched.h"

enum { GOFER_NIL_PAGE = 4096 }; /* as in Go a fault below it is one at a nil pointer */

/* Raises a run-time error whose text is printed as it is ("send on closed channel"). */
_Noreturn gofer_cold void gofer_panic_runtime(const char *text);

/* The same where Go's panic("…") stands in a package: no run-time error. */
_Noreturn gofer_cold void gofer_panic_text(const char *text);

/* Raises a value whose text lies in memory that is freed when the panic is over. */
_Noreturn gofer_cold void gofer_panic_allocated(go_panic_value value, void *memory);

/* "fatal error: …", then the traces of all goroutines; exit 2.
 * Never allocates, never hangs, usable in any state of the runtime. */
_Noreturn gofer_cold void gofer_fatal(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The same behind a line of its own, newline and all. */
_Noreturn gofer_cold void gofer_fatal_after(const char *line, const char *text);

/* As gofer_fatal, for a wrong use that the caller's own trace explains: as Go, without the others'
 * (unless GOTRACEBACK asks for them). */
_Noreturn gofer_cold void gofer_fatal_misuse(const char *text);

/* The deadlock reports: called by the idle path under no lock, on a thread's own context. */
_Noreturn gofer_cold void gofer_fatal_deadlock(bool main_exited);

/* Never returns where another thread has begun to end the process with a report: main's return must
 * not cut it short. */
void gofer_let_end(void);

/* Takes stdio's lock of stdout for what ends the process; false: a thread that was stopped, or that
 * writes into a full pipe, has held it for a second. */
bool gofer_lock_stdout(void);

/* The end by a signal that came at the program counter `interrupted`: both texts end in a newline;
 * then the traces, of all goroutines if `all`. */
_Noreturn gofer_cold void gofer_die_of_signal(const char *first, const char *second, bool all,
                                              uintptr_t interrupted);

/* Raises a run-time error for a fault at `address`; the line is printed if nobody recovers it. */
_Noreturn gofer_cold void gofer_panic_fault(const char *text, void *address,
                                            const char *signal_line);

gofer_cold void gofer_jumped(gofer_g *self, const void *frame); /* looks closer */
gofer_cold void gofer_ended_early(gofer_g *self);

/* The goroutine is about to end or to wait, `frame` being the caller's frame address: fatal where a
 * longjmp led here from another stack or out of a function with deferred calls. See jump.c. */
static inline void gofer_check_jumps(gofer_g *self, const void *frame)
{
    const char *at = frame, *defers = (const char *)self->defers;
    const char *running = (const char *)self->running;
    if (gofer_unlikely((size_t)(self->stack_high - at) >
                           (size_t)(self->stack_high - self->stack_low) ||
                       (defers && defers < at) || (running && running < at)))
        gofer_jumped(self, frame);
}

/* In a function that calls the program back with one deferred call registered: that call runs also
 * where a C++ exception leaves the function. See exception.c. Without unwind tables no exception
 * can leave it; with tables that the assembler does not make (-fno-dwarf2-cfi-asm) it does not run.
 */
#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define GOFER_DEFERS_FOR_EXCEPTIONS() \
    __asm__ volatile(".cfi_personality 0x1b, gofer_callback_personality")
#else
#define GOFER_DEFERS_FOR_EXCEPTIONS() (void)0
#endif

static inline void gofer_check_ended(gofer_g *self, const void *frame)
{
    gofer_check_jumps(self, frame);
    if (gofer_unlikely(self->defers != NULL))
        gofer_ended_early(self);
}

#endif

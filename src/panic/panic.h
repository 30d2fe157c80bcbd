/* Panics and fatal errors, as the rest of the library raises them. */
#ifndef GOFER_SRC_PANIC_H
#define GOFER_SRC_PANIC_H

#include "sched/sched.h"

/* Raises a run-time error whose text is printed as it is ("send on closed channel"). */
_Noreturn gofer_cold void gofer_panic_runtime(const char *text);

/* "fatal error: …", then the traces of all goroutines; exit 2.
 * Never allocates, never hangs, usable in any state of the runtime. */
_Noreturn gofer_cold void gofer_fatal(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The same for a wrong use that the caller's own trace explains: as Go, without the others' (unless
 * GOTRACEBACK asks for them). */
_Noreturn gofer_cold void gofer_fatal_misuse(const char *text);

/* The deadlock reports: called by the idle path under no lock, on a thread's own context. */
_Noreturn gofer_cold void gofer_fatal_deadlock(bool main_exited);

/* Takes stdio's lock of stdout for what ends the process; false: a thread that was stopped, or that
 * writes into a full pipe, has held it for a second. */
bool gofer_lock_stdout(void);

/* The end by a signal: both texts end in a newline; then the traces. */
_Noreturn gofer_cold void gofer_die_of_signal(const char *panic_text, const char *signal_line,
                                              uintptr_t interrupted);
_Noreturn gofer_cold void gofer_die_of_quit(const char *pc_line, uintptr_t interrupted);

#endif

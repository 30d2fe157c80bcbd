/* Traces of goroutines in Go's form, on standard error. Allocates nothing by malloc, takes no lock
 * that user code may hold. */
#ifndef GOFER_SRC_DUMP_H
#define GOFER_SRC_DUMP_H

#include "sched/sched.h"

/* GOTRACEBACK. */
enum gofer_trace_level {
    GOFER_TRACE_NONE,
    GOFER_TRACE_SINGLE,
    GOFER_TRACE_ALL,
    GOFER_TRACE_SYSTEM,
    GOFER_TRACE_CRASH,
};
enum gofer_trace_level gofer_traceback_level(void);

/* What the calling thread prints goes to *text from now on, as far as there is room, or to standard
 * error again (NULL). It may not switch meanwhile. */
struct gofer_text {
    char *at;
    size_t size, used; /* used < size, unless that is 0 */
};
void gofer_print_to(struct gofer_text *text);

void gofer_print(const char *text);
void gofer_print_bytes(const char *text, size_t size);
/* How many pieces were printed so far, by anybody: the fatal path's proof that it goes on. */
extern _Atomic unsigned gofer_printed;

/* The caller's goroutine, then, if `all`, every other: freezes the world for it. In a signal
 * handler `interrupted` is the program counter where it came, else 0. */
void gofer_dump(bool all, uintptr_t interrupted);

/* Every goroutine; the caller holds sched.lock, and every processor is idle: none moves. */
void gofer_dump_still(void);

/* Main's goroutine is about to end by Goexit: its trace is what a later report shows of it. */
void gofer_keep_main_trace(void);

/* Addresses of the frames of one context, innermost first. Of a deep one both ends: some more of
 * each than is printed, for there are frames among them that are not shown. */
enum { GOFER_TRACE_INNER = 64, GOFER_TRACE_OUTER = 64 };
struct gofer_trace {
    uintptr_t address[GOFER_TRACE_INNER + GOFER_TRACE_OUTER];
    int count;
    int inner, elided; /* so many are left out, after the first `inner` */
};

/* The caller's; `interrupted` as above. Usable in a signal handler. */
void gofer_trace_collect(struct gofer_trace *trace, uintptr_t interrupted);

/* The same, but no further outwards than there is room for: none is left out. */
void gofer_trace_collect_inner(struct gofer_trace *trace, uintptr_t interrupted);

/* What a goroutine's part of a dump is made from. One that was copied may be printed when the
 * goroutine is gone. */
struct gofer_snapshot {
    gofer_g g;         /* a copy; its name is ours */
    const char *entry; /* its entry function; NULL: not known */
    bool runs;         /* on some thread: it has no trace */
    struct gofer_trace trace;
    char name[64];
};
void gofer_snapshot_take(struct gofer_snapshot *snapshot, gofer_g *g); /* g is still */
void gofer_snapshot_print(const struct gofer_snapshot *snapshot);

/* How many of the caller's own trace, innermost first, are the user's. */
int gofer_trace_of_user(const struct gofer_trace *trace);

/* Prints a trace of the goroutine whose entry function is `entry` (NULL: not known), then where it
 * was started. */
void gofer_trace_print(const struct gofer_trace *trace, const char *entry);
void gofer_print_origin(const gofer_site *site, uint64_t creator);

/* One address as function, file and line. From symbols.c. */
enum { GOFER_NAME_SIZE = 128 };
struct gofer_symbol {
    char function[GOFER_NAME_SIZE];
    char file[256];
    int line;         /* 0: not known, and file is the object's */
    uintptr_t offset; /* of the address in the function; in the object where that is not known */
};
/* Fills `symbols`, innermost first, where functions were inlined into each other: the last is the
 * one that was called. Returns how many, at least 1. */
enum { GOFER_INLINED_MOST = 8 };
int gofer_symbolise(uintptr_t address, struct gofer_symbol symbols[GOFER_INLINED_MOST]);

/* The objects that are loaded: the program and its shared libraries. From objects.c. */

/* A number that differs when another object was loaded or one was unloaded. */
unsigned long long gofer_objects_version(void);
/* What the object at `address` knows of it: fills what is not known yet of `symbol`. */
void gofer_object_symbol(uintptr_t address, struct gofer_symbol *symbol);
/* The path by which the program's own file can be opened. */
const char *gofer_program_link(void);

/* A C++ symbol made readable, in place. From names.c. */
void gofer_shorten_name(char name[GOFER_NAME_SIZE]);

#endif

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

void gofer_print(const char *text);
void gofer_print_bytes(const char *text, size_t size);

/* The caller's goroutine, then, if `all`, every other: freezes the world for it. In a signal
 * handler `interrupted` is the program counter where it came, else 0. */
void gofer_dump(bool all, uintptr_t interrupted);

/* Main's goroutine is about to end by Goexit: its trace is what a later report shows of it. */
void gofer_keep_main_trace(void);

/* One address as function, file and line. From symbols.c. */
enum { GOFER_NAME_SIZE = 128 };
struct gofer_symbol {
    char function[GOFER_NAME_SIZE];
    char file[256];
    int line;         /* 0: not known, and file is the object's */
    uintptr_t offset; /* of the address in the function */
};
void gofer_symbolise(uintptr_t address, struct gofer_symbol *symbol);

/* A C++ symbol made readable, in place. From names.c. */
void gofer_shorten_name(char name[GOFER_NAME_SIZE]);

#endif

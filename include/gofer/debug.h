/* Where the program is: traces, callers and their names, and what crashes show. Go's packages
 * runtime and runtime/debug.
 *
 * Go's SetFinalizer and AddCleanup, GC, FreeOSMemory, KeepAlive and ReadMemStats have no
 * counterpart: C has no collector. What a goroutine owns is given back by go_defer; what is shared,
 * by whoever drops the last reference (go_chan_unref). SPDX-License-Identifier: MIT */
#ifndef GOFER_DEBUG_H
#define GOFER_DEBUG_H

#include <gofer/base.h>

GOFER_BEGIN

/* Writes the calling goroutine's trace, in the form of a crash's report, and if all is not 0 those
 * of all other goroutines after it, with a final zero, cut where buf ends. Returns the text's
 * length without the zero, less than size. With all no goroutine is resumed meanwhile; one that
 * runs on another thread has no trace; of one that has less than 12 KiB of its stack left only the
 * first function is shown. Each other's trace uses a page or two of that one's stack. From any
 * thread. Go: runtime.Stack. */
GOFER_API size_t go_stack(char *buf, size_t size, int all);

/* Writes the calling goroutine's trace to stderr. Go: debug.PrintStack. */
GOFER_API void go_print_stack(void);

/* One place in the program. What is not known is empty, or 0; functions of libraries and of
 * programs without debug information have no line. */
typedef struct go_frame {
    uintptr_t pc; /* in the instruction that calls */
    int line;
    char function[128];
    char file[256];
} go_frame;

/* Where the caller is (skip 0), its caller (1), and so on, inlined functions counted too. Returns
 * 1; 0 where there are fewer. Reads debug information: not for hot paths. From any thread. Go:
 * runtime.Caller. */
GOFER_API int go_caller(int skip, go_frame *frame);

/* The program counters of the calls in progress, innermost first, at most n and at most 100,
 * without the first skip; skip 0 is the caller of go_callers (Go's 1). Returns how many. A pc may
 * stand for several functions that were inlined into each other: see go_frames. Go:
 * runtime.Callers. */
GOFER_API size_t go_callers(int skip, uintptr_t *pcs, size_t n);

/* The functions at a pc of go_callers, innermost first, where they were inlined into each other
 * more than one; at most n. Returns how many, at least 1 where n is. Go: runtime.CallersFrames. */
GOFER_API size_t go_frames(uintptr_t pc, go_frame *frames, size_t n);

/* What crashes show, in the words of GOTRACEBACK: "none", "single", "all", "system", "crash". A
 * level below that of GOTRACEBACK in the environment, "single" where it is not set, does nothing.
 * From any thread. Go: debug.SetTraceback. */
GOFER_API void go_set_traceback(const char *level);

/* The most bytes that go_with may ask for one goroutine's stack: goroutines started from now on
 * that ask for more get so many. Stacks never grow, so this bounds address space, not the depth of
 * calls: a goroutine of the default size keeps that, and "goroutine stack exceeds" reports each
 * one's own size. Returns the limit before; at first Go's 1,000,000,000, though nothing is limited
 * until the first call. 0 only asks. From any thread. Go: debug.SetMaxStack. */
GOFER_API size_t go_set_max_stack(size_t bytes);

GOFER_END
#endif

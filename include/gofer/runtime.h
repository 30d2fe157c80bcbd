/* Goroutines: starting, yielding, ending, and what surrounds them. Go's package runtime.
 * docs/threads.md has the words; docs/memory.md how long what a goroutine uses must live.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_RUNTIME_H
#define GOFER_RUNTIME_H

#include <gofer/base.h>
#include <gofer/capture.h>

GOFER_BEGIN

/* How a goroutine is started by go_with and go_spawn_with. Zero means the default. */
typedef struct go_options {
    size_t stack;     /* bytes of address space for its stack; default 256 KiB (GOFER_STACK) */
    const char *name; /* shown in dumps; must outlive the goroutine */
    int sticky;       /* not 0: it never changes thread once it has started */
} go_options;

/* main's goroutine, written by the program. The process ends with its result as soon as it
 * returns, whatever other goroutines do: none resumes. But a function of atexit or a destructor
 * may wait, and then they go on. Its stack is 1 GiB of address space, or what is to be had of
 * that. Go: func main. */
int go_main(int argc, char **argv);

/* Starts fn(arg) as a goroutine. The form for every compiler and language binding; C programs
 * use go(fn, args…). Does not block. From any thread. NULL fn: fatal error "go of nil func
 * value". No memory for a stack: fatal error. Go: the go statement. */
GOFER_API void go_spawn(void (*fn)(void *), void *arg);

/* go_spawn with options; NULL options are the defaults. Copied before the call returns, but for
 * the name's text. */
GOFER_API void go_spawn_with(const go_options *options, void (*fn)(void *), void *arg);

/* Starts the runtime if it does not run, runs fn(argc, argv) as a goroutine, blocks the calling
 * thread until fn has returned, and returns its result. Other goroutines live on. From any
 * thread, several at once, again and again. fn's stack is 64 MiB of address space, or GOFER_STACK
 * where that is more. A Goexit in fn returns -1 with ECANCELED. Called in a goroutine it simply
 * blocks that goroutine. -1 with ENOMEM or EAGAIN, or what else the system says of a thread that it
 * refuses (a sandbox EPERM), where the runtime could not be started. */
GOFER_API int go_run(int (*fn)(int argc, char **argv), int argc, char **argv);

/* Ends the runtime: waits until no goroutine is left, then stops the runtime's threads and gives
 * back its memory. Timeout 0: does not wait; negative: for ever, and goroutines that can never end
 * are a deadlock then. Returns 0 also where it does not run. -1 with EBUSY: goroutines are left at
 * the timeout, or a plain thread is in go_sleep or waits for a timer, or a go_fd was not unref'd
 * yet, be it closed; or the program has a go_main, with which the runtime ends. -1 with EDEADLK:
 * called in a goroutine. After an error all goes on. After 0 the program's own objects (channels,
 * mutexes) stay as they are, a channel of go_after whose time had not come gets no value any more,
 * signal handlers are as they were, and go_run or go start the runtime anew. Then too, if no thread
 * is in a call of the library, the shared library may be unloaded by dlclose. Destructors of the
 * program's (of pthread_key_create, thread_local) run on the runtime's threads as these end,
 * whatever the timeout; one that calls the library there may start the runtime anew, which is ended
 * in turn. From plain threads only. Go has no such call. */
GOFER_API int go_shutdown(go_duration timeout);

/* fn is called once, after the text of a fatal error or uncaught panic was written and before
 * the process ends, on the failing thread. It should not block. NULL removes it. */
GOFER_API void go_on_fatal(void (*fn)(const char *text));

/* Lets other goroutines run; the caller goes to the end of the queue. In a plain thread:
 * sched_yield. Go: runtime.Gosched. */
GOFER_API void go_gosched(void);

/* Ends the calling goroutine after running its deferred calls. In main's goroutine the program
 * goes on with the others and crashes when none is left. In a plain thread: fatal error.
 * Go: runtime.Goexit. */
GOFER_API void go_goexit(void);
#define go_goexit() (go_goexit(), __builtin_unreachable()) /* never returns: see panic.h */

/* How many goroutines exist. Go: runtime.NumGoroutine. */
GOFER_API int go_num_goroutine(void);

/* The calling goroutine's number, as dumps show it; 0 in a plain thread. */
GOFER_API uint64_t go_goid(void);

/* Sets how many processors run goroutines at once and returns the setting before; n < 1 only
 * asks. At most 1,024. Takes effect at once for growth; a processor too many is given up by its
 * thread at its next scheduling point. Until it is set here or by GOMAXPROCS in the environment it
 * follows affinity and the cgroup's quota as they change. Go: runtime.GOMAXPROCS. */
GOFER_API int go_gomaxprocs(int n);

/* Processors this process may use, by its affinity at the first call; a cgroup's quota is not in
 * it. Go: runtime.NumCPU. */
GOFER_API int go_num_cpu(void);

/* Ties the goroutine to its thread, and the thread to it, until as many unlocks were called. A
 * goroutine that ends locked ends its thread's service to goroutines. In a plain thread: does
 * nothing. Go: runtime.LockOSThread, runtime.UnlockOSThread. */
GOFER_API void go_lock_os_thread(void);
GOFER_API void go_unlock_os_thread(void);

/* Between these the goroutine is about to block in foreign code: waiting work gets its processor
 * at once instead of when the monitor notices. May be nested; never needed for correctness. */
GOFER_API void go_blocking_begin(void);
GOFER_API void go_blocking_end(void);

/* The most threads that may be blocked in foreign code at once; going over is fatal, as in Go.
 * Returns the limit before; default 10,000. Go: debug.SetMaxThreads. */
GOFER_API int go_set_max_threads(int n);

/* Values of the calling goroutine (of the thread, in a plain one), one for each key. A key is
 * the address of any static object. go_local_set returns 0, or -1 with ENOMEM; destroy, if not
 * NULL, is called with the value when the goroutine ends. go_local_get returns NULL where
 * nothing was set. */
GOFER_API int go_local_set(const void *key, void *value, void (*destroy)(void *));
GOFER_API void *go_local_get(const void *key);

/* The calling thread was made by the program but will never wake a goroutine: the deadlock
 * report shall not wait for it. */
GOFER_API void go_thread_ignore(void);

GOFER_END

#ifdef __cplusplus
#include <gofer/cxx/go.h>
#else

/* Starts fn(args…) as a goroutine: up to 16 arguments of any types, checked against fn's own
 * prototype and evaluated now. Go: the go statement. */
#define go_start(...) go_with((const go_options *)0, __VA_ARGS__)

/* go with options: go_with(&(go_options){ .name = "reader" }, fn, args…). */
#define go_with(opts, ...)                                                                  \
    __extension__({                                                                         \
        static const gofer_site gofer_site_ = { __extension__ __func__, __FILE__, __LINE__, \
                                                GOFER_NAME_OF(GOFER_FIRST(__VA_ARGS__)) };  \
        gofer_spawn_record gofer_record_;                                                   \
        gofer_record_.call.fn = (void (*)(void))(GOFER_FIRST(__VA_ARGS__));                 \
        gofer_record_.call.deliver = gofer_deliver_spawn;                                   \
        gofer_record_.call.stack_size = GOFER_STACK_SIZE(__VA_ARGS__);                      \
        gofer_record_.site = &gofer_site_;                                                  \
        gofer_record_.options = (opts);                                                     \
        GOFER_CAPTURE(&gofer_record_, __VA_ARGS__);                                         \
    })

#endif

#ifndef GOFER_NO_SHORT_NAMES
/* The short name of go_start: `go(fn, args…)`. `#define GOFER_NO_SHORT_NAMES` leaves it out. */
#define go(...) go_start(__VA_ARGS__)
#endif

#endif

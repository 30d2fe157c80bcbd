/* What the runtime gives libgofer-hook, and how the two meet.
 *
 * The hook library may be loaded before the runtime (LD_PRELOAD), and the runtime may be part of
 * the program or a library that dlopen brought. So the runtime looks for the hook library when it
 * starts, and tells it of itself; until then, and after the runtime was unloaded, hooks do nothing.
 * One runtime at a time: a second one in the process (in two plugins, say) is refused, and its
 * goroutines block their threads as without hooks. */
#ifndef GOFER_SRC_HOOK_SERVICE_H
#define GOFER_SRC_HOOK_SERVICE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum { GOFER_HOOK_VERSION = 1 };

/* All for the calling thread, which may be any. */
typedef struct gofer_hook_service {
    uint32_t version;

    /* How many reasons the goroutine has not to be parked by a hook: locks that it holds, handlers
     * that it is in. The goroutine's own, to be counted by the hooks. NULL: no goroutine runs. */
    uint32_t *(*held)(void);

    /* Whether a goroutine runs, holds nothing, and the runtime is not at work or at its end. */
    bool (*may_park)(void);

    /* Parks the goroutine, which may_park: it comes back on the same thread. 0: one of the
     * descriptors may be ready, ask the kernel; ETIMEDOUT: `deadline` (monotonic nanoseconds;
     * negative: none) has passed; EBADF: a number was closed meanwhile; another errno: it did not
     * wait, for the kernel cannot tell their readiness or no memory is left. */
    int (*wait)(const struct pollfd *fds, unsigned long count, int64_t deadline);

    /* `number` is about to be closed: who waits for it gets EBADF. */
    void (*closing)(int number);

    /* Calls fn, which may block, with the processor given to others at once; returns on the same
     * thread. */
    void (*block)(void (*fn)(void *), void *argument);
} gofer_hook_service;

/* In libgofer-hook. NULL: the runtime that attached ends. False: refused. */
typedef bool gofer_hook_attach_fn(const gofer_hook_service *service);
gofer_hook_attach_fn gofer_hook_attach;

#endif

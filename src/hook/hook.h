/* libgofer-hook: functions of the C library that park the calling goroutine where they would block
 * its thread, for libraries that know nothing of goroutines.
 *
 * Each hooked function asks whether a goroutine calls that may be parked (gofer_hook_may_park); for
 * all others it is the next library's function and nothing more. It tries without blocking, and
 * where that says EAGAIN it waits (gofer_hook_again) and tries again. Where it must not or cannot
 * park it makes the plain, blocking call, and the runtime's monitor hands the processor off.
 *
 * No state but: the runtime's service (wait.c), the next functions (next.c), handlers (signals.c),
 * all published with release; counts per goroutine, which only that goroutine touches. */
#ifndef GOFER_SRC_HOOK_H
#define GOFER_SRC_HOOK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "hook/service.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define GOFER_HOOK __attribute__((visibility("default")))

/* In no header. The first five: what code that is compiled with _FORTIFY_SOURCE calls. */
ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
int __cxa_guard_acquire(void *);
void __cxa_guard_release(void *);
void __cxa_guard_abort(void *);

/* ---- the next library's functions: next.c ---------------------------------------------------- */

struct gofer_hook_next {
#define HOOKED(name) __typeof__(&(name)) name;
#include "hook/names.def"
#undef HOOKED
};

/* Found once, before main where possible; NULL: there is none. */
const struct gofer_hook_next *gofer_hook_find_next(void);
extern const struct gofer_hook_next *_Atomic gofer_hook_found;
static inline const struct gofer_hook_next *gofer_hook_next(void)
{
    /* pairs with the release in gofer_hook_find_next */
    const struct gofer_hook_next *next =
        atomic_load_explicit(&gofer_hook_found, memory_order_acquire);
    return __builtin_expect(next != NULL, 1) ? next : gofer_hook_find_next();
}

/* ---- whether to park, and parking: wait.c ---------------------------------------------------- */

/* False where no goroutine calls, or one that may not be parked now. */
bool gofer_hook_may_park(void);

/* One more, and one less, reason not to park the calling goroutine. */
void gofer_hook_hold(void);
void gofer_hook_release(void);
uint32_t *gofer_hook_held(void); /* where they are counted; NULL: no goroutine calls */

/* The service's, for the caller's goroutine; what libraries keep in thread-locals is kept. */
int gofer_hook_park(const struct pollfd *fds, unsigned long count, int64_t deadline,
                    const void *caller);
void gofer_hook_block(void (*fn)(void *), void *argument);
void gofer_hook_closing(int number);

/* poll without waiting. A signal that is pending interrupts even that: it is asked again. */
int gofer_hook_look(struct pollfd *fds, nfds_t count);

/* The monotonic clock, and the time so much after now (negative: never). */
int64_t gofer_hook_now(void);
int64_t gofer_hook_after(int64_t nanoseconds);

/* Until then, as poll counts, rounded up; -1: for ever. */
int gofer_hook_milliseconds_left(int64_t deadline);

/* One hooked call on one descriptor. */
typedef struct gofer_hook_call {
    const void *caller; /* an address in the library that calls */
    int fd;
    short events;     /* what to wait for */
    int timeout;      /* the socket's option that limits it, or 0 */
    int dontwait;     /* MSG_DONTWAIT; 0: the call must block, nothing else is possible */
    bool asked;       /* the next two are known */
    bool nonblocking; /* the descriptor: what the kernel says at once is the caller's */
    int64_t deadline; /* of SO_RCVTIMEO or SO_SNDTIMEO */
    int kept_errno;
} gofer_hook_call;

gofer_hook_call gofer_hook_begin(int fd, short events, int timeout, const void *caller);

/* After a try that failed: true where it shall be made again, because it said EAGAIN and more may
 * be there by now, or because it must block (`dontwait` is 0 then). False: errno is the call's. */
bool gofer_hook_again(gofer_hook_call *call);

/* Whether the descriptor is non-blocking by its owner's wish, or not open for the call. */
bool gofer_hook_is_nonblocking(gofer_hook_call *call);

/* The call's result: a success leaves errno as it was. */
ssize_t gofer_hook_end(const gofer_hook_call *call, ssize_t result);

/* Turns on a descriptor, for calls that cannot be told not to block: who has the turn asks first
 * and calls then, and nobody in the process comes in between. False: another has it. */
bool gofer_hook_take_turn(const gofer_hook_call *call);
void gofer_hook_end_turn(const gofer_hook_call *call);

/* Asks, and where fd is ready, calls once: true. */
#define GOFER_HOOK_IF_READY(call, statement)                        \
    __extension__({                                                 \
        bool ready_ = gofer_hook_take_turn(call);                   \
        if (ready_) {                                               \
            struct pollfd ask_ = { (call)->fd, (call)->events, 0 }; \
            ready_ = gofer_hook_look(&ask_, 1) > 0;                 \
            if (ready_)                                             \
                statement;                                          \
            gofer_hook_end_turn(call);                              \
        }                                                           \
        errno = ready_ ? errno : EAGAIN;                            \
        ready_;                                                     \
    })

/* ---- who may not be parked: callers.c -------------------------------------------------------- */

/* Whether the library at that address may be parked in its calls. */
bool gofer_hook_trusts(const void *caller);
void gofer_hook_forget_callers(void); /* one was unloaded */

/* ---- OpenSSL's error queue: errors.c --------------------------------------------------------- */

struct gofer_hook_errors;
void gofer_hook_find_openssl(void);
struct gofer_hook_errors *gofer_hook_take_errors(void); /* NULL: none, or no OpenSSL */
void gofer_hook_put_errors(struct gofer_hook_errors *errors);

/* ---- what came of it: count.c ---------------------------------------------------------------- */

enum gofer_hook_outcome {
    GOFER_HOOK_PARKED,
    GOFER_HOOK_HELD,       /* blocked: a lock was held, a handler ran, … */
    GOFER_HOOK_UNTRUSTED,  /* blocked: the caller's library is excepted */
    GOFER_HOOK_IMPOSSIBLE, /* blocked: the kernel tells no readiness, or has no memory */
    GOFER_HOOK_OUTCOMES
};
void gofer_hook_count(enum gofer_hook_outcome outcome);

#endif

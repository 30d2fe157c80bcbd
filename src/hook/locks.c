/* Locks of threads: while a goroutine holds one it is not parked, for its thread is the owner, and
 * another goroutine of that thread would find the lock its own or wait for itself. Counted, not
 * told apart. */
#include "hook/hook.h"

#include <unwind.h>

#define LOCKS(name, parameters, arguments)             \
    GOFER_HOOK int name parameters                     \
    {                                                  \
        int error = gofer_hook_next()->name arguments; \
        if (error == 0 || error == EOWNERDEAD)         \
            gofer_hook_hold();                         \
        return error;                                  \
    }

#define UNLOCKS(name, parameters, arguments)           \
    GOFER_HOOK int name parameters                     \
    {                                                  \
        int error = gofer_hook_next()->name arguments; \
        if (error == 0)                                \
            gofer_hook_release();                      \
        return error;                                  \
    }

typedef const struct timespec *restrict time_limit;

LOCKS(pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
LOCKS(pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
LOCKS(pthread_mutex_timedlock, (pthread_mutex_t *restrict mutex, time_limit limit), (mutex, limit))
UNLOCKS(pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))

LOCKS(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
LOCKS(pthread_rwlock_tryrdlock, (pthread_rwlock_t * lock), (lock))
LOCKS(pthread_rwlock_timedrdlock, (pthread_rwlock_t *restrict lock, time_limit limit),
      (lock, limit))
LOCKS(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
LOCKS(pthread_rwlock_trywrlock, (pthread_rwlock_t * lock), (lock))
LOCKS(pthread_rwlock_timedwrlock, (pthread_rwlock_t *restrict lock, time_limit limit),
      (lock, limit))
UNLOCKS(pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))

LOCKS(pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
LOCKS(pthread_spin_trylock, (pthread_spinlock_t * lock), (lock))
UNLOCKS(pthread_spin_unlock, (pthread_spinlock_t * lock), (lock))

#ifdef __GLIBC__
LOCKS(pthread_mutex_clocklock, (pthread_mutex_t * mutex, clockid_t clock, const struct timespec *t),
      (mutex, clock, t))
LOCKS(pthread_rwlock_clockrdlock,
      (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *t), (lock, clock, t))
LOCKS(pthread_rwlock_clockwrlock,
      (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *t), (lock, clock, t))
#endif

_Static_assert(thrd_success == 0, "as the others");
LOCKS(mtx_lock, (mtx_t * mutex), (mutex))
LOCKS(mtx_trylock, (mtx_t * mutex), (mutex))
LOCKS(mtx_timedlock, (mtx_t *restrict mutex, time_limit limit), (mutex, limit))
UNLOCKS(mtx_unlock, (mtx_t * mutex), (mutex))

/* ---- things that are done once --------------------------------------------------------------- */

/* An exception of C++ may leave them. Unwinders call this for the frame of a function that names
 * it, as the last thing; and it has them go on, where a `cleanup` would call functions of theirs,
 * and a process may have several unwinders. */
__attribute__((used)) /* seen by the assembler alone */
_Unwind_Reason_Code
gofer_hook_on_exception(int version, _Unwind_Action what, uint64_t language,
                        struct _Unwind_Exception *exception, struct _Unwind_Context *context);
_Unwind_Reason_Code gofer_hook_on_exception(int version, _Unwind_Action what, uint64_t language,
                                            struct _Unwind_Exception *exception,
                                            struct _Unwind_Context *context)
{
    (void)version, (void)language, (void)exception, (void)context;
    if (what & _UA_CLEANUP_PHASE)
        gofer_hook_release();
    return _URC_CONTINUE_UNWIND;
}

/* 0x1b: the address is written as four bytes, relative to themselves. */
#define RELEASED_BY_EXCEPTIONS __asm__ volatile(".cfi_personality 0x1b, gofer_hook_on_exception")

GOFER_HOOK int pthread_once(pthread_once_t *control, void (*fn)(void))
{
    RELEASED_BY_EXCEPTIONS;
    gofer_hook_hold();
    int error = gofer_hook_next()->pthread_once(control, fn);
    gofer_hook_release();
    return error;
}

GOFER_HOOK void call_once(once_flag *flag, void (*fn)(void))
{
    RELEASED_BY_EXCEPTIONS;
    gofer_hook_hold();
    gofer_hook_next()->call_once(flag, fn);
    gofer_hook_release();
}

/* ---- stdio ----------------------------------------------------------------------------------- */

/* Its own calls never come here: libc makes them by itself. What a program does with a FILE locked,
 * and in the functions of a stream of its own, does. */
GOFER_HOOK void flockfile(FILE *file)
{
    gofer_hook_next()->flockfile(file);
    gofer_hook_hold();
}

GOFER_HOOK int ftrylockfile(FILE *file)
{
    int error = gofer_hook_next()->ftrylockfile(file);
    if (!error)
        gofer_hook_hold();
    return error;
}

GOFER_HOOK void funlockfile(FILE *file)
{
    gofer_hook_next()->funlockfile(file);
    gofer_hook_release();
}

struct stream {
    void *cookie;
    cookie_io_functions_t functions;
};

static ssize_t stream_read(void *argument, char *buffer, size_t size)
{
    struct stream *stream = argument;
    gofer_hook_hold();
    ssize_t n = stream->functions.read(stream->cookie, buffer, size);
    gofer_hook_release();
    return n;
}

static ssize_t stream_write(void *argument, const char *data, size_t size)
{
    struct stream *stream = argument;
    gofer_hook_hold();
    ssize_t n = stream->functions.write(stream->cookie, data, size);
    gofer_hook_release();
    return n;
}

static int stream_seek(void *argument, off64_t *offset, int whence)
{
    struct stream *stream = argument;
    gofer_hook_hold();
    int error = stream->functions.seek(stream->cookie, offset, whence);
    gofer_hook_release();
    return error;
}

static int stream_close(void *argument)
{
    struct stream *stream = argument;
    gofer_hook_hold();
    int error = stream->functions.close ? stream->functions.close(stream->cookie) : 0;
    gofer_hook_release();
    free(stream);
    return error;
}

GOFER_HOOK FILE *fopencookie(void *restrict cookie, const char *restrict mode,
                             cookie_io_functions_t functions)
{
    struct stream *stream = malloc(sizeof *stream);
    if (!stream)
        return NULL;
    *stream = (struct stream){ cookie, functions };
    cookie_io_functions_t wrapped = { functions.read ? stream_read : NULL,
                                      functions.write ? stream_write : NULL,
                                      functions.seek ? stream_seek : NULL, stream_close };
    FILE *file = gofer_hook_next()->fopencookie(stream, mode, wrapped);
    if (!file)
        free(stream);
    return file;
}

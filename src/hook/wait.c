/* Whether a hook may park its caller, and parking it. */
#include "hook/hook.h"

#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <sys/time.h>

static const gofer_hook_service *_Atomic service; /* NULL: no runtime */

static const gofer_hook_service *runtime(void)
{
    /* pairs with the release in gofer_hook_attach */
    return atomic_load_explicit(&service, memory_order_acquire);
}

/* ThreadSanitizer's own functions come before ours, and do not expect to be switched away from: it
 * would report races where none are. */
static bool is_refused(const gofer_hook_service *offered)
{
    const gofer_hook_service *present = runtime();
    return offered->version != GOFER_HOOK_VERSION || (present && present != offered) ||
           dlsym(RTLD_DEFAULT, "__tsan_init");
}

GOFER_HOOK bool gofer_hook_attach(const gofer_hook_service *offered)
{
    if (offered && is_refused(offered))
        return false;
    gofer_hook_find_openssl();
    atomic_store_explicit(&service, offered, memory_order_release);
    return true;
}

/* ---- reasons not to park --------------------------------------------------------------------- */

uint32_t *gofer_hook_held(void)
{
    const gofer_hook_service *with = runtime();
    return with ? with->held() : NULL;
}

void gofer_hook_hold(void)
{
    uint32_t *held = gofer_hook_held();
    if (held)
        ++*held;
}

/* What was taken before the runtime started, or by another goroutine, is not counted here. */
void gofer_hook_release(void)
{
    uint32_t *held = gofer_hook_held();
    if (held && *held)
        --*held;
}

bool gofer_hook_may_park(void)
{
    const gofer_hook_service *with = runtime();
    if (!with)
        return false;
    if (with->may_park())
        return true;
    uint32_t *held = with->held();
    if (held && *held)
        gofer_hook_count(GOFER_HOOK_HELD);
    return false;
}

/* ---- parking --------------------------------------------------------------------------------- */

/* Other goroutines run on this thread meanwhile. They find its locale as it is by default, and no
 * errors of OpenSSL's; errno is the runtime's to keep. */
int gofer_hook_park(const struct pollfd *fds, unsigned long count, int64_t deadline,
                    const void *caller)
{
    const gofer_hook_service *with = runtime();
    if (!with || !gofer_hook_trusts(caller)) {
        gofer_hook_count(GOFER_HOOK_UNTRUSTED);
        return EPERM;
    }
    locale_t mine = uselocale((locale_t)0);
    if (mine != LC_GLOBAL_LOCALE)
        uselocale(LC_GLOBAL_LOCALE);
    struct gofer_hook_errors *errors = gofer_hook_take_errors();
    int error = with->wait(fds, count, deadline);
    gofer_hook_put_errors(errors);
    if (uselocale((locale_t)0) != mine)
        uselocale(mine);
    bool parked = error == 0 || error == ETIMEDOUT || error == EBADF;
    gofer_hook_count(parked ? GOFER_HOOK_PARKED : GOFER_HOOK_IMPOSSIBLE);
    return error;
}

void gofer_hook_block(void (*fn)(void *), void *argument)
{
    const gofer_hook_service *with = runtime();
    if (with && with->may_park())
        with->block(fn, argument);
    else
        fn(argument);
}

void gofer_hook_closing(int number)
{
    const gofer_hook_service *with = runtime();
    int kept = errno;
    if (with)
        with->closing(number);
    errno = kept;
}

int64_t gofer_hook_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t gofer_hook_after(int64_t nanoseconds)
{
    int64_t now = gofer_hook_now();
    return nanoseconds < 0 ? -1 : nanoseconds > INT64_MAX - now ? INT64_MAX : now + nanoseconds;
}

int gofer_hook_milliseconds_left(int64_t deadline)
{
    if (deadline < 0)
        return -1;
    int64_t left = deadline - gofer_hook_now();
    return left <= 0 ? 0 : left / 1000000 >= INT_MAX ? INT_MAX : (int)((left + 999999) / 1000000);
}

int gofer_hook_look(struct pollfd *fds, nfds_t count)
{
    int ready;
    do
        ready = gofer_hook_next()->poll(fds, count, 0);
    while (ready < 0 && errno == EINTR);
    return ready;
}

/* ---- a call on one descriptor ---------------------------------------------------------------- */

gofer_hook_call gofer_hook_begin(int fd, short events, int timeout, const void *caller)
{
    return (gofer_hook_call){ .caller = caller,
                              .fd = fd,
                              .events = events,
                              .timeout = timeout,
                              .dontwait = MSG_DONTWAIT,
                              .deadline = -1,
                              .kept_errno = errno };
}

static void ask(gofer_hook_call *call)
{
    struct timeval limit = { 0, 0 };
    socklen_t size = sizeof limit;
    if (call->asked)
        return;
    call->asked = true;
    int flags = fcntl(call->fd, F_GETFL);
    int other_way = call->events == POLLOUT ? O_RDONLY : O_WRONLY;
    call->nonblocking =
        flags >= 0 && (flags & O_NONBLOCK || (flags & O_ACCMODE) == other_way /* EBADF at once */);
    if (call->timeout && getsockopt(call->fd, SOL_SOCKET, call->timeout, &limit, &size) == 0 &&
        (limit.tv_sec || limit.tv_usec))
        call->deadline = gofer_hook_after(limit.tv_sec * 1000000000L + limit.tv_usec * 1000L);
}

bool gofer_hook_is_nonblocking(gofer_hook_call *call)
{
    int kept = errno;
    ask(call);
    errno = kept;
    return call->nonblocking;
}

bool gofer_hook_again(gofer_hook_call *call)
{
    if (errno != EAGAIN || !call->dontwait || gofer_hook_is_nonblocking(call))
        return false;
    struct pollfd want = { call->fd, call->events, 0 };
    int error = gofer_hook_park(&want, 1, call->deadline, call->caller);
    if (error == EBADF || error == ETIMEDOUT) {
        errno = error == EBADF ? EBADF : EAGAIN;
        return false;
    }
    if (error)
        call->dontwait = 0;
    return true;
}

ssize_t gofer_hook_end(const gofer_hook_call *call, ssize_t result)
{
    if (result >= 0)
        errno = call->kept_errno;
    return result;
}

/* ---- turns ----------------------------------------------------------------------------------- */

enum { TURNS = 256 };
static _Atomic bool taken[TURNS][2]; /* to read, to write; of all numbers that are alike */

static _Atomic bool *turn(const gofer_hook_call *call)
{
    return &taken[(unsigned)call->fd % TURNS][call->events == POLLOUT];
}

bool gofer_hook_take_turn(const gofer_hook_call *call)
{
    /* pairs with the release below */
    return !atomic_exchange_explicit(turn(call), true, memory_order_acquire);
}

void gofer_hook_end_turn(const gofer_hook_call *call)
{
    atomic_store_explicit(turn(call), false, memory_order_release);
}

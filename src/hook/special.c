/* Where code runs that is not to be parked whatever it calls: constructors, what exit calls, signal
 * handlers. */
#include "hook/hook.h"

#include <limits.h>
#include <link.h>

#define CALLER __builtin_return_address(0)

/* ---- loading --------------------------------------------------------------------------------- */

/* libc looks for a library where the library that calls dlopen says (DT_RUNPATH), and takes us for
 * that one: so it is done here, for a name without a slash that is not loaded yet. NULL: it is not
 * there. */
static void *open_by_caller(const char *name, int flags, const void *caller)
{
    Dl_info info;
    void *of_caller = NULL, *found = NULL;
    Dl_serinfo size, *paths;
    if (!dladdr1(caller, &info, &of_caller, RTLD_DL_LINKMAP) ||
        dlinfo(of_caller, RTLD_DI_SERINFOSIZE, &size) != 0 || !(paths = malloc(size.dls_size)))
        return NULL;
    *paths = size;
    bool known = dlinfo(of_caller, RTLD_DI_SERINFOSIZE, paths) == 0 &&
                 dlinfo(of_caller, RTLD_DI_SERINFO, paths) == 0;
    for (unsigned i = 0; known && i < paths->dls_cnt && !found; i++) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%s", paths->dls_serpath[i].dls_name, name);
        if (!(paths->dls_serpath[i].dls_flags & LA_SER_DEFAULT) && n < (int)sizeof path &&
            access(path, R_OK) == 0)
            found = gofer_hook_next()->dlopen(path, flags);
    }
    free(paths);
    return found;
}

GOFER_HOOK void *dlopen(const char *name, int flags)
{
    gofer_hook_hold();
    void *library = NULL;
    if (name && *name && !strchr(name, '/') && !(flags & RTLD_NOLOAD)) {
        void *loaded = gofer_hook_next()->dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
        if (loaded)
            gofer_hook_next()->dlclose(loaded);
        else
            library = open_by_caller(name, flags, CALLER);
        dlerror(); /* the caller knows nothing of what failed here */
    }
    if (!library)
        library = gofer_hook_next()->dlopen(name, flags);
    gofer_hook_release();
    if (library)
        gofer_hook_find_openssl();
    return library;
}

GOFER_HOOK int dlclose(void *library)
{
    gofer_hook_hold();
    int error = gofer_hook_next()->dlclose(library);
    gofer_hook_forget_callers();
    gofer_hook_release();
    return error;
}

/* ---- ending ---------------------------------------------------------------------------------- */

GOFER_HOOK void exit(int status)
{
    gofer_hook_hold();
    gofer_hook_next()->exit(status);
    __builtin_unreachable();
}

GOFER_HOOK void quick_exit(int status)
{
    gofer_hook_hold();
    gofer_hook_next()->quick_exit(status);
    __builtin_unreachable();
}

/* ---- signals --------------------------------------------------------------------------------- */

/* The program's handlers, while ours is installed; written before it is. */
static void (*_Atomic handlers[NSIG])(int, siginfo_t *, void *);

/* One that leaves by longjmp leaves its goroutine counted: that is never parked again by a hook. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    uint32_t *held = gofer_hook_held();
    if (held)
        ++*held;
    atomic_load_explicit(&handlers[number], memory_order_acquire)(number, info, context);
    if (held)
        --*held;
}

static bool is_handler(const struct sigaction *action)
{
    return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

static int set_handler(int number, const struct sigaction *action, struct sigaction *old)
{
    struct sigaction ours;
    bool known = number > 0 && number < NSIG, wrap = known && action && is_handler(action);
    void (*before)(int, siginfo_t *, void *) =
        known ? atomic_load_explicit(&handlers[number], memory_order_acquire) : NULL;
    if (wrap) {
        ours = *action;
        ours.sa_sigaction = on_signal;
        atomic_store_explicit(&handlers[number], action->sa_sigaction, memory_order_release);
    }
    int result = gofer_hook_next()->sigaction(number, wrap ? &ours : action, old);
    if (result != 0 && wrap)
        atomic_store_explicit(&handlers[number], before, memory_order_release);
    if (result == 0 && old && old->sa_sigaction == on_signal)
        old->sa_sigaction = before;
    return result;
}

GOFER_HOOK int sigaction(int number, const struct sigaction *restrict action,
                         struct sigaction *restrict old)
{
    return set_handler(number, action, old);
}

GOFER_HOOK sighandler_t signal(int number, sighandler_t handler)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
    sigemptyset(&action.sa_mask);
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    sigaddset(&action.sa_mask, number);
    return set_handler(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

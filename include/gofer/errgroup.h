/* Groups of goroutines that work on parts of one task and may fail. Go's
 * golang.org/x/sync/errgroup.
 *
 *     go_errgroup group = { 0 };
 *     for (int i = 0; i < n; i++)
 *         go_errgroup_go(&group, fetch, urls[i], &results[i]);
 *     if (go_errgroup_wait(&group) != 0)
 *         perror("fetch");
 *
 * Usable as `= {0}`, by goroutines and plain threads. A function of the group returns an int: 0, or
 * an error in the program's own terms. A panic in it ends the process, and no wait ends before;
 * go_goexit in it ends it as if it had returned 0.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_ERRGROUP_H
#define GOFER_ERRGROUP_H

#include <gofer/base.h>
#include <gofer/semaphore.h>
#include <gofer/sync.h>

GOFER_BEGIN

/* Goroutines with one task, and the first error among them. Go: errgroup.Group. */
typedef struct go_errgroup {
    /* If not NULL: called once, with cancel_arg and the first error as soon as there is one, or
     * with 0 when a wait returns. For what shall stop the others. */
    void (*cancel)(void *cancel_arg, int error);
    void *cancel_arg;
    go_waitgroup running; /* the library's own: see src/sync/errgroup.c; so below */
    go_semaphore slots;
    int limited;
    uint32_t failed, cancelled;
    int error;
    int error_errno;
} go_errgroup;

/* Starts fn(arg) as a goroutine of the group; blocks while the limit is reached. The form for every
 * compiler and language binding; C programs use go_errgroup_go(group, fn, args…).
 * Go: Group.Go. */
GOFER_API void go_errgroup_spawn(go_errgroup *group, int (*fn)(void *), void *arg);

/* The same, but where the limit is reached it starts nothing and returns 0, else 1.
 * Go: Group.TryGo. */
GOFER_API int go_errgroup_try_spawn(go_errgroup *group, int (*fn)(void *), void *arg);

/* Blocks until all functions of the group have ended. Returns 0, or what the first one to fail
 * returned, with errno as that one left it. Go: Group.Wait. */
GOFER_API int go_errgroup_wait(go_errgroup *group);

/* At most n of the group's functions run at a time from now on; negative: any number; 0: none can
 * be started. Panics, with an error, while functions run that were started with a limit: "errgroup:
 * modify limit while 3 goroutines in the group are still active". To take the limit away it may be
 * called meanwhile. Go: Group.SetLimit. */
GOFER_API void go_errgroup_set_limit(go_errgroup *group, int n);

GOFER_API void gofer_deliver_errgroup(gofer_call *, const void *stack);

GOFER_END

#ifdef __cplusplus
#include <gofer/cxx/errgroup.h>
#else

/* go_errgroup_spawn and go_errgroup_try_spawn for fn(args…): up to 16 arguments of any types,
 * checked against fn's own prototype and evaluated now. */
#define go_errgroup_go(group, ...) (void)GOFER_ERRGROUP_GO(group, 0, __VA_ARGS__)
#define go_errgroup_try_go(group, ...) GOFER_ERRGROUP_GO(group, 1, __VA_ARGS__)

#define GOFER_ERRGROUP_GO(group_, attempt_, ...)                                                \
    __extension__({                                                                             \
        _Static_assert(__builtin_types_compatible_p(                                            \
                           int, __typeof__(GOFER_CALL(GOFER_FIRST(__VA_ARGS__), __VA_ARGS__))), \
                       "gofer: a function of an errgroup returns an int");                      \
        go_errgroup *gofer_errgroup_ = (group_);                                                \
        GOFER_GROUP_GO(gofer_errgroup_, attempt_, gofer_deliver_errgroup, __VA_ARGS__);         \
    })

#endif
#endif

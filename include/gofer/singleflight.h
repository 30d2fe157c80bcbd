/* One call at a time for each key; who asks meanwhile gets the same result. Go's
 * golang.org/x/sync/singleflight.
 *
 *     static go_singleflight lookups;
 *     void *address;
 *     int error = go_singleflight_do(&lookups, name, resolve, name, &address, NULL);
 *
 * Usable as `= {0}`, by goroutines and plain threads; it holds memory only while calls are in
 * progress. A value is the function's own pointer, given to everybody who shares the call: who
 * frees it, and when, is the program's affair (count its owners by `shared`, or keep it for ever).
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_SINGLEFLIGHT_H
#define GOFER_SINGLEFLIGHT_H

#include <gofer/base.h>
#include <gofer/chan.h>
#include <gofer/sync.h>

/* What a call came to. Go: singleflight.Result. */
typedef struct go_singleflight_result {
    void *value;
    int error;       /* what the function returned */
    int error_errno; /* errno as it left it */
    int shared;      /* the value went to others too */
} go_singleflight_result;

GOFER_BEGIN

/* Calls by key, of which one at a time runs for each. Go: singleflight.Group. */
typedef struct go_singleflight {
    go_mutex mutex; /* the library's own: see src/sync/singleflight.c */
    void **buckets;
    size_t size, count;
} go_singleflight;

/* Runs fn(arg, value) unless a call for an equal key is in progress, else waits for that one's end.
 * Returns what fn returned, 0 or an error, with errno as fn left it; *value and *shared, which may
 * be NULL, get its value, and whether others got it too. The key is copied. Where fn panicked, each
 * caller panics with an error of the same text; where it called go_goexit, each caller's goroutine
 * ends. Without memory: fatal. Go: Group.Do. */
GOFER_API int go_singleflight_do(go_singleflight *group, const char *key,
                                 int (*fn)(void *arg, void **value), void *arg, void **value,
                                 int *shared);

/* go_singleflight_do in a goroutine of its own: the channel, whose reference the caller owns, gets
 * the result once. It is not closed. A panic in fn then ends the process; after go_goexit in fn
 * nothing comes. NULL and ENOMEM where memory is short. Does not block. Go: Group.DoChan. */
GOFER_API go_chan(go_singleflight_result)
go_singleflight_do_chan(go_singleflight *group, const char *key, int (*fn)(void *arg, void **value),
                        void *arg);

/* The next call for the key runs its function, also while an earlier one is in progress.
 * Go: Group.Forget. */
GOFER_API void go_singleflight_forget(go_singleflight *group, const char *key);

GOFER_END
#endif

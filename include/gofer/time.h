/* Sleeping and the clock. Go's package time.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_TIME_H
#define GOFER_TIME_H

#include <gofer/base.h>
#include <gofer/chan.h>

GOFER_BEGIN

/* Blocks the goroutine or plain thread for at least d; d <= 0 returns at once. Go: time.Sleep. */
GOFER_API void go_sleep(go_duration d);

/* Nanoseconds of the monotonic clock. Never blocks. */
GOFER_API int64_t go_now(void);

/* A channel that gets the clock's value once, after d. The caller owns the reference and gives it
 * back with go_chan_unref, before or after. NULL and ENOMEM where memory is short. In a select,
 * go_case_after does the same without allocating. Go: time.After. */
GOFER_API go_chan(int64_t) go_after(go_duration d);

GOFER_END
#endif

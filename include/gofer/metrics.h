/* Numbers about the running library. Go's package runtime/metrics.
 *
 * A metric is known by its name, which ends with its unit: "/sched/goroutines:goroutines". Where Go
 * has the same number, the name is Go's; those of this library alone begin with "/gofer". Go's
 * numbers of its collector and heap have no counterpart. Nothing is measured for them on the way of
 * a goroutine to the next: what would cost there, as Go's "/sched/latencies:seconds", is left out.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_METRICS_H
#define GOFER_METRICS_H

#include <gofer/base.h>

GOFER_BEGIN

enum go_metric_kind {
    GO_METRIC_BAD = 0, /* there is no metric of that name */
    GO_METRIC_UINT64,
    GO_METRIC_FLOAT64, /* none yet */
};

/* What go_metrics_read fills in: the caller sets the name. Go: metrics.Sample. */
typedef struct go_metric_sample {
    const char *name;
    enum go_metric_kind kind;
    union {
        uint64_t u64;
        double f64;
    } value;
} go_metric_sample;

/* Go: metrics.Description. */
typedef struct go_metric_description {
    const char *name;
    const char *description;
    enum go_metric_kind kind;
    int cumulative; /* it only grows, until go_shutdown */
} go_metric_description;

/* Reads the n metrics named in samples, each at some moment of the call; nothing is stopped for it.
 * Where the runtime does not run they are 0, but for settings. From any thread; does not block. Go:
 * metrics.Read. */
GOFER_API void go_metrics_read(go_metric_sample *samples, size_t n);

/* All metrics, ordered by name; *n is how many. They are constants. Go: metrics.All. */
GOFER_API const go_metric_description *go_metrics_all(size_t *n);

GOFER_END
#endif

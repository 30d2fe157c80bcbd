/* gofer: Go's concurrency runtime for C. This header is all a program includes.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_H
#define GOFER_H

#include <gofer/base.h>
#include <gofer/capture.h>
#include <gofer/panic.h>
#include <gofer/runtime.h>
#include <gofer/chan.h>
#include <gofer/select.h>
#include <gofer/sync.h>
#include <gofer/semaphore.h>
#include <gofer/errgroup.h>
#include <gofer/singleflight.h>
#include <gofer/time.h>
#include <gofer/signal.h>
#include <gofer/debug.h>
#include <gofer/metrics.h>

#endif

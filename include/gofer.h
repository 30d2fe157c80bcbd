/* gofer: Go's concurrency runtime for C. This header is all a program includes.
 *
 * docs/memory.md says who owns what, docs/errors.md how calls fail, docs/cancellation.md how they
 * are cut short, docs/threads.md what runs where; docs/from-go.md lists Go's names beside ours.
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
#include <gofer/map.h>
#include <gofer/pool.h>
#include <gofer/time.h>
#include <gofer/context.h>
#include <gofer/scope.h>
#include <gofer/signal.h>
#include <gofer/fd.h>
#include <gofer/net.h>
#include <gofer/bufio.h>

#endif

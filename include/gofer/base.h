/* What every room of the public interface needs: attributes, durations, errno.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_BASE_H
#define GOFER_BASE_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#define GOFER_VERSION_MAJOR 0
#define GOFER_VERSION_MINOR 1
#define GOFER_VERSION_PATCH 0
#define GOFER_VERSION "0.1.0"

#ifdef __cplusplus
#define GOFER_BEGIN extern "C" {
#define GOFER_END }
#define GOFER_NORETURN [[noreturn]]
#else
#define GOFER_BEGIN
#define GOFER_END
#define GOFER_NORETURN _Noreturn
#endif

/* Every public function has default visibility; the library is built with all else hidden. */
#define GOFER_API __attribute__((visibility("default")))
/* The body of a public function that callers may compile in; the library has the function too. */
#define GOFER_INLINE extern inline __attribute__((gnu_inline))
#define GOFER_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define GOFER_CAT_(a, b) a##b
#define GOFER_CAT(a, b) GOFER_CAT_(a, b)

/* A length of time in nanoseconds, as Go's time.Duration. Written `20 * GO_MILLISECOND`. */
typedef int64_t go_duration;

#define GO_NANOSECOND ((go_duration)1)
#define GO_MICROSECOND (1000 * GO_NANOSECOND)
#define GO_MILLISECOND (1000 * GO_MICROSECOND)
#define GO_SECOND (1000 * GO_MILLISECOND)
#define GO_MINUTE (60 * GO_SECOND)
#define GO_HOUR (60 * GO_MINUTE)

GOFER_BEGIN

/* The library's version, as "1.2.3". From any thread; never blocks. */
GOFER_API const char *go_version(void);

/* Where errno lives for the calling goroutine or thread. A goroutine may wake on another thread,
 * and compilers keep the address that libc's own accessor gave before it slept; this one is asked
 * each time. See docs/thread-locals.md. */
GOFER_API int *gofer_errno(void);

GOFER_END

#undef errno
#define errno (*gofer_errno())

#endif

/* Channels: typed, buffered or not, closed and nil as in Go.
 *
 * A handle of type go_chan(int) is a pointer whose type carries the element's; it turns into
 * void * by itself, so the verbs that need no type are plain functions. Every verb may be called
 * from goroutines and from plain threads. A NULL handle is Go's nil channel. Elements are copied
 * by value. Channels are reference-counted: go_chan_make gives one reference, a call in progress
 * holds its own, and go_chan_unref by the last owner frees the channel: docs/memory.md.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CHAN_H
#define GOFER_CHAN_H

#include <gofer/base.h>

/* The type of a channel of T, any complete object type; go_elem gives T back. The same type in C
 * and C++, so that headers may be shared. */
#ifdef __cplusplus
#define go_chan(...) gofer_cxx::handle<__VA_ARGS__>
#else
#define go_chan(T) __typeof__(__typeof__(T)(*)[])
#endif
#define go_elem(c) __typeof__((*(c))[0])

/* The element of a channel that only signals. Such a channel stores no bytes. */
typedef struct go_unit {
    char unit;
} go_unit;

/* What the verbs that do not block report. */
enum go_status { GO_DONE = 0, GO_WOULD_BLOCK = 1, GO_CLOSED = 2 };

GOFER_BEGIN

/* Closes the channel: receivers get what is buffered, then zero values; waiting senders panic.
 * Does not block. Panics: "close of closed channel", "close of nil channel". Go: close(c). */
GOFER_API void go_close(void *c);

/* Elements in the buffer now, and its capacity; 0 for NULL. Go: len(c), cap(c). */
GOFER_API size_t go_len(const void *c);
GOFER_API size_t go_cap(const void *c);

/* Sends on a go_chan(go_unit): Go's c <- struct{}{}. Blocks as go_send. */
GOFER_API void go_signal(void *c);

/* One more reference; one fewer. The last one frees the channel. NULL does nothing. */
GOFER_API void go_chan_ref(void *c);
GOFER_API void go_chan_unref(void *c);

/* Under the typed macros; for bindings. size is the element's, checked against the channel's. */
GOFER_API void *gofer_chan_make(size_t size, int64_t capacity, int unit);
GOFER_API void gofer_chan_send(void *c, const void *value, size_t size);
GOFER_API int gofer_chan_recv(void *c, void *value, size_t size); /* 1: a value, 0: closed */
GOFER_API enum go_status gofer_chan_try_send(void *c, const void *value, size_t size);
GOFER_API enum go_status gofer_chan_try_recv(void *c, void *value, size_t size);

GOFER_END

/* The body runs for each value until the channel is closed and drained. c is evaluated once; its
 * reference stays the caller's. Go: for v := range c. */
#define go_range(v, c) GOFER_CHAN_RANGE(GOFER_CAT(gofer_range_, __COUNTER__), v, c)
#define GOFER_CHAN_RANGE(id, v, c)                                          \
    for (void *id = (c), *GOFER_CAT(id, _once) = &id; GOFER_CAT(id, _once); \
         GOFER_CAT(id, _once) = NULL)                                       \
        for (go_elem(c) v; gofer_chan_recv(id, &v, sizeof v);)

#ifdef __cplusplus
#include <gofer/cxx/chan.h>
#else

#define GOFER_IS_UNIT(T) __builtin_types_compatible_p(T, go_unit)

/* A new channel of T with room for n elements, one reference. Does not block. Panics: "makechan:
 * size out of range". No memory: NULL and ENOMEM. Go: make(chan T, n). */
#define go_chan_make(T, n) \
    ((go_chan(T))gofer_chan_make(sizeof(T), (int64_t)(n), GOFER_IS_UNIT(__typeof__(T))))

/* Sends v; blocks until a receiver or the buffer took it. Panics: "send on closed channel".
 * On NULL blocks for ever. Go: c <- v. */
#define go_send(c, v)                                                         \
    __extension__({                                                           \
        void *gofer_on_ = (c);                                                \
        gofer_chan_send(gofer_on_, (go_elem(c)[1]){ v }, sizeof(go_elem(c))); \
    })

/* Receives one value; the zero value once the channel is closed and drained. Blocks while there
 * is none; on NULL for ever. Go: <-c. */
#define go_recv(c)                                                      \
    __extension__({                                                     \
        go_elem(c) gofer_value_;                                        \
        (void)gofer_chan_recv((c), &gofer_value_, sizeof gofer_value_); \
        gofer_value_;                                                   \
    })

/* Receives into *p (p may be NULL) and returns 1, or 0 and the zero value once the channel is
 * closed and drained. Go: v, ok := <-c. */
#define go_recv_ok(c, p)                                            \
    __extension__({                                                 \
        void *gofer_from_ = (c);                                    \
        go_elem(c) *gofer_to_ = (p);                                \
        gofer_chan_recv(gofer_from_, gofer_to_, sizeof *gofer_to_); \
    })

/* Without blocking: GO_DONE, GO_WOULD_BLOCK, or for a receive GO_CLOSED (and the zero value).
 * A send on a closed channel panics. Go: select with a default. */
#define go_try_send(c, v)                                                         \
    __extension__({                                                               \
        void *gofer_on_ = (c);                                                    \
        gofer_chan_try_send(gofer_on_, (go_elem(c)[1]){ v }, sizeof(go_elem(c))); \
    })
#define go_try_recv(c, p)                                               \
    __extension__({                                                     \
        void *gofer_from_ = (c);                                        \
        go_elem(c) *gofer_to_ = (p);                                    \
        gofer_chan_try_recv(gofer_from_, gofer_to_, sizeof *gofer_to_); \
    })

#endif
#endif

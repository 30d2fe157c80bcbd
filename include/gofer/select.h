/* Select: wait for the first of several channel operations.
 *
 *     switch (go_select(go_case_recv(c, &v), go_case_send(d, 42), go_case_after(GO_SECOND))) {
 *     case 0: …received v…
 *     case 1: …42 was sent…
 *     case 2: …a second passed…
 *     }
 *
 * Operands are evaluated once, in the order written, before any case is looked at. Of several
 * ready cases one is chosen at random, each with the same chance. A case on a NULL channel is
 * never ready; a closed channel is always ready to receive; a send on one panics.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_SELECT_H
#define GOFER_SELECT_H

#include <gofer/base.h>
#include <gofer/chan.h>

/* What a case waits for. */
typedef enum go_case_kind {
    GO_CASE_SEND = 1,
    GO_CASE_RECV = 2,
    GO_CASE_AFTER = 3,
    GO_CASE_DEFAULT = 4
} go_case_kind;

/* One case. The macros below fill it; an array for go_select_array may be filled by hand. */
typedef struct go_case {
    go_case_kind kind;
    int named; /* 1: `name` is what the select returns for this case */
    int name;
    void *chan;
    void *value;       /* send: the element; receive: where it goes, or NULL */
    size_t size;       /* the element's size */
    int *ok;           /* receive: gets 1 for a value, 0 for closed; or NULL */
    go_duration after; /* GO_CASE_AFTER: how long to wait */
} go_case;

GOFER_BEGIN

/* Runs one of n cases (at most 65,536) and returns its index, or its name if it has one. Blocks
 * until a case is ready, unless there is a GO_CASE_DEFAULT. No cases: blocks for ever. Allocates
 * nothing for n <= 64. Panics: "send on closed channel", "select: too many cases", "select:
 * multiple default cases". From goroutines and plain threads. Go: select, reflect.Select. */
GOFER_API int go_select_array(go_case *cases, size_t n);

GOFER_END

#ifdef __cplusplus
#include <gofer/cxx/select.h>
#else

/* Runs one of the cases and returns its index, for use in a switch: see go_select_array for the
 * rules. Go: select. */
#define go_select(...)                          \
    go_select_array((go_case[]){ __VA_ARGS__ }, \
                    sizeof((go_case[]){ __VA_ARGS__ }) / sizeof(go_case))

/* The cases: send v to c; receive from c into *p (p may be NULL), and set *okp to 1 for a value or
 * 0 for a closed channel; d has passed (d <= 0: it is ready, as others may be); nothing else is
 * ready. */
#define go_case_send(c, v) \
    GOFER_CASE(GO_CASE_SEND, (c), (go_elem(c)[1]){ v }, sizeof(go_elem(c)), NULL, 0)
#define go_case_recv(c, p) go_case_recv_ok(c, p, NULL)
#define go_case_recv_ok(c, p, okp)                \
    GOFER_CASE(GO_CASE_RECV, (c), __extension__({ \
                   go_elem(c) *gofer_to_ = (p);   \
                   (void *)gofer_to_;             \
               }),                                \
               sizeof(go_elem(c)), (okp), 0)
#define go_case_after(d) GOFER_CASE(GO_CASE_AFTER, NULL, NULL, 0, NULL, (d))
#define go_case_default GOFER_CASE(GO_CASE_DEFAULT, NULL, NULL, 0, NULL, 0)

/* Every field is named: else compilers clear the array by a slow string instruction first. */
#define GOFER_CASE(kind_, chan_, value_, size_, ok_, after_) \
    ((go_case){ .kind = (kind_),                             \
                .named = 0,                                  \
                .name = 0,                                   \
                .chan = (chan_),                             \
                .value = (value_),                           \
                .size = (size_),                             \
                .ok = (ok_),                                 \
                .after = (after_) })

/* The case, but go_select returns `id` for it instead of its index. */
#define go_case_as(id, case_) gofer_case_named((id), (case_))
static inline __attribute__((unused)) go_case gofer_case_named(int id, go_case c)
{
    c.named = 1;
    c.name = id;
    return c;
}

#endif
#endif

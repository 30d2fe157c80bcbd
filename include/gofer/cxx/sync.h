/* What sync starts and calls, in C++: anything that can be called, with arguments as go takes them.
 * They do what include/gofer/sync.h says of the macros of the same names.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_SYNC_H
#define GOFER_CXX_SYNC_H

#include <gofer/cxx/go.h>
#include <gofer/sync.h>

namespace gofer_cxx
{

/* Whether it was started. */
template <class Result, class F, class... A>
int start_in_group(const gofer_site *site, void *group, int attempt,
                   void (*deliver)(gofer_call *, const void *), F &&fn, A &&...args)
{
    gofer_group_record record;
    record.site = site;
    record.group = group;
    record.attempt = attempt;
    record.started = 1;
    auto *kept = capture<Result>(record.call, std::forward<F>(fn), std::forward<A>(args)...);
    deliver(&record.call, nullptr);
    if (!record.started)
        delete kept;
    return record.started;
}

template <class... A> void start_in_waitgroup(const gofer_site *site, go_waitgroup *wg, A &&...args)
{
    start_in_group<void>(site, wg, 0, gofer_deliver_waitgroup, std::forward<A>(args)...);
}

inline void once_do(go_once *once, void (*fn)(void *), void *arg)
{
    gofer_once_do(once, fn, arg);
}

/* An exception that leaves fn counts as its end: the next call returns at once. */
template <class F> void once_do(go_once *once, F &&fn)
{
    using callable = std::remove_reference_t<F>;
    auto call = [](void *memory) { (*static_cast<callable **>(memory)[0])(); };
    callable *at = &fn;
    gofer_once_do(once, call, &at);
}

} // namespace gofer_cxx

#define go_waitgroup_go(wg, ...) \
    GOFER_IN_WAITGROUP_(GOFER_CAT(gofer_site_, __COUNTER__), wg, __VA_ARGS__)
#define GOFER_IN_WAITGROUP_(id, wg, ...)                                          \
    __extension__({                                                               \
        static const gofer_site id = { __func__, __FILE__, __LINE__,              \
                                       GOFER_NAME_OF(GOFER_FIRST(__VA_ARGS__)) }; \
        gofer_cxx::start_in_waitgroup(&id, wg, __VA_ARGS__);                      \
    })

/* Also with a callable alone, go_once_do(&once, [&] { … }). */
#undef go_once_do
#define go_once_do(...) gofer_cxx::once_do(__VA_ARGS__)

#endif

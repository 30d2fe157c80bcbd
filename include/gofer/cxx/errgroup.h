/* go_errgroup_go and go_errgroup_try_go in C++: anything that can be called and returns an int,
 * with arguments as go takes them. They do what include/gofer/errgroup.h says.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_ERRGROUP_H
#define GOFER_CXX_ERRGROUP_H

#include <gofer/cxx/sync.h>
#include <gofer/errgroup.h>

namespace gofer_cxx
{

template <class F, class... A>
int start_in_errgroup(const gofer_site *site, go_errgroup *group, int attempt, F &&fn, A &&...args)
{
    check_call<F, A...>();
    using result = decltype(std::declval<call_of<F, A...> &>().run());
    static_assert(std::is_same_v<result, int>, "gofer: a function of an errgroup returns an int");
    return start_in_group<int>(site, group, attempt, gofer_deliver_errgroup, std::forward<F>(fn),
                               std::forward<A>(args)...);
}

} // namespace gofer_cxx

#define go_errgroup_go(group, ...) \
    (void)GOFER_IN_ERRGROUP_(GOFER_CAT(gofer_site_, __COUNTER__), group, 0, __VA_ARGS__)
#define go_errgroup_try_go(group, ...) \
    GOFER_IN_ERRGROUP_(GOFER_CAT(gofer_site_, __COUNTER__), group, 1, __VA_ARGS__)
#define GOFER_IN_ERRGROUP_(id, group, attempt, ...)                               \
    __extension__({                                                               \
        static const gofer_site id = { __func__, __FILE__, __LINE__,              \
                                       GOFER_NAME_OF(GOFER_FIRST(__VA_ARGS__)) }; \
        gofer_cxx::start_in_errgroup(&id, group, attempt, __VA_ARGS__);           \
    })

#endif

/* What sync starts and calls, in C++: anything that can be called, with arguments as go takes them.
 * They do what include/gofer/sync.h says of the macros of the same names.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_SYNC_H
#define GOFER_CXX_SYNC_H

#include <gofer/cxx/go.h>
#include <gofer/sync.h>

#include <exception>
#include <optional>

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

/* What go_once_func makes. */
template <class F> class once_func
{
    go_once_func once = { run, this, {} };
    std::exception_ptr thrown;

    static void run(void *self)
    {
        auto *me = static_cast<once_func *>(self);
#ifdef __cpp_exceptions
        try {
            (void)me->fn();
        } catch (...) {
            me->thrown = std::current_exception();
        }
#else
        (void)me->fn();
#endif
    }

  protected:
    F fn;

  public:
    explicit once_func(F f) : fn(std::move(f))
    {
    }
    ~once_func()
    {
        go_once_func_destroy(&once);
    }
    once_func(const once_func &) = delete;
    once_func &operator=(const once_func &) = delete;

    void operator()()
    {
        go_once_func_call(&once);
        if (thrown)
            std::rethrow_exception(thrown);
    }
};

template <class F> struct value_maker {
    F fn;
    std::optional<std::invoke_result_t<F &>> value = {};

    void operator()()
    {
        value.emplace(fn());
    }
};

/* What go_once_value makes. */
template <class F> class once_value : once_func<value_maker<F>>
{
  public:
    explicit once_value(F f) : once_func<value_maker<F>>({ std::move(f) })
    {
    }

    auto &operator()()
    {
        once_func<value_maker<F>>::operator()();
        return *this->fn.value;
    }
};

} // namespace gofer_cxx

/* Objects to call, of any callable: auto load = go_once_func([&] { … }); load(); and auto &c =
 * config() after auto config = go_once_value([] { return parse(); }), which keeps the value and
 * gives a reference. Where the callable threw, each call throws the same; where it panicked, each
 * call panics so. They stay where they are made, and no call may be in progress when they go.
 * Go: sync.OnceFunc, sync.OnceValue. */
#define go_once_func(...) gofer_cxx::once_func(__VA_ARGS__)
#define go_once_value(...) gofer_cxx::once_value(__VA_ARGS__)

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

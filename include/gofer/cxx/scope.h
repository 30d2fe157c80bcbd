/* go_scope and go_in in C++: what include/gofer/scope.h says of them. An exception that leaves the
 * block cancels the scope; one that leaves a function of the scope ends the process, as with go.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_SCOPE_H
#define GOFER_CXX_SCOPE_H

#include <gofer/cxx/go.h>
#include <gofer/scope.h>

#ifdef __cpp_exceptions
#include <exception>
#endif

namespace gofer_cxx
{

class scope_block
{
    go_scope scope;
    bool entered = false;
#ifdef __cpp_exceptions
    int exceptions = std::uncaught_exceptions();
#endif

  public:
    scope_block(const gofer_site *site, go_context *parent, int *result)
    {
        gofer_scope_enter(&scope, site, parent, result);
    }
    ~scope_block() noexcept(false)
    {
#ifdef __cpp_exceptions
        if (std::uncaught_exceptions() > exceptions)
            go_scope_cancel(&scope);
#endif
        gofer_scope_leave(&scope);
    }
    scope_block(const scope_block &) = delete;
    scope_block &operator=(const scope_block &) = delete;

    bool is_new() const
    {
        return !entered;
    }
    go_scope *enter()
    {
        entered = true;
        return &scope;
    }
};

template <class F, class Arguments> struct scope_call : started_call<F, Arguments> {
    using started_call<F, Arguments>::started_call;

    int run_for_result()
    {
        return std::apply(std::move(this->fn), std::move(this->arguments));
    }
};

/* The goroutine's function. A panic or Goexit does not come back here: the memory goes before. */
template <class Call, bool returns_int> int run_in_scope(void *memory)
{
    Call *kept = static_cast<Call *>(memory);
    Call call(std::move(*kept));
    delete kept;
    if constexpr (returns_int)
        return call.run_for_result();
    else
        call.run();
    return 0;
}

template <class F, class Kept> struct result_of_kept;
template <class F, class... K> struct result_of_kept<F, std::tuple<K...>> {
    using type = std::invoke_result_t<F, K...>;
};

template <class F, class... A> void start_in(go_scope *s, F &&fn, A &&...args)
{
    check_call<F, A...>();
    using kept_types = arguments<F, A...>;
    using result = typename result_of_kept<std::decay_t<F>, kept_types>::type;
    static_assert(std::is_void_v<result> || std::is_same_v<result, int>,
                  "gofer: a function of a scope returns an int, or nothing");
    using call = scope_call<std::decay_t<F>, kept_types>;
    call *kept = new (std::nothrow) call(std::forward<F>(fn), std::forward<A>(args)...);
    if (__builtin_expect(kept == nullptr, 0))
        go_fatal("runtime: cannot allocate memory for a goroutine's arguments");
    go_scope_spawn(s, is_null(kept->fn) ? nullptr : run_in_scope<call, std::is_same_v<result, int>>,
                   kept);
}

} // namespace gofer_cxx

/* Two loops of one round: `break` and `continue` leave the scope, as in C. */
#define GOFER_SCOPE_(id, s, parent, result, ...) GOFER_SCOPE__(id, s, parent, result)
#define GOFER_SCOPE__(id, s, parent, result)                                                      \
    for (gofer_cxx::scope_block id(                                                               \
             __extension__({                                                                      \
                 static const gofer_site gofer_site_ = { __func__, __FILE__, __LINE__, nullptr }; \
                 &gofer_site_;                                                                    \
             }),                                                                                  \
             (parent), (result));                                                                 \
         id.is_new();)                                                                            \
        for (go_scope *s = id.enter(); s; s = nullptr)

#define go_in(s, ...) gofer_cxx::start_in((s), __VA_ARGS__)

#endif

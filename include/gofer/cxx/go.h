/* go in C++: a copy of the call goes to the goroutine, whose stack it then lies on. One of a few
 * plain words travels in the registers that the goroutine starts with; any other in memory of its
 * own, given back before the call: a panic or Goexit does not come back here.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_GO_H
#define GOFER_CXX_GO_H

#include <gofer/cxx/call.h>
#include <gofer/cxx/exception.h>
#include <gofer/panic.h>
#include <gofer/runtime.h>

#include <new>

namespace gofer_cxx
{

template <class F, class Arguments> struct started_call {
    F fn;
    Arguments arguments;

    template <class G, class... A>
    explicit started_call(G &&g, A &&...a)
        : fn(std::forward<G>(g)), arguments(std::forward<A>(a)...)
    {
    }

    decltype(auto) run()
    {
        return invoke(fn, arguments, std::make_index_sequence<std::tuple_size_v<Arguments>>());
    }
};

/* The goroutine's first function, for a call in memory of its own. */
template <class Result, class Call> Result run_from_memory(void *memory)
{
    Call *kept = static_cast<Call *>(memory);
    Call call(std::move(*kept));
    delete kept;
    return static_cast<Result>(call.run());
}

template <class Call> union words_of_call {
    uint64_t words[GOFER_WORDS];
    Call call;
};

template <class Result, class Call>
Result run_from_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    words_of_call<Call> room = { { a, b, c, d, e, f } };
    return static_cast<Result>(room.call.run());
}

template <class Call>
constexpr bool fits_words =
    sizeof(Call) <= GOFER_WORDS * sizeof(uint64_t) && alignof(Call) <= alignof(uint64_t) &&
    std::is_trivially_copy_constructible_v<Call> &&std::is_trivially_destructible_v<Call>;

inline const go_options *options_of(const go_options *options)
{
    return options;
}
inline const go_options *options_of(const go_options &options)
{
    return &options;
}

template <class F, class... A> using call_of = started_call<std::decay_t<F>, arguments<F, A...>>;

/* Makes `to` a call of fn(args…) that gives a Result. Returns the memory that it lies in, which the
 * call frees, or NULL where it travels in words. */
template <class Result, class F, class... A>
call_of<F, A...> *capture(gofer_call &to, F &&fn, A &&...args)
{
    check_call<F, A...>();
    using call = call_of<F, A...>;
    to.stack_size = 0;
    if constexpr (fits_words<call>) {
        void *words = to.integer;
        call *kept = new (words) call(std::forward<F>(fn), std::forward<A>(args)...);
        to.fn = is_null(kept->fn) ? nullptr
                                  : reinterpret_cast<void (*)(void)>(&run_from_words<Result, call>);
        return nullptr;
    } else {
        call *kept = new (std::nothrow) call(std::forward<F>(fn), std::forward<A>(args)...);
        if (__builtin_expect(kept == nullptr, 0))
            go_fatal("runtime: cannot allocate memory for a goroutine's arguments");
        to.fn = is_null(kept->fn)
                    ? nullptr
                    : reinterpret_cast<void (*)(void)>(&run_from_memory<Result, call>);
        to.integer[0] = reinterpret_cast<uintptr_t>(kept);
        return kept;
    }
}

template <class Options, class F, class... A>
void start(const gofer_site *site, const Options &options, F &&fn, A &&...args)
{
    gofer_spawn_record record;
    record.site = site;
    record.options = options_of(options);
    (void)capture<void>(record.call, std::forward<F>(fn), std::forward<A>(args)...);
    gofer_deliver_spawn(&record.call, nullptr);
}

} // namespace gofer_cxx

/* Starts fn(args…) as a goroutine, fn being anything that can be called: copies of fn and of the
 * arguments are made now (moved from where they are temporaries), and checked against fn. Does not
 * block. An exception that leaves fn ends the process. Go: the go statement. */
#define go_start(...) go_with(static_cast<const go_options *>(nullptr), __VA_ARGS__)

/* go with options, by value or by pointer: go_with(options, fn, args…). */
#define go_with(opts, ...) GOFER_WITH_(GOFER_CAT(gofer_site_, __COUNTER__), opts, __VA_ARGS__)
#define GOFER_WITH_(id, opts, ...)                                                \
    __extension__({                                                               \
        static const gofer_site id = { __func__, __FILE__, __LINE__,              \
                                       GOFER_NAME_OF(GOFER_FIRST(__VA_ARGS__)) }; \
        gofer_cxx::start(&id, opts, __VA_ARGS__);                                 \
    })

#endif

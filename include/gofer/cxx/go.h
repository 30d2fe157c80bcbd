/* go in C++: a copy of the call travels to the goroutine in memory of its own, moves to the
 * goroutine's stack as it starts, and is destroyed when the call has returned.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_GO_H
#define GOFER_CXX_GO_H

#include <gofer/cxx/call.h>
#include <gofer/panic.h>

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

    /* The goroutine's first function. The memory is given back before the call: a panic or
     * Goexit does not come back here. */
    static void run(void *memory)
    {
        started_call *self = static_cast<started_call *>(memory);
        started_call call(std::move(*self));
        delete self;
        invoke(call.fn, call.arguments,
               std::make_index_sequence<std::tuple_size_v<Arguments>>());
    }
};

inline const go_options *options_of(const go_options *options)
{
    return options;
}
inline const go_options *options_of(const go_options &options)
{
    return &options;
}

template <class Options, class F, class... A>
void start(const gofer_site *site, const Options &options, F &&fn, A &&...args)
{
    check_call<F, A...>();
    using call = started_call<std::decay_t<F>, arguments<F, A...>>;
    gofer_spawn_record record;
    record.call.stack_size = 0;
    record.site = site;
    record.options = options_of(options);
    call *kept = new (std::nothrow) call(std::forward<F>(fn), std::forward<A>(args)...);
    if (__builtin_expect(kept == nullptr, 0))
        go_fatal("runtime: cannot allocate memory for a goroutine's arguments");
    record.call.fn = is_null(kept->fn) ? nullptr : reinterpret_cast<void (*)(void)>(&call::run);
    record.call.integer[0] = reinterpret_cast<uintptr_t>(kept); /* run's argument */
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

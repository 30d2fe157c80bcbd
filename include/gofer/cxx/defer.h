/* go_defer in C++: an object in the block holds copies of the callable and its arguments and the
 * record that the goroutine's chain links. Its destructor runs the call when the block is left,
 * by an exception too; a panic or Goexit finds it in the chain. Nothing is allocated.
 *
 * go_recover must know the deferred call itself from what that one calls. So the record keeps the
 * address of the function at work (target), and `run` calls just that, through a pointer that the
 * compiler cannot see through: no clone, nothing inlined. src/panic/panic.c has the other end.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_DEFER_H
#define GOFER_CXX_DEFER_H

#include <gofer/cxx/call.h>
#include <gofer/panic.h>

#include <cstring>

namespace gofer_cxx
{

/* The compiler no longer knows what the pointer is. */
template <class P> void hide(P &pointer)
{
    __asm__ volatile("" : : "r"(&pointer) : "memory");
}

template <class F, class Arguments, class Indices> class deferred_call;

template <class F, class... T, std::size_t... I>
class deferred_call<F, std::tuple<T...>, std::index_sequence<I...>>
{
    gofer_defer record;
    F fn;
    std::tuple<T...> arguments;

    static void run(void *memory)
    {
        deferred_call *self = static_cast<deferred_call *>(memory);
        if constexpr (call_operator<F>::value) {
            auto member = &F::operator();
            gofer_cxx::hide(member);
            (self->fn.*member)(std::move(std::get<I>(self->arguments))...);
        } else if constexpr (std::is_member_pointer_v<F>) {
            std::apply(self->fn, std::move(self->arguments));
        } else {
            gofer_cxx::hide(self->fn);
            self->fn(std::move(std::get<I>(self->arguments))...);
        }
    }

    /* The address of the function that run calls; NULL: it is not known. In the C++ ABI a pointer
     * to a member function that is not virtual begins with it. */
    const void *target() const
    {
        const void *address = nullptr;
        if constexpr (call_operator<F>::value) {
            auto member = &F::operator();
            std::memcpy(&address, &member, sizeof address);
        } else if constexpr (std::is_pointer_v<F>) {
            std::memcpy(&address, &fn, sizeof address);
        }
        return address;
    }

  public:
    template <class G, class... A>
    explicit deferred_call(const gofer_site *site, G &&g, A &&...a)
        : fn(std::forward<G>(g)), arguments(std::forward<A>(a)...)
    {
        gofer_defer_closure(&record, site, is_null(fn) ? nullptr : run, this, target());
    }
    ~deferred_call()
    {
        gofer_defer_leave(&record);
    }
    deferred_call(const deferred_call &) = delete;
    deferred_call &operator=(const deferred_call &) = delete;
};

/* Made in place: the record's address is final. */
template <class F, class... A> auto defer(const gofer_site *site, F &&fn, A &&...args)
{
    check_call<F, A...>();
    return deferred_call<std::decay_t<F>, arguments<F, A...>, std::index_sequence_for<A...>>(
        site, std::forward<F>(fn), std::forward<A>(args)...);
}

} // namespace gofer_cxx

/* As in C. Two declarations, so that it cannot be the body of an if. */
#define go_defer(...) GOFER_DEFER_(GOFER_CAT(gofer_defer_, __COUNTER__), __VA_ARGS__)
#define GOFER_DEFER_(id, ...)                                                                   \
    static const gofer_site GOFER_CAT(id, _site) = { __PRETTY_FUNCTION__, __FILE__, __LINE__,   \
                                                     GOFER_NAME_OF(GOFER_FIRST(__VA_ARGS__)) }; \
    [[maybe_unused]] const auto id = gofer_cxx::defer(&GOFER_CAT(id, _site), __VA_ARGS__)

/* Not inlined, not left by a jump: the function that stands here is then a frame of its own, which
 * is either the deferred call or not. No compiler inlines a function that allocates on its stack
 * an amount it does not know. */
#define go_recover()                                                            \
    __extension__({                                                             \
        size_t gofer_none_ = 0;                                                 \
        __asm__ volatile("" : "+r"(gofer_none_));                               \
        __asm__ volatile("" : : "r"(__builtin_alloca(gofer_none_)) : "memory"); \
        gofer_recover(__builtin_return_address(0), __func__);                   \
    })

#endif

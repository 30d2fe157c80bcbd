/* How the C++ forms of go and go_defer keep a call for later: decayed copies of the callable and
 * of its arguments, made now. C++ has no static chain, which the C forms stand on.
 *
 * Where the callable says what it takes (a function, a lambda that is not generic), an argument is
 * turned into the parameter's type now, as by a call: a char array given for a std::string is
 * copied, not pointed at. A parameter that is a reference to non-const takes std::ref(x) alone.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_CALL_H
#define GOFER_CXX_CALL_H

#include <gofer/base.h>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gofer_cxx
{

template <class... T> struct types {
};

/* ---- what a callable takes --------------------------------------------------------------- */

struct unknown;

template <class F> struct signature {
    using type = unknown;
};
template <class R, class... P> struct signature<R (*)(P...)> {
    using type = types<P...>;
};
template <class R, class... P> struct signature<R (*)(P...) noexcept> {
    using type = types<P...>;
};
template <class R, class C, class... P> struct signature<R (C::*)(P...)> {
    using type = types<P...>;
};
template <class R, class C, class... P> struct signature<R (C::*)(P...) const> {
    using type = types<P...>;
};
template <class R, class C, class... P> struct signature<R (C::*)(P...) noexcept> {
    using type = types<P...>;
};
template <class R, class C, class... P> struct signature<R (C::*)(P...) const noexcept> {
    using type = types<P...>;
};

/* F's one operator() that is no template, where it has such. */
template <class F, class = void> struct call_operator : std::false_type {
    using type = void;
};
template <class F> struct call_operator<F, std::void_t<decltype(&F::operator())>> : std::true_type {
    using type = decltype(&F::operator());
};

template <class F>
using parameters = typename signature<
    std::conditional_t<std::is_pointer_v<F>, F, typename call_operator<F>::type>>::type;

/* ---- what is kept for it ------------------------------------------------------------------ */

/* For a parameter P that is given an A. A reference keeps the argument's own type where it can
 * refer to that, so that nothing is sliced; else it refers to a P made now. */
template <class P, class A>
using kept = std::conditional_t<std::is_reference_v<P> &&
                                    (!std::is_const_v<std::remove_reference_t<P>> ||
                                     std::is_base_of_v<std::decay_t<P>, std::decay_t<A>>),
                                std::decay_t<A>, std::decay_t<P>>;

template <class P, class A, class = void> struct kept_arguments;
template <class... A> struct kept_arguments<unknown, types<A...>> {
    using type = std::tuple<std::decay_t<A>...>;
};
template <class... P, class... A>
struct kept_arguments<types<P...>, types<A...>, std::enable_if_t<sizeof...(P) == sizeof...(A)>> {
    using type = std::tuple<kept<P, A>...>;
};
template <class... P, class... A>
struct kept_arguments<types<P...>, types<A...>, std::enable_if_t<sizeof...(P) != sizeof...(A)>>
    : kept_arguments<unknown, types<A...>> {
};

template <class F, class... A>
using arguments = typename kept_arguments<parameters<std::decay_t<F>>, types<A...>>::type;

/* Each argument turns into what is kept of it by itself, as in a call: no explicit constructor. */
template <class Kept, class Given> struct convertible;
template <class... K, class... G> struct convertible<std::tuple<K...>, types<G...>> {
    static constexpr bool value = (std::is_convertible_v<G, K> && ...);
};

template <class F, class Kept> struct invocable;
template <class F, class... K> struct invocable<F, std::tuple<K...>> : std::is_invocable<F, K...> {
};

/* Fails to compile, with these words, where fn(args…) would. */
template <class F, class... A> constexpr void check_call()
{
    using kept_types = arguments<F, A...>;
    static_assert(convertible<kept_types, types<A...>>::value &&
                      invocable<std::decay_t<F>, kept_types>::value,
                  "gofer: the function cannot be called with these arguments");
}

/* The call at last; what was kept for it may be moved from. */
template <class F, class... T, std::size_t... I>
decltype(auto) invoke(F &fn, std::tuple<T...> &kept, std::index_sequence<I...>)
{
    (void)kept;
    if constexpr (std::is_member_pointer_v<F>)
        return std::apply(fn, std::move(kept));
    else
        return std::move(fn)(std::move(std::get<I>(kept))...);
}

template <class F> bool is_null(const F &fn)
{
    if constexpr (std::is_pointer_v<F>)
        return fn == nullptr;
    else
        return false;
}

/* ---- names -------------------------------------------------------------------------------- */

/* The text of go's first argument if that is a name, NULL if it is another expression. */
constexpr const char *name_of(const char *text)
{
    for (const char *at = text; *at; at++) {
        const bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        if (!letter && !(*at >= '0' && *at <= '9') && *at != '_' && *at != ':')
            return nullptr;
    }
    return text;
}

} // namespace gofer_cxx

#define GOFER_FIRST(...) GOFER_FIRST_(__VA_ARGS__, 0)
#define GOFER_FIRST_(f, ...) f
#define GOFER_TEXT_(...) #__VA_ARGS__
#define GOFER_TEXT(...) GOFER_TEXT_(__VA_ARGS__)
#define GOFER_NAME_OF(f) gofer_cxx::name_of(GOFER_TEXT(f))

#endif

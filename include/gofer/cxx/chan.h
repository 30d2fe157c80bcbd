/* The verbs of channels in C++: functions that take the element's type from the handle's. They do
 * what include/gofer/chan.h says of the macros of the same names.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_CHAN_H
#define GOFER_CXX_CHAN_H

#include <gofer/chan.h>

#include <type_traits>

namespace gofer_cxx
{

/* The same type as C's handle. An alias sees through: templates may deduce T from a handle. */
template <class T> using handle = T (*)[];

/* T, but not to be deduced: the handle alone says what the element is. */
template <class T> struct same {
    using type = T;
};
template <class T> using same_t = typename same<T>::type;

template <class T> constexpr void check_element()
{
    static_assert(std::is_trivially_copyable_v<T>,
                  "gofer: a channel's elements are copied by their bytes: send a pointer instead");
    static_assert(std::is_default_constructible_v<T>,
                  "gofer: a closed channel gives zero values, which this type has not");
}

} // namespace gofer_cxx

template <class T> gofer_cxx::handle<T> gofer_chan_make_of(int64_t capacity)
{
    gofer_cxx::check_element<T>();
    return static_cast<gofer_cxx::handle<T>>(
        gofer_chan_make(sizeof(T), capacity, std::is_same_v<T, go_unit>));
}
#define go_chan_make(T, n) gofer_chan_make_of<T>(static_cast<int64_t>(n))

template <class T> void go_send(T (*c)[], const gofer_cxx::same_t<T> &value)
{
    gofer_cxx::check_element<T>();
    gofer_chan_send(c, &value, sizeof value);
}

template <class T> T go_recv(T (*c)[])
{
    gofer_cxx::check_element<T>();
    T value;
    (void)gofer_chan_recv(c, &value, sizeof value);
    return value;
}

template <class T> int go_recv_ok(T (*c)[], gofer_cxx::same_t<T> *to)
{
    gofer_cxx::check_element<T>();
    return gofer_chan_recv(c, to, sizeof(T));
}

template <class T> go_status go_try_send(T (*c)[], const gofer_cxx::same_t<T> &value)
{
    gofer_cxx::check_element<T>();
    return gofer_chan_try_send(c, &value, sizeof value);
}

template <class T> go_status go_try_recv(T (*c)[], gofer_cxx::same_t<T> *to)
{
    gofer_cxx::check_element<T>();
    return gofer_chan_try_recv(c, to, sizeof(T));
}

#endif

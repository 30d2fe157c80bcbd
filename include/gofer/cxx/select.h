/* go_select in C++. The cases are a brace-initialised object's operands, which alone are evaluated
 * in the order written. They do what include/gofer/select.h says of the macros of the same names.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_SELECT_H
#define GOFER_CXX_SELECT_H

#include <gofer/select.h>

#include <cstring>

namespace gofer_cxx
{

inline go_case make_case(go_case_kind kind, void *c, void *value, size_t size)
{
    go_case made{};
    made.kind = kind;
    made.chan = c;
    made.value = value;
    made.size = size;
    return made;
}

inline go_case after(go_duration d)
{
    go_case made = make_case(GO_CASE_AFTER, nullptr, nullptr, 0);
    made.after = d;
    return made;
}

/* A send holds the value that it sends. */
template <class T> struct send_case {
    go_case head;
    alignas(T) unsigned char value[sizeof(T)];

    send_case(T (*c)[], const same_t<T> &v) : head(make_case(GO_CASE_SEND, c, nullptr, sizeof(T)))
    {
        check_element<T>();
        std::memcpy(value, &v, sizeof v);
    }
};

struct recv_case : go_case {
    template <class T>
    recv_case(T (*c)[], same_t<T> *to, int *given = nullptr)
        : go_case(make_case(GO_CASE_RECV, c, to, sizeof(T)))
    {
        check_element<T>();
        ok = given;
    }
};

inline go_case ready_case(const go_case &one)
{
    return one;
}

template <class T> go_case ready_case(const send_case<T> &one)
{
    go_case made = one.head;
    made.value = const_cast<unsigned char *>(one.value); /* a send only reads it */
    return made;
}

inline go_case name_case(int id, go_case one)
{
    one.named = 1;
    one.name = id;
    return one;
}

template <class T> send_case<T> name_case(int id, send_case<T> one)
{
    one.head = name_case(id, one.head);
    return one;
}

struct selection {
    int chosen;

    template <class... Cases> explicit selection(const Cases &...cases)
    {
        go_case all[sizeof...(cases) + 1] = { ready_case(cases)... };
        chosen = go_select_array(all, sizeof...(cases));
    }
};

} // namespace gofer_cxx

#define go_select(...) (gofer_cxx::selection{ __VA_ARGS__ }.chosen)

#define go_case_send(...) (gofer_cxx::send_case{ __VA_ARGS__ })
#define go_case_recv(c, p) (gofer_cxx::recv_case{ (c), (p) })
#define go_case_recv_ok(c, p, okp) (gofer_cxx::recv_case{ (c), (p), (okp) })
#define go_case_after(d) gofer_cxx::after(d)
#define go_case_default gofer_cxx::make_case(GO_CASE_DEFAULT, nullptr, nullptr, 0)
#define go_case_as(id, ...) gofer_cxx::name_case((id), __VA_ARGS__)

#endif

/* The typed forms of include/gofer/context.h in C++: what that header says of the macros of the
 * same names. SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_CONTEXT_H
#define GOFER_CXX_CONTEXT_H

#include <gofer/context.h>

template <class T> int go_send_ctx(go_context *ctx, T (*c)[], const gofer_cxx::same_t<T> &value)
{
    gofer_cxx::check_element<T>();
    return gofer_chan_send_ctx(ctx, c, &value, sizeof value);
}

template <class T> int go_recv_ctx(go_context *ctx, T (*c)[], gofer_cxx::same_t<T> *to)
{
    gofer_cxx::check_element<T>();
    return gofer_chan_recv_ctx(ctx, c, to, sizeof(T));
}

#define go_case_done(ctx) (gofer_cxx::recv_case{ go_context_done(ctx), nullptr })

#endif

/* What the fatal error says of an exception that left a goroutine. The library finds this function
 * through a weak symbol, so that it needs no C++ library: src/panic/exception.c.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_EXCEPTION_H
#define GOFER_CXX_EXCEPTION_H

#include <gofer/base.h>

#ifdef __cpp_exceptions
#include <cxxabi.h>
#include <exception>
#include <typeinfo>

/* The exception's what(), or NULL; in *type its type's mangled name, or NULL. It is never thrown on
 * again after this: it counts as caught now. */
extern "C" GOFER_API __attribute__((used)) inline const char *
gofer_exception_text(void *exception, const char **type)
{
    abi::__cxa_begin_catch(exception);
    const std::type_info *info = abi::__cxa_current_exception_type();
    *type = info ? info->name() : nullptr;
    try {
        throw;
    } catch (const std::exception &error) {
        return error.what();
    } catch (...) {
        return nullptr;
    }
}
#endif

#endif

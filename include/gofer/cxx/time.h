/* go_after_func for a lambda: go_after_func(d, [ctx] { go_context_cancel(ctx); }). It may run more
 * than once (go_timer_reset) or never, and nobody says when it is done with: so it lives in the one
 * word that the timer has for it. SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_TIME_H
#define GOFER_CXX_TIME_H

#include <gofer/cxx/go.h>
#include <gofer/time.h>

namespace gofer_cxx
{

template <class F> union word_of {
    void *word;
    F fn;
};

template <class F> void run_from_word(void *word)
{
    word_of<F> room = { word };
    (void)room.fn();
}

} // namespace gofer_cxx

template <class F> go_timer *go_after_func(go_duration d, F fn)
{
    static_assert(std::is_invocable_v<F &>,
                  "gofer: the function cannot be called without arguments");
    static_assert(sizeof(F) <= sizeof(void *) && std::is_trivially_copyable_v<F>,
                  "gofer: a timer's function captures no more than one pointer or reference");
    gofer_cxx::word_of<F> room = { nullptr };
    new (&room.fn) F(fn);
    return go_after_func(d, gofer_cxx::is_null(fn) ? nullptr : gofer_cxx::run_from_word<F>,
                         room.word);
}

#endif

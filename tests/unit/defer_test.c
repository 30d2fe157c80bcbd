/* go_defer by block: every way out, and jumps past the registration. */
#include "unit.h"

#include <malloc.h>

static char text[64];

static void note(const char *word)
{
    strcat(text, word);
}

static void loop_with(int n)
{
    for (int i = 0; i < n; i++) {
        go_defer(note, "a");
        if (i == 1)
            continue;
        {
            go_defer(note, "b");
            if (i == 2)
                goto out;
        }
    }
out:;
    go_defer(note, "z");
    note("|");
}

#ifndef __clang__ /* which refuses a jump to a case past the declaration */
static int by_case(int x)
{
    switch (x) {
    case 1:;
        go_defer(note, "one");
        break;
    case 2:
        note("two");
        break;
    default:
        break;
    }
    return 0;
}
#endif

static void backwards(int n)
{
again:;
    go_defer(note, "g");
    if (n-- > 0)
        goto again;
    note("|");
}

static void swallow(void)
{
    go_recover();
}

static int result_not_returned(int fail)
{
    int result = 3;
    go_recoverable(result);
    go_defer(swallow);
    if (fail)
        go_panic("after a return value was computed");
    return 9;
}

static long many(int n)
{
    long sum = 0;
    for (int i = 0; i < n; i++)
        sum += result_not_returned(i & 1);
    return sum;
}

static void begin(void)
{
    text[0] = 0;
}

static void verbs(void)
{
    go_mutex m = { 0 };
    go_waitgroup wg = { 0 };
    go_chan(go_unit) c = go_chan_make(go_unit, 1);
    go_mutex_lock(&m);
    go_waitgroup_add(&wg, 1);
    {
        go_defer(go_mutex_unlock, &m);
        go_defer(go_waitgroup_done, &wg);
        go_defer(go_signal, c);
    }
    CHECK(go_mutex_trylock(&m), 1);
    go_waitgroup_wait(&wg);
    CHECK(go_len(c), 1);
    {
        go_defer(go_chan_unref, c);
        go_defer(go_close, c);
    }
}

#if defined __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 33)
#define HAS_MALLINFO 1
#endif
#endif

#ifdef HAS_MALLINFO
enum { LONG_TEXT = 2000, ABORTED = 1000 };

static void aborted(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_defer(go_goexit);
    go_panic("%*d", LONG_TEXT, 1);
}

static void aborted_panics_keep_no_memory(void)
{
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < ABORTED; i++) {
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, 1);
        go(aborted, &wg);
        go_waitgroup_wait(&wg);
    }
    size_t after = mallinfo2().uordblks;
    CHECK(after < before + (size_t)ABORTED * LONG_TEXT / 2, 1);
}
#endif

/* Sanitizers and valgrind mind what is done to a stack that its frames have not left. */
#if defined __GLIBC__ && !defined __SANITIZE_THREAD__ && !defined __SANITIZE_ADDRESS__
#include <ucontext.h>

static ucontext_t mine, other;
static char other_stack[64 * 1024];

static int switches(void)
{
    int result = 0;
    go_recoverable(result);
    go_defer(note, "c");
    swapcontext(&other, &mine);
    return result;
}

static void in_other(void)
{
    {
        go_defer(note, "a");
        {
            go_defer(note, "b");
            swapcontext(&other, &mine);
        }
        swapcontext(&other, &mine);
    }
    switches();
    swapcontext(&other, &mine);
}

static void contexts_take_turns(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    getcontext(&other);
    other.uc_stack.ss_sp = other_stack;
    other.uc_stack.ss_size = sizeof other_stack;
    makecontext(&other, in_other, 0);
    swapcontext(&mine, &other);
    {
        go_defer(note, "x");
        swapcontext(&mine, &other);
        note("|");
    }
    swapcontext(&mine, &other);
    {
        go_defer(note, "y");
        swapcontext(&mine, &other);
        note("|");
    }
    memset(other_stack, 'A', sizeof other_stack); /* nothing that lay there is looked at */
    go_goexit();
}
#define HAS_CONTEXTS 1
#endif

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    begin();
    loop_with(4);
    CHECK_TEXT(text, "baaba|z");
#ifndef __clang__
    begin();
    by_case(1);
    by_case(2);
    by_case(3);
    CHECK_TEXT(text, "onetwo");
#endif
    begin();
    backwards(2);
    CHECK_TEXT(text, "gg|g");
#ifdef HAS_CONTEXTS
    if (!runs_under("memcheck")) {
        go_waitgroup wg = { 0 };
        begin();
        go_waitgroup_add(&wg, 1);
        go(contexts_take_turns, &wg);
        go_waitgroup_wait(&wg);
        CHECK_TEXT(text, "b|xac|y");
    }
#endif
    CHECK(many(1000), 500 * 3 + 500 * 9);
    verbs();
#ifdef HAS_MALLINFO
    aborted_panics_keep_no_memory();
#endif
    return 0;
}

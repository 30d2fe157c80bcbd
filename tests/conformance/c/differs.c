/* Where C differs from Go, by intention or by the language, and faults. run.py says how and why. */
#include "case.h"

static void say(const char *text)
{
    puts(text);
}

static void print_recovered(const char *who)
{
    const go_panic_value *v = go_recover();
    printf("%s: %s\n", who, v ? v->text : "nil");
}

static void panic_with(const char *text)
{
    go_panic("%s", text);
}

static void print_round(int i)
{
    printf("deferred %d\n", i);
}

static void scopes(void)
{
    go_defer(say, "function");
    {
        go_defer(say, "block");
    }
    puts("end of the function");
}

CASE(defer_scope_is_the_block)
{
    scopes();
    return 0;
}

CASE(defer_in_a_loop)
{
    for (int i = 0; i < 3; i++) {
        go_defer(print_round, i);
        printf("round %d\n", i);
    }
    return 0;
}

static int returns_nine(void)
{
    int result = 1;
    go_recoverable(result);
    go_defer(print_recovered, "nine");
    go_defer(panic_with, "after return");
    return 9;
}

CASE(return_then_recovered_panic)
{
    printf("%d\n", returns_nine());
    return 0;
}

static void increment(int *result)
{
    ++*result;
}

static int changed_after_return(void)
{
    int result = 5;
    go_defer(increment, &result);
    return result;
}

CASE(defer_changes_result_after_return)
{
    printf("%d\n", changed_after_return());
    return 0;
}

static void reads_nil(void)
{
    int *volatile p = NULL;
    printf("%d\n", *p);
}

CASE(nil_dereference)
{
    reads_nil();
    return 0;
}

static void recovers_fault(void)
{
    go_recoverable();
    go_defer(print_recovered, "fault");
    reads_nil();
}

CASE(nil_dereference_recovered)
{
    recovers_fault();
    return 0;
}

#ifdef __x86_64__ /* other CPUs do not trap */
CASE(divide_by_zero)
{
    volatile int one = 1, zero = 0;
    printf("%d\n", one / zero);
    return 0;
}
#endif

CASE(defer_nil_function)
{
    void (*volatile none)(void) = NULL;
    go_defer(say, "deferred before");
    go_defer(none);
    puts("body");
    return 0;
}

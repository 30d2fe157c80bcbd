/* What a panic carries: printed when nobody recovers, and as the one who does sees it. */
#include "case.h"

#include <math.h>

CASE(panic_uint)
{
    go_panic_uint(UINT64_MAX);
}

CASE(panic_int_negative)
{
    go_panic_int(INT64_MIN);
}

CASE(panic_float_small)
{
    go_panic_float(1.5e-7);
}

CASE(panic_float_large)
{
    go_panic_float(1e21);
}

CASE(panic_float_whole)
{
    go_panic_float(100000);
}

CASE(panic_float_million)
{
    go_panic_float(1234567);
}

CASE(panic_float_nan)
{
    go_panic_float(NAN);
}

CASE(panic_float_inf)
{
    go_panic_float(-INFINITY);
}

CASE(panic_bool_false)
{
    go_panic_bool(0);
}

CASE(panic_text_empty)
{
    go_panic("%s", "");
}

CASE(panic_text_long)
{
    char text[5001];
    memset(text, 'x', sizeof text - 1);
    text[5000] = 0;
    go_panic("%s", text);
}

CASE(panic_text_percent)
{
    go_panic("100%% of %s", "%s");
}

CASE(panic_error_newlines)
{
    go_panic_error(1, "one\ntwo");
}

CASE(panic_custom_error)
{
    go_panic_error(404, "code %d: %s", 404, "not found");
}

CASE(panic_pointer)
{
    static int target;
    go_panic_pointer(&target);
}

static void print_kind(void)
{
    const go_panic_value *v = go_recover();
    switch (v->kind) {
    case GO_VALUE_TEXT:
        printf("text %s\n", v->text);
        break;
    case GO_VALUE_ERROR:
        printf("error %d %s\n", (int)v->integer, v->text);
        break;
    case GO_VALUE_RUNTIME:
        printf("runtime error %s\n", v->text);
        break;
    case GO_VALUE_INTEGER:
        printf("integer %lld\n", (long long)v->integer);
        break;
    case GO_VALUE_UNSIGNED:
        printf("unsigned %llu\n", (unsigned long long)v->integer);
        break;
    case GO_VALUE_FLOAT:
        printf("float %.3f\n", v->real);
        break;
    case GO_VALUE_BOOL:
        printf("bool %s\n", v->integer ? "true" : "false");
        break;
    case GO_VALUE_POINTER:
        printf("pointer %d\n", *(int *)v->pointer);
        break;
    case GO_VALUE_NIL:
        printf("nil %s\n", v->text);
        break;
    }
}

static void recovered_text(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_panic("boom");
}

CASE(recover_text)
{
    recovered_text();
    return 0;
}

static void recovered_error(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_panic_error(404, "not found");
}

CASE(recover_error)
{
    recovered_error();
    return 0;
}

static void recovered_runtime(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_close(NULL);
}

CASE(recover_runtime_error)
{
    recovered_runtime();
    return 0;
}

/* Where Go's package panics with a string, that is no run-time error. */
static void recovered_negative(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_waitgroup wg = { 0 };
    go_waitgroup_done(&wg);
}

CASE(recover_wait_group_misuse)
{
    recovered_negative();
    return 0;
}

static void recovered_copied(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_cond c = { 0 };
    go_cond_signal(&c);
    go_cond copied = c;
    go_cond_signal(&copied);
}

CASE(recover_cond_misuse)
{
    recovered_copied();
    return 0;
}

static void recovered_defaults(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_select_array((go_case[]){ go_case_default, go_case_default }, 2);
}

CASE(recover_select_misuse)
{
    recovered_defaults();
    return 0;
}

static void recovered_size(void)
{
    go_recoverable();
    go_defer(print_kind);
    volatile int64_t size = -1;
    go_chan_make(int, size);
}

CASE(recover_chan_misuse)
{
    recovered_size();
    return 0;
}

static void recovered_integer(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_panic_int(-7);
}

CASE(recover_integer)
{
    recovered_integer();
    return 0;
}

static void recovered_unsigned(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_panic_uint(UINT64_MAX);
}

CASE(recover_unsigned)
{
    recovered_unsigned();
    return 0;
}

static void recovered_float(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_panic_float(0.125);
}

CASE(recover_float)
{
    recovered_float();
    return 0;
}

static void recovered_bool(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_panic_bool(1);
}

CASE(recover_bool)
{
    recovered_bool();
    return 0;
}

static void recovered_pointer(int *p)
{
    go_recoverable();
    go_defer(print_kind);
    go_panic_pointer(p);
}

CASE(recover_pointer)
{
    int target = 17;
    recovered_pointer(&target);
    return 0;
}

static void recovered_nil(void)
{
    go_recoverable();
    go_defer(print_kind);
    go_panic_pointer(NULL);
}

CASE(recover_nil)
{
    recovered_nil();
    return 0;
}

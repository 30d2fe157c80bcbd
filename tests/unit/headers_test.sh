#!/usr/bin/env bash
# A program that uses every macro compiles without a warning, at every level, with gcc and clang,
# and behaves the same; wrong uses do not compile.
set -uo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
strict="-Werror=incompatible-pointer-types -Werror=int-conversion"
failed=0
cat >"$work/good.c" <<'C'
#include <gofer.h>
#include <stdio.h>
struct pair {
    int a, b;
};
static int order[8], steps;
static int step(int i)
{
    order[steps++] = i;
    return i;
}
static void nothing(void)
{
}
static void take(go_chan(struct pair) c, struct pair p)
{
    go_send(c, p);
}
static int nested(int i)
{
    go(nothing);
    return i;
}
static void swallow(void)
{
    (void)go_recover();
}
static int with_result(void)
{
    int result = 4;
    go_recoverable(result);
    go_defer(swallow);
    go_panic("%d", result);
}
static void without_result(void)
{
    go_recoverable();
    go_defer(swallow);
    go_panic("nothing");
}
int go_main(int argc, char **argv)
{
    (void)argv;
    go_chan(struct pair) pairs = go_chan_make(struct pair, 1);
    go_chan(int) c = go_chan_make(int, 3);
    go_chan(go_unit) u = go_chan_make(go_unit, 1);
    struct pair p = { 1, 2 };
    int v = 0, ok = 0;
    go(take, pairs, p);
    go_with((&(go_options){ .name = "x" }), take, pairs, p);
    p = go_recv(pairs);
    p = go_recv(pairs);
    go_send(c, nested(nested(3)));
    go_send(c, go_recv(c));
    go_signal(u);
    go_recv(u);
    (void)go_select(go_case_send(u, (go_unit){ 0 }), go_case_recv_ok(c, &v, &ok), go_case_default,
                    go_case_after(GO_SECOND));
    (void)go_try_send(c, 1);
    (void)go_try_recv(c, &v);
    go_send(c, 2);
    (void)go_recv_ok(c, NULL);
    steps = 0;
    go_chan(int) none = NULL;
    (void)go_select(go_case_send(none, step(1)), go_case_send(none, step(2)),
                    go_case_send(none, step(3)), go_case_send(none, step(4)), go_case_default);
    for (int i = 0; i < 4; i++)
        if (order[i] != i + 1)
            return 1;
    go_close(c);
    go_range (value, c)
        v += value;
    go_mutex m = { 0 };
    go_mutex_lock(&m);
    {
        go_defer(go_mutex_unlock, &m);
        go_defer(printf, "%s %d\n", "deferred", argc);
    }
    go_context *ctx = go_context_with_timeout(NULL, GO_HOUR);
    (void)go_select(go_case_done(ctx), go_case_done(NULL), go_case_default);
    go_chan(int) d = go_chan_make(int, 1);
    if (go_send_ctx(ctx, d, nested(v)) != 0 || go_recv_ctx(ctx, d, &v) != 1)
        return 1;
    int error = 0;
    go_scope (s) {
        go_in(s, nothing);
        go_scope (inner, ctx, &error) {
            go_in(inner, step, 0);
            go_in(s, nothing);
        }
    }
    if (error != 0)
        return 1;
    go_context_end(ctx);
    go_chan_unref(d);
    without_result();
    go_chan_unref(c);
    go_chan_unref(u);
    go_chan_unref(pairs);
    return with_result() == 4 ? 0 : 1;
}
C
if [ -n "${GOFER_CC:-}" ]; then
    compilers=("$GOFER_CC") # a cross build's, with its flags
else
    compilers=(gcc)
    if command -v clang >/dev/null; then compilers+=(clang); else echo "clang is not installed: left out"; fi
fi
read -r -a run <<<"${GOFER_EMULATOR:-} $work/good"
for compiler in "${compilers[@]}"; do
    for standard in gnu11 gnu17; do
        for level in -O0 -O1 -O2 -O3; do
            # the words are flags
            # shellcheck disable=SC2086
            if $compiler -std=$standard $level $warnings $strict -I"$source/include" "$work/good.c" \
                "$build/libgofer.a" -pthread -o "$work/good" && [ "$("${run[@]}")" = 'deferred 1' ]; then
                echo "ok $compiler $standard $level"
            else
                echo "FAIL $compiler $standard $level"
                failed=1
            fi
        done
    done
    # The system's names are the program's to give.
    printf '#include <gofer.h>\nvoid send(void);\nvoid listen(int);\nint accept, bind, connect, shutdown;\n' >"$work/names.c"
    # shellcheck disable=SC2086
    if $compiler -std=gnu11 $warnings -I"$source/include" -c "$work/names.c" -o "$work/names.o"; then
        echo "ok $compiler names"
    else
        echo "FAIL $compiler names"
        failed=1
    fi
done
# wrong NAME CODE: CODE in a function body must not compile.
wrong() {
    printf '#include <gofer.h>\n#include <stdlib.h>\nstruct large { long a[9]; };\nstruct large large(void);\nvoid take(struct large l);\nstruct aligned { _Alignas(32) char a[32]; };\nvoid take_aligned(struct aligned a);\ntypedef int vector __attribute__((vector_size(32)));\ntypedef vector loose __attribute__((aligned(1)));\nvoid take_vector(vector v);\nvoid one(int i);\nvoid none(void);\nvoid f(int x);\nvoid f(int x)\n{\n    (void)x;\n    go_chan(int) c = go_chan_make(int, 0);\n    (void)c;\n    %s\n}\n' "$2" >"$work/wrong.c"
    local compiler
    for compiler in "${compilers[@]}"; do
        # shellcheck disable=SC2086
        if $compiler -std=gnu11 $strict -I"$source/include" -c "$work/wrong.c" -o "$work/wrong.o" 2>/dev/null; then
            echo "FAIL $compiler compiled: $1"
            failed=1
        else
            echo "ok $compiler refuses $1"
        fi
    done
}
wrong 'too few arguments' 'go(one);'
wrong 'too many arguments' 'go(none, 1);'
wrong 'a pointer for a number' 'go(one, "x");'
wrong 'a deferred call with a wrong argument' 'go_defer(one, "x");'
wrong 'a wrong element' 'go_send(c, "x");'
wrong 'a wrong destination' 'long l; go_recv_ok(c, &l);'
wrong 'a channel of another type' 'go_chan(long) l = c; (void)l;'
wrong 'a struct returned in memory' 'go(large);'
wrong 'a wrong element with a context' 'go_send_ctx(NULL, c, "x");'
wrong 'a scope with a function that returns something else' 'go_scope (s) go_in(s, malloc, 1);'
wrong 'a wrong argument in a scope' 'go_scope (s) go_in(s, one, "x");'
wrong 'a struct that is aligned to more than 16 bytes' 'struct aligned a = { "" }; go(take_aligned, a);'
wrong 'a deferred struct that is aligned to more than 16 bytes' 'struct aligned a = { "" }; go_defer(take_aligned, a);'
wrong 'a vector of more than 16 bytes' 'vector v = { 0 }; go(take_vector, v);'
wrong 'a vector of more than 16 bytes, not aligned' 'loose v = { 0 }; go(take_vector, v);'
wrong 'a deferred call as the body of an if' 'if (x) go_defer(none);'
if [[ $(${compilers[0]} -dumpmachine) == aarch64* ]]; then
    wrong 'a struct that is passed by address' 'struct large l = { { 0 } }; go(take, l);'
fi
exit $failed

#!/usr/bin/env bash
# No code that the headers put into a program touches a thread-local, and errno is asked for anew
# after a park: seen in the machine code, also where library and program are one unit for the
# optimiser.
# shellcheck source=tests/unit/expect.sh
. "$(dirname "$0")/expect.sh"
[ "$(uname -m)" = x86_64 ] || exit 77
cat >"$work/probe.c" <<'C'
#include <gofer.h>
__attribute__((noinline)) int probe_errno(void)
{
    errno = 1;
    go_gosched();
    int second = errno;
    go_gosched();
    return second + errno;
}
static void nothing(int n, double d)
{
    (void)n;
    (void)d;
}
__attribute__((noinline)) int probe_all(go_chan(int) c, go_waitgroup *wg, go_mutex *m)
{
    int v = 0;
    go_recoverable(v);
    go_defer(go_waitgroup_done, wg);
    go(nothing, v, 1.5);
    go_with((&(go_options){ .name = "n" }), nothing, 2, 2.5);
    go_send(c, 1);
    v = go_recv(c);
    go_range(w, c)
        v += w;
    go_mutex_lock(m);
    v += go_try_recv(c, &v) == GO_DONE;
    v += go_select(go_case_recv(c, &v), go_case_send(c, 2), go_case_as(7, go_case_after(1)));
    v += go_recover() != NULL;
    go_mutex_unlock(m);
    return v;
}
int go_main(int argc, char **argv)
{
    go_waitgroup wg = { 0 };
    go_mutex m = { 0 };
    return argc > 5 ? probe_all(go_chan_make(int, argc), &wg, &m) + argv[0][0] : probe_errno() - 2;
}
C

# code PROGRAM FUNCTION: its machine code.
code() {
    objdump -d --no-show-raw-insn "$work/$1" | sed -n "/<$2>:\$/,/^\$/p"
}

fail() {
    printf 'FAIL %s: %s\n%s\n' "$@"
    failed=1
}

# check NAME SIGN COMPILER FLAG…: builds the probe, runs it and looks for SIGN in it.
check() {
    local name=$1 sign=$2 text function calls
    shift 2
    # the words of library are files
    # shellcheck disable=SC2086
    "$@" -std=gnu11 -w -fno-stack-protector -I"$source/include" -I"$source/src" "$work/probe.c" \
        -pthread -o "$work/$name" $library || exit 1
    "$work/$name" || fail "$name" "exit status $?, expected 0" ""
    for function in probe_errno probe_all; do
        text=$(code "$name" $function)
        [ "$(wc -l <<<"$text")" -gt 5 ] || fail "$name" "no code of $function found" "$text"
        [[ $text != *"$sign"* ]] || fail "$name" "$function touches a thread-local" "$text"
    done
    calls=$(code "$name" probe_errno | sed -n 's/.*call.*<\(gofer_errno\|go_gosched\)[^>]*>.*/\1/p' | uniq | tr '\n' ' ')
    [ "$calls" = 'gofer_errno go_gosched gofer_errno go_gosched gofer_errno ' ] ||
        fail "$name" "probe_errno asks for errno in this order: $calls" "$(code "$name" probe_errno)"
    echo "ok $name"
}

sources=$(find "$source/src" -name '*.c' ! -name symbols.c)
unit="$source/src/debug/symbols.c $sources $source/src/arch/switch_x86_64.S"
for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    for level in -O0 -O2 -O3; do
        library="$build/libgofer.a"
        check $compiler$level %fs: $compiler $level
    done
    library="$unit"
    if [ $compiler = gcc ] || command -v ld.lld >/dev/null; then
        linker=
        [ $compiler = gcc ] || linker=-fuse-ld=lld
        # Here the library's calls are inlined too: they read their thread-local anew each time, and
        # what must not be is that its address is taken.
        check $compiler-lto %fs:0x0 $compiler -O2 -flto $linker -fno-omit-frame-pointer -fvisibility=hidden
        text=$(objdump -d --no-show-raw-insn "$work/$compiler-lto" |
            awk '/^[0-9a-f]+ </ { name = $2 } /%fs:0x0,/ { print name, $0 }' |
            grep '<\(go_\|gofer_\)' | grep -v '<gofer_m_bind\|<gofer_errno')
        [ -z "$text" ] || fail $compiler-lto "the address of a thread-local is taken in" "$text"
    fi
done
exit $failed

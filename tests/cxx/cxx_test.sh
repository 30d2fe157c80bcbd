#!/usr/bin/env bash
# C++: the programs beside this script with g++ and clang++ at several levels, without a warning;
# wrong uses do not compile; how a goroutine ends that an exception leaves; what traces show; the
# examples of docs/cxx.md; `gofer run` of C++ files.
set -uo pipefail
source=$(cd "$1" && pwd) build=$(cd "$2" && pwd)
here=$source/tests/cxx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
failed=0
compilers=()
for compiler in g++ clang++; do
    if command -v "$compiler" >/dev/null; then compilers+=("$compiler"); else echo "$compiler is not installed: left out"; fi
done
[ ${#compilers[@]} -gt 0 ] || exit 77
ulimit -c 0

fail() {
    printf 'FAIL %s\n' "$1"
    failed=1
}

# build COMPILER OUTPUT ARGUMENTS…: a program, linked with the library.
build() {
    local compiler=$1 output=$2
    shift 2
    "$compiler" -std=c++17 -g -I"$source/include" "$@" "$build/libgofer.a" -pthread -o "$output"
}

# ---- programs --------------------------------------------------------------------------------

cc -std=gnu11 "${warnings[@]}" -I"$source/include" -c "$here/shared.c" -o "$work/shared.o" || exit 1
for compiler in "${compilers[@]}"; do
    for level in -O0 -O2; do
        for program in language exceptions; do
            what="$compiler $level $program"
            build "$compiler" "$work/$program-$compiler" $level "${warnings[@]}" "$here/$program.cpp" "$work/shared.o" ||
                { fail "$what does not compile" && continue; }
            got=$(timeout 60 "$work/$program-$compiler" 2>&1)
            if [ "$got" = ok ]; then echo "ok $what"; else fail "$what: got $got, expected ok"; fi
        done
    done
done

for compiler in "${compilers[@]}"; do
    what="$compiler coroutines"
    echo '#include <coroutine>' | "$compiler" -std=c++20 -fsyntax-only -x c++ - 2>/dev/null ||
        { echo "$compiler has none of C++20's coroutines: left out" && continue; }
    for level in -O0 -O2; do
        build "$compiler" "$work/coroutines" -std=c++20 $level "${warnings[@]}" "$here/coroutines.cpp" ||
            { fail "$what does not compile" && continue; }
        got=$(timeout 60 "$work/coroutines" 2>&1)
        if [ "$got" = ok ]; then echo "ok $what $level"; else fail "$what $level: got $got, expected ok"; fi
    done
done

for header in "$source"/include/gofer/*.h "$source"/include/gofer/cxx/*.h; do
    echo "#include \"$header\"" >"$work/header.cpp"
    for compiler in "${compilers[@]}"; do
        "$compiler" -std=c++17 "${warnings[@]}" -I"$source/include" -fsyntax-only "$work/header.cpp" ||
            fail "$compiler ${header#"$source/"} by itself"
    done
done
echo "ok each header by itself"

# ---- ends ------------------------------------------------------------------------------------

# ends ARGUMENT TEXT…: $compiler's exceptions program ends with status 2 and these texts.
ends() {
    local argument=$1 output got text
    shift
    output=$(timeout 60 "$work/exceptions-$compiler" "$argument" 2>&1)
    got=$?
    for text in "$@" 'main.leaves(...)'; do
        [ $got = 2 ] && [[ $output == *"$text"* ]] && continue
        fail "$argument: status $got, expected 2; expected in it: $text; output: $output"
        return
    done
    [[ $output != *terminate* && $output != *'destructor ran'* ]] ||
        { fail "$argument: the frames were left before the report: $output" && return; }
    echo "ok $argument"
}

for compiler in "${compilers[@]}"; do
    ends function 'fatal error: C++ exception left goroutine 2 (main.leaves): std::runtime_error: left' 'goroutine 2 [running]:' \
        'created by main.go_main in goroutine 1' "$here/exceptions.cpp:"
    ends lambda 'fatal error: C++ exception left goroutine 2 (started in main.go_main at '
    ends named 'fatal error: C++ exception left goroutine 2 (worker): std::runtime_error: left'
    ends spawn 'fatal error: C++ exception left goroutine 2 (go_spawn)'
    ends main 'fatal error: C++ exception left goroutine 1 (main.go_main)'
    ends deferred 'fatal error: C++ exception left a deferred call of goroutine 2 (started in main.go_main at '
    ends deferred_panic $'panic: first\n\tfatal error: C++ exception left a deferred call of goroutine 2'
done

# ---- traces ----------------------------------------------------------------------------------

cat >"$work/trace.cpp" <<'CXX'
#include <gofer.h>
namespace rooms
{
struct worker {
    go_chan(int) c;
    __attribute__((noinline)) void wait()
    {
        go_recv(c);
        __asm__ volatile("");
    }
};
static void start(worker *w)
{
    go(&worker::wait, w);
}
}
int go_main(int, char **)
{
    rooms::worker w = { go_chan_make(int, 0) };
    rooms::start(&w);
    go_recv(w.c);
    return 0;
}
CXX
for compiler in "${compilers[@]}"; do
    build "$compiler" "$work/trace" -O1 "$work/trace.cpp"
    output=$("$work/trace" 2>&1)
    for text in 'fatal error: all goroutines are asleep - deadlock!' $'goroutine 2 [chan receive]:\nmain.rooms::worker::wait(...)' \
        "created by main.start in goroutine 1"$'\n\t'"$work/trace.cpp:14 +0x0"; do
        [[ $output == *"$text"* ]] || fail "$compiler trace: expected in it: $text; output: $output"
    done
    [[ $output != *gofer_cxx* && $output != *_Z* ]] || fail "$compiler trace shows the library's frames: $output"
    echo "ok $compiler trace"
done

cat >"$work/nil.cpp" <<'CXX'
#include <gofer.h>
int go_main(int argc, char **)
{
    void (*nothing)() = nullptr;
    if (argc > 1)
        go(nothing);
    go_defer(nothing);
    return 0;
}
CXX
for compiler in "${compilers[@]}"; do
    build "$compiler" "$work/nil" "$work/nil.cpp"
    [[ $("$work/nil" go 2>&1) == 'fatal error: go of nil func value'* ]] || fail "$compiler go of nil"
    [[ $("$work/nil" 2>&1) == 'panic: runtime error: invalid memory address'* ]] || fail "$compiler go_defer of nil: $("$work/nil" 2>&1)"
    echo "ok $compiler nil"
done

# ---- the name go -----------------------------------------------------------------------------

cat >"$work/names.cpp" <<'CXX'
#define GOFER_NO_SHORT_NAMES
#include <gofer.h>
static int go(int i)
{
    return i;
}
int go_main(int, char **)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_start([=] { go_send(c, go(0)); });
    return go_recv(c);
}
CXX
for compiler in "${compilers[@]}"; do
    if build "$compiler" "$work/names" "${warnings[@]}" -fno-exceptions -fno-rtti "$work/names.cpp" && "$work/names"; then
        echo "ok $compiler GOFER_NO_SHORT_NAMES, without exceptions and type information"
    else
        fail "$compiler GOFER_NO_SHORT_NAMES"
    fi
done

# ---- wrong uses ------------------------------------------------------------------------------

# compiles COMPILER CODE: CODE in a function body.
compiles() {
    local standard=
    [[ $2 != *std::* ]] || standard='#include <memory>\n#include <string>\n'
    printf '#include <gofer.h>\n'"$standard"'void one(int i);\nvoid none();\nvoid refers(int &i);\nvoid takes(go_chan(long) c);\nvoid f(int x);\nvoid f(int x)\n{\n    (void)x;\n    go_chan(int) c = go_chan_make(int, 0);\n    (void)c;\n    %s\n}\n' "$2" >"$work/wrong.cpp"
    "$1" -std=c++17 -I"$source/include" -fsyntax-only "$work/wrong.cpp" 2>"$work/log"
}

wrong() {
    local compiler
    for compiler in "${compilers[@]}"; do
        if compiles "$compiler" "$2"; then fail "$compiler compiled: $1"; else echo "ok $compiler refuses $1"; fi
    done
}

for compiler in "${compilers[@]}"; do
    compiles "$compiler" 'go(one, 1); go_defer(one, 1); go_send(c, 1); int v; go_recv_ok(c, &v);' ||
        fail "$compiler: the right uses do not compile: $(cat "$work/log")"
done
wrong 'too few arguments' 'go(one);'
wrong 'a function of an errgroup that returns nothing' 'go_errgroup g = {}; go_errgroup_go(&g, none);'
wrong 'a wrong argument in a wait group' 'go_waitgroup wg = {}; go_waitgroup_go(&wg, one, "x");'
wrong 'too many arguments' 'go(none, 1);'
wrong 'a pointer for a number' 'go(one, "x");'
wrong 'a wrong argument of a lambda' 'go([](int) {}, "x");'
wrong 'a copy of what cannot be copied' 'auto p = std::make_unique<int>(1); go([](std::unique_ptr<int>) {}, p);'
wrong 'an explicit conversion' 'go([](std::unique_ptr<int>) {}, new int);'
wrong 'a copy for a reference' 'go(refers, x);'
wrong 'a deferred call with a wrong argument' 'go_defer(one, "x");'
wrong 'a wrong element' 'go_send(c, "x");'
wrong 'a wrong destination' 'long l; go_recv_ok(c, &l);'
wrong 'a wrong destination in a select' 'long l; go_select(go_case_recv(c, &l));'
wrong 'a wrong element in a select' 'go_select(go_case_send(c, "x"));'
wrong 'a channel of another type' 'go_chan(long) l = c; (void)l;'
wrong 'a channel of another type as an argument' 'takes(c);'
wrong 'a channel of what has a destructor' 'go_chan_make(std::string, 1);'
wrong 'a channel of references' 'go_chan(int &) r;'
wrong 'a deferred call as the body of an if' 'if (x) go_defer(none);'

# ---- the page's examples ---------------------------------------------------------------------

awk -v out="$work/example" '/^```cpp$/ { n++; on = 1; next } /^```$/ { on = 0 } on { print > (out n ".cpp") }' "$source/docs/cxx.md"
[ -f "$work/example1.cpp" ] || fail "docs/cxx.md has no examples"
for example in "$work"/example*.cpp; do
    expected=$(sed -n 's#^// prints ##p' "$example")
    for compiler in "${compilers[@]}"; do
        build "$compiler" "$work/example" -O2 "${warnings[@]}" "$example" ||
            { fail "$compiler: this example of docs/cxx.md does not compile: $(cat "$example")" && continue; }
        got=$(timeout 60 "$work/example" 2>&1)
        if [ "$got" = "$expected" ]; then
            echo "ok $compiler $(basename "$example")"
        else
            fail "$compiler $(basename "$example"): got $got, expected $expected"
        fi
    done
done

# ---- gofer run -------------------------------------------------------------------------------

cat >"$work/first.cc" <<'CXX'
#include <gofer.h>
#include <cstdio>
extern "C" void call(void (*fn)(int), int n);
int go_main(int argc, char **)
{
    try {
        call([](int n) { throw n; }, argc);
    } catch (int n) {
        std::printf("%d\n", n);
    }
    return n_of_second();
}
CXX
sed -i '3i int n_of_second();' "$work/first.cc"
echo 'int n_of_second(); int n_of_second() { return 7; }' >"$work/second.cxx"
cat >"$work/third.c" <<'C'
#include <gofer.h>
#include <stdio.h>
void call(void (*fn)(int), int n);
void call(void (*fn)(int), int n)
{
    go_defer(puts, "deferred");
    fn(n);
}
C
export GOFER_INCLUDE=$source/include GOFER_LIB=$build GOFERCACHE=$work/cache
for time in first second; do
    got=$(cd "$work" && "$source/tools/gofer" run first.cc third.c second.cxx a b 2>&1)
    status=$?
    [ "$status $got" = $'7 deferred\n3' ] || fail "gofer run, the $time time: status $status, expected 7; got $got, expected deferred, 3"
done
(cd "$work" && "$source/tools/gofer" build second.cxx first.cc third.c && [ -x second ] && ! ls second.*.o 2>/dev/null) || fail "gofer build"
got=$(CXX=no-such-compiler "$source/tools/gofer" run "$work/first.cc" 2>&1) && fail "gofer run without a C++ compiler"
[[ $got == *'no C++ compiler: no-such-compiler'* ]] || fail "gofer run without a C++ compiler says: $got"
rm "$work/third.c"
echo "ok gofer run"
exit $failed

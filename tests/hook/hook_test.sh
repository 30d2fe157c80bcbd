#!/usr/bin/env bash
# What libgofer-hook promises (hook.c), with the runtime in the program and in a library, the hooks
# preloaded and linked, on one processor and on two, and with AddressSanitizer. Without the hooks the
# same program must fail: it counts threads.
source=$1 build=$2
# shellcheck source=tests/unit/expect.sh
. "$source/tests/unit/expect.sh"

compiled() {
    ${CC:-cc} -std=gnu11 -g -O1 -Wall -Wextra -Werror "$@" || exit 1
}

compiled -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -shared -fPIC "$source/tests/hook/library.c" \
    -o "$work/library.so"
cp "$work/library.so" "$work/library.so.copy"
# Local statics of C++: from a library, so that their runtime comes when the program runs already.
cxx=${CXX:-c++}
if command -v "$cxx" >/dev/null; then
    "$cxx" -std=c++17 -g -O1 -Wall -Wextra -Werror -shared -fPIC "$source/tests/hook/statics.cpp" \
        -o "$work/library.so.statics" || exit 1
else
    echo "no C++ compiler ($cxx): local statics are not tested"
    cxx=
fi
program() {
    compiled -I"$source/include" "$source/tests/hook/hook.c" -o "$@" -pthread -ldl -Wl,-rpath,"$build"
}
hooks=$build/libgofer-hook.so
program "$work/static" "$build/libgofer.a"
program "$work/static_linked" "$hooks" "$build/libgofer.a"
program "$work/shared" "$build/libgofer_main.a" "$build/libgofer.so"

# run NAME PRELOADED GOMAXPROCS
run() {
    echo "-- $1, GOMAXPROCS=$3"
    LD_PRELOAD=$2 GOMAXPROCS=$3 timeout -s KILL 60 "$work/$1" "$work/library.so" >"$work/out" 2>&1
    local status=$?
    cat "$work/out"
    [ $status = 0 ] && grep -q '^at exit' "$work/out"
}

for procs in 1 2; do
    run static "$hooks" $procs || failed=1
    run shared "$hooks" $procs || failed=1
    run static_linked '' $procs || failed=1
done
# No signal shows, whenever it comes.
compiled -O2 -shared -fPIC "$source/tests/hook/interrupt.c" -o "$work/interrupt.so"
run static "$hooks $work/interrupt.so" 2 || failed=1
# An allocator of its own is not left in the middle.
compiled -O2 -fno-builtin -shared -fPIC "$source/tests/hook/allocator.c" -o "$work/allocator.so"
run static "$hooks $work/allocator.so" 1 || failed=1
# Whoever may change threads does: those that wait in a hook may not.
GOFER_DEBUG=migrate run static "$hooks" 2 || failed=1
if LD_PRELOAD='' timeout -s KILL 60 "$work/static" "$work/library.so" hundreds_in_a_library >"$work/out"; then
    echo "FAIL: without the hooks the program passes too"
    failed=1
fi

# The runtime of C++ inside the library that needs it.
if [ "$cxx" ]; then
    cp "$work/library.so" "$work/contains.so"
    "$cxx" -std=c++17 -O1 -shared -fPIC -static-libstdc++ -static-libgcc "$source/tests/hook/statics.cpp" \
        -o "$work/contains.so.statics" || exit 1
    if ! LD_PRELOAD=$hooks GOMAXPROCS=1 timeout -s KILL 60 "$work/static" "$work/contains.so" \
        two_reach_a_static_at_once; then
        echo "FAIL: a library that contains C++'s runtime"
        failed=1
    fi
fi

# How to see what they did, and an excepted library.
GOFER_HOOK=count LD_PRELOAD=$hooks expect static "$work/library.so" 0 'gofer-hook: parked '
if GOFER_HOOK_EXCEPT=other:library LD_PRELOAD=$hooks timeout -s KILL 60 "$work/static" \
    "$work/library.so" hundreds_in_a_library >"$work/out"; then
    echo "FAIL: GOFER_HOOK_EXCEPT changes nothing"
    failed=1
fi

# The sanitizer's functions come before the hooks', which come before libc's.
if [ -f "$build/gofer-asan/libgofer.a" ]; then
    program "$work/asan" -fsanitize=address "$hooks" "$build/gofer-asan/libgofer.a" \
        ${cxx:+-Wl,--no-as-needed -l:libstdc++.so.6} # it asks for __cxa_throw before any library comes
    ASAN_OPTIONS=detect_leaks=0 run asan '' 2 || failed=1
fi
exit $failed

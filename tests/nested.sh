#!/usr/bin/env bash
# Builds the library for a sanitizer, another CPU or libc, or valgrind, and runs test sets with it.
# usage: nested.sh asan|tsan|aarch64-gcc|aarch64-clang|musl|valgrind SOURCE BUILD
set -euo pipefail
source=$2 build=$3
sets='unit|stress|cxx' without='^$'
compiler='' flags='' emulator='' seeds=(--quick)

# need COMMAND: skips the test where there is none.
need() {
    command -v "$1" >/dev/null || {
        echo "$1 is not installed"
        exit 77
    }
}

sanitizer() {
    configure=("-DGOFER_SANITIZE=$1")
    seeds=()
    compiler=cc flags="-fsanitize=$1 -fno-sanitize-recover=undefined"
}

# toolchain NAME: the unit set and the seeds' programs, as `compiler`, `flags`, `emulator` say.
toolchain() {
    configure=("-DCMAKE_TOOLCHAIN_FILE=$source/cmake/$1.cmake")
    sets=unit
}

case $1 in
asan) sanitizer address,undefined && sets+='|examples' ;;
tsan) sanitizer thread && sets+='|examples' ;;
aarch64-gcc)
    need aarch64-linux-gnu-gcc
    need qemu-aarch64
    toolchain aarch64-gcc
    without=shutdown_ # counts threads, and the emulator's are among them; signals without end
    compiler=aarch64-linux-gnu-gcc emulator='qemu-aarch64 -L /usr/aarch64-linux-gnu'
    ;;
aarch64-clang)
    need clang
    need aarch64-linux-gnu-gcc
    need qemu-aarch64
    toolchain aarch64-clang
    without=shutdown_
    compiler=clang flags='--target=aarch64-linux-gnu -static' emulator=qemu-aarch64
    ;;
musl)
    need musl-gcc
    toolchain musl
    compiler=musl-gcc flags='-static -Wl,--eh-frame-hdr'
    ;;
valgrind)
    need valgrind
    toolchain valgrind
    # crashes are its own; a handler on a stack of its own it takes for a frame of the stack below
    without='crash_test|headers_test|signal_test'
    compiler=cc emulator='valgrind --quiet --fair-sched=yes --error-exitcode=99'
    ;;
*)
    echo "nested.sh: no kind of build $1" >&2
    exit 2
    ;;
esac
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
# At the end of a process ThreadSanitizer waits a second for races of threads that go on; goroutines
# that nobody waits for are no test of these.
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:atexit_sleep_ms=0}
cmake -S "$source" -B "$build" "${configure[@]}" >"$build.log" 2>&1 || {
    cat "$build.log"
    exit 1
}
cmake --build "$build" -j2 >"$build.log" 2>&1 || {
    tail -n 40 "$build.log"
    exit 1
}
# `./gofer test all` runs each three times.
repeat=()
[ -z "${GOFER_TEST_LONG:-}" ] || repeat=(--repeat until-fail:3)
ctest --test-dir "$build" --output-on-failure -j2 -L "$sets" -E "$without" "${repeat[@]}"
python3 "$source/tests/conformance/run.py" --seeds-only "${seeds[@]}" --repeats 1 --source-dir "$source" \
    --build-dir "$build" --library "$build/libgofer.a" --cc "$compiler" --cflags="$flags" --emulator="$emulator"

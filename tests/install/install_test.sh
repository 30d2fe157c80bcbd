#!/usr/bin/env bash
# cmake --install, then a small outside project built each way: pkg-config (static, shared),
# find_package, add_subdirectory, and the installed command.
set -euo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --build "$build" -j 2 >/dev/null
cmake --install "$build" --prefix "$work/usr" >/dev/null
cd "$work"
cat >main.c <<'C'
#include <gofer.h>
#include <stdio.h>
static void hello(go_chan(int) c)
{
    go_send(c, 42);
}
int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) c = go_chan_make(int, 0);
    go(hello, c);
    printf("%d\n", go_recv(c));
    go_chan_unref(c);
    return 0;
}
C
check() {
    local got
    got=$("${@:2}")
    [ "$got" = 42 ] || {
        echo "FAIL $1: got $got"
        exit 1
    }
    echo "ok $1"
}
PKG_CONFIG_PATH=$(dirname "$(find usr -name gofer.pc)")
export PKG_CONFIG_PATH
lib=$(dirname "$PKG_CONFIG_PATH")
cflags=$(pkg-config --cflags --define-variable=prefix="$work/usr" gofer)
libs=$(pkg-config --libs --define-variable=prefix="$work/usr" gofer)
# the words are flags
# shellcheck disable=SC2086
cc -std=gnu11 $cflags main.c $libs -Wl,-rpath,"$work/$lib" -o shared
check 'pkg-config, shared' ./shared
# shellcheck disable=SC2086
cc -std=gnu11 $cflags main.c "$lib/libgofer.a" -pthread -o static
check 'pkg-config, static' ./static
needed=$(readelf -d "$lib/libgofer.so.0" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v -e '^libc\.' -e '^ld-' || true)
[ -z "$needed" ] || {
    echo "FAIL the shared library needs $needed"
    exit 1
}
echo 'ok the shared library needs libc only'
leaked=$(nm -D --defined-only "$lib/libgofer.so.0" | awk '{print $3}' | grep -v -e '^go_' -e '^gofer_' -e '^GOFER_' || true)
[ -z "$leaked" ] || {
    echo "FAIL other symbols: $leaked"
    exit 1
}
echo 'ok only go_ and gofer_ symbols'
mkdir find sub
cp main.c find
cp main.c sub
cat >find/CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.18)
project(outside C)
find_package(gofer REQUIRED)
add_executable(main main.c)
target_link_libraries(main gofer::gofer)
add_executable(main_static main.c)
target_link_libraries(main_static gofer::static)
C
cmake -S find -B find/build -DCMAKE_PREFIX_PATH="$work/usr" >/dev/null
cmake --build find/build >/dev/null
check 'find_package, shared' find/build/main
check 'find_package, static' find/build/main_static
cat >sub/CMakeLists.txt <<C
cmake_minimum_required(VERSION 3.18)
project(outside C ASM)
add_subdirectory($source gofer)
add_executable(main main.c)
target_link_libraries(main gofer::static)
C
cmake -S sub -B sub/build >/dev/null
cmake --build sub/build -j 2 --target main >/dev/null
check 'add_subdirectory' sub/build/main
check 'the installed command' env GOFERCACHE="$work/cache" usr/bin/gofer run main.c

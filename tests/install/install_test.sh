#!/usr/bin/env bash
# cmake --install, then a small outside project built each way: pkg-config (static, shared),
# find_package, add_subdirectory, FetchContent, and the installed command.
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
[ "$(pkg-config --variable=prefix gofer)" = "$work/usr" ] || {
    echo "FAIL gofer.pc names the prefix $(pkg-config --variable=prefix gofer), not $work/usr"
    exit 1
}
cflags=$(pkg-config --cflags gofer)
libs=$(pkg-config --libs gofer)
# the words are flags
# shellcheck disable=SC2086
cc -std=gnu11 $cflags main.c $libs -Wl,-rpath,"$work/$lib" -o shared
check 'pkg-config, shared' ./shared
command=$(sed -n 's/^- `\(cc .*pkg-config.*\)`$/\1/p' "$source/README.md")
bash -c "$command"
check "README's $command" env LD_LIBRARY_PATH="$work/$lib" ./a.out
libs=$(pkg-config --static --libs gofer)
# shellcheck disable=SC2086
cc -std=gnu11 -static $cflags main.c $libs -o static
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
# The weak thunk is the compiler's name: a program that has it too keeps its own.
leaked=$(nm -g --defined-only "$lib/libgofer.a" 2>/dev/null | awk 'NF == 3 && $2 $3 != "W__x86_return_thunk" { print $3 }' |
    grep -v -e '^go_' -e '^gofer_' -e '^GOFER_' -e '^main$' || true)
[ -z "$leaked" ] || {
    echo "FAIL other symbols in the archive: $leaked"
    exit 1
}
echo 'ok only go_ and gofer_ symbols in the archive'
version=$(sed -n 's/^#define GOFER_VERSION "\(.*\)"/\1/p' "$source/include/gofer/base.h")
readelf -d "$lib/libgofer.so" | grep -q 'SONAME.*\[libgofer.so.0\]' || {
    echo 'FAIL the soname is not libgofer.so.0'
    exit 1
}
[ -f "$lib/libgofer.so.$version" ] || {
    echo "FAIL there is no libgofer.so.$version"
    exit 1
}
unversioned=$(nm -D --defined-only "$lib/libgofer.so" | awk '{ print $3 }' | grep -v -e '@@GOFER_' -e '^GOFER_' || true)
[ -z "$unversioned" ] || {
    echo "FAIL symbols without a version: $unversioned"
    exit 1
}
echo 'ok soname and symbol versions'
# What a program of its own may call itself: a libbacktrace, and any name without our prefix.
printf 'int backtrace_full(void);\nint backtrace_full(void)\n{\n    return 0;\n}\n' >own.c
# shellcheck disable=SC2086
cc -std=gnu11 $cflags main.c own.c "$lib/libgofer.a" -pthread -o own
check 'a program with a backtrace_full of its own' ./own
for page in man1/gofer.1 man3/go.3 man3/go_mutex.3 man3/go_mutex_lock.3 man7/gofer.7; do
    [ -f "usr/share/man/$page" ] || {
        echo "FAIL there is no man page $page"
        exit 1
    }
done
echo 'ok man pages'
tls_targets=()
if [ -f "$PKG_CONFIG_PATH/gofer-tls.pc" ]; then
    {
        echo '#include <gofer/tls.h>'
        sed 's/^    return 0;/    go_tls_config_unref(go_tls_config_new());\n&/' main.c
    } >tls.c
    # shellcheck disable=SC2046
    cc -std=gnu11 $(pkg-config --cflags gofer-tls) tls.c $(pkg-config --libs gofer-tls) -Wl,-rpath,"$work/$lib" -o tls
    check 'pkg-config, TLS' ./tls
    tls_targets=(-DTLS=ON)
else
    echo 'built without OpenSSL 3: TLS left out'
fi
mkdir find sub
[ ! -f tls.c ] || cp tls.c find
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
if(TLS)
  add_executable(main_tls tls.c)
  target_link_libraries(main_tls gofer::tls)
endif()
C
cmake -S find -B find/build "${tls_targets[@]}" -DCMAKE_PREFIX_PATH="$work/usr" >/dev/null
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
[ ! -f tls.c ] || check 'find_package, TLS' find/build/main_tls
mkdir fetch
cp main.c fetch
cat >fetch/CMakeLists.txt <<C
cmake_minimum_required(VERSION 3.18)
project(outside C ASM)
include(FetchContent)
FetchContent_Declare(gofer SOURCE_DIR $source)
FetchContent_MakeAvailable(gofer)
add_executable(main main.c)
target_link_libraries(main gofer::gofer)
C
cmake -S fetch -B fetch/build >/dev/null
cmake --build fetch/build -j 2 --target main >/dev/null
check 'FetchContent, shared' fetch/build/main
check 'the installed command' env GOFERCACHE="$work/cache" usr/bin/gofer run main.c
check 'the installed command with -race' env GOFERCACHE="$work/cache" usr/bin/gofer run -race main.c
check 'the installed command with -asan' env GOFERCACHE="$work/cache" usr/bin/gofer run -asan main.c
ln -s ../usr/bin/gofer "$work/find/gofer"
check 'the installed command through a link' env GOFERCACHE="$work/cache" find/gofer run main.c

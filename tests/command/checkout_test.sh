#!/usr/bin/env bash
# The checkout's ./gofer: what it looks at of a command line to know which libraries to build, and what
# it leaves to the program.
set -uo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFERCACHE=$work/cache
gofer=$source/gofer
cd "$work" || exit 1
failed=0

# expect NAME EXPECTED COMMAND…: all that the command prints.
expect() {
    local name=$1 expected=$2 got
    shift 2
    got=$("$@" 2>&1)
    if [ "$got" != "$expected" ]; then
        printf 'FAIL %s: expected %q, got %q\n' "$name" "$expected" "$got"
        failed=1
    else
        echo "ok $name"
    fi
}

cat >cat.c <<'C'
#include <gofer.h>
#include <stdio.h>
int go_main(int argc, char **argv)
{
    int byte;
    FILE *in = argc > 1 && argv[1][0] != '-' ? fopen(argv[1], "r") : stdin;
    while ((byte = getc(in)) != EOF)
        putchar(byte);
    for (int i = 1; i < argc; i++)
        printf("<%s>", argv[i]);
    return 0;
}
C
expect 'standard input, for -' 'hello
<->' bash -c "echo hello | '$gofer' run cat.c -"
mkfifo fifo
(echo hello >fifo) &
expect 'a FIFO is the program'"'"'s' 'hello
<fifo>' timeout 120 "$gofer" run cat.c fifo
expect 'flags, and options of the program' '<--help><-r>' "$gofer" run -std=gnu11 -g cat.c --help -r </dev/null

# A C++ file after one of C: without a C++ compiler it is what is missing.
mkdir bin
ln -s /usr/bin/* bin
rm -f bin/c++
expect 'what a later C++ file needs' 'gofer: missing: g++ (the C++ compiler)' \
    bash -c "PATH='$work/bin' CXX='' '$gofer' --no-install run cat.c b.cpp 2>&1 | head -n 1"

# Another compiler is enough: nothing is built here, since that would be in the checkout.
cp -r "$source/tools" "$source/include" "$source/gofer" .
mkdir -p src cmake .build && touch CMakeLists.txt
rm -f bin/cc bin/gcc bin/cmake
expect 'no compiler' 'gofer: missing: gcc (the C compiler), cmake (the build)' \
    bash -c "PATH='$work/bin' CC='' ./gofer --no-install run cat.c 2>&1 | head -n 1"
expect 'the compiler that CC names' 'gofer: missing: cmake (the build)' \
    bash -c "PATH='$work/bin' CC='clang -O1' ./gofer --no-install run cat.c 2>&1 | head -n 1"
exit $failed

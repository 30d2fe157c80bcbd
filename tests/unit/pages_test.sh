#!/usr/bin/env bash
# The pages show the programs as they are (tools/pages.py); each program in examples/* that says what
# it prints compiles and prints that, and so does its Go twin, where Go is installed.
set -uo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    printf 'FAIL %s\n' "$*"
    failed=1
}
cd "$source" || exit 1
python3 tools/pages.py . --check || fail 'tools/pages.py --check; without --check it mends the blocks'

# runs SOURCE PROGRAM: it exits with 0 and prints what is in $work/expected, run beside its source.
runs() {
    (cd "$(dirname "$1")" && timeout 60 "$2" >"$work/got") || fail "$1: status $?"
    diff "$work/expected" "$work/got" || fail "$1 prints something else (< expected, > got)"
}

for program in examples/*/*.c; do
    grep -q '^// Output:$' "$program" || continue
    sed -n '/^\/\/ Output:$/,$s#^// \?##p' "$program" | tail -n +2 >"$work/expected"
    cc -std=gnu11 -O2 -Wall -Wextra -Werror -Iinclude "$program" "$build/libgofer.a" -pthread \
        -o "$work/program" || {
        fail "$program does not compile"
        continue
    }
    runs "$program" "$work/program"
    twin=${program%.c}.go
    [ -f "$twin" ] || continue
    if ! command -v go >/dev/null; then
        echo "Go is not installed: $twin left out"
    elif grep -q golang.org/x "$twin" && ! (cd "$(dirname "$twin")" && go mod download) 2>/dev/null; then
        echo "golang.org/x/sync is not to be had: $twin left out"
    else
        (cd "$(dirname "$twin")" && go vet "${twin##*/}" && go build -o "$work/twin" "${twin##*/}") ||
            fail "$twin does not build"
        runs "$twin" "$work/twin"
    fi
done
[ $failed = 1 ] || echo ok
exit $failed

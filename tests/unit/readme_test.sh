#!/usr/bin/env bash
# The README's C program compiles and prints what its comment says.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -n '/^```c$/,/^```$/p' "$1/README.md" | grep -v '^```' >"$work/taste.c"
cc -std=gnu11 -O2 -Wall -Wextra -Werror -I"$1/include" "$work/taste.c" "$2/libgofer.a" -pthread -o "$work/taste"
got=$("$work/taste")
[ "$got" = 385 ] || {
    echo "FAIL: got $got, expected 385"
    exit 1
}

#!/usr/bin/env bash
# Each C program in README.md and docs/*.md compiles and prints what its comments `// prints …` say.
# (A block without a main or go_main is a fragment, and left alone; one that shows a file is
# pages_test.sh's.)
set -uo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 programs=0
for document in "$source/README.md" "$source"/docs/*.md; do
    awk -v prefix="$work/$(basename "$document" .md)" '
        /^```c$/ && !marked { file = prefix "." ++n ".c"; next }
        /^```/ { file = "" }
        { marked = /^<!-- .* -->$/ }
        file { print > file }' "$document"
done
for program in "$work"/*.c; do
    grep -Eq '^int (go_)?main\(' "$program" || continue
    programs=$((programs + 1))
    name=$(basename "$program" .c)
    sed -n 's#.*// prints ##p' "$program" >"$work/expected"
    libraries=("$build/libgofer.a") run=("$work/$name")
    if grep -q '<gofer/tls.h>' "$program"; then # dials out: asked for its usage alone
        [ -f "$build/libgofer-tls.a" ] || continue
        libraries=("$build/libgofer-tls.a" "$build/libgofer.a" -lssl -lcrypto)
        run=(bash -c '"$0" 2>&1 | grep -q ^usage:' "$work/$name")
    fi
    if ! cc -std=gnu11 -O2 -Wall -Wextra -Werror -I"$source/include" "$program" "${libraries[@]}" -pthread \
        -o "$work/$name" || ! timeout 60 "${run[@]}" >"$work/got" || ! diff "$work/expected" "$work/got"; then
        echo "FAIL $name (< expected, > got)"
        failed=1
    else
        echo "ok $name"
    fi
done
[ $programs -ge 2 ] || {
    echo "FAIL only $programs programs found"
    failed=1
}
exit $failed

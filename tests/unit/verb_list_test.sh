#!/usr/bin/env bash
# verbs_test.c has a row for each function of the headers that takes plain arguments, but for tls.h,
# which is another library's.
set -euo pipefail
shopt -s extglob
source=$1 build=$2
comm -3 <("$build/tests/verbs_test" --list | sort) \
    <(cat "$source"/include/gofer/!(tls).h | sed -z 's/\(\nGOFER_API [^\n]*)\)\n/\1 /g' |
        grep -E '^GOFER_API .*\<go_[a-z0-9_]+\(' | sed 's/go_chan([^)]*)/channel/g' |
        grep -oE '\<go_[a-z0-9_]+\(' | tr -d '(' | sort) >"$build/verbs.differ"
if [ -s "$build/verbs.differ" ]; then
    echo 'rows of tests/unit/verbs_test.c without a function; functions (on the right) without a row:'
    cat "$build/verbs.differ"
    exit 1
fi
echo 'ok'

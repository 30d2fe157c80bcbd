#!/usr/bin/env bash
# The stress programs where the kernel refuses membarrier: the runtime fences instead.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -Werror "$source/tests/faults/refuse.c" -o "$work/refuse" || exit 1
"$work/refuse" membarrier -- /bin/true || { echo 'no filters of system calls here'; exit 77; }
for program in chan:3000 sched:60 lifetime:5000; do
    name=${program%:*}_stress
    output=$(timeout -s KILL 120 "$work/refuse" membarrier -- "$build/tests/$name" "${program#*:}" 2>&1)
    got=$?
    if [ $got = 0 ]; then
        echo "ok $name"
    else
        printf 'FAIL %s: status %s, expected 0; output:\n%.3000s\n' "$name" $got "$output"
        failed=1
    fi
done
exit $failed

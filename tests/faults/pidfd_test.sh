#!/usr/bin/env bash
# The processes' tests where the kernel refuses pidfds: a goroutine waits in the kernel instead.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -Werror "$source/tests/faults/refuse.c" -o "$work/refuse" || exit 1
"$work/refuse" pidfds -- /bin/true || { echo 'no filters of system calls here'; exit 77; }
for run in pidfds pidfd-signals; do
    output=$(timeout -s KILL 120 "$work/refuse" $run -- "$build/tests/process_test" 2>&1)
    got=$?
    if [ $got = 0 ]; then
        echo "ok without $run"
    else
        printf 'FAIL without %s: status %s, expected 0; output:\n%.3000s\n' $run $got "$output"
        failed=1
    fi
done
exit $failed

#!/usr/bin/env bash
# Each request for memory or a thread is refused in turn, one in each run: the call returns an error,
# or the process dies of a text that says what was lacking.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
wrap=''
for call in malloc calloc realloc posix_memalign mmap pthread_create; do wrap+=",--wrap=$call"; done
compile allocations -I"$source/tests/faults" "-Wl$wrap" <"$source/tests/faults/allocations.c"
export GOMAXPROCS=3
output=$("$work/allocations" 0)
if [[ $output != done\ * ]]; then
    echo "FAIL: nothing was refused, and it gave: $output"
    exit 1
fi
most=${output#done }
endured=0 died=0
for ((n = 1; n <= most + 10; n++)); do
    output=$(timeout -s KILL 60 "$work/allocations" "$n" 2>&1)
    got=$?
    if [ $got = 0 ] && [[ $output == done* ]]; then
        endured=$((endured + 1))
    elif [ $got = 2 ] && grep -Eq '^fatal error: (runtime: cannot|newosproc|out of memory|go_select_array: out of memory)' <<<"$output"; then
        died=$((died + 1))
    else
        printf 'FAIL request %s of %s refused: status %s; output:\n%.3000s\n' "$n" "$most" $got "$output"
        failed=1
    fi
done
echo "of $most requests one was refused in each run: $endured runs went on, $died died of a text"
[ $endured -gt 0 ] && [ $died -gt 0 ] || failed=1
exit $failed

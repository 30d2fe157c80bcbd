#!/usr/bin/env bash
# No threads, no memory, no descriptors, an old kernel, closed or full outputs: the error or fatal
# text that is documented, and never a crash or a hang.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
here=$source/tests/faults

${CC:-cc} -std=gnu11 -O1 -g -Wall -Wextra -Werror "$here/refuse.c" -o "$work/refuse" || exit 1
"$work/refuse" membarrier -- /bin/true || { echo 'no filters of system calls here'; exit 77; }
compile limits -O1 <"$here/limits.c"
compile limits_static -O1 -static <"$here/limits.c"
compile own_main -O1 <"$here/own_main.c"
compile two_runs -O1 -Wl,--wrap=pthread_create <"$here/two_runs.c"

# refused 'WHAT…' NAME PROGRAM: a program that runs $work/PROGRAM without WHAT.
refused() {
    printf '#!/bin/sh\nexec %s %s -- %s "$@"\n' "$work/refuse" "$1" "$work/$3" >"$work/$2"
    chmod +x "$work/$2"
}
refused threads no_threads limits
refused threads no_threads_own_main own_main
refused large-maps no_large_maps limits_static
refused guards no_guards limits
refused membarrier no_membarrier limits
refused listings no_listings limits

# ---- threads ----
expect no_threads one 0 'one goroutine'
expect no_threads spawn 2 'fatal error: runtime: cannot start the monitor thread: Resource temporarily unavailable'
expect no_threads_own_main '' 0 'refused: -1 Resource temporarily unavailable'
expect own_main limit 0 'limit: -1 Resource temporarily unavailable' 'again: 5'
GOMAXPROCS=1 expect two_runs '' 0 'first: -1 Resource temporarily unavailable' 'second: 7'

# ---- memory ----
expect no_large_maps one 2 "fatal error: runtime: cannot allocate memory for main's stack"
expect limits large-stack 2 "fatal error: runtime: cannot allocate memory for a goroutine's stack"
expect limits stacks 2 "fatal error: runtime: cannot allocate memory for a goroutine's stack"

# ---- an old kernel ----
expect no_guards overflow 2 'runtime: goroutine stack exceeds' 'fatal error: stack overflow'
expect no_guards park 0 'all ended'
output=$(timeout -s KILL 60 "$work/no_guards" park 2>&1)
lines=$(grep -c 'unguarded' <<<"$output")
left=$(sed 's/$/\/4/' /proc/sys/vm/max_map_count)
if [ "$((left))" -lt 17000 ] && [ "$lines" != 1 ]; then
    printf 'FAIL no_guards park: %s lines say so, expected 1:\n%.2000s\n' "$lines" "$output"
    failed=1
fi
expect no_guards own-stacks 0 'all ended' 'no:unguarded'
expect no_membarrier park 0 'all ended'

# ---- descriptors ----
expect limits blocked-without-descriptors 0 'held up nobody'
expect limits deadlock 2 'all goroutines are asleep - deadlock!'
expect limits deadlock-without-descriptors 0 'got 1'
expect limits foreign-thread 0 'got 1'
expect limits foreign-thread-one-descriptor 0 'got 1'
expect no_listings foreign-thread 0 'got 1'

# ---- outputs ----
# status NAME EXPECTED GOT
status() {
    if [ "$2" = "$3" ]; then
        echo "ok $1"
    else
        echo "FAIL $1: status $3, expected $2"
        failed=1
    fi
}
for which in panic panic-with-many; do
    timeout -s KILL 60 "$work/limits" $which >&- 2>/dev/null
    status "$which, no stdout" 2 $?
    timeout -s KILL 60 "$work/limits" $which >/dev/null 2>&-
    status "$which, no stderr" 2 $?
    timeout -s KILL 60 "$work/limits" $which >&- 2>&-
    status "$which, neither" 2 $?
    timeout -s KILL 60 "$work/limits" $which >/dev/full 2>/dev/full
    status "$which, a full disk" 2 $?
done
timeout -s KILL 60 "$work/limits" thread-limit 2>&-
status 'thread-limit, no stderr' 3 $?
# nobody reads, and the dump is longer than a pipe holds
mkfifo "$work/pipe"
exec 7<>"$work/pipe"
timeout -s KILL 60 "$work/limits" panic-with-many >"$work/pipe" 2>&1
status 'a full pipe' 2 $?
timeout -s KILL 60 "$work/limits" thread-limit-full-pipe >/dev/null 2>"$work/pipe"
status 'thread-limit, a full pipe' 2 $?
timeout -s KILL 60 "$work/no_guards" park >/dev/null 2>"$work/pipe"
status 'no_guards park, a full pipe' 0 $?
exec 7>&-
exit $failed

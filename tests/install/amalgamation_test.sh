#!/usr/bin/env bash
# The library as gofer.h, gofer.c and gofer.S compiles without warnings, with each compiler and
# with LTO; programs, unit and stress tests linked with it behave, and traces leave its own functions out.
# So do README's programs with its command.
set -euo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$source/tools/amalgamate.py" "$source" "$work/dist"
cd "$work"
compilers=(gcc)
if command -v clang >/dev/null; then compilers+=(clang); else echo 'clang is not installed: left out'; fi
printf '#include "gofer.h"\nstatic int work(int argc, char **argv)\n{\n    (void)argv;\n    return argc;\n}\nint main(void)\n{\n    return go_run(work, 7, NULL) == 7 ? 0 : 1;\n}\n' >own.c
printf '#include "gofer.h"\n__attribute__((noinline)) void waits(go_chan(int) c)\n{\n    go_recv(c);\n    __asm__("");\n}\nint go_main(int argc, char **argv)\n{\n    (void)argc;\n    (void)argv;\n    go_chan(int) c = go_chan_make(int, 0);\n    go(waits, c);\n    waits(c);\n    return 0;\n}\n' >asleep.c
for compiler in "${compilers[@]}"; do
    for level in -O2 '-O3 -flto'; do
        # LTO's code generation is as slow as two compilers: gcc alone does it here
        [ "$compiler $level" != 'clang -O3 -flto' ] || continue
        # the words are flags
        # shellcheck disable=SC2086
        "$compiler" -std=gnu11 $level -g -Wall -Wextra -Werror -c dist/gofer.c -o gofer.o
        "$compiler" -c dist/gofer.S -o switch.o
        for program in "$source"/tests/unit/select_test.c "$source"/tests/unit/capture_test.c \
            "$source"/tests/unit/local_test.c "$source"/tests/stress/{chan,sched,lifetime}_stress.c; do
            # shellcheck disable=SC2086
            "$compiler" -std=gnu11 $level -Idist -I"$source/include" "$program" gofer.o switch.o -pthread -o program
            timeout 120 ./program >out 2>&1 || {
                echo "FAIL $compiler $level $(basename "$program"): status $?"
                cat out
                exit 1
            }
        done
        # shellcheck disable=SC2086
        "$compiler" -std=gnu11 $level -rdynamic -Idist asleep.c gofer.o switch.o -pthread -o asleep
        status=0
        ./asleep >out 2>&1 || status=$?
        [ "$status $(grep -c '^main\.waits(' out) $(grep -c '^main\.go_main(' out) $(grep -c '^main\.' out)" = '2 2 1 3' ] || {
            echo "FAIL $compiler $level: a trace of goroutines that wait: status $status"
            cat out
            exit 1
        }
        echo "ok $compiler $level"
    done
    for tables in -fno-asynchronous-unwind-tables -fno-dwarf2-cfi-asm; do
        "$compiler" -std=gnu11 -O2 $tables -Wall -Wextra -Werror -DGOFER_NO_MAIN -Idist own.c \
            dist/gofer.c dist/gofer.S -pthread -o own
        ./own
        echo "ok $compiler $tables"
    done
    "$compiler" -std=gnu11 -DGOFER_NO_MAIN -Idist own.c dist/gofer.c dist/gofer.S -pthread -o own
    ./own
    echo "ok $compiler, a main of its own"
done
command=$(sed -n 's/^- three files:.* then `\(.*\)`$/\1/p' "$source/README.md")
awk '/^```c$/ { file = "readme" ++n ".c"; next } /^```/ { file = "" } file { print > file }' "$source/README.md"
for program in readme1.c readme2.c; do
    cp "$program" main.c
    bash -c "$command"
    ./a.out | diff <(sed -n 's#.*// prints ##p' main.c) -
    echo "ok $program of README: $command"
done

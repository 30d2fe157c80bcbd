# shellcheck shell=bash
# For test scripts: a program in a file, and what a run of it must give.
# Sourced with the script's own arguments: SOURCE_DIR BUILD_DIR.
set -uo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ulimit -c 0
failed=0

# compile NAME FLAG…: $work/NAME from the program on standard input.
compile() {
    local name=$1
    shift
    cat >"$work/$name.c"
    ${CC:-cc} -std=gnu11 -O1 -g -w -I"$source/include" "$work/$name.c" "$build/libgofer.a" -pthread \
        -o "$work/$name" "$@" || exit 1
}

# expect PROGRAM ARGUMENT STATUS TEXT…: the exit status, and every TEXT in the output; none that
# begins with "no:". The program is killed, and so fails, where it hangs.
expect() {
    local program=$1 argument=$2 status=$3 output got text
    shift 3
    output=$(timeout -s KILL 60 "$work/$program" "$argument" 2>&1)
    got=$?
    for text in "" "$@"; do
        if [ $got = "$status" ]; then
            if [[ $text == no:* ]]; then
                [[ $output != *"${text#no:}"* ]] && continue
            else
                [[ $output == *"$text"* ]] && continue
            fi
        fi
        printf 'FAIL %s %s: status %s, expected %s; expected in it: %s; output:\n%.3000s\n' \
            "$program" "$argument" $got "$status" "$text" "$output"
        # shellcheck disable=SC2034
        failed=1 # the script that sourced this exits with it
        return
    done
    echo "ok $program $argument ${GOTRACEBACK:+GOTRACEBACK=$GOTRACEBACK} ${GOFER_DEBUG:+GOFER_DEBUG=$GOFER_DEBUG}"
}

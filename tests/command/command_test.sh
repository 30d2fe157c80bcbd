#!/usr/bin/env bash
# The command: running, arguments, exit status, the cache, several files, clear errors.
set -uo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFERCACHE=$work/cache GOFER_INCLUDE=$source/include GOFER_LIB=$2
gofer=$source/tools/gofer
cd "$work" || exit 1
failed=0

# expect NAME STATUS TEXT COMMAND…: the exit status, and TEXT somewhere in the output.
expect() {
    local name=$1 status=$2 text=$3 output got
    shift 3
    output=$("$@" 2>&1)
    got=$?
    if [ $got != "$status" ] || [[ $output != *"$text"* ]]; then
        printf 'FAIL %s: status %s, expected %s; output:\n%s\nexpected in it: %s\n' \
            "$name" "$got" "$status" "$output" "$text"
        failed=1
    else
        echo "ok $name"
    fi
}

cat >args.c <<'C'
#include <gofer.h>
#include <stdio.h>
int go_main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("<%s>", argv[i]);
    return argc;
}
C
cat >main.c <<'C'
// gofer: link -lm
#include <gofer.h>
#include <math.h>
#include <stdio.h>
int other(void);
int go_main(int argc, char **argv)
{
    (void)argv;
    printf("%d %.1f\n", other(), sqrt(argc * 4.0));
    return 0;
}
C
printf '#include "other.h"\nint other(void)\n{\n    return OTHER;\n}\n' >other.c
printf '#define OTHER 5\n' >other.h
printf '#include <gofer.h>\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    go_panic("bad");\n}\n' >panic.c
printf '#include <gofer.h>\nint go_main(int c, char **v)\n{\n    return nothing;\n}\n' >broken.c
printf '#include <gofer.h>\n#include <signal.h>\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    raise(SIGKILL);\n    return 0;\n}\n' >killed.c
printf '#include <gofer.h>\n#include <stdio.h>\n#include "other.h"\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    printf("%%d\\n", OTHER);\n    return 0;\n}\n' >header.c

expect 'passes arguments and status' 3 '<a b><-x>' "$gofer" run args.c 'a b' -x
expect 'again, from the cache' 3 '<a b><-x>' "$gofer" run args.c 'a b' -x
expect 'several files and a link line' 0 '5 2.0' "$gofer" run main.c other.c
expect 'a panic exits 2 and nothing is added' 2 'panic: bad' "$gofer" run panic.c
expect 'death by a signal' 137 '' bash -c "\"$gofer\" run killed.c; exit \$?"
expect 'reads a header' 0 5 "$gofer" run header.c
printf '#define OTHER 6\n' >other.h
expect 'notices a changed header' 0 6 "$gofer" run header.c
expect 'builds to a name' 0 '' "$gofer" build -o out args.c
expect 'the built program runs' 2 '<z>' ./out z
expect 'a missing file' 1 'gofer: cannot find missing.c' "$gofer" run missing.c
expect 'a directory' 1 'is a directory' "$gofer" run .
expect 'not a C file' 1 'is not a .c file' "$gofer" run other.h
expect 'no file' 2 'no .c file named' "$gofer" run
expect 'an unknown flag' 2 'unknown flag -Q' "$gofer" run -Q args.c
expect 'an unknown command' 2 'unknown command' "$gofer" fly
expect 'a compile error' 1 'nothing' "$gofer" run broken.c
expect 'a missing compiler' 1 'no C compiler' env CC=no-such-compiler "$gofer" run args.c
expect 'no library' 1 'is gofer installed' env GOFER_LIB="$work" "$gofer" run args.c
touch file
expect 'a cache that cannot be' 1 'cannot write to the cache' env GOFERCACHE="$work/file/x" "$gofer" run args.c
expect 'version' 0 'gofer version' "$gofer" version
expect 'env' 0 "GOFERCACHE=$work/cache" "$gofer" env
expect 'help' 0 'usage: gofer' "$gofer" help
exit $failed

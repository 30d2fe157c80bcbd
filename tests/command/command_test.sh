#!/usr/bin/env bash
# The command: running, arguments, exit status, the cache, several files, clear errors.
set -uo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFERCACHE="$work/the cache" GOFER_INCLUDE=$source/include GOFER_LIB=$2
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

printf '#include <gofer.h>\n#include <stdio.h>\nint go_main(int c, char **v)\n{\n    int byte;\n    (void)c;\n    (void)v;\n    while ((byte = getchar()) != EOF)\n        putchar(byte);\n    return 0;\n}\n' >cat.c
printf '#include <gofer.h>\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    return go_gomaxprocs(0);\n}\n' >procs.c
printf '#include <gofer.h>\n#include <stdio.h>\nextern char **environ;\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    for (char **e = environ; *e; e++)\n        puts(*e);\n    return 0;\n}\n' >environ.c
printf '#include <gofer.h>\n#include <stdio.h>\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    printf("%%d\\n", OTHER);\n    return 0;\n}\n' >flag.c
printf 'void missing(void);\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    missing();\n    return 0;\n}\n' >unlinked.c

expect 'passes arguments and status' 3 '<a b><-x>' "$gofer" run args.c 'a b' -x
expect 'again, from the cache' 3 '<a b><-x>' "$gofer" run args.c 'a b' -x
expect 'hooks are preloaded' 2 'gofer-hook: parked' env GOFER_HOOK=count "$gofer" run -hook args.c x
ln -s "$GOFER_LIB" 'lib: here'
expect 'hooks in a folder with a space' 2 'gofer-hook: parked' env GOFER_LIB="$work/lib: here" GOFERCACHE="$work/hooks" GOFER_HOOK=count "$gofer" run -hook args.c x
expect 'and again' 2 'gofer-hook: parked' env GOFER_LIB="$work/lib: here" GOFERCACHE="$work/hooks" GOFER_HOOK=count "$gofer" run -hook args.c x
expect 'and with a cache in such a one' 1 'set GOFERCACHE' env GOFER_LIB="$work/lib: here" "$gofer" run -hook args.c x
expect 'hooks are linked' 2 'gofer-hook: parked' env GOFER_HOOK=count "$gofer" run -lgofer-hook args.c x
expect 'and in a program that is built' 0 '' "$gofer" build -o hooked -lgofer-hook args.c
expect 'which finds them' 2 'gofer-hook: parked' env GOFER_HOOK=count ./hooked x
expect 'hooks are for run' 2 'build: -hook is for run' "$gofer" build -hook args.c
expect 'several files and a link line' 0 '5 2.0' "$gofer" run main.c other.c
expect 'a panic exits 2 and nothing is added' 2 'panic: bad' "$gofer" run panic.c
expect 'death by a signal' 137 '' bash -c "\"$gofer\" run killed.c; exit \$?"
expect 'reads a header' 0 5 "$gofer" run header.c
printf '#define OTHER 6\n' >other.h
expect 'notices a changed header' 0 6 "$gofer" run header.c
expect 'notices it in a second file' 0 '6 2.0' "$gofer" run main.c other.c
printf '#define OTHER 5\n' >other.h
expect 'and its old content' 0 5 "$gofer" run header.c
expect 'empty arguments and --' 5 '<><--><a.c><>' "$gofer" run args.c '' -- a.c ''
expect '-- before the files' 2 '<--x>' "$gofer" run -- args.c --x
expect 'standard input is the program'"'"'s' 0 'from input' bash -c "echo from input | \"$gofer\" run cat.c"
expect 'GOMAXPROCS passes through' 7 '' env GOMAXPROCS=7 "$gofer" run procs.c
expect 'nothing is added to the environment' 0 '' bash -c "env -i PATH=\"\$PATH\" GOFERCACHE=\"\$GOFERCACHE\" GOFER_LIB=\"\$GOFER_LIB\" A=1 \"$gofer\" run environ.c | grep -v -e ^PATH= -e ^GOFER -e ^A=1 -e ^_= -e ^PWD= -e ^SHLVL= -e ^OLDPWD=; test \$? = 1"
# Every word of the scripts, as a name in the environment.
mapfile -t environment < <(grep -oh '\b[a-z][a-z_]*\b' "$source/tools/gofer" "$source/gofer" | sort -u)
value=$'a \'b\' "c" $d `e` \\ \t \xff'
environment=("${environment[@]/%/=$value}" "PATH=$PATH" "GOFERCACHE=$GOFERCACHE" "GOFER_LIB=$GOFER_LIB" 'LINES=1
2' 'EMPTY=')
env -i "${environment[@]}" env | sort >environment
expect 'and all of it stays' 0 '' bash -c 'environment=("$@")
    env -i "${environment[@]:1}" "$1" run environ.c 2>&1 | grep -av -e ^_= -e ^PWD= -e ^SHLVL= -e ^OLDPWD= | sort | diff -a - environment' \
    bash "$gofer" "${environment[@]}"
mkdir -p 'a dir/inc lude'
printf '#define OTHER 8\n' >'a dir/inc lude/$other #.h'
printf '// gofer: flags -Ilocal -DUSED\n#include <local.h>\n#include "inc lude/$other #.h"\n#include <gofer.h>\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    return LOCAL + OTHER + USED;\n}\n' >'a dir/a file.c'
mkdir -p 'a dir/local' && printf '#define LOCAL 10\n' >'a dir/local/local.h'
expect 'names with spaces, folders relative to the source' 19 '' "$gofer" run 'a dir/a file.c'
printf '#define OTHER 9\n' >'a dir/inc lude/$other #.h'
expect 'a changed header with spaces in its name' 20 '' "$gofer" run 'a dir/a file.c'
mkdir -p words/inc words/sys words/lib
printf '#define ONE 1\n' >words/inc/one.h
printf '#define TWO 2\n' >words/sys/two.h
printf 'int three(void)\n{\n    return 3;\n}\n' >words/three.c
(cd words && cc -c three.c && ar rcs lib/libthree.a three.o)
printf '// gofer: flags -I inc -isystem sys -I %s/nothing\n// gofer: link -L lib -l three\n#include <gofer.h>\n#include <one.h>\n#include <two.h>\nint three(void);\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    return ONE + TWO + three();\n}\n' "$work" >words/words.c
expect 'folders that are words of their own' 6 '' "$gofer" run words/words.c
printf '// gofer: flags -DOTHER=6 -DLAST=1\r\n// gofer: link -lm\r\n#include <gofer.h>\r\nint go_main(int c, char **v)\r\n{\r\n    (void)c;\r\n    (void)v;\r\n    return OTHER + LAST;\r\n}\r\n' >lines.c
expect 'lines that end in CR LF' 7 '' "$gofer" run lines.c
mkdir -p 'my.cc d' && cp args.c 'my.cc d/args.c'
expect 'a folder that is called as a C++ file' 2 '<x>' env CXX=no-such-compiler "$gofer" run 'my.cc d/args.c' x
cp args.c 'back\sl\ ash.c'
expect 'a backslash in a name' 2 '<x>' "$gofer" run 'back\sl\ ash.c' x
expect 'and from the cache' 2 '<x>' "$gofer" run 'back\sl\ ash.c' x
cp args.c $'new\nline.c'
expect 'a newline in a name' 1 'newline in its name' "$gofer" run $'new\nline.c' x
expect 'a flag with a separate argument' 0 3 "$gofer" run -D OTHER=3 -l m flag.c

# What the linker read.
printf '#include <gofer.h>\nint value(void);\nint go_main(int c, char **v)\n{\n    (void)c;\n    (void)v;\n    return value();\n}\n' >value.c
mkdir -p 'a dir/lib' cxx1 cxx2
archive() {
    printf 'int value(void)\n{\n    return %d;\n}\n' "$1" >one.c && cc -c one.c && ar rcs 'a dir/lib/libvalue.a' one.o
}
archive 31
expect 'an archive' 31 '' "$gofer" run -L'a dir/lib' -lvalue value.c
archive 32
expect 'a changed archive' 32 '' "$gofer" run -L'a dir/lib' -lvalue value.c
rm 'a dir/lib/libvalue.a'
expect 'an archive that is gone' 1 'lvalue' "$gofer" run -L'a dir/lib' -lvalue value.c
expect 'objects that the linker makes' 0 3 "$gofer" run -flto -D OTHER=3 flag.c
if command -v "${CXX:-c++}" >/dev/null; then
    printf '#define VALUE 41\n' >cxx1/value.h
    printf '#define VALUE 42\n' >cxx2/value.h
    printf '#include <gofer.h>\n#include <value.h>\nint go_main(int, char **)\n{\n    return VALUE;\n}\n' >value.cpp
    expect 'a folder for headers of C++' 41 '' env CPLUS_INCLUDE_PATH=cxx1 "$gofer" run value.cpp
    expect 'another folder for them' 42 '' env CPLUS_INCLUDE_PATH=cxx2 "$gofer" run value.cpp
fi

# Many at once that all find the cache empty, while the header changes under them: each prints one
# of the two values, and afterwards the last one counts.
printf '#define OTHER 21\n' >other.h
for i in 1 2 3 4 5 6; do
    GOFERCACHE=$work/many "$gofer" run header.c >"many.$i" 2>&1 &
    [ "$i" != 3 ] || { printf '#define OTHER 22\n' >other.new && mv other.new other.h; }
done
wait
for i in 1 2 3 4 5 6; do
    expect "at once, $i" 0 'yes' bash -c "grep -qx -e 21 -e 22 many.$i && echo yes || cat many.$i"
done
expect 'after many at once' 0 22 env GOFERCACHE="$work/many" "$gofer" run header.c

unused=old/aa/$(printf 'b%.0s' {1..62}).files # the program that is made may lie in that folder, too
mkdir -p old/aa && touch -a -d '2020-01-01' "$unused"
ln -s old linked
expect 'a cache through a link' 1 '' env GOFERCACHE="$work/linked" "$gofer" run args.c
expect 'is cleaned, too' 0 '' test ! -e "$unused"
expect 'builds to a name' 0 '' "$gofer" build -o out args.c
expect 'the built program runs' 2 '<z>' ./out z
expect 'and once more' 0 '' "$gofer" build -o out args.c
cp args.c kept.c
expect 'no program in place of a source' 1 'build: kept.c already exists and is not a program' "$gofer" build -o kept.c kept.c
expect 'which is as it was' 0 '' cmp args.c kept.c
expect 'to an empty file' 0 '' bash -c ": >empty && '$gofer' build -o empty args.c"
expect 'a missing file' 1 'gofer: cannot find missing.c' "$gofer" run missing.c
expect 'a directory' 1 'is a directory' "$gofer" run .
expect 'not a C file' 1 'is not a .c file' "$gofer" run other.h
expect 'no file' 2 'no .c file named' "$gofer" run
expect 'an unknown flag' 2 'unknown flag -Q' "$gofer" run -Q args.c
expect 'two sanitizers' 2 'run: may not use -race and -asan simultaneously' "$gofer" run -race -asan args.c
expect 'an unknown command' 2 'unknown command' "$gofer" fly
mkdir only
GOFERCACHE=$work/only expect 'a compile error' 1 'nothing' "$gofer" run broken.c
GOFERCACHE=$work/only expect 'a link error' 1 'missing' "$gofer" run unlinked.c
expect 'nothing of those is left in the cache' 0 '' bash -c "test -z \"\$(find only -type f)\" && test -z \"\$(find only -mindepth 2)\""
expect 'a missing compiler' 1 'no C compiler' env CC=no-such-compiler "$gofer" run args.c
expect 'no library' 1 'is gofer installed' env GOFER_LIB="$work" "$gofer" run args.c
touch file
expect 'a cache that cannot be' 1 'cannot write to the cache' env GOFERCACHE="$work/file/x" "$gofer" run args.c
expect 'a cache without a place' 1 'set GOFERCACHE or HOME' env -u GOFERCACHE -u HOME -u XDG_CACHE_HOME "$gofer" run args.c
mkdir locked && chmod 555 locked
if [ "$(id -u)" != 0 ]; then
    expect 'a read-only cache' 1 'cannot write to the cache' env GOFERCACHE="$work/locked" "$gofer" run args.c
elif mkdir small && mount -t tmpfs -o size=64k none small 2>/dev/null; then
    expect 'a full disk' 1 'no room in the cache' env GOFERCACHE="$work/small" "$gofer" run args.c
    expect 'and nothing is left on it' 0 '' bash -c 'test -z "$(find small -type f)"'
    mount -o remount,ro small
    expect 'a read-only cache' 1 'cannot write to the cache' env GOFERCACHE="$work/small" "$gofer" run args.c
    umount small
else
    echo 'left out: full disk and read-only cache; no file system can be mounted here'
fi
version=$(sed -n 's/^#define GOFER_VERSION "\(.*\)"/\1/p' "$source/include/gofer/base.h")
expect 'one version' 0 "project(gofer VERSION $version " cat "$source/CMakeLists.txt"
expect 'one version in the manual' 0 "gofer $version" cat "$source/man/gofer.1"
expect 'version' 0 "gofer version gofer$version " "$gofer" version
expect 'help on a topic' 0 '-race' "$gofer" help flags
for name in $(sed -n '/^.SH ENVIRONMENT/,/^.SH EXIT/s/^\.BR\? //p' "$source/man/gofer.1" | tr -d '",'); do
    expect "help on $name" 0 "$name " "$gofer" help environment
done
expect 'help on nothing there is' 2 'no help for "x"' "$gofer" help x
expect 'env and a name' 0 "$work/the cache" "$gofer" env GOFERCACHE
expect 'env without a place for a cache' 0 cc env -u GOFERCACHE -u HOME -u XDG_CACHE_HOME CC=cc "$gofer" env CC
expect 'env of all without it' 0 "GOFERCACHE=''" env -u GOFERCACHE -u HOME -u XDG_CACHE_HOME "$gofer" env
expect 'env of that place' 1 'set GOFERCACHE or HOME' env -u GOFERCACHE -u HOME -u XDG_CACHE_HOME "$gofer" env GOFERCACHE
expect 'help' 0 'usage: gofer' "$gofer" help
exit $failed

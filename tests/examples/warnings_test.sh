#!/usr/bin/env bash
# The examples that are programs compile without a warning, with gcc and with clang.
# usage: warnings_test.sh SOURCE
set -uo pipefail
cd "$1" || exit 2
failed=0
for compiler in gcc clang; do
    command -v $compiler >/dev/null || {
        echo "$compiler is not installed"
        exit 77
    }
    for file in examples/{httpd,chat,crawl}/*.c; do
        case $file in
        */parser*.c) continue ;; # others' code
        examples/chat/*) ;;
        *) [ -e /usr/share/include/llhttp/llhttp.h ] || [ -e /usr/include/llhttp.h ] || continue ;;
        esac
        $compiler -std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror -Iinclude -isystem /usr/share/include/llhttp \
            -c "$file" -o /dev/null || failed=1
    done
done
[ $failed = 1 ] || echo ok
exit $failed

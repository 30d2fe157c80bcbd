#!/usr/bin/env bash
# cppcheck finds nothing in the library.
set -euo pipefail
cd "$1"
command -v cppcheck >/dev/null || {
    echo "cppcheck is not installed"
    exit 77
}
# Records on the stack are linked from the goroutine on purpose; that gofer_fatal never returns,
# cppcheck does not see.
cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability --inline-suppr \
    -Iinclude -Isrc -D__x86_64__ -D__GNUC__ --suppress=missingIncludeSystem --suppress=autoVariables \
    --suppress=nullPointerRedundantCheck --suppress=nullPointerArithmeticRedundantCheck \
    --suppress=ctunullpointer src

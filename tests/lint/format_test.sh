#!/usr/bin/env bash
# Every C and C++ file is as .clang-format says.
set -euo pipefail
cd "$1"
command -v clang-format >/dev/null || {
    echo "clang-format is not installed"
    exit 77
}
git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format --dry-run -Werror

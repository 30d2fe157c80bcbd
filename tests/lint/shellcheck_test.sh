#!/usr/bin/env bash
# The scripts are clean by shellcheck. (SC2015: where A && B || C stands, C is meant for both;
# SC2016: C code for printf stands in single quotes.)
set -euo pipefail
cd "$1"
command -v shellcheck >/dev/null || {
    echo "shellcheck is not installed"
    exit 77
}
git ls-files '*.sh' gofer tools/gofer .ci/run | xargs shellcheck --external-sources --exclude=SC2015,SC2016

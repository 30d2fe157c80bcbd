#!/usr/bin/env bash
# Builds the library and the unit and stress sets for one sanitizer and runs them, then the seeds.
# usage: sanitize.sh asan|tsan|ubsan SOURCE BUILD
set -euo pipefail
case $1 in
asan) sanitizer=address ;;
tsan) sanitizer=thread ;;
ubsan) sanitizer=undefined ;;
*)
    echo "sanitize.sh: unknown sanitizer $1" >&2
    exit 2
    ;;
esac
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
cmake -S "$2" -B "$3" -DGOFER_SANITIZE=$sanitizer >"$3.log" 2>&1 || {
    cat "$3.log"
    exit 1
}
cmake --build "$3" -j2 >"$3.log" 2>&1 || {
    tail -n 40 "$3.log"
    exit 1
}
ctest --test-dir "$3" --output-on-failure -j2 -L 'unit|stress'
python3 "$2/tests/conformance/run.py" --seeds-only --repeats 1 --source-dir "$2" --build-dir "$3" \
    --library "$3/libgofer.a" --cflags="-fsanitize=$sanitizer -fno-sanitize-recover=undefined"

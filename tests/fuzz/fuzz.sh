#!/usr/bin/env bash
# Fuzzes for some seconds with libFuzzer, beginning with the inputs that are kept; what it finds is
# left in the build folder, and printed.
# usage: fuzz.sh SOURCE BUILD httpd_request SECONDS
set -euo pipefail
source=$1 build=$2 name=$3 seconds=$4
work=$build/fuzz/$name
mkdir -p "$work/found" "$work/inputs"
echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { (void)d; return n > 9999999; }' >"$work/probe.c"
if ! command -v clang >/dev/null || ! clang -fsanitize=fuzzer,address "$work/probe.c" -o "$work/probe" 2>/dev/null; then
    echo "clang or its fuzzer is not installed"
    exit 77
fi
folder=$source/examples/httpd
sources=("$source/tests/fuzz/$name.c" "$folder"/{request,target,conditions,response,parser,parser_api}.c)
clang -std=gnu11 -g -O1 -w -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I"$source/include" -I"$folder" -I/usr/share -I/usr/share/include/llhttp "${sources[@]}" \
    "$build/libgofer.a" -pthread -o "$work/$name"
"$work/$name" -max_total_time="$seconds" -timeout=10 -max_len=2048 -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="$work/found/" "$work/inputs" "$source/tests/fuzz/$name" 2>"$work/log" || {
    tail -n 60 "$work/log"
    exit 1
}
grep -E 'number_of_executed_units|new_units_added' "$work/log"

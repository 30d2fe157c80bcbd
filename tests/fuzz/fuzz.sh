#!/usr/bin/env bash
# Fuzzes for some seconds with libFuzzer, beginning with the inputs that are kept; what it finds is
# left in the build folder, and printed.
# usage: fuzz.sh SOURCE BUILD NAME SECONDS
set -euo pipefail
source=$1 build=$2 name=$3 seconds=$4
work=$build/fuzz/$name
# What is fuzzed is compiled for it; the rest of the library is there as it is.
httpd=$source/examples/httpd
include=(-I"$source/include" -I"$source/src")
case $name in
httpd_request)
    fuzzed=("$httpd"/{request,target,conditions,response,parser,parser_api}.c)
    include+=(-I"$httpd" -I/usr/share -I/usr/share/include/llhttp)
    ;;
net_address) fuzzed=("$source/src/net/address.c") ;;
duration_text) fuzzed=("$source/src/time/duration.c") ;;
reader_calls) fuzzed=("$source/src/io/bufio.c") ;;
*)
    echo "fuzz.sh: no fuzzer $name" >&2
    exit 2
    ;;
esac
mkdir -p "$work/found" "$work/inputs"
echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { (void)d; return n > 9999999; }' >"$work/probe.c"
if ! command -v clang >/dev/null || ! clang -fsanitize=fuzzer,address "$work/probe.c" -o "$work/probe" 2>/dev/null; then
    echo "clang or its fuzzer is not installed"
    exit 77
fi
clang -std=gnu11 -g -O1 -w -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined "${include[@]}" \
    "$source/tests/fuzz/$name.c" "${fuzzed[@]}" "$build/libgofer.a" -pthread -o "$work/$name"
"$work/$name" -max_total_time="$seconds" -timeout=60 -max_len=2048 -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="$work/found/" "$work/inputs" "$source/tests/fuzz/$name" 2>"$work/log" || {
    tail -n 60 "$work/log"
    exit 1
}
grep -E 'number_of_executed_units|new_units_added' "$work/log"

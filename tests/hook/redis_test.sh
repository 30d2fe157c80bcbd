#!/usr/bin/env bash
# A real Redis through hiredis, unchanged: see redis.c.
source=$1 build=$2
# shellcheck source=tests/unit/expect.sh
. "$source/tests/unit/expect.sh"
command -v redis-server >/dev/null && [ -f /usr/include/hiredis/hiredis.h ] || {
    echo "redis-server or libhiredis-dev is not installed"
    [ -z "${CI:-}" ] || exit 1
    exit 77
}
ulimit -n 4096 || {
    echo "no more than $(ulimit -n) descriptors here"
    exit 77
}
${CC:-cc} -std=gnu11 -g -O1 -Wall -Wextra -I"$source/include" "$source/tests/hook/redis.c" \
    "$build/libgofer.a" -o "$work/redis" -lhiredis -pthread -ldl || exit 1
redis-server --port 0 --unixsocket "$work/socket" --save '' --appendonly no --maxclients 2000 --tcp-backlog 2000 \
    --dir "$work" >"$work/log" 2>&1 &
server=$!
trap 'kill $server; wait $server; rm -rf "$work"' EXIT
for _ in $(seq 200); do
    [ -S "$work/socket" ] && break
    sleep 0.05
done
for procs in 1 2 4; do
    GOMAXPROCS=$procs LD_PRELOAD=$build/libgofer-hook.so expect redis "$work/socket" 0 \
        '1000 goroutines in hiredis'
done
exit $failed

#!/usr/bin/env bash
# libcurl, unchanged, against the example server: see curl.c.
source=$1 build=$2
# shellcheck source=tests/unit/expect.sh
. "$source/tests/unit/expect.sh"
httpd=$build/tests/examples/httpd/httpd
missing=''
[ -x "$httpd" ] || missing='the example httpd (for it node-llhttp)'
command -v curl-config >/dev/null || missing=libcurl4-openssl-dev
[ -z "$missing" ] || {
    echo "$missing is not there"
    [ -z "${CI:-}" ] || exit 1
    exit 77
}
# its flags are words
# shellcheck disable=SC2046
${CC:-cc} -std=gnu11 -g -O1 -Wall -Wextra -Werror -I"$source/include" $(curl-config --cflags) \
    "$source/tests/hook/curl.c" "$build/libgofer.a" -o "$work/curl" $(curl-config --libs) -pthread -ldl || exit 1
mkdir "$work/www"
mkfifo "$work/said"
"$httpd" --listen localhost:0 --root "$work/www" --log none --debug 2>"$work/said" &
server=$!
trap 'kill $server; wait $server; rm -rf "$work"' EXIT
exec 3<"$work/said"
read -r -t 60 line <&3
url=http://localhost:${line##*:}

# As libcurl is, and with the hooks: transfers that wait then share few threads.
for procs in 1 2 4; do
    GOMAXPROCS=$procs expect curl "$url" 0 '100 transfers with a share, 20 in turn with a handle'
    GOMAXPROCS=$procs LD_PRELOAD=$build/libgofer-hook.so expect curl "$url" 0 \
        '100 transfers with a share, 20 in turn with a handle'
done
exit $failed

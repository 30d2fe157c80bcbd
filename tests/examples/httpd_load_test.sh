#!/usr/bin/env bash
# The example httpd under wrk, in the clear and over TLS, and over TLS as curl and openssl see it.
# usage: httpd_load_test.sh PROGRAM
set -uo pipefail
program=$1
for command in curl openssl wrk; do
    command -v $command >/dev/null || {
        echo "$command is not installed"
        [ -z "${CI:-}" ] || exit 1
        exit 77
    }
done
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT
failed=0
fail() {
    printf 'FAIL %s\n' "$*"
    failed=1
}
mkdir "$work/www"
head -c 1024 /dev/urandom >"$work/www/1k"
head -c 300000 /dev/urandom >"$work/www/large.bin"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" \
    -out "$work/certificate.pem" -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -days 2 2>/dev/null || fail 'openssl made no certificate'

# start OPTIONS…: a server on a free port, its address in $address.
start() {
    mkfifo "$work/said"
    "$program" --listen 127.0.0.1:0 --root "$work/www" --log none --debug "$@" 2>"$work/said" &
    server=$!
    exec 3<"$work/said"
    rm "$work/said"
    local line
    read -r -t 60 line <&3
    address=${line##* }
    [[ $line == 'httpd: listening on 127.0.0.1:'* ]] || fail "the server said: $line"
}

# stop: by SIGTERM; what it said is in $said.
stop() {
    kill -TERM "$server"
    wait "$server" || fail "the server ended with $?"
    server=''
    said=$(cat <&3)
}

# load NAME URL: answers come, and nothing but them.
load() {
    local output
    output=$(timeout -s KILL 60 wrk -t 2 -c 50 -d 1 "$2" 2>&1) || fail "$1: wrk ended with $?"
    [[ $output =~ ([0-9]+)' requests in' ]] && [ "${BASH_REMATCH[1]}" -gt 0 ] || fail "$1: no requests: $output"
    [[ $output != *'Socket errors'* && $output != *Non-2xx* ]] || fail "$1: $output"
}

start
load 'a file' "http://$address/1k"
load 'the API' "http://$address/api/counter"
stop

if "$program" --tls-certificate "$work/certificate.pem" --tls-key "$work/key.pem" --listen 127.0.0.1:no 2>&1 |
    grep -q 'not supported'; then
    echo 'the server was built without TLS'
    [ -z "${CI:-}" ] || failed=1
    exit $failed
fi
start --tls-certificate "$work/certificate.pem" --tls-key "$work/key.pem"
secure=(curl -s --max-time 60 --cacert "$work/certificate.pem")
for file in 1k large.bin; do
    "${secure[@]}" "https://$address/$file" | cmp - "$work/www/$file" || fail "$file over TLS"
done
[ "$("${secure[@]}" -d text "https://$address/api/echo" | head -c 1)" != '' ] || fail 'a body over TLS'
[ "$("${secure[@]}" -o "$work/1" -o "$work/2" -w '%{num_connects} ' "https://$address/1k" "https://$address/1k")" = '1 0 ' ] ||
    fail 'two requests over TLS are not on one connection'
curl -s --max-time 60 -o "$work/1" "https://$address/1k" && fail 'curl trusts a certificate that nobody signed'
! curl -s --max-time 60 -o "$work/1" "http://$address/1k" || fail 'a request in the clear is answered'
load 'a file over TLS' "https://$address/1k"
# a request in progress is answered, whole, and the connection's end is a true one
"${secure[@]}" -o "$work/slow" -w '%{http_code}' "https://$address/debug/sleep?300ms" >"$work/status" &
slow=$!
until "${secure[@]}" "https://$address/debug/stats" | grep -q '"connections":2,'; do :; done
stop
wait $slow || fail "curl ended with $? at the server's stop"
[ "$(cat "$work/status")" = 200 ] || fail "the request in progress got \"$(cat "$work/status")\""
[[ $said == *'handshake with 127.0.0.1: '* ]] || fail "no word of the handshakes that failed: $said"

# who finds the server full, and makes no handshake, is not kept
start --tls-certificate "$work/certificate.pem" --tls-key "$work/key.pem" --max-connections 1 --read-timeout 300ms
coproc openssl s_client -quiet -connect "$address" 2>&1
holder=$COPROC_PID
read -r -t 60 line <&"${COPROC[0]}" || fail 'no handshake with the one whom there is room for'
exec 4<>"/dev/tcp/${address%:*}/${address##*:}"
read -r -t 60 line <&4
[ $? = 1 ] || fail 'who finds the server full and says nothing is kept'
exec 4>&-
[ "$("${secure[@]}" -o "$work/1" -w '%{http_code}' "https://$address/1k")" = 503 ] || fail 'who finds the server full is not told'
stop
kill "$holder" 2>/dev/null
wait "$holder" 2>/dev/null

"$program" --tls-key "$work/key.pem" 2>"$work/said" && fail 'a key without a certificate is taken'
"$program" --tls-certificate "$work/www/1k" --tls-key "$work/key.pem" 2>"$work/said" && fail 'noise is taken for a certificate'
grep -q '^httpd: TLS: ' "$work/said" || fail "a wrong certificate: $(cat "$work/said")"
[ $failed = 1 ] || echo ok
exit $failed

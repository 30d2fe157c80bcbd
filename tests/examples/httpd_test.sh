#!/usr/bin/env bash
# The example httpd as curl sees it: files, conditions, ranges, the API, limits, the log, the end.
# (httpd_raw_test.py has what curl does not do.)
# usage: httpd_test.sh PROGRAM
set -uo pipefail
program=$1
command -v curl >/dev/null || {
    echo "curl is not installed"
    exit 77
}
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT
failed=0
fail() {
    printf 'FAIL %s\n' "$*"
    failed=1
}

# start OPTIONS…: a server on a free port; its address is in $url, what it says later on fd 3.
start() {
    mkfifo "$work/said.$#"
    "$program" --listen 127.0.0.1:0 --root "$work/www" --log "$work/log" --debug "$@" 2>"$work/said.$#" &
    server=$!
    exec 3<"$work/said.$#"
    rm "$work/said.$#"
    local line
    read -r -t 60 line <&3
    url=http://${line##* }
    [[ $line == 'httpd: listening on 127.0.0.1:'* ]] || fail "the server said: $line"
}

# stop STATUS SIGNAL: the server ends with it.
stop() {
    kill "-$2" "$server"
    wait "$server"
    local status=$?
    server=''
    said=$(cat <&3)
    [ $status = "$1" ] || fail "after SIG$2: exit status $status, expected $1; it said: $said"
}

# Ends the test where the server has ended: nothing after that would say more.
server_lives() {
    kill -0 "$server" 2>/dev/null || {
        fail "the server has ended; it said: $(cat <&3)"
        exit 1
    }
}

# until_stats TEXT: waits until /debug/stats has it.
until_stats() {
    until curl -s --max-time 60 "$url/debug/stats" | grep -q "$1"; do server_lives; done
}

# get NAME STATUS [CURL OPTIONS…]: what came is in $work/head and $work/body.
get() {
    local name=$1 want=$2 got
    shift 2
    : >"$work/body"
    got=$(curl -s --max-time 60 -D "$work/head" -o "$work/body" -w '%{http_code}' "$@")
    [ "$got" != 000 ] || server_lives
    [ "$got" = "$want" ] || fail "$name: status $got, expected $want"
}

has_field() {
    grep -qix "$2"$'\r' "$work/head" || fail "$1: no field \"$2\" in: $(cat "$work/head")"
}

has_body() {
    [ "$(cat "$work/body")" = "$2" ] || fail "$1: body \"$(head -c 200 "$work/body")\", expected \"$2\""
}

is_file() {
    cmp -s "$work/body" "$2" || fail "$1: the body is not $2"
}

mkdir -p "$work/www/folder/deep" "$work/www/empty" "$work/www/odd \"name\""
echo secret >"$work/secret"
echo '<p>front</p>' >"$work/www/index.html"
echo '<p>folder</p>' >"$work/www/folder/index.html"
echo 'body{}' >"$work/www/folder/deep/style.css"
echo odd >"$work/www/odd \"name\"/a b.txt"
: >"$work/www/nothing.txt"
head -c 1024 /dev/urandom >"$work/www/1k"
head -c 3000000 /dev/urandom >"$work/www/large.bin"
ln -s ../secret "$work/www/link"
ln -s .. "$work/www/out"
ln -s ../.. "$work/www/folder/up"
mkdir "$work/www/linked"
ln -s ../../secret "$work/www/linked/index.html"
mkfifo "$work/www/fifo"
touch -d '2020-02-03 04:05:06 UTC' "$work/www/1k"
start

# ---- files
get 'the index' 200 "$url/"
is_file 'the index' "$work/www/index.html"
has_field 'the index' 'Content-Type: text/html; charset=utf-8'
get 'a folder' 200 "$url/folder/"
is_file 'a folder' "$work/www/folder/index.html"
get 'a folder without its slash' 301 "$url/folder?x=1"
has_field 'a folder without its slash' 'Location: /folder/?x=1'
get 'a folder as another host' 301 --path-as-is "$url//folder"
has_field 'a folder as another host' 'Location: /folder/'
get 'an odd folder' 301 "$url/odd%20%22name%22"
has_field 'an odd folder' 'Location: /odd%20%22name%22/'
get 'an odd name' 200 "$url/odd%20%22name%22/a%20b.txt"
has_body 'an odd name' odd
get 'a folder without an index' 404 "$url/empty/"
get 'no file' 404 "$url/none"
get 'a file as a folder' 404 "$url/1k/"
get 'a style' 200 --path-as-is "$url/folder/./deep//../deep/style.css"
has_field 'a style' 'Content-Type: text/css; charset=utf-8'
get 'an empty file' 200 "$url/nothing.txt"
has_field 'an empty file' 'Content-Length: 0'
get 'a large file' 200 "$url/large.bin"
is_file 'a large file' "$work/www/large.bin"
get 'an absolute target' 200 --request-target "http://elsewhere/1k?q" "$url/"
is_file 'an absolute target' "$work/www/1k"
get 'a fifo' 403 "$url/fifo"

# ---- nothing outside of the root
for path in /../secret /folder/../../secret /%2e%2e/secret /..%2fsecret /folder/%2E./..//secret '/%00' '/%' '/%zz'; do
    get "$path" 400 --path-as-is "$url$path"
done
for path in /link /link/ /out /out/ /out/secret /folder/up/secret /linked/; do
    get "$path" 403 "$url$path"
    ! grep -q secret "$work/body" || fail "$path gives the file outside of the root"
done

# ---- methods
get 'HEAD' 200 -I "$url/1k"
has_field 'HEAD' 'Content-Length: 1024'
get 'OPTIONS' 204 -X OPTIONS "$url/1k"
has_field 'OPTIONS' 'Allow: GET, HEAD, OPTIONS'
get 'OPTIONS *' 204 -X OPTIONS --request-target '*' "$url/"
get 'POST to a file' 405 -d x "$url/1k"
has_field 'POST to a file' 'Allow: GET, HEAD, OPTIONS'
get 'a method that nobody knows' 501 -X BREW "$url/"
get 'a method that others know' 501 -X PROPFIND "$url/"

# ---- conditions and ranges
get '1k' 200 "$url/1k"
has_field '1k' 'Last-Modified: Mon, 03 Feb 2020 04:05:06 GMT'
tag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' "$work/head")
get 'its tag' 304 -H "If-None-Match: \"other\", $tag" "$url/1k"
has_body 'its tag' ''
get 'another tag' 200 -H 'If-None-Match: "other"' -H 'If-Modified-Since: Mon, 03 Feb 2020 04:05:06 GMT' "$url/1k"
get 'its date' 304 -H 'If-Modified-Since: Mon, 03 Feb 2020 04:05:06 GMT' "$url/1k"
get 'an earlier date' 200 -H 'If-Modified-Since: Mon, 03 Feb 2020 04:05:05 GMT' "$url/1k"
get 'a wrong date' 200 -H 'If-Modified-Since: yesterday' "$url/1k"
part() { # RANGE FIRST COUNT SIZE FILE
    get "range $1" 206 -H "Range: bytes=$1" "$url/$5"
    has_field "range $1" "Content-Range: bytes $2-$(($2 + $3 - 1))/$4"
    tail -c "+$(($2 + 1))" "$work/www/$5" | head -c "$3" | cmp -s - "$work/body" || fail "range $1: other bytes"
}
part 0-0 0 1 1024 1k
part 5-9 5 5 1024 1k
part 1000- 1000 24 1024 1k
part -4 1020 4 1024 1k
part 1000-99999999999999999999999 1000 24 1024 1k
part -5000 0 1024 1024 1k
part 100000-2999999 100000 2900000 3000000 large.bin
for range in 1024- 99999999999999999999- -0; do
    get "range $range" 416 -H "Range: bytes=$range" "$url/1k"
    has_field "range $range" 'Content-Range: bytes \*/1024'
done
for range in 5-2 x-3 - 1-2,5-6 3 ''; do
    get "range $range" 200 -H "Range: bytes=$range" "$url/1k"
    is_file "range $range" "$work/www/1k"
done
get 'a range if it is the same' 206 -H 'Range: bytes=0-1' -H "If-Range: $tag" "$url/1k"
get 'a range if it is another' 200 -H 'Range: bytes=0-1' -H 'If-Range: "other"' "$url/1k"

# ---- the API
get 'the counter' 200 -X DELETE "$url/api/counter"
get 'the counter' 200 -X POST "$url/api/counter"
get 'the counter' 200 -d '' "$url/api/counter"
get 'the counter' 200 "$url/api/counter"
has_body 'the counter' '{"count":2}'
has_field 'the counter' 'Content-Type: application/json'
get 'no such call' 404 "$url/api/none"
get 'a wrong method' 405 "$url/api/echo"
printf 'a"\\\n\001\xff\xc0\xaf\xe2\x82\xac\xed\xa0\x80' >"$work/sent"
get 'the echo' 200 --data-binary "@$work/sent" "$url/api/echo?q=1"
has_body 'the echo' '{"method":"POST","query":"q=1","size":14,"body":"a\"\\\u000a\u0001\ufffd\ufffd\ufffd€\ufffd\ufffd\ufffd"}'
get 'a chunked body' 200 -H 'Transfer-Encoding: chunked' --data-binary "@$work/sent" "$url/api/echo"
grep -q '"size":14,' "$work/body" || fail "a chunked body: $(cat "$work/body")"
head -c 1000000 /dev/zero | tr '\0' x >"$work/sent"
get 'a body after 100 Continue' 200 -H 'Expect: 100-continue' -T "$work/sent" "$url/api/echo"
grep -q '^HTTP/1.1 100 Continue' "$work/head" || fail 'no 100 Continue'
grep -q '"size":1000000,' "$work/body" || fail 'a body after 100 Continue: another size'
get 'a refusal in place of 100 Continue' 405 -H 'Expect: 100-continue' -T "$work/sent" "$url/1k"
! grep -q '^HTTP/1.1 100' "$work/head" || fail '100 Continue before a refusal'
get 'another expectation' 417 -H 'Expect: tea' "$url/1k"
get 'a panic' 500 "$url/debug/panic"
read -r -t 60 line <&3
[[ $line == *'panic at GET /debug/panic'* ]] || fail "a panic said: $line"

# ---- limits
head -c 3000000 /dev/zero >"$work/sent"
get 'a large body' 413 -H 'Expect:' --data-binary "@$work/sent" "$url/api/echo"
get 'a large body with 100 Continue' 413 -T "$work/sent" "$url/api/echo"
get 'a large chunked body' 413 -H 'Expect:' -H 'Transfer-Encoding: chunked' -T "$work/sent" "$url/api/echo"
long=$(head -c 9000 /dev/zero | tr '\0' x)
get 'a long target' 414 "$url/$long"
get 'a large field' 431 -H "X: $long$long" "$url/1k"
get 'a coding that nobody knows' 501 -H 'Transfer-Encoding: gzip, chunked' -d x "$url/api/echo"

# ---- connections
count=$(curl -s -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects} ' "$url/1k" "$url/none" "$url/large.bin")
[ "$count" = '1 0 0 ' ] || fail "three requests made $count connections, expected 1 0 0"
get 'a client that closes' 200 -H 'Connection: close' "$url/1k"
has_field 'a client that closes' 'Connection: close'
get 'HTTP/1.0' 200 -0 "$url/1k"
has_field 'HTTP/1.0' 'Connection: close'
get 'HTTP/1.0 that stays' 200 -0 -H 'Connection: keep-alive' "$url/1k"
has_field 'HTTP/1.0 that stays' 'Connection: keep-alive'

# ---- the end: what is in progress is answered, the log is whole
curl -s -o "$work/slow" -w '%{http_code}' "$url/debug/sleep?1s" >"$work/status" &
slow=$!
until_stats '"connections":2,'
stop 0 TERM
wait $slow
[ "$(cat "$work/status")" = 200 ] || fail "the request in progress at SIGTERM got \"$(cat "$work/status")\""
[[ $said == *'terminated: stopping'* ]] || fail "the server said at its end: $said"
grep -q '^127.0.0.1 - - \[.*\] "GET /large.bin HTTP/1.1" 200 3000000 [0-9]*us$' "$work/log" || fail 'the log lacks /large.bin'
grep -q '"GET /debug/sleep?1s HTTP/1.1" 200 3 ' "$work/log" || fail 'the log lacks the last request'
! grep -Ev '^127.0.0.1 - - \[.*\] "(-|[A-Z]+ .* HTTP/1.[01])" [1-5][0-9][0-9] [0-9]+ [0-9]+us$' "$work/log" ||
    fail 'lines of the log have another form'

# ---- a request that takes too long is cut
start --drain-timeout 200ms
curl -s -o "$work/slow" -w '%{http_code}' "$url/debug/sleep?60s" >"$work/status" &
slow=$!
until_stats '"connections":2,'
stop 1 INT
wait $slow
[[ $said == *'1 connections cut'* ]] || fail "the server said at its end: $said"

# ---- two servers on one port
start --reuse-port --drain-timeout 5s
first=$server port=${url##*:}
"$program" --listen "127.0.0.1:$port" --root "$work/www" --log none --reuse-port 2>"$work/second" &
second=$!
until grep -q . "$work/second" || ! kill -0 "$second"; do :; done
grep -q listening "$work/second" || fail "the second server on the port: $(cat "$work/second")"
"$program" --listen "127.0.0.1:$port" --log none 2>"$work/third" && fail 'a third server, without --reuse-port, ran'
grep -q 'address already in use' "$work/third" || fail "the third server on the port: $(cat "$work/third")"
kill "$second"
wait "$second" || fail "the second server ended with $?"
server=$first
stop 0 TERM

# refused OPTION VALUE WHY: no server runs with that.
refused() {
    timeout 60 "$program" --listen 127.0.0.1:0 "$1" "$2" >"$work/said" 2>&1
    local status=$?
    [ $status = 2 ] || fail "$1 $2: exit status $status, expected 2"
    [ "$(cat "$work/said")" = "httpd: $2: $3" ] || fail "$1 $2: $(cat "$work/said")"
}
refused --max-body no 'a number from 1 to 1073741824 is wanted'
for option in idle-timeout read-timeout write-timeout last-call drain-timeout; do
    for time in soon 0s 1000h1ns 2562047h; do
        refused --$option $time 'a time such as 500ms or 1m30s, at most 1000h, is wanted'
    done
done
[ $failed = 1 ] || echo ok
exit $failed

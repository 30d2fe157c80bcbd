#!/usr/bin/env bash
# Where the system's table of open files is full (ENFILE) calls say so and what to do, nothing is
# lost, and all goes on when it has room again: the calls with both pollers; and httpd, which waits
# longer each time before it accepts again.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
here=$source/tests/faults
${CC:-cc} -std=gnu11 -O1 -g -Wall -Wextra -Werror -shared -fPIC "$here/full_table.c" -o "$work/full_table.so" -ldl &&
    ${CC:-cc} -std=gnu11 -O1 -g -Wall -Wextra -Werror -I"$source/include" "$here/full_table_calls.c" \
        "$build/libgofer.a" -pthread -ldl -o "$work/calls" || exit 1

export GOFER_DEBUG=poller LD_PRELOAD=$work/full_table.so
for poller in epoll io_uring; do
    export GOFER_POLLER=$poller
    "$work/calls" 2>&1 | grep 'refuses io_uring' | grep -v 'Too many' && continue
    expect calls '' 0 "GOFER_DEBUG=poller: $poller" 'all fail and go on' 'no:refuses'
done
unset GOFER_POLLER GOFER_DEBUG

httpd=$build/tests/examples/httpd/httpd
if [ ! -x "$httpd" ]; then
    echo 'httpd is not there: that part is left out'
    exit $failed
fi
echo hello >"$work/file"
exec 3< <(ACCEPTS_THAT_FAIL=6 exec "$httpd" --listen 127.0.0.1:0 --root "$work" --log none 2>&1)
server=$!
read -r _ _ _ address <&3
exec 4<>"/dev/tcp/127.0.0.1/${address##*:}"
printf 'GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&4
got=$(tr -d '\r' <&4 | sed -n '1p;$p')
kill "$server"
said=$(cat <&3 | grep accept)
expected=$(for pause in 5ms 10ms 20ms 40ms 80ms 160ms; do
    echo "httpd: accept tcp $address: accept4: too many open files in system; sysctl fs.file-max sets the limit; retrying in $pause"
done)
if [ "$got" = $'HTTP/1.1 200 OK\nhello' ] && [ "$said" = "$expected" ]; then
    echo 'ok httpd'
else
    printf 'FAIL httpd answered:\n%s\nand said:\n%s\nexpected:\n%s\n' "$got" "$said" "$expected"
    failed=1
fi
exit $failed

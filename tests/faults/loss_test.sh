#!/usr/bin/env bash
# Where packets are lost, doubled, delayed and overtaken all bytes arrive: held connections that
# talk, half-close, read slowly and lose their peer (connections_stress), and a file by httpd and
# curl; and httpd's stop loses no request. `ip` and `tc` are not needed, nor the kernel's netem: see
# lossy_link.c. The two pollers share the amounts; the link's own is epoll.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
compile lossy_link -Wall -Wextra -Werror <"$source/tests/faults/lossy_link.c"
"$work/lossy_link" 0 0 true || exit $?
loss=50 delay=5 # of a thousand packets; milliseconds each way

pollers=(epoll)
compile poller <<'C'
#include <gofer.h>
int go_main(int argc, char **argv)
{
    go_fd *ends[2];
    return go_fd_pipe(ends);
}
C
refused=$(GOFER_POLLER=io_uring "$work/poller" 2>&1)
if [ "$refused" ]; then echo "$refused"; else pollers+=(io_uring); fi
share=${#pollers[@]}

# over_link WHAT PROGRAM ARGUMENTS…: the program passes with $poller over a link that lost something.
over_link() {
    local what="$1, $poller" output got
    shift
    output=$(timeout -s KILL 200 "$work/lossy_link" $loss $delay \
        env GOFER_POLLER="$poller" GOFER_DEBUG=poller "$@" 2>&1)
    got=$?
    if [ $got = 0 ] && [[ $output == *"GOFER_DEBUG=poller: $poller"* ]] && grep -q 'lost [1-9]' <<<"$output"; then
        echo "ok $what: $(tail -n 1 <<<"$output")"
    else
        printf 'FAIL %s: status %s; output:\n%.3000s\n' "$what" $got "$output"
        failed=1
    fi
}

for poller in "${pollers[@]}"; do
    over_link connections "$build/tests/connections_stress" $((60 / share)) 1 10.9.0.1 10.9.0.2
done

httpd=$build/tests/examples/httpd/httpd
if [ ! -x "$httpd" ] || ! command -v curl >/dev/null; then
    echo 'httpd or curl is not there: that part is left out'
    exit $failed
fi
mkdir "$work/root"
head -c $((3000000 / share)) /dev/urandom >"$work/root/file"
# The server's port is known when it has said it; all three at once, each over its own connection.
cat >"$work/fetch" <<'SCRIPT'
work=$1
exec 3< <(exec "$2" --listen 10.9.0.1:0 --root "$work/root" --log none --read-timeout 150s --write-timeout 150s 2>&1)
server=$!
while read -r line <&3 && [[ $line != *listening* ]]; do echo "$line"; done
for i in 1 2 3; do
    curl --silent --show-error --fail --max-time 150 -o "$work/got$i" "http://10.9.0.2:${line##*:}/file" &
    curls+=($!)
done
status=0
for curl in "${curls[@]}"; do wait "$curl" || status=$?; done
kill "$server"
wait "$server" || status=$?
for i in 1 2 3; do cmp "$work/root/file" "$work/got$i" || status=1; done
exit $status
SCRIPT
for poller in "${pollers[@]}"; do
    rm -f "$work"/got*
    over_link 'httpd and curl' bash "$work/fetch" "$work" "$httpd"
done

# Handshakes take their time here: the server waits for those that have begun when it stops.
if command -v python3 >/dev/null; then
    NEAR=10.9.0.1 FAR=10.9.0.2 timeout -s KILL 200 "$work/lossy_link" 0 20 python3 \
        "$source/tests/examples/httpd_raw_test.py" "$httpd" stopping_while_busy_loses_no_request || failed=1
fi
exit $failed

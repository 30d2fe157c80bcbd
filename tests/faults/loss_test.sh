#!/usr/bin/env bash
# Where packets are lost, doubled, delayed and overtaken all bytes arrive: held connections that
# talk, half-close, read slowly and lose their peer (connections_stress), and a file by httpd and
# curl. `ip` and `tc` are not needed, nor the kernel's netem: see lossy_link.c.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
compile lossy_link -Wall -Wextra -Werror <"$source/tests/faults/lossy_link.c"
"$work/lossy_link" 0 0 true || exit $?
loss=50 delay=5 # of a thousand packets; milliseconds each way

# passes WHAT STATUS: and prints $work/output where it did not.
passes() {
    if [ "$2" = 0 ] && grep -q 'lost [1-9]' "$work/output"; then
        echo "ok $1: $(tail -n 1 "$work/output")"
    else
        printf 'FAIL %s: status %s; output:\n%.3000s\n' "$1" "$2" "$(<"$work/output")"
        failed=1
    fi
}

timeout -s KILL 200 "$work/lossy_link" $loss $delay \
    "$build/tests/connections_stress" 60 1 10.9.0.1 10.9.0.2 >"$work/output" 2>&1
passes 'connections' $?

httpd=$build/tests/examples/httpd/httpd
if [ ! -x "$httpd" ] || ! command -v curl >/dev/null; then
    echo 'httpd or curl is not there: that part is left out'
    exit $failed
fi
mkdir "$work/root"
head -c 3000000 /dev/urandom >"$work/root/file"
# The server's port is known when it has said it; all three at once, each over its own connection.
cat >"$work/fetch" <<'SCRIPT'
work=$1
exec 3< <(exec "$2" --listen 10.9.0.1:0 --root "$work/root" --log none 2>&1)
server=$!
read -r line <&3
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
timeout -s KILL 200 "$work/lossy_link" $loss $delay bash "$work/fetch" "$work" "$httpd" >"$work/output" 2>&1
passes 'httpd and curl' $?
exit $failed

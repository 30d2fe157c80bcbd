#!/usr/bin/env bash
# Calls that promise ENOMEM keep the promise whichever of their requests for memory is refused.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
build=$(realpath "$build")
wrap=-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
compile short_memory -I"$source/tests/faults" $wrap,--wrap=posix_memalign <"$source/tests/faults/short_memory.c"
for what in accept output input-delay kill-delay singleflight-channel singleflight signals; do
    expect short_memory $what 0 'endured some'
done

# ---- TLS ----
if [ ! -f "$build/libgofer-tls.a" ] || ! command -v openssl >/dev/null; then
    echo 'libgofer-tls or the command openssl is not there: that part is left out'
    exit $failed
fi
compile short_memory_tls -I"$source/tests/faults" -I"$source/src" $wrap "$build/libgofer-tls.a" "$build/libgofer.a" \
    -lssl -lcrypto <"$source/tests/faults/short_memory_tls.c"
cd "$work" || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=gofer \
    -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null || exit 1
cat cert.pem cert.pem >chain.pem
for what in certificates roots show; do expect short_memory_tls $what 0 'endured some'; done
# the system's authorities are none: reading them asks for memory very often
export SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/dev/null
output=endured
for ((n = 1; n < 5000; n += 1 + n / 32)); do # each takes a process
    output=$("$work/short_memory_tls" defaults $n 2>&1)
    [ "$output" = endured ] || break
done
if [ "$output" = 'done' ] && [ $n -gt 1 ]; then
    echo "ok short_memory_tls defaults"
else
    printf 'FAIL short_memory_tls defaults %s: %.3000s\n' $n "$output"
    failed=1
fi
exit $failed

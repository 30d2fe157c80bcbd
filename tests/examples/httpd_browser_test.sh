#!/usr/bin/env bash
# A page of the example httpd in a browser: its parts, several connections at once, the API, in the
# clear and over TLS. Chromium is large (400 MB), so this is in the long form.
# usage: httpd_browser_test.sh PROGRAM
set -uo pipefail
program=$1
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo 'chromium is not installed: no browser loads a page of httpd'
    exit 77
}
command -v openssl >/dev/null || {
    echo 'openssl is not installed'
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

# The page counts what it got; a request that does not come back keeps it from its end.
mkdir "$work/www"
images=''
for i in $(seq 12); do
    echo "<svg xmlns='http://www.w3.org/2000/svg' width='$i' height='10'></svg>" >"$work/www/$i.svg"
    images+="<img src='$i.svg'>"
done
head -c 2000000 /dev/zero | tr '\0' x >"$work/www/large.txt"
echo 'h1 { width: 123px }' >"$work/www/style.css"
cat >"$work/www/script.js" <<'JS'
function get(method, path) { // in the way that delays the end of the page's loading
  const request = new XMLHttpRequest();
  request.open(method, path, false);
  request.send(method == "POST" ? "text" : null);
  return request.responseText;
}
for (let i = 0; i < 5; i++)
  get("POST", "/api/counter");
window.addEventListener("load", () => {
  const widths = [...document.images].map((image) => image.naturalWidth);
  document.querySelector("output").textContent = [
    "counter " + JSON.parse(get("GET", "/api/counter")).count,
    "images " + widths.reduce((a, b) => a + b),
    "style " + document.querySelector("h1").clientWidth,
    "large " + get("GET", "large.txt").length,
  ].join(", ");
});
JS
cat >"$work/www/index.html" <<HTML
<!doctype html><meta charset="utf-8"><title>page</title><link rel="stylesheet" href="style.css">
<h1>page</h1>$images<output></output><script src="script.js"></script>
HTML
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" \
    -out "$work/certificate.pem" -subj /CN=localhost -days 2 2>/dev/null

# page SCHEME OPTIONS…: a server, and the page of it.
page() {
    local scheme=$1 line got part
    shift
    mkfifo "$work/said"
    "$program" --listen 127.0.0.1:0 --root "$work/www" --log "$work/log" "$@" 2>"$work/said" &
    server=$!
    exec 3<"$work/said"
    rm "$work/said"
    read -r -t 60 line <&3
    got=$(timeout -s KILL 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --ignore-certificate-errors --user-data-dir="$work/profile" --dump-dom \
        "$scheme://${line##* }/" 2>"$work/browser")
    [[ $got == *'<output>counter 5, images 78, style 123, large 2000000</output>'* ]] ||
        fail "the page by $scheme: $(tail -n 3 <<<"$got"); the browser said: $(tail -n 5 "$work/browser")"
    kill -TERM "$server"
    wait "$server" || fail "the server ended with $?; it said: $(cat <&3)"
    server=''
    for part in / /style.css /script.js /large.txt /1.svg /12.svg; do
        grep -q "\"GET $part HTTP/1.1\" 200 " "$work/log" || fail "the log lacks $part by $scheme"
    done
    ! grep -E '" [45][0-9][0-9] ' "$work/log" | grep -v favicon || fail "answers that are errors, by $scheme"
    rm "$work/log"
}

page http
[ "$("$program" --help | grep -c tls-key)" = 0 ] ||
    page https --tls-certificate "$work/certificate.pem" --tls-key "$work/key.pem"
[ $failed = 1 ] || echo ok
exit $failed

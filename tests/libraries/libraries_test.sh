#!/usr/bin/env bash
# libpq, hiredis, libcurl and SQLite, as the system has them, under load in goroutines (load.c), and
# the programs of examples/libraries. The servers are the system's too; they listen in a folder that
# goes with them, or on a free port, and end with this script.
set -uo pipefail
source=$1 build=$2
here=$source/tests/libraries
failed=0

# missing WHAT: says so; a failure where all has to be there.
missing() {
    echo "$1 is not there: the test of existing libraries is left out"
    [ -z "${CI:-}" ] || exit 1
    exit 77
}
for command in pkg-config python3 redis-server setpriv; do
    command -v $command >/dev/null || missing $command
done
for library in libpq hiredis libcurl sqlite3; do
    pkg-config --exists $library || missing "the library $library"
done
# Debian keeps the server's commands out of the path.
postgres=$(command -v postgres || find /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -n 1)
[ -n "$postgres" ] || missing 'the PostgreSQL server'

# /var/tmp is on a disk where /tmp may be memory; and a socket's path is short.
work=$(mktemp -d /var/tmp/gofer-libraries.XXXXXX) || exit 1
servers=()
# shellcheck disable=SC2317 # the trap calls it
clean_up() {
    local pid
    for pid in "${servers[@]}"; do
        kill "$pid"
    done 2>/dev/null
    wait
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# Servers end with this script even where it is killed. PostgreSQL refuses root; a change of user undoes
# the first, so that comes last.
with_us=(setpriv --pdeathsig=TERM)
as_somebody=()
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id $user >/dev/null 2>&1 || user=nobody
    as_somebody=(setpriv "--reuid=$user" "--regid=$(id -g $user)" --clear-groups)
    chown "$user" "$work"
fi

# serve NAME COMMAND…: in the background.
serve() {
    local name=$1
    shift
    (cd "$work" && exec "$@") >"$work/$name.log" 2>&1 &
    servers+=($!)
}

# await NAME FILE: until the server has made it.
await() {
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        [ ! -e "$2" ] || return 0
        kill -0 "${servers[-1]}" 2>/dev/null || break
        sleep 0.05
    done
    echo "FAIL the server $1 did not start:"
    tail -n 20 "$work/$1.log"
    exit 1
}

(cd "$work" && "${as_somebody[@]}" "${postgres%/*}/initdb" -D "$work/data" -U gofer -A trust \
    --no-locale -E UTF8 --no-sync) >"$work/initdb.log" 2>&1 || {
    cat "$work/initdb.log"
    exit 1
}
serve postgres "${as_somebody[@]}" "${with_us[@]}" "$postgres" -D "$work/data" -c listen_addresses= -c fsync=off \
    -c "unix_socket_directories=$work" -c unix_socket_permissions=0777
await postgres "$work/.s.PGSQL.5432"
serve redis "${as_somebody[@]}" "${with_us[@]}" redis-server --port 0 --unixsocket "$work/redis.sock" \
    --unixsocketperm 777 --save '' --appendonly no
await redis "$work/redis.sock"
serve http "${with_us[@]}" python3 "$here/http_server.py" "$work/port"
await http "$work/port"
url=http://127.0.0.1:$(<"$work/port")

# compile NAME ARCHIVE FLAG…
compile() {
    local name=$1 archive=$2
    shift 2
    # the line's words are words
    # shellcheck disable=SC2046
    "${CC:-cc}" -std=gnu11 -O1 -g -Wall -Wextra -Werror "$@" -I"$source/include" \
        $(pkg-config --cflags libpq hiredis libcurl sqlite3) "$here"/*.c "$build/$archive" \
        $(pkg-config --libs libpq hiredis libcurl sqlite3) -pthread -o "$work/$name" || exit 1
}

# load NAME PROCESSORS
load() {
    local output
    output=$(GOMAXPROCS=$2 timeout --foreground -s QUIT -k 5 120 "$work/$1" "$work" "$url" 2>&1) || {
        printf 'FAIL %s, %s processors: status %s\n%.6000s\n' "$1" "$2" $? "$output"
        failed=1
        return
    }
    echo "ok $1: $output"
}

# example NAME EXPECTED ARGUMENT…: a program of examples/libraries, by the command.
example() {
    local name=$1 expected=$2 output
    shift 2
    output=$(GOFERCACHE=$work/cache GOFER_LIB=$build timeout --foreground -k 5 60 "$source/tools/gofer" run \
        "$source/examples/libraries/$name.c" "$@" 2>&1)
    if [ "$output" = "$expected" ]; then
        echo "ok examples/libraries/$name.c"
    else
        printf 'FAIL examples/libraries/%s.c: expected:\n%s\ngot:\n%s\n' "$name" "$expected" "$output"
        failed=1
    fi
}

example postgres 'the squares of 1 to 8 sum up to 204' "host=$work dbname=postgres user=gofer"
example redis '4 workers did jobs 1 to 100: 5050' "$work/redis.sock"
example curl "$url/echo/one: No error, status 200, 9 bytes
$url/three: No error, status 200, 6 bytes
http://127.0.0.1:1/: Couldn't connect to server, status 0, 0 bytes" "$url/echo/one" "$url/three" http://127.0.0.1:1/
example sqlite '100 rows, sum 5050' "$work/rows.db"

compile plain libgofer.a
load plain 1
load plain 2
[ ! -f "$build/gofer-asan/libgofer.a" ] || {
    compile asan gofer-asan/libgofer.a -fsanitize=address
    load asan 1
    load asan 2
}
exit $failed

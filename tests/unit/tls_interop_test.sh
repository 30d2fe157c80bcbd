#!/usr/bin/env bash
# libgofer-tls speaks with others: openssl s_client and s_server, and Go's crypto/tls where Go is
# installed. A row each: which side, what is done, what each side says of it.
set -uo pipefail
source=$1 build=$2
[ -f "$build/libgofer-tls.a" ] || {
    echo 'the library was built without OpenSSL 3 (libssl-dev)'
    exit 77
}
command -v openssl >/dev/null || {
    echo 'openssl is not installed'
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

# check NAME GOT EXPECTED: EXPECTED is a pattern.
check() {
    # shellcheck disable=SC2053
    if [[ $2 == $3 ]]; then
        echo "ok $1"
    else
        printf 'FAIL %s: got "%s", expected "%s"\n' "$1" "$2" "$3"
        failed=1
    fi
}

# ---- certificates and programs ---------------------------------------------------------------

# certificate NAME ISSUER EXTENSION
certificate() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" \
        -out "$1.csr" 2>/dev/null
    printf '%s\n' "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -days 30 -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -extfile "$1.ext" \
        -out "$1.pem" 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca \
    -days 30 2>/dev/null
certificate good ca 'subjectAltName=DNS:good.test,IP:127.0.0.1'
certificate user ca 'subjectAltName=DNS:user.test'

# ours client ADDRESS NAME [ALPN]: sends a line, prints the line that comes back, and the state.
# ours server [auth]: prints its port, then for each connection echoes, and prints the end.
cat >ours.c <<'C'
#include <gofer.h>
#include <gofer/tls.h>
#include <stdio.h>
#include <string.h>
static void echo(go_conn *conn)
{
    char bytes[16384];
    ssize_t n;
    go_tls_state state;
    char subject[100];
    while ((n = go_conn_read(conn, bytes, sizeof bytes)) > 0)
        go_conn_write(conn, bytes, (size_t)n);
    go_tls_connection_state(conn, &state);
    printf("%s, resumed %d, alpn \"%s\", peer \"%s\"\n", n ? go_net_error() : "end", state.resumed,
           state.alpn, go_tls_peer_subject(conn, subject, sizeof subject));
    go_conn_unref(conn);
}
static int serve(go_tls_config *config)
{
    go_conn *conn;
    go_listener *listener = go_tls_listen("tcp", "127.0.0.1:0", config);
    printf("%d\n", go_address_port(go_listener_local(listener)));
    fflush(stdout);
    while ((conn = go_listener_accept(listener)))
        go(echo, conn);
    return 1;
}
static int dial(const char *address, go_tls_config *config)
{
    char bytes[100];
    go_tls_state state;
    go_conn *conn = go_tls_dial("tcp", address, config);
    if (!conn || go_conn_write(conn, "hello\n", 6) != 6) {
        puts(go_net_error());
        return 1;
    }
    ssize_t n = go_conn_read_full(conn, bytes, 6);
    if (n != 6) {
        puts(n < 0 || errno ? go_net_error() : "end");
        return 1;
    }
    go_tls_connection_state(conn, &state);
    printf("%.5s, version %x, alpn \"%s\"\n", bytes, state.version, state.alpn);
    go_conn_unref(conn);
    return 0;
}
int go_main(int argc, char **argv)
{
    go_tls_config *config = go_tls_config_new();
    const char *alpn = argc > 4 ? argv[4] : "";
    if (argc > 1 && strcmp(argv[1], "client") == 0) {
        go_tls_config_add_root_file(config, "ca.pem");
        go_tls_config_set_server_name(config, argv[3]);
        if (strcmp(alpn, "user") == 0)
            go_tls_config_add_certificate_file(config, "user.pem", "user.key");
        else
            go_tls_config_set_alpn(config, alpn);
        return dial(argv[2], config);
    }
    go_tls_config_add_certificate_file(config, "good.pem", "good.key");
    go_tls_config_set_alpn(config, "h2,http/1.1");
    if (argc > 2) {
        go_tls_config_add_client_ca_file(config, "ca.pem");
        go_tls_config_set_client_auth(config, GO_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT);
    }
    return serve(config);
}
C
cc -std=gnu11 -O2 -Wall -Wextra -Werror -I"$source/include" ours.c "$build/libgofer-tls.a" "$build/libgofer.a" \
    -lssl -lcrypto -pthread -o ours || exit 1

# server NAME COMMAND...: starts it, and sets `address`; it prints its port on its first line.
servers=()
server() {
    local name=$1 port='' i
    shift
    : >"$name.out"
    "$@" >"$name.out" 2>&1 &
    servers+=($!)
    for ((i = 0; i < 600; i++)); do
        read -r port <"$name.out" && break
        kill -0 "${servers[-1]}" 2>/dev/null || break
        sleep 0.1 # until the file has a line
    done
    address=127.0.0.1:$port
}
stop() {
    local pid
    for pid in "${servers[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    servers=()
}
trap 'stop; rm -rf "$work"' EXIT

# said NAME PATTERN: waits for a line of a server's.
said() {
    local i
    for ((i = 0; i < 300; i++)); do
        grep -q -- "$2" "$1.out" && return
        sleep 0.1
    done
    return 1
}

# ---- openssl s_client ------------------------------------------------------------------------

# s_client ARGUMENTS: what it prints; its input stays open until the answer came.
s_client() {
    mkfifo in
    timeout 60 openssl s_client -connect "$address" -CAfile ca.pem -verify_return_error -quiet -no_ign_eof "$@" <in >answer 2>log &
    local pid=$! line=''
    exec 4>in
    printf '%s\n' "${lines[@]}" >&4
    local i
    for ((i = 0; i < 600; i++)); do
        [ "$(wc -l <answer)" -ge "${#expected_lines[@]}" ] && break
        kill -0 $pid 2>/dev/null || break
        sleep 0.1
    done
    exec 4>&-
    wait $pid
    rm in
    tr '\n' ' ' <answer
}

server ours ./ours server
lines=(hello) expected_lines=(1)
check 's_client: an echo' "$(s_client -servername good.test -verify_hostname good.test)" 'hello '
check 's_client: close_notify is the end' "$(said ours '^end, resumed 0' && echo yes)" yes
check 's_client: TLS 1.2' "$(s_client -tls1_2 -verify_ip 127.0.0.1)" 'hello '
check 's_client: ALPN' "$(s_client -alpn http/1.1,h2)$(said ours 'alpn "h2"' && echo chosen)" 'hello chosen'
check 's_client: another name' "$(s_client -verify_hostname wrong.test)" ''
check 's_client: its alert' "$(said ours '^remote error: tls: ' && echo yes)" yes
check 's_client: TLS 1.1' "$(s_client -tls1_1 -cipher ALL:@SECLEVEL=0)" ''
check 's_client: resumption' "$(openssl s_client -connect "$address" -CAfile ca.pem -sess_out session -ign_eof <<<'x' >/dev/null 2>&1 &
    pid=$!
    for ((i = 0; i < 100; i++)); do [ -s session ] && break; sleep 0.1; done
    kill $pid
    wait $pid 2>/dev/null
    s_client -sess_in session)$(said ours 'resumed 1' && echo resumed)" 'hello resumed'
# A key update that asks for one in return.
lines=(hello K again) expected_lines=(1 2)
mkfifo keys
timeout 60 openssl s_client -connect "$address" -CAfile ca.pem <keys >answer 2>log &
exec 5>keys
for line in hello K again; do # K is a command where it is alone in what is read
    printf '%s\n' "$line" >&5
    for ((i = 0; i < 100; i++)); do
        [ "$line" = K ] && grep -q KEYUPDATE log && break
        [ "$line" != K ] && grep -q "^$line" answer && break
        sleep 0.1
    done
done
exec 5>&-
wait $!
check 's_client: a key update' "$(grep -c -e '^hello' -e '^again' answer) $(grep -o KEYUPDATE log)" '2 KEYUPDATE'
stop

server strict ./ours server auth
lines=(hello) expected_lines=(1)
check 's_client: with a certificate' "$(s_client -cert user.pem -key user.key)$(said strict 'peer "CN=user"' && echo known)" \
    'hello known'
check 's_client: without one' "$(s_client)$(said strict "^tls: client didn't provide a certificate" && echo told)" told
stop

# ---- openssl s_server ------------------------------------------------------------------------

# s_server ARGUMENTS: on a free port, sends back each line reversed.
s_server() {
    rm -f said # the one before's has its port
    server theirs bash -c '
        openssl s_server -accept 127.0.0.1:0 -cert good.pem -key good.key -rev "$@" >said 2>&1 </dev/null &
        trap "kill $!" TERM EXIT
        for ((i = 0; i < 300; i++)); do
            port=$(sed -n "s/^ACCEPT 127.0.0.1://p" said 2>/dev/null)
            [ -z "$port" ] || { echo "$port"; break; }
            sleep 0.1
        done
        wait' bash "$@"
}

s_server
check 's_server: lines' "$(./ours client "$address" good.test)" 'olleh, version 304, alpn ""'
check 's_server: an address' "$(./ours client "$address" 127.0.0.1)" 'olleh, version 304, alpn ""'
check 's_server: another name' "$(./ours client "$address" wrong.test)" \
    'tls: failed to verify certificate: x509: certificate is valid for good.test, not wrong.test'
stop
s_server -tls1_2 -alpn h2
check 's_server: TLS 1.2 and ALPN' "$(./ours client "$address" good.test http/1.1,h2)" 'olleh, version 303, alpn "h2"'
stop
s_server -tls1_1 -cipher ALL:@SECLEVEL=0
check 's_server: TLS 1.1' "$(./ours client "$address" good.test)" '*protocol version not supported'
stop
s_server -Verify 1 -CAfile ca.pem -verify_return_error
check 's_server: with a certificate' "$(./ours client "$address" good.test user)" 'olleh, *'
check 's_server: without one' "$(./ours client "$address" good.test)" 'remote error: tls: certificate required'
stop

# ---- Go's crypto/tls -------------------------------------------------------------------------

command -v go >/dev/null || {
    echo 'Go is not installed: left out'
    exit $failed
}
mkdir theirs
cat >theirs/main.go <<'GO'
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
)

func echo(conn *tls.Conn) {
	_, err := io.Copy(conn, conn)
	state := conn.ConnectionState()
	fmt.Printf("%v, resumed %v, alpn %q, peers %d\n", err, state.DidResume, state.NegotiatedProtocol, len(state.PeerCertificates))
	conn.Close()
}

func dial(address string, config *tls.Config) {
	conn, err := tls.Dial("tcp", address, config)
	if err == nil {
		_, err = conn.Write([]byte("hello\n"))
	}
	line := make([]byte, 6)
	if err == nil {
		_, err = io.ReadFull(conn, line)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	state := conn.ConnectionState()
	conn.CloseWrite()
	_, err = io.ReadFull(conn, line[:1])
	fmt.Printf("%.5s, version %x, resumed %v, alpn %q, %v\n", line, state.Version, state.DidResume, state.NegotiatedProtocol, err)
	conn.Close()
}

func main() {
	pem, _ := os.ReadFile("ca.pem")
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: pool, ClientCAs: pool, ClientSessionCache: tls.NewLRUClientSessionCache(2)}
	if os.Args[1] == "client" {
		config.ServerName = os.Args[3]
		for _, word := range os.Args[4:] {
			switch word {
			case "1.2":
				config.MaxVersion = tls.VersionTLS12
			case "user":
				pair, _ := tls.LoadX509KeyPair("user.pem", "user.key")
				config.Certificates = append(config.Certificates, pair)
			case "again":
				dial(os.Args[2], config)
			default:
				config.NextProtos = append(config.NextProtos, word)
			}
		}
		dial(os.Args[2], config)
		return
	}
	pair, _ := tls.LoadX509KeyPair("good.pem", "good.key")
	config.Certificates = append(config.Certificates, pair)
	config.NextProtos = []string{"h2", "http/1.1"}
	for _, word := range os.Args[2:] {
		switch word {
		case "1.2":
			config.MaxVersion = tls.VersionTLS12
		case "auth":
			config.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	listener, _ := tls.Listen("tcp", "127.0.0.1:0", config)
	var port string
	fmt.Sscanf(listener.Addr().String(), "127.0.0.1:%s", &port)
	fmt.Println(port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go echo(conn.(*tls.Conn))
	}
}
GO
(cd theirs && GO111MODULE=off go build -o ../go-tls main.go) || exit 1

server ours ./ours server
check "Go's client: lines, and the end" "$(./go-tls client "$address" good.test)" 'hello, version 304, resumed false, alpn "", EOF'
check "Go's client: TLS 1.2, ALPN" "$(./go-tls client "$address" 127.0.0.1 1.2 http/1.1)" 'hello, version 303, *alpn "http/1.1", EOF'
check "Go's client: resumption" "$(./go-tls client "$address" good.test again)" '*resumed false*resumed true*'
check "Go's client: another name" "$(./go-tls client "$address" wrong.test)" \
    'tls: failed to verify certificate: x509: certificate is valid for good.test, not wrong.test'
check "Go's client: its alert" "$(said ours '^remote error: tls: bad certificate' && echo told)" told
check "Go's client: no common protocol" "$(./go-tls client "$address" good.test imap)" 'remote error: tls: no application protocol'
stop
server strict ./ours server auth
check "Go's client: with a certificate" "$(./go-tls client "$address" good.test user)" 'hello, *, EOF'
check "Go's client: without one" "$(./go-tls client "$address" good.test)" 'remote error: tls: certificate required'
stop

server theirs ./go-tls server
check "Go's server: lines" "$(./ours client "$address" good.test)" 'hello, version 304, alpn ""'
check "Go's server: it hears the end" "$(said theirs '^<nil>, ' && echo yes)" yes
check "Go's server: ALPN" "$(./ours client "$address" good.test http/1.1)" 'hello, version 304, alpn "http/1.1"'
check "Go's server: another name" "$(./ours client "$address" wrong.test)" '*certificate is valid for good.test, not wrong.test'
stop
server theirs ./go-tls server 1.2 auth
check "Go's server: TLS 1.2, with a certificate" "$(./ours client "$address" good.test user)" 'hello, version 303, *'
check "Go's server: without one" "$(./ours client "$address" good.test)" 'remote error: tls: *'
stop
exit $failed

/* TLS over connections, with OpenSSL 3. Go's package crypto/tls.
 *
 *     go_conn *conn = go_tls_dial("tcp", "example.org:443", NULL);
 *     if (!conn)
 *         puts(go_net_error()); // tls: failed to verify certificate: x509: ...
 *
 * A library of its own, which gofer.h does not include: link -lgofer-tls -lssl -lcrypto, or
 * pkg-config gofer-tls. What these calls give is a go_conn: reading, writing, deadlines, contexts
 * and closing are go_conn's. The handshake is made by the first of go_tls_handshake, a read and a
 * write. One may read and one may write at a time; go_conn_close_write sends close_notify.
 *
 * A client verifies its server: the chain to the system's roots (SSL_CERT_FILE, SSL_CERT_DIR) or to
 * the config's, and the name or the IP address. TLS 1.2 is the least version; there is no
 * renegotiation.
 *
 * Errors are as in net.h, and besides: EKEYREJECTED: the peer's certificate did not verify. EPROTO:
 * the peer refused (an alert), or does not speak TLS. ECONNABORTED: the peer's bytes ended without
 * close_notify ("unexpected EOF"), so somebody may have cut them off; the true end is a read of 0.
 * After a write that failed midway every later one fails as it did; a handshake or a read that
 * ended by a deadline or a context may be called again.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_TLS_H
#define GOFER_TLS_H

#include <gofer/net.h>

GOFER_BEGIN

/* ---- configurations -------------------------------------------------------------------------- */

/* What clients and servers present and demand. Set it up, then use it, for any number of
 * connections of both kinds and by all at a time; a change after the first use is undefined.
 * Go: tls.Config. */
typedef struct go_tls_config go_tls_config;

/* A configuration with Go's defaults and one reference. NULL and errno: ENOMEM. Does not block, nor
 * does any call of a config's but those that read files. Go: &tls.Config{}. */
GOFER_API go_tls_config *go_tls_config_new(void);

/* One more reference, and config; one less. Each connection and listener has one. unref(NULL) does
 * nothing. */
GOFER_API go_tls_config *go_tls_config_ref(go_tls_config *config);
GOFER_API void go_tls_config_unref(go_tls_config *config);

/* A certificate with its chain, and its private key, as PEM files or texts. Of several a server
 * takes one that is valid for the name that the client asks for, of a kind that the client can
 * verify; where none is, the first. 0, or -1 with errno: EINVAL, ENOMEM, or why a file could not be
 * read. Go: LoadX509KeyPair, X509KeyPair, Config.Certificates. */
GOFER_API int go_tls_config_add_certificate_file(go_tls_config *config, const char *certificate,
                                                 const char *key);
GOFER_API int go_tls_config_add_certificate(go_tls_config *config, const char *certificate_pem,
                                            const char *key_pem);

/* More authorities that a client trusts, in place of the system's. 0, or -1 with errno, as above.
 * Go: CertPool.AppendCertsFromPEM, Config.RootCAs. */
GOFER_API int go_tls_config_add_root_file(go_tls_config *config, const char *path);
GOFER_API int go_tls_config_add_root(go_tls_config *config, const char *pem);

/* More authorities that a server accepts clients' certificates from. 0, or -1 with errno, as above.
 * Go: Config.ClientCAs. */
GOFER_API int go_tls_config_add_client_ca_file(go_tls_config *config, const char *path);
GOFER_API int go_tls_config_add_client_ca(go_tls_config *config, const char *pem);

/* What a server does about its client's certificate. Go: tls.ClientAuthType. */
typedef enum go_tls_client_auth {
    GO_TLS_NO_CLIENT_CERT,
    GO_TLS_REQUEST_CLIENT_CERT,     /* asks, and takes any or none */
    GO_TLS_REQUIRE_ANY_CLIENT_CERT, /* does not verify it */
    GO_TLS_VERIFY_CLIENT_CERT_IF_GIVEN,
    GO_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT,
} go_tls_client_auth;

/* By default GO_TLS_NO_CLIENT_CERT. Go: Config.ClientAuth. */
GOFER_API void go_tls_config_set_client_auth(go_tls_config *config, go_tls_client_auth auth);

/* Protocols that may follow, the best first: "h2,http/1.1". A server that has none in common with
 * its client refuses it. 0, or -1 with errno: EINVAL (a name is empty or longer than 255).
 * Go: Config.NextProtos. */
GOFER_API int go_tls_config_set_alpn(go_tls_config *config, const char *protocols);

/* Versions, as they are written in the protocol. */
#define GO_TLS_1_2 0x0303
#define GO_TLS_1_3 0x0304

/* The least and the greatest version; 0: the default, TLS 1.2 and the newest. 0, or -1 with errno:
 * EINVAL (less than TLS 1.2, or unknown). Go: Config.MinVersion, MaxVersion. */
GOFER_API int go_tls_config_set_versions(go_tls_config *config, int min, int max);

/* The name that go_tls_dial verifies in place of the host that it dials; NULL: the host. 0, or -1
 * with errno. Go: Config.ServerName. */
GOFER_API int go_tls_config_set_server_name(go_tls_config *config, const char *name);

/* Not 0: clients take any certificate for any name, so that whoever is in between can read and
 * change all. For tests. Go: Config.InsecureSkipVerify. */
GOFER_API void go_tls_config_set_insecure_skip_verify(go_tls_config *config, int skip);

/* Clients keep the sessions of up to `sessions` servers, and resume them; 0, the default: none.
 * Go: Config.ClientSessionCache, NewLRUClientSessionCache. */
GOFER_API void go_tls_config_set_session_cache(go_tls_config *config, int sessions);

/* Whether a server lets clients resume sessions; by default it does. Go:
 * Config.SessionTicketsDisabled. */
GOFER_API void go_tls_config_set_session_tickets(go_tls_config *config, int on);

/* OpenSSL's own configuration below, without a reference, for what has no call here: cipher lists,
 * key logs. Its options, callbacks for certificates, sessions and ALPN, and stores are the
 * library's. Callbacks must not block. Not in Go. */
GOFER_API struct ssl_ctx_st *go_tls_config_ssl_ctx(go_tls_config *config);

/* ---- connections ----------------------------------------------------------------------------- */

/* A TLS connection over conn, which carries a stream, and whose reference it takes over; the
 * config's it shares. The server must prove to be server_name, a name or an IP address; NULL only
 * where the config skips that. config NULL: the defaults. Does not block. NULL and errno, and conn
 * stays the caller's: EINVAL, ENOMEM. Go: tls.Client. */
GOFER_API go_conn *go_tls_client(go_conn *conn, go_tls_config *config, const char *server_name);

/* The other side; the config has a certificate. Go: tls.Server. */
GOFER_API go_conn *go_tls_server(go_conn *conn, go_tls_config *config);

/* Dials, and makes the handshake. A dialer's timeout is for both; NULL is go_dial's way. NULL and
 * errno. Blocks. Go: tls.Dial, DialWithDialer, Dialer.DialContext. */
GOFER_API go_conn *go_tls_dial(const char *network, const char *address, go_tls_config *config);
GOFER_API go_conn *go_tls_dial_ctx(go_context *ctx, const char *network, const char *address,
                                   go_tls_config *config);
GOFER_API go_conn *go_tls_dialer_dial_ctx(go_context *ctx, const go_dialer *dialer,
                                          const char *network, const char *address,
                                          go_tls_config *config);

/* Listens, and accepts TLS connections, each of which makes its handshake at its first use: not in
 * accept, so that no client holds the others up. Blocks as go_listen. NULL and errno.
 * Go: tls.Listen. */
GOFER_API go_listener *go_tls_listen(const char *network, const char *address,
                                     go_tls_config *config);

/* From now on the listener, which nobody else uses yet, accepts TLS connections. Does not block. 0,
 * or -1 with errno: EINVAL (the config has no certificate). Go: tls.NewListener. */
GOFER_API int go_tls_listener(go_listener *listener, go_tls_config *config);

/* Makes the handshake if it was not made. 0, or -1 with errno: EINVAL: this is no TLS connection.
 * Blocks. Go: Conn.Handshake, HandshakeContext. */
GOFER_API int go_tls_handshake(go_conn *conn);
GOFER_API int go_tls_handshake_ctx(go_context *ctx, go_conn *conn);

/* What the handshake came to. Go: tls.ConnectionState. */
typedef struct go_tls_state {
    int handshake_complete; /* 0: all below is empty */
    int version;            /* GO_TLS_1_2, GO_TLS_1_3 */
    int resumed;
    int has_peer_certificate;
    const char *cipher;    /* "TLS_AES_128_GCM_SHA256"; a constant */
    char alpn[256];        /* "": none was chosen */
    char server_name[256]; /* what the client asked for */
} go_tls_state;

/* Fills *state. Does not block. 0, or -1 with errno: EINVAL: this is no TLS connection.
 * Go: Conn.ConnectionState. */
GOFER_API int go_tls_connection_state(go_conn *conn, go_tls_state *state);

/* The subject of the peer's certificate as "CN=a,O=b" (RFC 2253), cut after size bytes with the
 * final zero; "" where there is none. Returns buf. Does not block.
 * Go: ConnectionState.PeerCertificates[0].Subject. */
GOFER_API char *go_tls_peer_subject(go_conn *conn, char *buf, size_t size);

/* The certificates that the peer sent, its own first, as PEM, for free(). NULL and errno: ENOENT
 * (it sent none), EINVAL, ENOMEM. Does not block. Go: ConnectionState.PeerCertificates. */
GOFER_API char *go_tls_peer_pem(go_conn *conn);

/* The connection below, without a reference, for its socket's options; whoever reads or writes
 * there breaks the stream. NULL: this is no TLS connection. Does not block. Go: Conn.NetConn. */
GOFER_API go_conn *go_tls_net_conn(go_conn *conn);

GOFER_END
#endif

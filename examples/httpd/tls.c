/* TLS under the server's connections: by libgofer-tls, where the system has OpenSSL. */
// gofer: flags -DHTTPD_TLS
// gofer: link -lgofer-tls -lssl -lcrypto
#include "httpd.h"

#include <errno.h>
#include <stdio.h>

#ifdef HTTPD_TLS
#include <gofer/tls.h>

struct go_tls_config *tls_open(const char *certificate, const char *key)
{
    go_tls_config *config = go_tls_config_new();
    if (!config || go_tls_config_add_certificate_file(config, certificate, key) != 0 ||
        go_tls_config_set_alpn(config, "http/1.1") != 0) {
        go_tls_config_unref(config);
        return NULL;
    }
    return config;
}

go_conn *tls_accept(const struct settings *settings, go_conn *conn)
{
    go_conn *secure = settings->tls ? go_tls_server(conn, settings->tls) : conn;
    if (!secure)
        go_conn_unref(conn);
    return secure;
}

bool tls_handshake(struct connection *c)
{
    const struct settings *settings = c->server->settings;
    if (!settings->tls)
        return true;
    go_conn_set_deadline(c->conn, go_now() + settings->read_timeout);
    int result = go_tls_handshake_ctx(c->server->stopping, c->conn);
    if (result != 0 && errno == ECANCELED) { /* its request may be under way */
        go_conn_set_deadline(c->conn, go_now() + settings->last_call);
        result = go_tls_handshake_ctx(c->server->cutting, c->conn);
    }
    if (result != 0)
        fprintf(stderr, "httpd: handshake with %s: %s\n", c->peer, go_net_error());
    go_conn_set_deadline(c->conn, 0);
    return result == 0;
}
#else
struct go_tls_config *tls_open(const char *certificate, const char *key)
{
    (void)certificate, (void)key;
    errno = ENOTSUP;
    return NULL;
}

go_conn *tls_accept(const struct settings *settings, go_conn *conn)
{
    (void)settings;
    return conn;
}

bool tls_handshake(struct connection *c)
{
    (void)c;
    return true;
}
#endif

/* Making TLS connections: of others, by dialling, by accepting. */
#include "tls/tls.h"

/* ---- whom to verify -------------------------------------------------------------------------- */

/* The name without brackets, zone or a final dot. False: it is none. */
static bool normalize(const char *name, char *host)
{
    size_t length = strlen(name);
    if (length >= GOFER_TLS_NAME)
        return false;
    memcpy(host, name, length + 1);
    if (length > 1 && host[0] == '[' && host[length - 1] == ']') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = 0;
    }
    char *zone = strchr(host, ':') ? strchr(host, '%') : NULL;
    if (zone)
        *zone = 0;
    length = strlen(host);
    if (length && host[length - 1] == '.')
        host[length - 1] = 0;
    return *host != 0;
}

/* Asks the server to be `server_name`, and sends the name, unless it is an IP address. */
static bool expect_server(gofer_tls_conn *tls)
{
    const char *host = tls->server_name;
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
    bool is_address = gofer_tls_is_address(host);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (tls->verifies && !(is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
                                      : X509_VERIFY_PARAM_set1_host(param, host, 0)))
        return false;
    return is_address || SSL_set_tlsext_host_name(tls->ssl, host) == 1;
}

/* ---- both sides ------------------------------------------------------------------------------ */

/* Sets an SSL up for a client. False: OpenSSL has no memory. */
static bool set_up_client(gofer_tls_conn *tls)
{
    tls->verifies = !tls->config->skips_verification;
    SSL_set_connect_state(tls->ssl);
    SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, gofer_tls_verify);
    if (!tls->server_name)
        return true;
    if (!expect_server(tls))
        return false;
    if (tls->config->most_sessions) {
        SSL_SESSION *session = gofer_tls_session_get(tls->config, tls->server_name);
        if (session)
            SSL_set_session(tls->ssl, session);
        SSL_SESSION_free(session);
    }
    return true;
}

static bool set_up_server(gofer_tls_conn *tls)
{
    go_tls_client_auth auth = tls->config->client_auth;
    int mode = auth == GO_TLS_NO_CLIENT_CERT ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
    if (auth == GO_TLS_REQUIRE_ANY_CLIENT_CERT || auth == GO_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    tls->verifies = auth >= GO_TLS_VERIFY_CLIENT_CERT_IF_GIVEN;
    SSL_set_accept_state(tls->ssl);
    SSL_set_verify(tls->ssl, mode, gofer_tls_verify);
    return true;
}

/* Whom to trust, and the buffers. False: no memory. */
static bool set_up_ssl(gofer_tls_conn *tls, X509_STORE *store, bool is_server)
{
    tls->ssl = SSL_new(tls->config->context);
    if (!tls->ssl || !store || !SSL_set1_verify_cert_store(tls->ssl, store))
        return false;
    SSL_set_app_data(tls->ssl, tls);
    return gofer_tls_set_buffers(tls) && (is_server ? set_up_server(tls) : set_up_client(tls));
}

/* Takes conn's reference over where it succeeds. NULL: a failure is published. */
static go_conn *new_connection(go_conn *conn, go_tls_config *config, const char *host,
                               bool is_server)
{
    X509_STORE *store = gofer_tls_store(is_server ? config->client_cas : config->roots);
    gofer_tls_conn *tls = malloc(sizeof *tls);
    if (tls) {
        memset(tls, 0, offsetof(gofer_tls_conn, in));
        tls->config = config;
        tls->server_name = host ? strdup(host) : NULL;
        go_semaphore_init(&tls->handshake_turn, 1);
        go_semaphore_init(&tls->read_turn, 1);
        go_semaphore_init(&tls->write_turn, 1);
    }
    gofer_tls_enter();
    bool made = tls && (!host || tls->server_name) && set_up_ssl(tls, store, is_server);
    gofer_tls_leave();
    if (!made) {
        if (tls) {
            SSL_free(tls->ssl);
            free(tls->server_name);
        }
        free(tls);
        gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
        return NULL;
    }
    go_tls_config_ref(config);
    tls->inner = conn;
    tls->conn.kind = &gofer_tls_kind;
    tls->conn.network = conn->network;
    atomic_store_explicit(&tls->conn.references, 1, memory_order_relaxed);
    tls->conn.is_connected = conn->is_connected;
    tls->conn.local = conn->local;
    tls->conn.remote = conn->remote;
    return &tls->conn;
}

go_conn *go_tls_client(go_conn *conn, go_tls_config *config, const char *server_name)
{
    char host[GOFER_TLS_NAME];
    if (!config && !(config = gofer_tls_default_config()))
        return NULL;
    if (!server_name && !config->skips_verification) {
        gofer_tls_fail(EINVAL, "tls: either ServerName or InsecureSkipVerify must be specified in "
                               "the tls.Config");
        return NULL;
    }
    if (server_name && !normalize(server_name, host)) {
        gofer_tls_fail(EINVAL, "tls: invalid server name %s", server_name);
        return NULL;
    }
    return new_connection(conn, config, server_name ? host : NULL, false);
}

static bool can_serve(const go_tls_config *config)
{
    if (config && config->certificates)
        return true;
    gofer_tls_fail(EINVAL, "tls: neither Certificates, GetCertificate, nor GetConfigForClient set "
                           "in Config");
    return false;
}

go_conn *go_tls_server(go_conn *conn, go_tls_config *config)
{
    return can_serve(config) ? new_connection(conn, config, NULL, true) : NULL;
}

/* ---- dialling -------------------------------------------------------------------------------- */

/* Makes conn, whose reference it takes over, a TLS connection. NULL: a failure is published. */
static go_conn *connect_over(go_context *ctx, go_conn *conn, go_tls_config *config,
                             const char *host)
{
    go_conn *tls = go_tls_client(conn, config, host);
    if (tls && go_tls_handshake_ctx(ctx, tls) == 0)
        return tls;
    go_conn_unref(tls ? tls : conn);
    return NULL;
}

/* The host of an address, or what the config has in its place. */
static void server_name_of(const char *network, const char *address, const go_tls_config *config,
                           char *host, size_t size)
{
    char port[GOFER_TLS_NAME];
    if (config && *config->server_name)
        gofer_net_join(host, size, config->server_name, (char *)NULL);
    else if (strncmp(network, "unix", 4) == 0 ||
             go_split_host_port(address, host, size, port, sizeof port) != 0)
        gofer_net_join(host, size, address, (char *)NULL);
    if (!*host) /* ":443" is this machine */
        gofer_net_join(host, size, "localhost", (char *)NULL);
}

go_conn *go_tls_dialer_dial_ctx(go_context *ctx, const go_dialer *dialer, const char *network,
                                const char *address, go_tls_config *config)
{
    char host[GOFER_TLS_NAME];
    bool has_timeout = dialer && dialer->timeout != 0;
    go_context *timed = has_timeout ? go_context_with_timeout(ctx, dialer->timeout) : ctx;
    if (has_timeout && !timed) {
        gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
        return NULL;
    }
    go_conn *conn = dialer ? go_dialer_dial_ctx(timed, dialer, network, address)
                           : go_dial_ctx(timed, network, address);
    if (conn) {
        server_name_of(network, address, config, host, sizeof host);
        conn = connect_over(timed, conn, config, host);
    }
    if (has_timeout) {
        int kept = errno;
        go_context_end(timed);
        errno = kept;
    }
    return conn;
}

go_conn *go_tls_dial_ctx(go_context *ctx, const char *network, const char *address,
                         go_tls_config *config)
{
    return go_tls_dialer_dial_ctx(ctx, NULL, network, address, config);
}

go_conn *go_tls_dial(const char *network, const char *address, go_tls_config *config)
{
    return go_tls_dialer_dial_ctx(NULL, NULL, network, address, config);
}

/* ---- listening ------------------------------------------------------------------------------- */

static go_conn *wrap_accepted(void *config, go_conn *conn)
{
    go_conn *tls = new_connection(conn, config, NULL, true);
    if (!tls)
        go_conn_unref(conn);
    return tls;
}

static void drop_config(void *config)
{
    go_tls_config_unref(config);
}

int go_tls_listener(go_listener *listener, go_tls_config *config)
{
    if (!can_serve(config))
        return -1;
    gofer_listener_wrap(listener, wrap_accepted, drop_config, go_tls_config_ref(config));
    return 0;
}

go_listener *go_tls_listen(const char *network, const char *address, go_tls_config *config)
{
    go_listener *listener = can_serve(config) ? go_listen(network, address) : NULL;
    if (listener)
        go_tls_listener(listener, config);
    return listener;
}

/* TLS over loopback: handshakes and what makes them fail, bytes both ways, deadlines, contexts,
 * closing, truncation, resumption. The certificates are made here. */
#include "unit.h"

#include <sys/uio.h>

#ifndef GOFER_HAVE_TLS

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("the library was built without OpenSSL 3 (libssl-dev): TLS was not tested");
    return 77;
}

#else

#include <gofer/tls.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <unistd.h>

#define CHECK_HAS(got, expected)                                                                  \
    do {                                                                                          \
        const char *got_ = (got), *expected_ = (expected);                                        \
        if (!strstr(got_, expected_)) {                                                           \
            fprintf(stderr, "%s:%d: %s: got \"%s\", expected \"...%s...\"\n", __FILE__, __LINE__, \
                    #got, got_, expected_);                                                       \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

/* A call that should have succeeded. */
#define CHECK_OK(call)                                                                     \
    do {                                                                                   \
        if ((call) != 0) {                                                                 \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, go_net_error()); \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

static void *need(void *made, const char *what)
{
    if (made)
        return made;
    fprintf(stderr, "%s: %s\n", what, go_net_error());
    exit(1);
}

/* ---- certificates ---------------------------------------------------------------------------- */

typedef struct identity {
    X509 *certificate;
    EVP_PKEY *key;
    char *certificate_pem, *key_pem;
} identity;

enum { DAY = 86400 };

static char *text_of(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)size);
    BIO_free(bio);
    return text;
}

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    CHECK(extension != NULL, 1);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* A certificate with these alternative names (NULL: none; "CA": it is an authority), valid for
 * `days` from now, signed by the issuer (NULL: by itself). */
static identity make_identity(const identity *issuer, const char *name, const char *alternatives,
                              int days, bool is_rsa)
{
    static long serial;
    identity made = { .certificate = X509_new(),
                      .key = is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256") };
    X509 *certificate = made.certificate;
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool is_authority = alternatives && strcmp(alternatives, "CA") == 0;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -30L * DAY);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)days * DAY);
    X509_set_pubkey(certificate, made.key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509 *by = issuer ? issuer->certificate : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(by));
    if (is_authority)
        add_extension(certificate, by, NID_basic_constraints, "critical,CA:TRUE");
    else if (alternatives)
        add_extension(certificate, by, NID_subject_alt_name, alternatives);
    CHECK(X509_sign(certificate, issuer ? issuer->key : made.key, EVP_sha256()) > 0, 1);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    made.certificate_pem = text_of(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, made.key, NULL, NULL, 0, NULL, NULL);
    made.key_pem = text_of(bio);
    return made;
}

static void drop_identity(identity *one)
{
    X509_free(one->certificate);
    EVP_PKEY_free(one->key);
    free(one->certificate_pem);
    free(one->key_pem);
}

static identity authority, other_authority, good, good_rsa, expired, unknown, nameless, other_name,
    user, stranger;

static void make_identities(void)
{
    authority = make_identity(NULL, "authority", "CA", 30, false);
    other_authority = make_identity(NULL, "another authority", "CA", 30, false);
    good =
        make_identity(&authority, "good", "DNS:good.test,DNS:*.wild.test,IP:127.0.0.1", 30, false);
    good_rsa = make_identity(&authority, "good RSA", "DNS:good.test", 30, true);
    expired = make_identity(&authority, "expired", "DNS:good.test", -1, false);
    unknown = make_identity(&other_authority, "unknown", "DNS:good.test", 30, false);
    nameless = make_identity(&authority, "good.test", NULL, 30, false);
    other_name = make_identity(&authority, "other", "DNS:other.test", 30, false);
    user = make_identity(&authority, "user", NULL, 30, false);
    stranger = make_identity(&other_authority, "stranger", NULL, 30, false);
}

static void drop_identities(void)
{
    identity *all[] = { &authority, &other_authority, &good,       &good_rsa, &expired,
                        &unknown,   &nameless,        &other_name, &user,     &stranger };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        drop_identity(all[i]);
}

static go_tls_config *config_with(const identity *one)
{
    go_tls_config *config = need(go_tls_config_new(), "config");
    if (one)
        CHECK_OK(go_tls_config_add_certificate(config, one->certificate_pem, one->key_pem));
    return config;
}

/* A client's that trusts the authority. */
static go_tls_config *client_config(void)
{
    go_tls_config *config = config_with(NULL);
    CHECK_OK(go_tls_config_add_root(config, authority.certificate_pem));
    return config;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static void make_raw_pair(go_conn **near, go_conn **far)
{
    char address[GO_ADDRESS_ROOM];
    go_listener *listener = need(go_listen("tcp", "127.0.0.1:0"), "listen");
    go_listener_address(listener, address, sizeof address);
    *near = need(go_dial("tcp", address), "dial");
    *far = need(go_listener_accept(listener), "accept");
    go_listener_unref(listener);
}

typedef struct pair {
    go_conn *client, *server;
    go_tls_config *client_config, *server_config;
} pair;

/* Takes the configs' references over. */
static pair make_pair(go_tls_config *client, go_tls_config *server, const char *name)
{
    pair made = { .client_config = client, .server_config = server };
    go_conn *near, *far;
    make_raw_pair(&near, &far);
    made.client = need(go_tls_client(near, client, name), "client");
    made.server = need(go_tls_server(far, server), "server");
    return made;
}

static void drop_pair(pair *made)
{
    go_conn_unref(made->client);
    go_conn_unref(made->server);
    go_tls_config_unref(made->client_config);
    go_tls_config_unref(made->server_config);
}

/* What the two sides' handshakes, and the client's first read, came to. */
typedef struct outcomes {
    int client, server;
    char client_text[512], server_text[512];
} outcomes;

static void serve_handshake(go_conn *server, outcomes *result, go_waitgroup *ended)
{
    go_defer(go_waitgroup_done, ended);
    result->server = go_tls_handshake(server) == 0 ? 0 : errno;
    snprintf(result->server_text, sizeof result->server_text, "%s",
             result->server ? go_net_error() : "");
    if (result->server == 0)
        (void)!go_conn_write(server, "!", 1);
    else
        go_conn_close(server);
}

/* The byte tells a client of TLS 1.3 whether the server took its certificate. */
static outcomes handshake(pair *made)
{
    outcomes result = { 0 };
    go_waitgroup ended = { 0 };
    char byte;
    go_waitgroup_add(&ended, 1);
    go(serve_handshake, made->server, &result, &ended);
    if (go_tls_handshake(made->client) != 0 || go_conn_read(made->client, &byte, 1) != 1) {
        result.client = errno;
        snprintf(result.client_text, sizeof result.client_text, "%s", go_net_error());
        go_conn_close(made->client);
    }
    go_waitgroup_wait(&ended);
    return result;
}

static pair make_open_pair(void)
{
    pair made = make_pair(client_config(), config_with(&good), "good.test");
    outcomes result = handshake(&made);
    CHECK_TEXT(result.client_text, "");
    CHECK_TEXT(result.server_text, "");
    return made;
}

/* ---- handshakes ------------------------------------------------------------------------------ */

static void a_handshake_says_what_it_came_to(void)
{
    pair made = make_pair(client_config(), config_with(&good), "good.test");
    go_tls_state state;
    char subject[50];
    CHECK_OK(go_tls_connection_state(made.client, &state));
    CHECK(state.handshake_complete, 0);
    CHECK_TEXT(state.cipher, "");
    outcomes result = handshake(&made);
    CHECK_TEXT(result.client_text, "");
    CHECK_OK(go_tls_handshake(made.client)); /* once more: nothing */
    CHECK_OK(go_tls_connection_state(made.client, &state));
    CHECK(state.handshake_complete, 1);
    CHECK(state.version, GO_TLS_1_3);
    CHECK(state.resumed, 0);
    CHECK(state.has_peer_certificate, 1);
    CHECK(strncmp(state.cipher, "TLS_", 4), 0);
    CHECK_TEXT(state.alpn, "");
    CHECK_TEXT(go_tls_peer_subject(made.client, subject, sizeof subject), "CN=good");
    CHECK_TEXT(go_tls_peer_subject(made.client, subject, 4), "CN=");
    char *pem = need(go_tls_peer_pem(made.client), "PEM");
    CHECK_TEXT(pem, good.certificate_pem);
    free(pem);
    CHECK_OK(go_tls_connection_state(made.server, &state));
    CHECK_TEXT(state.server_name, "good.test");
    CHECK(state.has_peer_certificate, 0);
    CHECK_TEXT(go_tls_peer_subject(made.server, subject, sizeof subject), "");
    CHECK(go_tls_peer_pem(made.server) == NULL, 1);
    CHECK(errno, ENOENT);
    CHECK(go_conn_fd(made.client) == NULL, 1);
    CHECK_TEXT(go_conn_network(go_tls_net_conn(made.client)), "tcp");
    CHECK(go_tls_handshake(go_tls_net_conn(made.client)), -1);
    CHECK(errno, EINVAL);
    CHECK_TEXT(go_net_error(), "tls: not a TLS connection");
    drop_pair(&made);
}

/* Whom a client refuses, in which words, and what the server hears of it. */
static void a_client_refuses(const identity *server, const char *name, const char *words,
                             const char *alert)
{
    pair made = make_pair(client_config(), config_with(server), name);
    char expected[512];
    outcomes result = handshake(&made);
    snprintf(expected, sizeof expected, "tls: failed to verify certificate: x509: %s", words);
    CHECK(result.client, EKEYREJECTED);
    CHECK_HAS(result.client_text, expected);
    CHECK(result.server, EPROTO);
    snprintf(expected, sizeof expected, "remote error: tls: %s", alert);
    CHECK_TEXT(result.server_text, expected);
    drop_pair(&made);
}

static void a_client_takes(const identity *server, const char *name)
{
    pair made = make_pair(client_config(), config_with(server), name);
    outcomes result = handshake(&made);
    CHECK_TEXT(result.client_text, "");
    drop_pair(&made);
}

static void clients_verify(void)
{
    a_client_takes(&good, "good.test");
    a_client_takes(&good, "GOOD.test.");
    a_client_takes(&good, "any.wild.test");
    a_client_takes(&good, "127.0.0.1");
    a_client_takes(&good, "[127.0.0.1]");
    a_client_refuses(&good, "wrong.test",
                     "certificate is valid for good.test, *.wild.test, not wrong.test",
                     "bad certificate");
    a_client_refuses(&good, "a.b.wild.test", "certificate is valid for good.test",
                     "bad certificate");
    a_client_refuses(&good, "127.0.0.2", "certificate is valid for 127.0.0.1, not 127.0.0.2",
                     "bad certificate");
    a_client_refuses(&good_rsa, "127.0.0.1",
                     "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP "
                     "SANs",
                     "bad certificate");
    a_client_refuses(&nameless, "good.test",
                     "certificate relies on legacy Common Name field, use SANs instead",
                     "bad certificate");
    a_client_refuses(&expired, "good.test",
                     "certificate has expired or is not yet valid: current time ",
                     "expired certificate");
    a_client_refuses(&unknown, "good.test", "certificate signed by unknown authority",
                     "unknown certificate authority");
}

static void the_default_trusts_the_system_alone(void)
{
    pair made = make_pair(NULL, config_with(&good), "good.test");
    outcomes result = handshake(&made);
    CHECK_TEXT(result.client_text, "tls: failed to verify certificate: x509: certificate signed by "
                                   "unknown authority");
    drop_pair(&made);
}

static void verification_can_be_skipped(void)
{
    go_tls_config *config = config_with(NULL);
    go_conn *near, *far;
    make_raw_pair(&near, &far);
    CHECK(go_tls_client(near, config, NULL) == NULL, 1);
    CHECK(errno, EINVAL);
    CHECK_TEXT(go_net_error(),
               "tls: either ServerName or InsecureSkipVerify must be specified in the tls.Config");
    CHECK(go_tls_server(near, config) == NULL, 1);
    CHECK(errno, EINVAL);
    CHECK(go_conn_write(near, "x", 1), 1); /* it stayed ours */
    go_conn_unref(near);
    go_conn_unref(far);
    go_tls_config_set_insecure_skip_verify(config, 1);
    pair made = make_pair(config, config_with(&unknown), NULL);
    CHECK_TEXT(handshake(&made).client_text, "");
    drop_pair(&made);
}

/* ---- clients' certificates ------------------------------------------------------------------- */

static outcomes authenticate(go_tls_client_auth auth, const identity *one, int version)
{
    go_tls_config *client = client_config(), *server = config_with(&good);
    if (one)
        CHECK_OK(go_tls_config_add_certificate(client, one->certificate_pem, one->key_pem));
    CHECK_OK(go_tls_config_set_versions(client, 0, version));
    CHECK_OK(go_tls_config_add_client_ca(server, authority.certificate_pem));
    go_tls_config_set_client_auth(server, auth);
    pair made = make_pair(client, server, "good.test");
    outcomes result = handshake(&made);
    if (!result.server && one) {
        char subject[50], expected[50];
        snprintf(expected, sizeof expected, "CN=%s", one == &user ? "user" : "stranger");
        if (auth == GO_TLS_NO_CLIENT_CERT)
            expected[0] = 0;
        CHECK_TEXT(go_tls_peer_subject(made.server, subject, sizeof subject), expected);
        if (auth != GO_TLS_NO_CLIENT_CERT) {
            char *pem = need(go_tls_peer_pem(made.server), "PEM");
            CHECK_TEXT(pem, one->certificate_pem);
            free(pem);
        }
    }
    drop_pair(&made);
    return result;
}

static void servers_demand_certificates(int version)
{
    CHECK(authenticate(GO_TLS_NO_CLIENT_CERT, &user, version).server, 0);
    CHECK(authenticate(GO_TLS_REQUEST_CLIENT_CERT, &stranger, version).server, 0);
    CHECK(authenticate(GO_TLS_REQUEST_CLIENT_CERT, NULL, version).server, 0);
    CHECK(authenticate(GO_TLS_REQUIRE_ANY_CLIENT_CERT, &stranger, version).server, 0);
    CHECK(authenticate(GO_TLS_VERIFY_CLIENT_CERT_IF_GIVEN, NULL, version).server, 0);
    CHECK(authenticate(GO_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT, &user, version).server, 0);

    outcomes result = authenticate(GO_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT, NULL, version);
    CHECK(result.server, EPROTO);
    CHECK_TEXT(result.server_text, "tls: client didn't provide a certificate");
    CHECK(result.client, EPROTO);
    CHECK_TEXT(result.client_text, version == GO_TLS_1_2
                                       ? "remote error: tls: handshake failure"
                                       : "remote error: tls: certificate required");
    result = authenticate(GO_TLS_VERIFY_CLIENT_CERT_IF_GIVEN, &stranger, version);
    CHECK(result.server, EKEYREJECTED);
    CHECK_HAS(result.server_text, "x509: certificate signed by unknown authority");
    CHECK(result.client, EPROTO);
    CHECK_TEXT(result.client_text, "remote error: tls: unknown certificate authority");
    CHECK(authenticate(GO_TLS_REQUIRE_ANY_CLIENT_CERT, NULL, version).server, EPROTO);
}

/* ---- choices --------------------------------------------------------------------------------- */

static outcomes negotiate(const char *client, const char *server, const char *chosen)
{
    go_tls_state state;
    go_tls_config *near = client_config(), *far = config_with(&good);
    CHECK_OK(go_tls_config_set_alpn(near, client));
    CHECK_OK(go_tls_config_set_alpn(far, server));
    pair made = make_pair(near, far, "good.test");
    outcomes result = handshake(&made);
    if (chosen) {
        CHECK_TEXT(result.client_text, "");
        CHECK_OK(go_tls_connection_state(made.client, &state));
        CHECK_TEXT(state.alpn, chosen);
        CHECK_OK(go_tls_connection_state(made.server, &state));
        CHECK_TEXT(state.alpn, chosen);
    }
    drop_pair(&made);
    return result;
}

static void protocols_are_chosen(void)
{
    negotiate("h2,http/1.1", "http/1.1", "http/1.1");
    negotiate("h2,http/1.1", "http/1.1,h2", "http/1.1"); /* the server's order */
    negotiate("h2", "", "");
    negotiate("", "h2", "");
    negotiate("x,http/1.1", "imap,h2", ""); /* Go's exception */
    outcomes result = negotiate("h2", "imap", NULL);
    CHECK(result.server, EPROTO);
    CHECK_TEXT(result.server_text, "tls: client requested unsupported application protocols");
    CHECK_TEXT(result.client_text, "remote error: tls: no application protocol");
    go_tls_config *config = config_with(NULL);
    CHECK(go_tls_config_set_alpn(config, "h2,,x"), -1);
    CHECK(errno, EINVAL);
    CHECK(go_tls_config_set_alpn(config, ","), -1);
    go_tls_config_unref(config);
}

static void versions_are_limited(void)
{
    go_tls_config *client = client_config(), *server = config_with(&good);
    go_tls_state state;
    CHECK(go_tls_config_set_versions(client, 0x0301, 0), -1);
    CHECK(errno, EINVAL);
    CHECK(go_tls_config_set_versions(client, GO_TLS_1_3, GO_TLS_1_2), -1);
    CHECK_OK(go_tls_config_set_versions(client, GO_TLS_1_2, GO_TLS_1_2));
    pair made = make_pair(client, server, "good.test");
    CHECK_TEXT(handshake(&made).client_text, "");
    CHECK_OK(go_tls_connection_state(made.client, &state));
    CHECK(state.version, GO_TLS_1_2);
    drop_pair(&made);
    client = client_config(), server = config_with(&good);
    CHECK_OK(go_tls_config_set_versions(client, 0, GO_TLS_1_2));
    CHECK_OK(go_tls_config_set_versions(server, GO_TLS_1_3, 0));
    made = make_pair(client, server, "good.test");
    outcomes result = handshake(&made);
    CHECK(result.server, EPROTO);
    CHECK_TEXT(result.server_text, "tls: protocol version not supported");
    CHECK_TEXT(result.client_text, "remote error: tls: protocol version not supported");
    drop_pair(&made);
}

static void the_certificate_is_for_the_name(void)
{
    const char *names[] = { "good.test", "other.test", "good.test" };
    const char *subjects[] = { "CN=good RSA", "CN=other", "CN=good" };
    for (int i = 0; i < 3; i++) {
        go_tls_config *server = config_with(&other_name);
        char subject[50];
        CHECK_OK(go_tls_config_add_certificate(server, good_rsa.certificate_pem, good_rsa.key_pem));
        if (i == 2) /* both kinds: OpenSSL prefers the curve */
            CHECK_OK(go_tls_config_add_certificate(server, good.certificate_pem, good.key_pem));
        pair made = make_pair(client_config(), server, names[i]);
        CHECK_TEXT(handshake(&made).client_text, "");
        CHECK_TEXT(go_tls_peer_subject(made.client, subject, sizeof subject), subjects[i]);
        drop_pair(&made);
    }
}

static bool resumes(go_tls_config *client, go_tls_config *server, const char *name)
{
    pair made = make_pair(go_tls_config_ref(client), go_tls_config_ref(server), name);
    go_tls_state near, far;
    char subject[50];
    CHECK_TEXT(handshake(&made).client_text, "");
    CHECK_OK(go_tls_connection_state(made.client, &near));
    CHECK_OK(go_tls_connection_state(made.server, &far));
    CHECK(near.resumed, far.resumed);
    CHECK_TEXT(go_tls_peer_subject(made.client, subject, sizeof subject), "CN=good");
    drop_pair(&made);
    return near.resumed;
}

static void sessions_are_resumed(int version)
{
    go_tls_config *client = client_config(), *server = config_with(&good);
    CHECK_OK(go_tls_config_set_versions(client, 0, version));
    CHECK(resumes(client, server, "good.test"), false);
    CHECK(resumes(client, server, "good.test"), false); /* no cache yet */
    go_tls_config_unref(client);
    client = client_config();
    CHECK_OK(go_tls_config_set_versions(client, 0, version));
    go_tls_config_set_session_cache(client, 1);
    CHECK(resumes(client, server, "good.test"), false);
    CHECK(resumes(client, server, "good.test"), true);
    CHECK(resumes(client, server, "good.test"), true);
    CHECK(resumes(client, server, "a.wild.test"), false); /* in its place */
    CHECK(resumes(client, server, "good.test"), false);
    go_tls_config *strict = config_with(&good);
    go_tls_config_set_session_tickets(strict, 0);
    CHECK(resumes(client, strict, "good.test"), false);
    CHECK(resumes(client, strict, "good.test"), false);
    go_tls_config_unref(strict);
    go_tls_config_unref(client);
    go_tls_config_unref(server);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

enum { LARGE = 10 << 20 };

static char *make_bytes(size_t size)
{
    char *bytes = malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 7 + i / 255);
    return bytes;
}

static void write_all(go_conn *conn, const char *bytes, go_waitgroup *ended)
{
    struct iovec pieces[3] = { { (void *)(uintptr_t)bytes, 1 },
                               { (void *)(uintptr_t)(bytes + 1), 0 },
                               { (void *)(uintptr_t)(bytes + 1), LARGE - 1 } };
    CHECK(go_conn_writev(conn, pieces, 3), LARGE);
    CHECK_OK(go_conn_close_write(conn));
    go_waitgroup_done(ended);
}

static void read_all(go_conn *conn, const char *bytes, go_waitgroup *ended)
{
    char *got = malloc(LARGE), byte;
    CHECK(go_conn_read_full(conn, got, LARGE), LARGE);
    CHECK(memcmp(got, bytes, LARGE), 0);
    CHECK(go_conn_read(conn, &byte, 1), 0);
    errno = 1;
    CHECK(go_conn_read_full(conn, &byte, 1), 0);
    CHECK(errno, 0);
    free(got);
    go_waitgroup_done(ended);
}

/* Both ways at once, with the handshake made by the first reads and writes. */
static void bytes_go_both_ways(int version)
{
    go_tls_config *client = client_config();
    CHECK_OK(go_tls_config_set_versions(client, 0, version));
    pair made = make_pair(client, config_with(&good), "good.test");
    char *bytes = make_bytes(LARGE);
    go_waitgroup ended = { 0 };
    go_waitgroup_add(&ended, 4);
    go(read_all, made.client, bytes, &ended);
    go(write_all, made.server, bytes, &ended);
    go(read_all, made.server, bytes, &ended);
    go(write_all, made.client, bytes, &ended);
    go_waitgroup_wait(&ended);
    CHECK(go_conn_write(made.client, "x", 1), -1);
    CHECK(errno, EPIPE);
    CHECK_TEXT(go_net_error(), "tls: protocol is shutdown");
    CHECK_OK(go_conn_close_write(made.client)); /* once more: nothing */
    free(bytes);
    drop_pair(&made);
}

static void write_bytes(go_conn *conn, int count, go_waitgroup *ended)
{
    for (int i = 0; i < count; i++)
        CHECK(go_conn_write(conn, "\1", 1), 1);
    go_waitgroup_done(ended);
}

static void count_bytes(go_conn *conn, int count, int *sum, go_waitgroup *ended)
{
    char byte;
    for (int i = 0; i < count; i++) {
        CHECK(go_conn_read(conn, &byte, 1), 1);
        __atomic_fetch_add(sum, byte, __ATOMIC_RELAXED);
    }
    go_waitgroup_done(ended);
}

static void several_take_turns(void)
{
    enum { MANY = 8, EACH = 200 };
    pair made = make_open_pair();
    go_waitgroup ended = { 0 };
    int sum = 0;
    go_waitgroup_add(&ended, 2 * MANY);
    for (int i = 0; i < MANY; i++) {
        go(count_bytes, made.server, EACH, &sum, &ended);
        go(write_bytes, made.client, EACH, &ended);
    }
    go_waitgroup_wait(&ended);
    CHECK(sum, MANY * EACH);
    drop_pair(&made);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void the_end_and_a_cut_differ(void)
{
    char byte;
    pair made = make_open_pair();
    CHECK_OK(go_conn_close(made.server));
    CHECK(go_conn_read(made.client, &byte, 1), 0);
    CHECK(go_conn_read(made.client, &byte, 1), 0);
    CHECK(go_conn_close(made.server), -1);
    CHECK(errno, EBADF);
    CHECK_HAS(go_net_error(), ": use of closed network connection");
    drop_pair(&made);

    made = make_open_pair();
    CHECK(go_conn_write(made.server, "ab", 2), 2);
    CHECK_OK(go_conn_close_write(go_tls_net_conn(made.server))); /* without close_notify */
    char two[3];
    CHECK(go_conn_read_full(made.client, two, 3), 2);
    CHECK(errno, ECONNABORTED);
    CHECK_TEXT(go_net_error(), "unexpected EOF");
    CHECK(go_conn_read(made.client, &byte, 1), -1);
    CHECK(errno, ECONNABORTED);
    CHECK(go_conn_write(made.client, "x", 1), 1); /* the other direction is whole */
    CHECK(go_conn_read(made.server, &byte, 1), 1);
    drop_pair(&made);
}

static void a_half_may_be_closed(void)
{
    char byte;
    pair made = make_pair(client_config(), config_with(&good), "good.test");
    CHECK(go_conn_close_write(made.client), -1);
    CHECK(errno, ENOTCONN);
    CHECK_TEXT(go_net_error(), "tls: CloseWrite called before handshake complete");
    drop_pair(&made);
    made = make_open_pair();
    CHECK_OK(go_conn_close_write(made.client));
    CHECK(go_conn_read(made.server, &byte, 1), 0);
    CHECK(go_conn_write(made.server, "x", 1), 1);
    CHECK(go_conn_read(made.client, &byte, 1), 1);
    CHECK_OK(go_conn_close_read(made.client));
    CHECK(go_conn_read(made.client, &byte, 1), 0);
    drop_pair(&made);
}

static void be_closed_meanwhile(go_conn *conn, go_waitgroup *ended)
{
    char byte;
    CHECK(go_conn_read(conn, &byte, 1), -1);
    CHECK(errno, EBADF);
    CHECK_HAS(go_net_error(), ": use of closed network connection");
    go_waitgroup_done(ended);
}

static void closing_wakes_who_reads(bool opened)
{
    pair made =
        opened ? make_open_pair() : make_pair(client_config(), config_with(&good), "good.test");
    go_waitgroup ended = { 0 };
    go_waitgroup_add(&ended, 3);
    for (int i = 0; i < 3; i++)
        go(be_closed_meanwhile, made.client, &ended);
    go_gosched();
    CHECK_OK(go_conn_close(made.client));
    go_waitgroup_wait(&ended);
    CHECK(go_conn_write(made.client, "x", 1), -1);
    CHECK(errno, EBADF);
    CHECK(go_tls_handshake(made.client), opened ? 0 : -1);
    drop_pair(&made);
}

static void deadlines_and_contexts_end_calls(void)
{
    char byte;
    pair made = make_open_pair();
    CHECK_OK(go_conn_set_read_deadline(made.client, go_now() + GO_MILLISECOND));
    CHECK(go_conn_read(made.client, &byte, 1), -1);
    CHECK(errno, ETIMEDOUT);
    CHECK_HAS(go_net_error(), ": i/o timeout");
    CHECK(go_conn_write(made.client, "x", 1), 1);
    CHECK_OK(go_conn_set_read_deadline(made.client, 0));
    go_context *ctx = go_context_with_cancel(NULL);
    go(go_context_cancel, ctx);
    CHECK(go_conn_read_ctx(ctx, made.client, &byte, 1), -1);
    CHECK(errno, ECANCELED);
    CHECK_HAS(go_net_error(), ": operation was canceled");
    go_context_end(ctx);
    CHECK(go_conn_write(made.server, "y", 1), 1);
    CHECK(go_conn_read(made.client, &byte, 1), 1); /* nothing was lost */
    CHECK(byte, 'y');
    drop_pair(&made);
}

static void write_until_cut_short(go_conn *conn)
{
    char *bytes = make_bytes(LARGE);
    ssize_t n;
    while ((n = go_conn_write(conn, bytes, LARGE)) == LARGE)
        ;
    CHECK(errno, ETIMEDOUT);
    CHECK_HAS(go_net_error(), ": i/o timeout");
    CHECK(n < LARGE, 1);
    free(bytes);
}

/* Nobody reads on at the other end: a write ends half done, and every later one as it did. */
static void a_write_cut_short_is_the_last(void)
{
    pair made = make_open_pair();
    go_waitgroup ended = { 0 };
    char byte;
    go_waitgroup_go(&ended, write_until_cut_short, made.client);
    CHECK(go_conn_read(made.server, &byte, 1), 1); /* of a write that goes on */
    CHECK_OK(go_conn_set_write_deadline(made.client, 1));
    go_waitgroup_wait(&ended);
    CHECK_OK(go_conn_set_write_deadline(made.client, 0));
    CHECK(go_conn_write(made.client, "x", 1), -1);
    CHECK(errno, ETIMEDOUT);
    CHECK(go_conn_close_write(made.client), -1);
    CHECK(go_conn_write(made.server, "y", 1), 1);
    CHECK(go_conn_read(made.client, &byte, 1), 1);
    drop_pair(&made);
}

static void a_handshake_may_be_left_and_resumed(void)
{
    pair made = make_pair(client_config(), config_with(&good), "good.test");
    char byte;
    CHECK_OK(go_conn_set_deadline(made.client, go_now() + GO_MILLISECOND));
    CHECK(go_tls_handshake(made.client), -1);
    CHECK(errno, ETIMEDOUT);
    CHECK_HAS(go_net_error(), ": i/o timeout");
    CHECK_OK(go_conn_set_deadline(made.client, 0));
    go_context *ctx = go_context_with_cancel(NULL);
    go(go_context_cancel, ctx);
    CHECK(go_tls_handshake_ctx(ctx, made.client), -1);
    CHECK(errno, ECANCELED);
    CHECK(go_conn_read_ctx(ctx, made.client, &byte, 1), -1);
    CHECK(errno, ECANCELED);
    go_context_end(ctx);
    CHECK_TEXT(handshake(&made).client_text, "");
    drop_pair(&made);
}

static void others_speak_no_tls(void)
{
    go_conn *near, *far;
    go_tls_config *client = client_config(), *server = config_with(&good);
    make_raw_pair(&near, &far);
    near = need(go_tls_client(near, client, "good.test"), "client");
    CHECK(go_conn_write(far, "220 smtp.test ready\r\n", 21), 21);
    CHECK(go_tls_handshake(near), -1);
    CHECK(errno, EPROTO);
    CHECK_TEXT(go_net_error(), "tls: first record does not look like a TLS handshake");
    char byte;
    CHECK(go_conn_read(near, &byte, 1), -1); /* as it was */
    CHECK(errno, EPROTO);
    CHECK(go_conn_write(near, "x", 1), -1);
    CHECK(errno, EPROTO);
    go_conn_unref(near);
    go_conn_unref(far);

    make_raw_pair(&near, &far);
    far = need(go_tls_server(far, server), "server");
    CHECK(go_conn_write(near, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    CHECK(go_tls_handshake(far), -1);
    CHECK_TEXT(go_net_error(), "tls: first record does not look like a TLS handshake");
    go_conn_unref(near);
    go_conn_unref(far);

    make_raw_pair(&near, &far);
    near = need(go_tls_client(near, client, "good.test"), "client");
    CHECK_OK(go_conn_close_write(far));
    CHECK(go_tls_handshake(near), -1);
    CHECK(errno, ECONNABORTED);
    CHECK_TEXT(go_net_error(), "EOF");
    go_conn_unref(near);
    go_conn_unref(far);
    go_tls_config_unref(client);
    go_tls_config_unref(server);
}

/* A byte that was changed on the way. */
static void forgery_is_found(void)
{
    pair made = make_open_pair();
    static const char record[] = "\x17\x03\x03\x00\x20"
                                 "not what the keys would have given";
    char byte;
    CHECK(go_conn_write(go_tls_net_conn(made.server), record, 37), 37);
    CHECK(go_conn_read(made.client, &byte, 1), -1);
    CHECK(errno, EPROTO);
    CHECK_TEXT(go_net_error(), "local error: tls: bad record MAC");
    CHECK(go_conn_read(made.server, &byte, 1), -1);
    CHECK_TEXT(go_net_error(), "remote error: tls: bad record MAC");
    drop_pair(&made);
}

/* ---- configurations -------------------------------------------------------------------------- */

static void wrong_certificates_are_refused(void)
{
    go_tls_config *config = config_with(NULL);
    CHECK(go_tls_config_add_certificate(config, good.certificate_pem, user.key_pem), -1);
    CHECK(errno, EINVAL);
    CHECK_TEXT(go_net_error(), "tls: private key does not match public key");
    CHECK(go_tls_config_add_certificate(config, "nothing", user.key_pem), -1);
    CHECK_TEXT(go_net_error(), "tls: failed to find any PEM data in certificate input");
    CHECK(go_tls_config_add_certificate(config, good.certificate_pem, "nothing"), -1);
    CHECK_TEXT(go_net_error(), "tls: failed to find any PEM data in key input");
    CHECK(go_tls_config_add_root(config, "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                         "-----END CERTIFICATE-----\n"),
          -1);
    CHECK(errno, EINVAL);
    CHECK_TEXT(go_net_error(), "x509: malformed certificate");
    CHECK(go_tls_config_add_root_file(config, "/nowhere/ca.pem"), -1);
    CHECK(errno, ENOENT);
    CHECK_TEXT(go_net_error(), "open /nowhere/ca.pem: no such file or directory");
    CHECK(go_tls_config_add_root_file(config, "/"), -1);
    CHECK(errno, EISDIR);
    CHECK(go_tls_listen("tcp", "127.0.0.1:0", config) == NULL, 1);
    CHECK(errno, EINVAL);
    CHECK_TEXT(go_net_error(), "tls: neither Certificates, GetCertificate, nor GetConfigForClient "
                               "set in Config");
    go_tls_config_unref(config);
    go_tls_config_unref(NULL);
}

static const char *write_file(const char *folder, const char *name, const char *text, char *path)
{
    sprintf(path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL, 1);
    fputs(text, file);
    fclose(file);
    return path;
}

static void echo(go_conn *conn)
{
    char bytes[4096];
    ssize_t n;
    while ((n = go_conn_read(conn, bytes, sizeof bytes)) > 0)
        CHECK(go_conn_write(conn, bytes, (size_t)n), n);
    go_conn_unref(conn);
}

static void serve(go_listener *listener, go_waitgroup *served)
{
    go_conn *conn;
    while ((conn = go_listener_accept(listener)))
        go_waitgroup_go(served, echo, conn);
    CHECK(errno, EBADF);
    go_waitgroup_done(served);
}

/* The example of the header, with files. */
static void dialling_and_listening(void)
{
    char folder[] = "/tmp/gofer-tls-test-XXXXXX", certificate[100], key[100], root[100];
    char address[GO_ADDRESS_ROOM], got[5];
    CHECK(mkdtemp(folder) != NULL, 1);
    go_tls_config *server = config_with(NULL), *client = config_with(NULL);
    CHECK_OK(go_tls_config_add_certificate_file(
        server, write_file(folder, "server.pem", good.certificate_pem, certificate),
        write_file(folder, "server.key", good.key_pem, key)));
    CHECK_OK(go_tls_config_add_root_file(
        client, write_file(folder, "root.pem", authority.certificate_pem, root)));
    go_listener *listener = need(go_tls_listen("tcp", "127.0.0.1:0", server), "listen");
    go_tls_config_unref(server); /* the listener has its own */
    go_waitgroup served = { 0 };
    go_waitgroup_add(&served, 1);
    go(serve, listener, &served);
    go_listener_address(listener, address, sizeof address);
    go_conn *conn = need(go_tls_dial("tcp", address, client), "dial");
    CHECK(go_conn_write(conn, "hello", 5), 5);
    CHECK(go_conn_read_full(conn, got, 5), 5);
    CHECK(memcmp(got, "hello", 5), 0);
    go_conn_unref(conn);

    CHECK(go_tls_dial("tcp", address, NULL) == NULL, 1);
    CHECK(errno, EKEYREJECTED);
    CHECK_OK(go_tls_config_set_server_name(client, "wrong.test"));
    CHECK(go_tls_dial("tcp", address, client) == NULL, 1);
    CHECK_HAS(go_net_error(), ", not wrong.test");
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    CHECK(go_tls_dial_ctx(ctx, "tcp", address, client) == NULL, 1);
    CHECK(errno, ECANCELED);
    go_context_end(ctx);
    CHECK_OK(go_listener_close(listener));
    go_waitgroup_wait(&served);
    go_listener_unref(listener);

    /* a server that says nothing: the dialer's timeout is for the handshake too */
    listener = need(go_listen("tcp", "127.0.0.1:0"), "listen");
    go_listener_address(listener, address, sizeof address);
    go_dialer dialer = { .timeout = 50 * GO_MILLISECOND };
    CHECK(go_tls_dialer_dial_ctx(NULL, &dialer, "tcp", address, client) == NULL, 1);
    CHECK(errno, ETIMEDOUT);
    CHECK_HAS(go_net_error(), ": i/o timeout");
    go_listener_unref(listener);
    go_tls_config_unref(client);
    unlink(certificate);
    unlink(key);
    unlink(root);
    CHECK(rmdir(folder), 0);
}

/* ---- many ------------------------------------------------------------------------------------ */

/* Good and bad servers' certificates mixed: one's errors must not be another's. */
static void dial_in_a_crowd(const char *address, go_tls_config *config, const char *name,
                            const char *expected, go_waitgroup *ended)
{
    char bytes[300], got[300];
    for (int i = 0; i < 3; i++) {
        go_conn *conn =
            need(go_tls_client(need(go_dial("tcp", address), "dial"), config, name), "client");
        memset(bytes, 'a' + i, sizeof bytes);
        if (*expected) {
            CHECK(go_tls_handshake(conn), -1);
            CHECK_HAS(go_net_error(), expected);
        } else {
            for (int round = 0; round < 10; round++) {
                CHECK(go_conn_write(conn, bytes, sizeof bytes), sizeof bytes);
                CHECK(go_conn_read_full(conn, got, sizeof got), sizeof got);
                CHECK(memcmp(bytes, got, sizeof got), 0);
            }
        }
        go_conn_unref(conn);
    }
    go_waitgroup_done(ended);
}

static void many_at_a_time(int processors)
{
    enum { MANY = 48 };
    char address[GO_ADDRESS_ROOM];
    int before = go_gomaxprocs(processors);
    go_tls_config *server = config_with(&good), *client = client_config(),
                  *lost = config_with(NULL);
    CHECK_OK(go_tls_config_add_root(lost, other_authority.certificate_pem));
    go_tls_config_set_session_cache(client, 2);
    go_listener *listener = need(go_tls_listen("tcp", "127.0.0.1:0", server), "listen");
    go_listener_address(listener, address, sizeof address);
    go_waitgroup served = { 0 }, ended = { 0 };
    go_waitgroup_add(&served, 1);
    go_waitgroup_add(&ended, MANY);
    go(serve, listener, &served);
    for (int i = 0; i < MANY; i++)
        switch (i % 4) {
        case 0:
            go(dial_in_a_crowd, address, client, "wrong.test", ", not wrong.test", &ended);
            break;
        case 1:
            go(dial_in_a_crowd, address, lost, "good.test", "unknown authority", &ended);
            break;
        default:
            go(dial_in_a_crowd, address, client, "good.test", "", &ended);
        }
    go_waitgroup_wait(&ended);
    CHECK_OK(go_listener_close(listener));
    go_waitgroup_wait(&served);
    go_listener_unref(listener);
    go_tls_config_unref(server);
    go_tls_config_unref(client);
    go_tls_config_unref(lost);
    go_gomaxprocs(before);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    make_identities();
    a_handshake_says_what_it_came_to();
    clients_verify();
    the_default_trusts_the_system_alone();
    verification_can_be_skipped();
    servers_demand_certificates(GO_TLS_1_3);
    servers_demand_certificates(GO_TLS_1_2);
    protocols_are_chosen();
    versions_are_limited();
    the_certificate_is_for_the_name();
    sessions_are_resumed(GO_TLS_1_3);
    sessions_are_resumed(GO_TLS_1_2);
    bytes_go_both_ways(GO_TLS_1_3);
    bytes_go_both_ways(GO_TLS_1_2);
    several_take_turns();
    the_end_and_a_cut_differ();
    a_half_may_be_closed();
    closing_wakes_who_reads(true);
    closing_wakes_who_reads(false);
    deadlines_and_contexts_end_calls();
    a_write_cut_short_is_the_last();
    a_handshake_may_be_left_and_resumed();
    others_speak_no_tls();
    forgery_is_found();
    wrong_certificates_are_refused();
    dialling_and_listening();
    many_at_a_time(1);
    many_at_a_time(2);
    drop_identities();
    return 0;
}

#endif

/* What a handshake came to, and who the peer is. */
#include "tls/tls.h"

#include <openssl/pem.h>

static void copy_text(char *to, size_t size, const void *text, size_t length)
{
    size_t n = length < size ? length : size - 1;
    if (n)
        memcpy(to, text, n);
    to[n] = 0;
}

/* With the lock held; makes no call that fails. */
static void fill_state(gofer_tls_conn *tls, go_tls_state *state)
{
    const unsigned char *alpn;
    unsigned int alpn_size;
    const char *name = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
    state->handshake_complete = 1;
    state->version = SSL_version(tls->ssl);
    state->resumed = SSL_session_reused(tls->ssl);
    state->has_peer_certificate = SSL_get0_peer_certificate(tls->ssl) != NULL;
    state->cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(tls->ssl));
    SSL_get0_alpn_selected(tls->ssl, &alpn, &alpn_size);
    copy_text(state->alpn, sizeof state->alpn, alpn, alpn_size);
    copy_text(state->server_name, sizeof state->server_name, name, name ? strlen(name) : 0);
}

int go_tls_connection_state(go_conn *conn, go_tls_state *state)
{
    gofer_tls_conn *tls = gofer_tls_of(conn);
    *state = (go_tls_state){ .cipher = "" };
    if (!tls)
        return -1;
    /* pairs with the release of who made the handshake */
    if (!atomic_load_explicit(&tls->is_open, memory_order_acquire))
        return 0;
    go_mutex_lock(&tls->lock);
    gofer_tls_enter();
    fill_state(tls, state);
    gofer_tls_leave();
    go_mutex_unlock(&tls->lock);
    return 0;
}

/* A copy of what a memory BIO holds, for free(), which frees the BIO. NULL: ENOMEM. */
static char *text_of(BIO *bio)
{
    char *data, *text;
    long length = BIO_get_mem_data(bio, &data);
    text = malloc((size_t)length + 1);
    if (text)
        copy_text(text, (size_t)length + 1, data, (size_t)length);
    BIO_free(bio);
    return text;
}

static bool print_subject(BIO *bio, X509 *leaf)
{
    return X509_NAME_print_ex(bio, X509_get_subject_name(leaf), 0,
                              XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0;
}

static bool print_chain(BIO *bio, const SSL *ssl, X509 *leaf)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    bool printed = true;
    if (SSL_is_server(ssl)) /* there it is without the leaf */
        printed = PEM_write_bio_X509(bio, leaf) == 1;
    for (int i = 0; printed && i < sk_X509_num(chain); i++)
        printed = PEM_write_bio_X509(bio, sk_X509_value(chain, i)) == 1;
    return printed;
}

/* What is asked for of the peer's certificates, for free(). NULL and *error: there are none,
 * ENOENT, or there is no memory. */
static char *peer_text(gofer_tls_conn *tls, bool all, int *error)
{
    go_mutex_lock(&tls->lock);
    gofer_tls_enter();
    X509 *leaf = SSL_get0_peer_certificate(tls->ssl);
    BIO *bio = leaf ? BIO_new(BIO_s_mem()) : NULL;
    bool printed = bio && (all ? print_chain(bio, tls->ssl, leaf) : print_subject(bio, leaf));
    gofer_tls_leave();
    go_mutex_unlock(&tls->lock);
    char *text = printed ? text_of(bio) : NULL;
    if (!printed)
        BIO_free(bio);
    *error = text ? 0 : leaf ? ENOMEM : ENOENT;
    return text;
}

char *go_tls_peer_subject(go_conn *conn, char *buf, size_t size)
{
    int error;
    bool is_tls = conn->kind == &gofer_tls_kind;
    char *text = is_tls ? peer_text(gofer_tls_of(conn), false, &error) : NULL;
    if (size)
        gofer_net_join(buf, size, text ? text : "", (char *)NULL);
    free(text);
    return buf;
}

char *go_tls_peer_pem(go_conn *conn)
{
    gofer_tls_conn *tls = gofer_tls_of(conn);
    int error = 0;
    char *text = tls ? peer_text(tls, true, &error) : NULL;
    if (error)
        gofer_tls_fail(error, error == ENOMEM ? "tls: cannot allocate memory"
                                              : "tls: the peer sent no certificate");
    return text;
}

go_conn *go_tls_net_conn(go_conn *conn)
{
    gofer_tls_conn *tls = gofer_tls_of(conn);
    return tls ? tls->inner : NULL;
}

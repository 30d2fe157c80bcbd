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

/* Writes what is asked for of the peer's certificates to a new BIO. NULL: there are none, or there
 * is no memory. With the lock held. */
static BIO *print_peer(gofer_tls_conn *tls, bool all)
{
    X509 *leaf = SSL_get0_peer_certificate(tls->ssl);
    BIO *bio = leaf ? BIO_new(BIO_s_mem()) : NULL;
    if (!bio)
        return NULL;
    if (!all) {
        X509_NAME_print_ex(bio, X509_get_subject_name(leaf), 0,
                           XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
        return bio;
    }
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(tls->ssl);
    if (SSL_is_server(tls->ssl)) /* there it is without the leaf */
        PEM_write_bio_X509(bio, leaf);
    for (int i = 0; i < sk_X509_num(chain); i++)
        PEM_write_bio_X509(bio, sk_X509_value(chain, i));
    return bio;
}

static char *peer_text(gofer_tls_conn *tls, bool all)
{
    go_mutex_lock(&tls->lock);
    gofer_tls_enter();
    BIO *bio = print_peer(tls, all);
    gofer_tls_leave();
    go_mutex_unlock(&tls->lock);
    return bio ? text_of(bio) : NULL;
}

char *go_tls_peer_subject(go_conn *conn, char *buf, size_t size)
{
    char *text = conn->kind == &gofer_tls_kind ? peer_text(gofer_tls_of(conn), false) : NULL;
    if (size)
        gofer_net_join(buf, size, text ? text : "", (char *)NULL);
    free(text);
    return buf;
}

char *go_tls_peer_pem(go_conn *conn)
{
    gofer_tls_conn *tls = gofer_tls_of(conn);
    char *text = tls ? peer_text(tls, true) : NULL;
    if (tls && !text)
        gofer_tls_fail(ENOENT, "tls: the peer sent no certificate");
    return text;
}

go_conn *go_tls_net_conn(go_conn *conn)
{
    gofer_tls_conn *tls = gofer_tls_of(conn);
    return tls ? tls->inner : NULL;
}

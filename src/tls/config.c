/* go_tls_config: an SSL_CTX for clients and servers alike, and what is chosen for each connection:
 * certificates, whom to trust. */
#include "tls/tls.h"

#include <openssl/pem.h>
#include <stdio.h>

/* ---- OpenSSL, and the system's roots --------------------------------------------------------- */

/* Without OpenSSL's own clean-up at exit: goroutines may still run then, inside OpenSSL too. */
static void start_openssl(void *unused)
{
    (void)unused;
    OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/* Each authority is trusted as it is given, also where another signed it. */
static X509_STORE *new_store(void)
{
    X509_STORE *store = X509_STORE_new();
    if (store)
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return store;
}

/* Where there are none, nobody is trusted. NULL: out of memory. */
static X509_STORE *load_system_roots(void)
{
    gofer_tls_enter();
    X509_STORE *roots = new_store();
    if (roots && !X509_STORE_set_default_paths(roots)) {
        X509_STORE_free(roots);
        roots = NULL;
    }
    gofer_tls_leave();
    return roots;
}

X509_STORE *gofer_tls_store(X509_STORE *own)
{
    static go_mutex lock;
    static X509_STORE *system_roots; /* lock; NULL: to be loaded, or again */
    if (own)
        return own;
    go_mutex_lock(&lock);
    if (!system_roots)
        system_roots = load_system_roots();
    X509_STORE *roots = system_roots;
    go_mutex_unlock(&lock);
    return roots;
}

/* ---- making one ------------------------------------------------------------------------------ */

/* Whether a list of protocols, each behind its length, has the one in the list `one`. */
static bool has_protocol(const unsigned char *list, size_t size, const char *one)
{
    unsigned char *choice, choice_size;
    return SSL_select_next_proto(&choice, &choice_size, (const unsigned char *)one,
                                 (unsigned)strlen(one), list,
                                 (unsigned)size) == OPENSSL_NPN_NEGOTIATED;
}

/* Go's exception: who speaks HTTP/1.1 comes to a server that names HTTP/2 alone as if neither had
 * named any. */
static bool falls_back(const go_tls_config *config, const unsigned char *offered, size_t size)
{
    return has_protocol(config->alpn, config->alpn_size, "\2h2") &&
           has_protocol(offered, size, "\10http/1.1");
}

/* The server's choice among the protocols that the client offers, by the server's order. */
static int select_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_size,
                       const unsigned char *offered, unsigned int offered_size, void *arg)
{
    const go_tls_config *config = arg;
    unsigned char *choice;
    (void)ssl;
    if (!config->alpn_size)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&choice, chosen_size, config->alpn, (unsigned)config->alpn_size,
                              offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return falls_back(config, offered, offered_size) ? SSL_TLSEXT_ERR_NOACK
                                                         : SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = choice;
    return SSL_TLSEXT_ERR_OK;
}

static bool is_for_name(const struct gofer_tls_certificate *certificate, const char *name)
{
    return X509_check_host(certificate->leaf, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) ==
           1;
}

/* OpenSSL keeps one certificate of each kind of key, and takes one that the peer can verify. */
static bool use_certificate(SSL *ssl, const struct gofer_tls_certificate *certificate)
{
    return SSL_use_cert_and_key(ssl, certificate->leaf, certificate->key, certificate->chain, 0) ==
           1;
}

/* Which certificates to present: those for the name that a client asks for, else the first. */
static int choose_certificates(SSL *ssl, void *arg)
{
    const go_tls_config *config = arg;
    const char *name =
        SSL_is_server(ssl) ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : NULL;
    bool any = false;
    for (const struct gofer_tls_certificate *c = config->certificates; c; c = c->next)
        if (!SSL_is_server(ssl) || (name && is_for_name(c, name)))
            any |= use_certificate(ssl, c);
    if (!any && config->certificates)
        use_certificate(ssl, config->certificates);
    ERR_clear_error(); /* of the second of a kind */
    return 1;
}

/* Keeps what the server gave for later; the connection passes it on when this call has ended. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    gofer_tls_conn *tls = SSL_get_app_data(ssl);
    if (!tls->server_name || !tls->config->most_sessions || !SSL_SESSION_is_resumable(session))
        return 0;
    SSL_SESSION_free(tls->fresh);
    tls->fresh = session;
    return 1;
}

static SSL_CTX *new_context(go_tls_config *config)
{
    static const unsigned char session_context[] = "gofer";
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_cert_cb(context, choose_certificates, config);
    SSL_CTX_set_alpn_select_cb(context, select_alpn, config);
    return context;
}

go_tls_config *go_tls_config_new(void)
{
    static go_once once;
    go_once_do(&once, start_openssl, NULL);
    go_tls_config *config = calloc(1, sizeof *config);
    gofer_tls_enter();
    if (config && !(config->context = new_context(config))) {
        free(config);
        config = NULL;
    }
    gofer_tls_leave();
    if (!config) {
        gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
        return NULL;
    }
    atomic_store_explicit(&config->references, 1, memory_order_relaxed);
    return config;
}

go_tls_config *gofer_tls_default_config(void)
{
    static go_mutex lock;
    static go_tls_config *the_default; /* lock; NULL: to be made, or again */
    go_mutex_lock(&lock);
    if (!the_default)
        the_default = go_tls_config_new();
    go_tls_config *config = the_default;
    go_mutex_unlock(&lock);
    if (!config)
        gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
    return config;
}

/* ---- references ------------------------------------------------------------------------------ */

go_tls_config *go_tls_config_ref(go_tls_config *config)
{
    atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
    return config;
}

static void free_certificate(struct gofer_tls_certificate *certificate)
{
    X509_free(certificate->leaf);
    EVP_PKEY_free(certificate->key);
    sk_X509_pop_free(certificate->chain, X509_free);
    free(certificate);
}

void go_tls_config_unref(go_tls_config *config)
{
    /* acq_rel: the last one frees what the others have used */
    if (!config || atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) > 1)
        return;
    int kept = errno;
    struct gofer_tls_certificate *certificate;
    while ((certificate = config->certificates)) {
        config->certificates = certificate->next;
        free_certificate(certificate);
    }
    gofer_tls_sessions_drop(config, 0);
    X509_STORE_free(config->roots);
    X509_STORE_free(config->client_cas);
    SSL_CTX_free(config->context);
    free(config->alpn);
    free(config);
    errno = kept;
}

/* ---- PEM ------------------------------------------------------------------------------------- */

/* A file's content as a text, for free(). NULL: a failure is published. */
static char *read_text(const char *path)
{
    enum { STEP = 16384 };
    char *text = NULL;
    size_t length = 0, n = 1;
    FILE *file = fopen(path, "re");
    int error = file ? 0 : errno;
    while (!error && n) {
        char *longer = realloc(text, length + STEP + 1);
        if (!longer) {
            error = ENOMEM;
            break;
        }
        text = longer;
        n = fread(text + length, 1, STEP, file);
        length += n;
        text[length] = 0;
        if (ferror(file))
            error = errno;
    }
    if (file)
        fclose(file);
    if (!error)
        return text;
    free(text);
    gofer_tls_fail(error, "open %s: %s", path, gofer_net_words(error));
    return NULL;
}

/* A key that wants a password is not asked for one. */
static int no_password(char *buffer, int size, int writes, void *unused)
{
    (void)buffer;
    (void)size;
    (void)writes;
    (void)unused;
    return -1;
}

/* The certificates of a text, in their order. NULL: a failure is published. */
static STACK_OF(X509) * read_certificates(const char *pem)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *one = NULL;
    gofer_tls_enter();
    bool has_room = all && bio;
    while (has_room && (one = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
        has_room = sk_X509_push(all, one) > 0;
    if (!has_room)
        X509_free(one);
    bool is_whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    bool lacks_memory = gofer_tls_lacks_memory() || !has_room;
    gofer_tls_leave();
    BIO_free(bio);
    if (is_whole && !lacks_memory && sk_X509_num(all) > 0)
        return all;
    if (lacks_memory)
        gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
    else if (is_whole)
        gofer_tls_fail(EINVAL, "tls: failed to find any PEM data in certificate input");
    else
        gofer_tls_fail(EINVAL, "x509: malformed certificate");
    sk_X509_pop_free(all, X509_free);
    return NULL;
}

static EVP_PKEY *read_key(const char *pem)
{
    gofer_tls_enter();
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    bool lacks_memory = !bio || gofer_tls_lacks_memory();
    BIO_free(bio);
    gofer_tls_leave();
    if (key)
        return key;
    if (lacks_memory)
        gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
    else /* OpenSSL's decoders do not tell the two apart */
        gofer_tls_fail(EINVAL, !strstr(pem, "-----BEGIN")
                                   ? "tls: failed to find any PEM data in key input"
                                   : "tls: failed to parse private key");
    return NULL;
}

/* ---- certificates ---------------------------------------------------------------------------- */

static void append_certificate(go_tls_config *config, struct gofer_tls_certificate *certificate)
{
    struct gofer_tls_certificate **link = &config->certificates;
    while (*link)
        link = &(*link)->next;
    *link = certificate;
}

int go_tls_config_add_certificate(go_tls_config *config, const char *certificate_pem,
                                  const char *key_pem)
{
    STACK_OF(X509) *chain = read_certificates(certificate_pem);
    EVP_PKEY *key = chain ? read_key(key_pem) : NULL;
    struct gofer_tls_certificate *certificate = key ? malloc(sizeof *certificate) : NULL;
    gofer_tls_enter();
    bool fits = certificate && X509_check_private_key(sk_X509_value(chain, 0), key) == 1;
    bool lacks_memory = !certificate || gofer_tls_lacks_memory();
    gofer_tls_leave();
    if (fits) {
        *certificate = (struct gofer_tls_certificate){ .leaf = sk_X509_shift(chain),
                                                       .key = key,
                                                       .chain = chain };
        append_certificate(config, certificate);
        return 0;
    }
    if (key && lacks_memory)
        gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
    else if (key)
        gofer_tls_fail(EINVAL, "tls: private key does not match public key");
    free(certificate);
    EVP_PKEY_free(key);
    sk_X509_pop_free(chain, X509_free);
    return -1;
}

int go_tls_config_add_certificate_file(go_tls_config *config, const char *certificate,
                                       const char *key)
{
    char *certificate_pem = read_text(certificate);
    char *key_pem = certificate_pem ? read_text(key) : NULL;
    int result = key_pem ? go_tls_config_add_certificate(config, certificate_pem, key_pem) : -1;
    int kept = errno;
    if (key_pem)
        OPENSSL_cleanse(key_pem, strlen(key_pem));
    free(key_pem);
    free(certificate_pem);
    errno = kept;
    return result;
}

/* Adds a text's certificates to *store, which is made by the first; `names` are told to clients. */
static int add_authorities(X509_STORE **store, const char *pem, SSL_CTX *names)
{
    STACK_OF(X509) *all = read_certificates(pem);
    if (!all)
        return -1;
    gofer_tls_enter();
    if (!*store)
        *store = new_store();
    bool added = *store != NULL;
    for (int i = 0; added && i < sk_X509_num(all); i++) {
        added = X509_STORE_add_cert(*store, sk_X509_value(all, i)) == 1;
        if (added && names)
            added = SSL_CTX_add_client_CA(names, sk_X509_value(all, i)) == 1;
    }
    sk_X509_pop_free(all, X509_free);
    gofer_tls_leave();
    return added ? 0 : gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
}

static int add_authorities_file(X509_STORE **store, const char *path, SSL_CTX *names)
{
    char *pem = read_text(path);
    int result = pem ? add_authorities(store, pem, names) : -1;
    int kept = errno;
    free(pem);
    errno = kept;
    return result;
}

int go_tls_config_add_root(go_tls_config *config, const char *pem)
{
    return add_authorities(&config->roots, pem, NULL);
}

int go_tls_config_add_root_file(go_tls_config *config, const char *path)
{
    return add_authorities_file(&config->roots, path, NULL);
}

int go_tls_config_add_client_ca(go_tls_config *config, const char *pem)
{
    return add_authorities(&config->client_cas, pem, config->context);
}

int go_tls_config_add_client_ca_file(go_tls_config *config, const char *path)
{
    return add_authorities_file(&config->client_cas, path, config->context);
}

/* ---- settings -------------------------------------------------------------------------------- */

void go_tls_config_set_client_auth(go_tls_config *config, go_tls_client_auth auth)
{
    config->client_auth = auth;
}

int go_tls_config_set_alpn(go_tls_config *config, const char *protocols)
{
    size_t size = *protocols ? strlen(protocols) + 1 : 0, start = 0;
    unsigned char *alpn = malloc(size + 1);
    if (!alpn)
        return gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
    memcpy(alpn + 1, protocols, size); /* each comma becomes the length of what follows */
    for (size_t i = 1; i <= size; i++) {
        if (i < size && alpn[i] != ',')
            continue;
        if (i - start < 2 || i - start > 256) {
            free(alpn);
            return gofer_tls_fail(EINVAL, "tls: invalid NextProtos value");
        }
        alpn[start] = (unsigned char)(i - start - 1);
        start = i;
    }
    gofer_tls_enter();
    bool set = SSL_CTX_set_alpn_protos(config->context, alpn, (unsigned)size) == 0;
    gofer_tls_leave();
    if (!set) {
        free(alpn);
        return gofer_tls_fail(ENOMEM, "tls: cannot allocate memory");
    }
    free(config->alpn);
    config->alpn = alpn;
    config->alpn_size = size;
    return 0;
}

static bool is_version(int version)
{
    return version == 0 || version == GO_TLS_1_2 || version == GO_TLS_1_3;
}

int go_tls_config_set_versions(go_tls_config *config, int min, int max)
{
    if (!is_version(min) || !is_version(max) || (max && min > max))
        return gofer_tls_fail(EINVAL,
                              "tls: no supported versions satisfy MinVersion and MaxVersion");
    SSL_CTX_set_min_proto_version(config->context, min ? min : GO_TLS_1_2);
    SSL_CTX_set_max_proto_version(config->context, max);
    return 0;
}

int go_tls_config_set_server_name(go_tls_config *config, const char *name)
{
    size_t size = name ? strlen(name) + 1 : 1;
    if (size > sizeof config->server_name)
        return gofer_tls_fail(EINVAL, "tls: invalid server name %s", name);
    memcpy(config->server_name, name ? name : "", size);
    return 0;
}

void go_tls_config_set_insecure_skip_verify(go_tls_config *config, int skip)
{
    config->skips_verification = skip != 0;
}

void go_tls_config_set_session_cache(go_tls_config *config, int sessions)
{
    config->most_sessions = sessions > 0 ? sessions : 0;
    gofer_tls_sessions_drop(config, config->most_sessions);
}

void go_tls_config_set_session_tickets(go_tls_config *config, int on)
{
    if (on)
        SSL_CTX_clear_options(config->context, SSL_OP_NO_TICKET);
    else
        SSL_CTX_set_options(config->context, SSL_OP_NO_TICKET);
}

struct ssl_ctx_st *go_tls_config_ssl_ctx(go_tls_config *config)
{
    return config->context;
}

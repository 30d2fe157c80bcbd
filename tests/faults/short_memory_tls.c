/* short_memory_tls WHAT [N]: as short_memory.c, with OpenSSL's own requests among those that are
 * refused. In the working directory lie cert.pem, a certificate for localhost, its key.pem, and
 * chain.pem, which has it twice. Prints "endured", or, of request N alone, "done" where it makes
 * fewer. */
#include "refused_memory.h"
#include "tls/tls.h"

#include <errno.h>
#include <gofer.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_long countdown; /* to the request that is refused; 0 or less: none */

static int refuse(size_t size)
{
    (void)size;
    return atomic_load(&countdown) > 0 && atomic_fetch_sub(&countdown, 1) == 1;
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(old, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

static void expect(int holds, const char *what)
{
    int error = errno;
    if (!holds)
        go_fatal("%s; errno: %s; %s", what, strerror(error), go_net_error());
}

/* ---- what is done ---------------------------------------------------------------------------- */

static void serve(go_listener *listener)
{
    char byte;
    go_conn *conn = go_listener_accept(listener);
    go_conn_read(conn, &byte, 1); /* until the client is gone */
    go_conn_unref(conn);
}

/* A connection to a server whose chain has two, with that config. */
static go_conn *connect_to(go_tls_config *server)
{
    char address[GO_ADDRESS_ROOM];
    go_tls_config *client = go_tls_config_new();
    go_listener *listener = go_tls_listen("tcp", "127.0.0.1:0", server);
    expect(go_tls_config_add_root_file(client, "cert.pem") == 0, "root");
    go(serve, listener);
    snprintf(address, sizeof address, "localhost:%d", go_address_port(go_listener_local(listener)));
    go_conn *conn = go_tls_dial("tcp4", address, client);
    expect(conn != NULL, "dial");
    go_listener_unref(listener);
    go_tls_config_unref(client);
    return conn;
}

static int count_certificates(const char *pem)
{
    int count = 0;
    while ((pem = strstr(pem, "-----BEGIN CERTIFICATE"))) {
        count++;
        pem++;
    }
    return count;
}

static void stop_countdown(void)
{
    atomic_store(&countdown, atomic_load(&countdown) > 0 ? -1 : 0);
}

/* OpenSSL takes a public key that it had no memory for for one that it does not know. */
static int lacked_memory(void)
{
    return errno == ENOMEM ||
           strcmp(go_net_error(), "tls: private key does not match public key") == 0;
}

/* None of the chain is missing. */
static void reads_certificates(long n)
{
    go_tls_config *config = go_tls_config_new();
    atomic_store(&countdown, n);
    int result = go_tls_config_add_certificate_file(config, "chain.pem", "key.pem");
    stop_countdown();
    if (result == 0)
        expect(sk_X509_num(config->certificates->chain) == 1, "a certificate is missing");
    else
        expect(lacked_memory(), "certificates");
    go_tls_config_unref(config);
}

static void reads_roots(long n)
{
    go_tls_config *config = go_tls_config_new();
    atomic_store(&countdown, n);
    if (go_tls_config_add_root_file(config, "chain.pem") != 0)
        expect(errno == ENOMEM, "roots");
    stop_countdown();
    go_tls_config_unref(config);
}

static void shows_certificates(long n)
{
    static go_conn *conn;
    if (!conn) {
        go_tls_config *config = go_tls_config_new();
        expect(go_tls_config_add_certificate_file(config, "chain.pem", "key.pem") == 0, "chain");
        conn = connect_to(config);
        go_tls_config_unref(config);
    }
    atomic_store(&countdown, n);
    char *pem = go_tls_peer_pem(conn);
    if (pem)
        expect(count_certificates(pem) == 2, "a certificate is missing");
    else
        expect(errno == ENOMEM, "pem");
    stop_countdown();
    free(pem);
}

/* What is made once, by the first that needs it, is made by the next where memory was short. */
static void makes_defaults(long n)
{
    go_fd *ends[2];
    go_tls_config_unref(go_tls_config_new()); /* OpenSSL is there */
    go_fd_socketpair(1, 1, 0, ends);
    go_conn *conn = go_conn_from_fd(ends[0]);
    atomic_store(&countdown, n);
    go_conn *tls = go_tls_client(conn, NULL, "localhost");
    if (!tls)
        expect(errno == ENOMEM, "client");
    stop_countdown();
    if (!tls)
        tls = go_tls_client(conn, NULL, "localhost");
    expect(tls != NULL, "there is none for good");
    go_conn_unref(tls);
    go_fd_unref(ends[1]);
}

/* ---- again and again ------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(long n);
} runs[] = {
    { "certificates", reads_certificates },
    { "roots", reads_roots },
    { "show", shows_certificates },
    { "defaults", makes_defaults },
};

static int refuse_some(int argc, char **argv)
{
    void (*run)(long n) = NULL;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (argc > 1 && strcmp(runs[i].name, argv[1]) == 0)
            run = runs[i].run;
    if (!run)
        return 1;
    if (argc > 2) {
        run(atol(argv[2]));
        puts(atomic_load(&countdown) < 0 ? "done" : "endured");
        return 0;
    }
    run(0); /* what is made once is there */
    long n = 1;
    for (run(n); atomic_load(&countdown) >= 0; run(n))
        n += 1 + n / 64; /* there are thousands, most of them alike */
    puts(n > 1 ? "endured some" : "endured none");
    return 0;
}

int main(int argc, char **argv)
{
    CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
    return go_run(refuse_some, argc, argv);
}

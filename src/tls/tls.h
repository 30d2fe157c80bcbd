/* TLS connections, as the files of this room see them.
 *
 * OpenSSL's error queue belongs to the thread and goroutines change theirs, so nothing may park
 * inside an OpenSSL call: OpenSSL reads from and writes to two buffers (bio.c), and between its
 * calls the bytes go to and from the connection below (conn.c). Each call clears the queue before
 * and takes out what it left. OpenSSL's callbacks do not park either.
 *
 * An SSL is for one thread at a time: `lock` is held during each OpenSSL call on it, and never
 * while something waits for the network. Who waits has a turn instead: */
#ifndef GOFER_SRC_TLS_H
#define GOFER_SRC_TLS_H

#include "net/net.h"

#include "gofer/semaphore.h"
#include "gofer/sync.h"
#include "gofer/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* A record with its header, and all that may be added to it. */
enum { GOFER_TLS_RECORD = 16384, GOFER_TLS_INPUT = GOFER_TLS_RECORD + 512 };

/* Bytes on their way out: data[start .. length). */
struct gofer_tls_bytes {
    unsigned char *data;
    size_t start, length, room;
};

typedef struct gofer_tls_conn {
    go_conn conn;
    go_conn *inner; /* constant, as the next three */
    go_tls_config *config;
    char *server_name; /* of a client; NULL: none */
    bool verifies;

    /* One makes the handshake, with both directions his; later one reads and one writes. Who has
     * more than one took them in this order. */
    go_semaphore handshake_turn, read_turn, write_turn;
    _Atomic bool is_open;     /* the handshake is complete; released by who made it */
    _Atomic bool closed;      /* relaxed: who misses it finds the connection below closed */
    _Atomic bool read_closed; /* relaxed, likewise */

    go_mutex lock; /* guards these */
    SSL *ssl;
    gofer_net_failure failure;  /* what ended the protocol; error 0: nothing has */
    SSL_SESSION *fresh;         /* came in this OpenSSL call, for the config's cache */
    struct gofer_tls_bytes out; /* from OpenSSL */
    size_t in_start, in_end;    /* in `in`: what OpenSSL has not taken yet */

    /* write_turn, or handshake_turn before it is open */
    struct gofer_tls_bytes sending; /* taken from `out`, not all sent yet */
    gofer_net_failure write_failure;
    bool write_closed;

    unsigned char in[GOFER_TLS_INPUT]; /* filled by who has read_turn, while it is empty */
} gofer_tls_conn;

extern const gofer_conn_kind gofer_tls_kind;

/* NULL, and a failure is published: conn is none. */
gofer_tls_conn *gofer_tls_of(go_conn *conn);

/* ---- configurations -------------------------------------------------------------------------- */

enum { GOFER_TLS_NAME = 256 };

struct gofer_tls_certificate {
    X509 *leaf;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
    struct gofer_tls_certificate *next;
};

/* All but the references and the sessions are constant once it is used. */
struct go_tls_config {
    _Atomic uint32_t references;
    SSL_CTX *context;
    struct gofer_tls_certificate *certificates; /* in the order in which they were added */
    X509_STORE *roots, *client_cas;             /* NULL: the system's */
    go_tls_client_auth client_auth;
    bool skips_verification;
    char server_name[GOFER_TLS_NAME];
    unsigned char *alpn; /* as the protocol has it */
    size_t alpn_size;
    go_mutex sessions_lock; /* guards these: the last used first */
    struct gofer_tls_session *sessions;
    int most_sessions;
};

/* For config NULL; without a reference. NULL: a failure is published. */
go_tls_config *gofer_tls_default_config(void);

/* Whom a connection trusts: the config's own, or the system's. NULL: out of memory. May wait for
 * another who loads them: not between enter and leave. */
X509_STORE *gofer_tls_store(X509_STORE *own);

/* The client's session cache (session.c). `put` takes the session over; `get` gives a reference,
 * or NULL. */
void gofer_tls_session_put(go_tls_config *config, const char *server, SSL_SESSION *session);
SSL_SESSION *gofer_tls_session_get(go_tls_config *config, const char *server);
void gofer_tls_sessions_drop(go_tls_config *config, int most);

/* ---- buffers --------------------------------------------------------------------------------- */

/* Lets tls->ssl read from tls->in and write to tls->out. False: out of memory. */
bool gofer_tls_set_buffers(gofer_tls_conn *tls);

/* ---- failures -------------------------------------------------------------------------------- */

/* Calls of OpenSSL's that may fail stand between these two, on one thread: the thread's error queue
 * is empty before and after. TSan does not see how OpenSSL itself keeps order (its memory that
 * belongs to the thread goes from goroutine to goroutine), so it looks away. */
static inline void gofer_tls_enter(void)
{
    GOFER_TSAN_IGNORE_BEGIN();
    ERR_clear_error();
}

static inline void gofer_tls_leave(void)
{
    ERR_clear_error();
    GOFER_TSAN_IGNORE_END();
}

/* Publishes. Returns -1. */
int gofer_tls_fail(int error, const char *format, ...) GOFER_PRINTF(2, 3);

/* What OpenSSL's error queue, of this thread, says of a call that failed; for tls->failure, where
 * the verification has not said more. */
void gofer_tls_take_errors(gofer_tls_conn *tls);

/* Whether the error queue, which this empties, tells of a lack of memory. Of a call that failed:
 * one that leaves no word had none for that either. (OpenSSL takes a public key that it had no
 * memory to decode for one that it does not know.) */
bool gofer_tls_lacks_memory(void);

/* Whether a server's name is an IP address. */
bool gofer_tls_is_address(const char *name);

/* OpenSSL's callback for each certificate of a chain. */
int gofer_tls_verify(int verified, X509_STORE_CTX *store);

#endif

/* The kind of go_conn that speaks TLS: who waits for whom, and for which bytes.
 *
 * tls.h says who guards what. Whatever OpenSSL writes lands in `out`, in the order of its calls,
 * and one at a time sends it: who has write_turn. A reader that finds something there (an alert)
 * sends it only if nobody has the turn; who has it looks again after giving it up, so nothing
 * stays behind. */
#include "tls/tls.h"

#include "gofer/time.h"

enum { MOST_UNSENT = 4 * GOFER_TLS_RECORD, MOST_KEPT = 4096 };
#define CLOSE_TIMEOUT (5 * GO_SECOND) /* for close_notify, as Go's */

static gofer_tls_conn *tls_of(const go_conn *conn)
{
    return gofer_container(conn, gofer_tls_conn, conn);
}

gofer_tls_conn *gofer_tls_of(go_conn *conn)
{
    if (conn->kind == &gofer_tls_kind)
        return tls_of(conn);
    gofer_tls_fail(EINVAL, "tls: not a TLS connection");
    return NULL;
}

/* ---- failures -------------------------------------------------------------------------------- */

/* Of a turn that was not to be had, or of a closed connection. Returns -1. */
static int fail_with(const gofer_tls_conn *tls, go_context *ctx, const char *operation, int error)
{
    gofer_net_failure failure;
    errno = error;
    gofer_conn_fail(tls->inner, ctx, 0, operation, operation, &failure);
    return gofer_net_publish(&failure);
}

static bool is_closed(const gofer_tls_conn *tls)
{
    return atomic_load_explicit(&tls->closed, memory_order_relaxed);
}

/* 0, or -1 and published. */
static int take_turn(gofer_tls_conn *tls, go_context *ctx, go_semaphore *turn,
                     const char *operation)
{
    return go_semaphore_acquire_ctx(ctx, turn, 1) == 0 ? 0 : fail_with(tls, ctx, operation, errno);
}

/* ---- OpenSSL's calls ------------------------------------------------------------------------- */

enum outcome { DONE, WANTS_INPUT, ENDED, FAILED /* tls->failure says how */ };

/* Each OpenSSL call on tls->ssl stands between these two, and nothing that parks. False: the
 * protocol has failed before, and the call is not made. */
static bool begin_call(gofer_tls_conn *tls)
{
    go_mutex_lock(&tls->lock);
    gofer_tls_enter();
    return tls->failure.error == 0;
}

/* `result` is the call's, positive where it did what it should. */
static enum outcome end_call(gofer_tls_conn *tls, bool began, int result)
{
    enum outcome outcome = began && result > 0 ? DONE : FAILED;
    if (began && result <= 0) {
        int error = SSL_get_error(tls->ssl, result);
        if (error == SSL_ERROR_WANT_READ)
            outcome = WANTS_INPUT;
        else if (error == SSL_ERROR_ZERO_RETURN)
            outcome = ENDED;
        else
            gofer_tls_take_errors(tls);
    }
    gofer_tls_leave();
    SSL_SESSION *fresh = tls->fresh;
    tls->fresh = NULL;
    go_mutex_unlock(&tls->lock);
    if (fresh)
        gofer_tls_session_put(tls->config, tls->server_name, fresh);
    return outcome;
}

/* ---- bytes to and from the connection below -------------------------------------------------- */

/* Reads what OpenSSL wants. For who has read_turn, or makes the handshake. 0, or -1 and published;
 * `ended` are the words for an end. */
static int feed(gofer_tls_conn *tls, go_context *ctx, const char *ended)
{
    ssize_t n = go_conn_read_ctx(ctx, tls->inner, tls->in, sizeof tls->in);
    if (n == 0 && !atomic_load_explicit(&tls->read_closed, memory_order_relaxed))
        return gofer_tls_fail(ECONNABORTED, "%s", ended);
    if (n <= 0)
        return (int)n;
    go_mutex_lock(&tls->lock);
    tls->in_start = 0;
    tls->in_end = (size_t)n;
    go_mutex_unlock(&tls->lock);
    return 0;
}

static bool has_output(gofer_tls_conn *tls)
{
    go_mutex_lock(&tls->lock);
    bool has = tls->out.length != 0;
    go_mutex_unlock(&tls->lock);
    return has;
}

/* Takes over what OpenSSL wrote, in exchange for the empty buffer, which is not kept where it is
 * large. False: there is nothing. */
static bool take_output(gofer_tls_conn *tls)
{
    struct gofer_tls_bytes empty = tls->sending;
    empty.start = empty.length = 0;
    if (empty.room > MOST_KEPT) {
        free(empty.data);
        empty = (struct gofer_tls_bytes){ 0 };
    }
    go_mutex_lock(&tls->lock);
    tls->sending = tls->out;
    tls->out = empty;
    go_mutex_unlock(&tls->lock);
    return tls->sending.length != 0;
}

/* Sends all there is. For who has write_turn, or makes the handshake. 0, or -1 and published: what
 * was not sent is kept, and comes first the next time. */
static int flush(gofer_tls_conn *tls, go_context *ctx)
{
    struct gofer_tls_bytes *bytes = &tls->sending;
    while (bytes->start < bytes->length || take_output(tls)) {
        size_t left = bytes->length - bytes->start;
        ssize_t n = go_conn_write_ctx(ctx, tls->inner, bytes->data + bytes->start, left);
        if (n > 0)
            bytes->start += (size_t)n;
        if (n < 0 || (size_t)n < left)
            return -1;
    }
    return 0;
}

/* Sends what OpenSSL wrote unless somebody else does; a failure is for the next who writes. */
static void flush_if_free(gofer_tls_conn *tls)
{
    while (has_output(tls) && go_semaphore_try_acquire(&tls->write_turn, 1)) {
        int failed = flush(tls, NULL);
        go_semaphore_release(&tls->write_turn, 1);
        if (failed)
            return;
    }
}

static void leave_write_turn(gofer_tls_conn *tls)
{
    go_semaphore_release(&tls->write_turn, 1);
    flush_if_free(tls);
}

/* ---- handshake ------------------------------------------------------------------------------- */

static bool is_open(const gofer_tls_conn *tls)
{
    /* pairs with the release in make_handshake */
    return atomic_load_explicit(&tls->is_open, memory_order_acquire);
}

static int make_handshake(gofer_tls_conn *tls, go_context *ctx)
{
    while (!is_open(tls)) {
        if (is_closed(tls))
            return fail_with(tls, ctx, "read", EBADF);
        bool began = begin_call(tls);
        enum outcome outcome = end_call(tls, began, began ? SSL_do_handshake(tls->ssl) : 0);
        int failed = flush(tls, ctx); /* an alert, too */
        if (outcome == FAILED)
            return gofer_net_publish(&tls->failure);
        if (failed || (outcome == WANTS_INPUT && feed(tls, ctx, "EOF") != 0))
            return -1;
        if (outcome == ENDED)
            return gofer_tls_fail(ECONNABORTED, "EOF");
        if (outcome == DONE) /* pairs with the acquire in is_open */
            atomic_store_explicit(&tls->is_open, true, memory_order_release);
    }
    return 0;
}

static int ensure_open(gofer_tls_conn *tls, go_context *ctx)
{
    if (is_open(tls))
        return 0;
    if (take_turn(tls, ctx, &tls->handshake_turn, "read") != 0)
        return -1;
    int result = make_handshake(tls, ctx);
    int kept = errno;
    go_semaphore_release(&tls->handshake_turn, 1);
    errno = kept;
    return result;
}

int go_tls_handshake_ctx(go_context *ctx, go_conn *conn)
{
    gofer_tls_conn *tls = gofer_tls_of(conn);
    return tls ? ensure_open(tls, ctx) : -1;
}

int go_tls_handshake(go_conn *conn)
{
    return go_tls_handshake_ctx(NULL, conn);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Some bytes: how many; 0 at the end; -1 and published. For who has read_turn. */
static ssize_t read_some(gofer_tls_conn *tls, go_context *ctx, void *buffer, size_t size)
{
    for (;;) {
        size_t n = 0;
        if (is_closed(tls))
            return fail_with(tls, ctx, "read", EBADF);
        if (atomic_load_explicit(&tls->read_closed, memory_order_relaxed))
            return 0;
        bool began = begin_call(tls);
        enum outcome outcome =
            end_call(tls, began, began ? SSL_read_ex(tls->ssl, buffer, size, &n) : 0);
        if (outcome == DONE)
            return (ssize_t)n;
        flush_if_free(tls);
        if (outcome == ENDED)
            return 0;
        if (outcome == FAILED)
            return gofer_net_publish(&tls->failure);
        if (feed(tls, ctx, "unexpected EOF") != 0)
            return -1;
    }
}

static ssize_t tls_read(go_context *ctx, go_conn *conn, void *buffer, size_t size, bool full)
{
    gofer_tls_conn *tls = tls_of(conn);
    size_t total = 0;
    ssize_t n = 0;
    if (ensure_open(tls, ctx) != 0 || take_turn(tls, ctx, &tls->read_turn, "read") != 0)
        return -1;
    while (total < size) {
        n = read_some(tls, ctx, (char *)buffer + total, size - total);
        if (n > 0)
            total += (size_t)n;
        if (n <= 0 || !full)
            break;
    }
    int kept = n < 0 ? errno : 0;
    go_semaphore_release(&tls->read_turn, 1);
    errno = kept;
    return total ? (ssize_t)total : n;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Encrypts up to one record's bytes, and returns how many; -1 and published. */
static ssize_t encrypt(gofer_tls_conn *tls, go_context *ctx, const void *data, size_t size)
{
    size_t n = size < GOFER_TLS_RECORD ? size : GOFER_TLS_RECORD;
    if (is_closed(tls))
        return fail_with(tls, ctx, "write", EBADF);
    bool began = begin_call(tls);
    if (end_call(tls, began, began ? SSL_write_ex(tls->ssl, data, n, &n) : 0) == DONE)
        return (ssize_t)n;
    return gofer_net_publish(&tls->failure);
}

/* All pieces; how many bytes were sent goes to *sent. 0, or -1 and published. */
static int write_pieces(gofer_tls_conn *tls, go_context *ctx, const struct iovec *pieces, int count,
                        size_t *sent)
{
    size_t total = 0, unsent = 0;
    for (int i = 0; i < count; i++)
        for (size_t done = 0; done < pieces[i].iov_len;) {
            ssize_t n = encrypt(tls, ctx, (const char *)pieces[i].iov_base + done,
                                pieces[i].iov_len - done);
            if (n < 0)
                return -1;
            done += (size_t)n;
            total += (size_t)n;
            unsent += (size_t)n;
            if (unsent < MOST_UNSENT)
                continue;
            if (flush(tls, ctx) != 0)
                return -1;
            *sent = total;
            unsent = 0;
        }
    if (flush(tls, ctx) != 0)
        return -1;
    *sent = total;
    return 0;
}

/* The caller does not know how much of what was encrypted the peer will see: no more is written. */
static void keep_write_failure(gofer_tls_conn *tls)
{
    tls->write_failure.error = errno;
    gofer_net_join(tls->write_failure.text, GOFER_NET_TEXT, go_net_error(), (char *)NULL);
}

static ssize_t tls_writev(go_context *ctx, go_conn *conn, const struct iovec *pieces, int count)
{
    gofer_tls_conn *tls = tls_of(conn);
    size_t sent = 0;
    int result = 0;
    if (ensure_open(tls, ctx) != 0 || take_turn(tls, ctx, &tls->write_turn, "write") != 0)
        return -1;
    if (is_closed(tls)) {
        result = fail_with(tls, ctx, "write", EBADF);
    } else if (tls->write_failure.error) {
        result = gofer_net_publish(&tls->write_failure);
    } else if (tls->write_closed) {
        result = gofer_tls_fail(EPIPE, "tls: protocol is shutdown");
    } else if (write_pieces(tls, ctx, pieces, count, &sent) != 0) {
        result = -1;
        keep_write_failure(tls);
    }
    int kept = errno;
    leave_write_turn(tls);
    errno = kept;
    return sent || result == 0 ? (ssize_t)sent : -1;
}

/* ---- closing --------------------------------------------------------------------------------- */

/* Sends close_notify once. For who has write_turn. 0, or -1 and published. */
static int send_close_notify(gofer_tls_conn *tls, go_context *ctx)
{
    if (tls->write_failure.error)
        return gofer_net_publish(&tls->write_failure);
    if (!tls->write_closed) {
        bool began = begin_call(tls);
        /* 0: the peer has not sent its own yet */
        int result = began ? SSL_shutdown(tls->ssl) : -1;
        if (end_call(tls, began, result == 0 ? 1 : result) != DONE)
            return gofer_net_publish(&tls->failure);
        tls->write_closed = true;
    }
    return flush(tls, ctx);
}

static int tls_close(go_conn *conn)
{
    gofer_tls_conn *tls = tls_of(conn);
    if (atomic_exchange_explicit(&tls->closed, true, memory_order_relaxed))
        return fail_with(tls, NULL, "close", EBADF);
    /* who is in the middle of a write would be waited for: then the peer finds the stream cut */
    if (is_open(tls) && go_semaphore_try_acquire(&tls->write_turn, 1)) {
        go_conn_set_write_deadline(tls->inner, go_now() + CLOSE_TIMEOUT);
        send_close_notify(tls, NULL);
        go_semaphore_release(&tls->write_turn, 1);
    }
    return go_conn_close(tls->inner);
}

static int shutdown_write(gofer_tls_conn *tls)
{
    if (!is_open(tls))
        return gofer_tls_fail(ENOTCONN, "tls: CloseWrite called before handshake complete");
    if (take_turn(tls, NULL, &tls->write_turn, "close") != 0)
        return -1;
    int result =
        is_closed(tls) ? fail_with(tls, NULL, "close", EBADF) : send_close_notify(tls, NULL);
    int kept = errno;
    leave_write_turn(tls);
    errno = kept;
    return result;
}

static int tls_shutdown(go_conn *conn, int how)
{
    gofer_tls_conn *tls = tls_of(conn);
    if (how == SHUT_WR)
        return shutdown_write(tls);
    atomic_store_explicit(&tls->read_closed, true, memory_order_relaxed);
    return go_conn_close_read(tls->inner);
}

static void tls_free(go_conn *conn)
{
    gofer_tls_conn *tls = tls_of(conn);
    if (!is_closed(tls))
        tls_close(conn);
    gofer_tls_enter();
    if (!tls->failure.error) /* else its session could not be resumed */
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    SSL_SESSION_free(tls->fresh);
    gofer_tls_leave();
    go_conn_unref(tls->inner);
    go_tls_config_unref(tls->config);
    free(tls->out.data);
    free(tls->sending.data);
    free(tls->server_name);
    free(tls);
}

/* ---- the kind -------------------------------------------------------------------------------- */

static int tls_set_deadline(go_conn *conn, int what, int64_t when)
{
    go_conn *inner = tls_of(conn)->inner;
    return inner->kind->set_deadline(inner, what, when);
}

static bool tls_is_expired(const go_conn *conn, int what)
{
    const go_conn *inner = tls_of(conn)->inner;
    return inner->kind->is_expired(inner, what);
}

/* None carries just these bytes. */
static go_fd *tls_fd(const go_conn *conn)
{
    (void)conn;
    return NULL;
}

const gofer_conn_kind gofer_tls_kind = {
    .read = tls_read,
    .writev = tls_writev,
    .close = tls_close,
    .shutdown = tls_shutdown,
    .set_deadline = tls_set_deadline,
    .is_expired = tls_is_expired,
    .fd = tls_fd,
    .free = tls_free,
    .has_words = true,
};

/* One connection, from accept to close: waits for a request, reads it, has it answered, and again.
 *
 * Time. A connection that is idle has idle_timeout and ends when the server stops; one whose
 * request has begun has read_timeout for all of it, and the server's stop does not touch it.
 * Setting a deadline costs more than reading the clock, so one that is nearly right is left as it
 * is.
 *
 * Memory. While nothing is to be written there is no buffer to write from. Answers are sent when
 * the client would have to be waited for: a batch of pipelined requests is answered in one piece.
 */
#include "httpd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void *new_out_memory(void)
{
    return malloc(OUT_ROOM);
}

static go_pool out_memories = { .create = new_out_memory, .destroy = free };

/* How long a client that was refused may go on sending before it is cut: until it has read the
 * answer, which a reset would take away from it. */
static const go_duration linger_time = 2 * GO_SECOND;

/* ---- deadlines ------------------------------------------------------------------------------- */

/* Sets a deadline, unless the one that is set comes before it by less than an eighth. */
static void move_deadline(struct connection *c, int64_t *set, go_duration timeout,
                          int (*set_deadline)(go_conn *, int64_t))
{
    int64_t want = go_now() + timeout, early = want - *set;
    if (early >= 0 && early <= timeout / 8)
        return;
    set_deadline(c->conn, want);
    *set = want;
}

void connection_may_write(struct connection *c)
{
    move_deadline(c, &c->write_deadline, c->server->settings->write_timeout,
                  go_conn_set_write_deadline);
}

static void may_idle(struct connection *c)
{
    move_deadline(c, &c->read_deadline, c->server->settings->idle_timeout,
                  go_conn_set_read_deadline);
}

/* A request that came whole in one piece never gets here. */
static void must_end_request(struct connection *c)
{
    if (c->read_until)
        return;
    c->read_until = go_now() + c->server->settings->read_timeout;
    go_conn_set_read_deadline(c->conn, c->read_until);
    c->read_deadline = c->read_until;
}

/* ---- the reader's source and the writer's sink ----------------------------------------------- */

static ssize_t read_some(go_context *ctx, void *from, void *buffer, size_t size)
{
    struct connection *c = from;
    if (go_writer_flush(&c->out) != 0)
        return -1;
    if (!ctx) /* in the middle of a request */
        must_end_request(c);
    return go_conn_read_ctx(ctx ? ctx : c->server->cutting, c->conn, buffer, size);
}

static ssize_t write_all(go_context *ctx, void *to, const void *data, size_t size)
{
    struct connection *c = to;
    (void)ctx;
    connection_may_write(c);
    return go_conn_write_ctx(c->server->cutting, c->conn, data, size);
}

static bool prepare_to_write(struct connection *c)
{
    if (c->out_memory)
        return true;
    c->out_memory = go_pool_get(&out_memories);
    if (!c->out_memory)
        return false;
    go_writer_init_in(&c->out, (go_sink){ write_all, c }, c->out_memory, OUT_ROOM);
    return true;
}

static void give_back_memory(struct connection *c)
{
    go_pool_put(&out_memories, c->out_memory);
    c->out_memory = NULL;
}

/* ---- a request ------------------------------------------------------------------------------- */

/* The server stops while the connection waits: a client who sent a request before he could know
 * that gets an answer, which tells him. */
static bool await_last_request(struct connection *c)
{
    const char *bytes;
    go_fd *fd = go_conn_fd(c->conn);
    c->read_until = go_now() + c->server->settings->last_call;
    go_conn_set_read_deadline(c->conn, c->read_until);
    ssize_t n = go_reader_peek(&c->in, 1, &bytes);
    if (n < 0 && errno == ETIMEDOUT && fd) /* the bytes may have come at the same time */
        n = recv(go_fd_number(fd), &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0;
}

/* Whether the first bytes of a request are there. False: the client has closed, or said nothing for
 * too long, or the server stops. */
static bool await_request(struct connection *c)
{
    const char *bytes;
    if (go_reader_buffered(&c->in))
        return true;
    if (c->out_memory && go_writer_flush(&c->out) != 0)
        return false;
    give_back_memory(c);
    may_idle(c);
    go_reader_set_context(&c->in, c->server->stopping);
    ssize_t n = go_reader_peek(&c->in, 1, &bytes);
    go_reader_set_context(&c->in, NULL);
    return n > 0 || (n < 0 && errno == ECANCELED && await_last_request(c));
}

/* A panic in a handler costs its client the connection, and nobody else anything. */
static void survive_panic(struct connection *c)
{
    const go_panic_value *panic = go_recover();
    if (!panic)
        return;
    fprintf(stderr, "httpd: panic at %s %s for %s: %s\n", request_method(&c->request),
            c->request.target, c->peer, panic->text);
    c->keep_alive = false;
    if (c->status)
        c->broken = true;
    else
        respond_error(c, HTTP_STATUS_INTERNAL_SERVER_ERROR, "");
}

static void answer(struct connection *c, const struct route *route)
{
    go_recoverable();
    go_defer(survive_panic, c);
    route->answer(c);
}

/* Whether another request may follow this one, as far as is known before its answer. */
static bool may_stay(const struct connection *c)
{
    bool stops = go_context_err(c->server->stopping) != 0;
    return c->request.keep_alive && (!stops || go_reader_buffered(&c->in));
}

/* Reads a request and answers it. The status with which it is to be refused, -1 and errno, or 0. */
static int read_and_answer(struct connection *c)
{
    struct request *request = &c->request;
    int status = request_read_head(request, &c->in);
    if (status)
        return status;
    c->keep_alive = may_stay(c) && !request->has_body;
    const struct route *route = route_find(c); /* which may refuse it with its body unread */
    if (!route)
        return 0;
    if (request->has_body) {
        if (request->expects_continue)
            go_writer_write_string(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        status = request_read_body(request, &c->in);
        if (status)
            return status;
        c->keep_alive = may_stay(c);
    }
    answer(c, route);
    return 0;
}

/* Serves one request. False: it was the connection's last. */
static bool serve_request(struct connection *c)
{
    int64_t began = go_now();
    c->read_until = 0; /* each has its own time */
    c->status = 0;
    c->sent = 0;
    c->keep_alive = false;
    request_init(&c->request, &c->server->settings->limits);
    int status = prepare_to_write(c) ? read_and_answer(c) : -1;
    if (status < 0 && errno == ETIMEDOUT)
        status = HTTP_STATUS_REQUEST_TIMEOUT;
    if (status > 0) {
        c->keep_alive = false;
        respond_error(c, status, "");
    }
    if (c->status) {
        atomic_fetch_add_explicit(&c->server->requests, 1, memory_order_relaxed);
        log_request(c, go_now() - began);
    }
    request_free(&c->request);
    return status == 0 && c->keep_alive && !c->broken && !go_writer_error(&c->out);
}

/* ---- the connection -------------------------------------------------------------------------- */

/* Ends a connection after its last answer: the client reads that, and an end, and closes. What it
 * sends meanwhile is dropped; unread, it would make the kernel reset the connection. */
static void say_goodbye(struct connection *c)
{
    char dropped[512];
    if (!c->out_memory || c->broken || go_writer_flush(&c->out) != 0)
        return;
    if (go_conn_close_write(c->conn) != 0)
        return;
    go_conn_set_read_deadline(c->conn, go_now() + linger_time);
    while (go_conn_read_ctx(c->server->cutting, c->conn, dropped, sizeof dropped) > 0)
        ;
}

static void open_connection(struct connection *c, struct server *server, go_conn *conn)
{
    c->server = server;
    c->conn = conn;
    go_reader_init_in(&c->in, (go_source){ read_some, c }, c->in_memory, sizeof c->in_memory);
    go_address_host(go_conn_remote(conn), c->peer, sizeof c->peer);
}

static void close_connection(struct connection *c)
{
    give_back_memory(c);
    go_conn_close(c->conn);
    go_conn_unref(c->conn);
}

void connection_serve(struct server *server, go_conn *conn)
{
    struct connection c = { 0 };
    open_connection(&c, server, conn);
    bool open = tls_handshake(&c);
    while (open && await_request(&c))
        if (!serve_request(&c)) {
            say_goodbye(&c);
            break;
        }
    close_connection(&c);
}

void connection_refuse(struct server *server, go_conn *conn)
{
    struct connection c = { 0 };
    open_connection(&c, server, conn);
    request_init(&c.request, &server->settings->limits);
    if (tls_handshake(&c) && prepare_to_write(&c)) {
        respond_error(&c, HTTP_STATUS_SERVICE_UNAVAILABLE, "Retry-After: 1\r\n");
        log_request(&c, 0);
        say_goodbye(&c);
    }
    close_connection(&c);
}

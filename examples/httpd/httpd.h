/* What the server's files know of each other:
 *
 *   main.c        the command line, signals, the end
 *   server.c      listening, accepting, limits, shutting down
 *   connection.c  one connection: requests in, deadlines, keep-alive
 *   request.c     one request, and target.c its path (their header: request.h)
 *   response.c    heads, errors, dates
 *   routes.c      which function answers what
 *   files.c       static files; conditions.c: whether, and which part of one
 *   api.c         the JSON API
 *   log.c         the access log
 *   tls.c         TLS, where it is asked for
 *
 * Each connection is a goroutine, which reads, answers and writes in turn, as if it were alone.
 * What connections share is the server: its counters are atomic, the log has a mutex, nothing else
 * changes. */
#ifndef HTTPD_H
#define HTTPD_H

#include "request.h"

#include <gofer.h>
#include <stdatomic.h>
#include <time.h>

/* ---- the server ------------------------------------------------------------------------------ */

struct settings {
    const char *address;
    int root; /* the directory of the files, open */
    struct request_limits limits;
    int most_connections;
    go_duration idle_timeout;  /* until a next request begins */
    go_duration read_timeout;  /* from its first byte to the last of its body */
    go_duration write_timeout; /* for each piece of an answer */
    go_duration last_call;     /* for a next request when the server is stopped */
    go_duration drain_timeout; /* for what is in progress when the server is stopped */
    struct go_tls_config *tls; /* NULL: in the clear */
    bool reuse_port;
    bool debug; /* the routes under /debug */
};

struct server {
    const struct settings *settings;
    go_listener *listener;
    go_context *stopping; /* cancelled: no new connections, idle ones end, others after a request */
    go_context *cutting;  /* cancelled: what is still in progress ends, too */
    go_semaphore slots;   /* one for each connection */
    go_semaphore refusals;
    go_waitgroup running;         /* all goroutines of the server */
    _Atomic uint64_t connections; /* open now; relaxed, as all counters: they guard nothing */
    _Atomic uint64_t requests;
    _Atomic uint64_t counter; /* the API's */
};

/* 0, or -1 with a text in go_net_error. */
int server_listen(struct server *server, const struct settings *settings);

/* Accepts until server->stopping is cancelled. Blocks; runs as one of server->running. */
void server_run(struct server *server);

/* Stops it, and waits for what is in progress, at most settings->drain_timeout. How many
 * connections were cut then. Blocks. */
uint64_t server_stop(struct server *server);

/* ---- a connection ---------------------------------------------------------------------------- */

struct connection {
    struct server *server;
    go_conn *conn;
    go_reader in;
    go_writer out;
    void *out_memory; /* from a pool, while there is something to write */
    struct request request;
    int64_t read_deadline, write_deadline; /* as they are set now */
    int64_t read_until;                    /* for the request in progress; 0: not set yet */
    int status;                            /* of the answer; 0: there is none yet */
    uint64_t sent;                         /* bytes of its body */
    bool keep_alive;
    bool broken; /* the answer cannot be ended: the client must see that */
    time_t second;
    char date[32], peer[64];
    char in_memory[1024]; /* on the stack, of which a request touches two pages in all */
};

enum { OUT_ROOM = 16384 };

/* Serves a connection until its end, and gives it back. Blocks. */
void connection_serve(struct server *server, go_conn *conn);

/* Says that the server is full. Blocks. */
void connection_refuse(struct server *server, go_conn *conn);

/* From now on the client has `timeout` to take what is written. */
void connection_may_write(struct connection *c);

/* ---- answers --------------------------------------------------------------------------------- */

/* Writes the head of an answer with a body of `size` bytes; `fields` are more of them, each with
 * its \r\n. The next three write a whole answer. */
void respond_head(struct connection *c, int status, const char *type, uint64_t size,
                  const char *fields);
void respond(struct connection *c, int status, const char *type, const void *body, size_t size);
void respond_error(struct connection *c, int status, const char *fields);
void respond_empty(struct connection *c, int status, const char *fields);

const char *status_text(int status);

/* "Sun, 06 Nov 1994 08:49:37 GMT", and back: -1 where it is none. */
char *http_date(time_t when, char buf[32]);
time_t http_date_parse(const char *text);

/* ---- routes ---------------------------------------------------------------------------------- */

struct route {
    const char *path;
    const char *methods; /* as the field Allow has them */
    void (*answer)(struct connection *c);
    bool debug;
};

/* What answers this request. NULL: nothing does, and it has been refused. */
const struct route *route_find(struct connection *c);

void files_answer(struct connection *c);
void api_counter(struct connection *c);
void api_echo(struct connection *c);
void debug_stats(struct connection *c);
void debug_sleep(struct connection *c);
void debug_panic(struct connection *c);

/* The bytes from `first` up to, but without, `end`. */
struct range {
    uint64_t first, end;
};

/* Whether the client has this file already, by its tag or its date. */
bool file_is_unchanged(const struct request *request, const char *tag, time_t changed);

/* Which part of a file of `size` bytes is to be sent: 1 and the range; 0: all of it; -1: one that
 * lies behind the end. */
int file_range(const struct request *request, const char *tag, const char *changed, uint64_t size,
               struct range *range);

/* ---- TLS ------------------------------------------------------------------------------------- */

/* From files in PEM. NULL: go_net_error or errno says why. */
struct go_tls_config *tls_open(const char *certificate, const char *key);

/* The connection to serve in place of one that was accepted: with TLS where that is asked for.
 * NULL: no memory, and conn was given back. */
go_conn *tls_accept(const struct settings *settings, go_conn *conn);

/* Makes the handshake, where there is TLS. False: there is nobody to serve. Blocks. */
bool tls_handshake(struct connection *c);

/* ---- the access log -------------------------------------------------------------------------- */

/* To a descriptor, which stays the caller's; negative: nothing is logged. 0, or -1 with errno. */
int log_open(int descriptor);
void log_request(const struct connection *c, go_duration took);
void log_close(void);

#endif

/* A client: its reader, which is the goroutine that serves the connection, and its writer. Either
 * may be the first to find that it is over; the hall closes `out` in any case, at which the writer
 * ends, and it ends the reader. */
#include "chat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a client that was told goodbye may take to close. */
static const go_duration linger_time = GO_SECOND;

/* ---- the writer ------------------------------------------------------------------------------ */

static void flush(struct client *client, go_writer *out)
{
    go_conn_set_write_deadline(client->conn, go_now() + client->hall->settings->write_timeout);
    if (go_writer_flush(out) != 0)
        go_context_cancel_cause(client->ctx, errno, "%s",
                                errno == ETIMEDOUT ? "too slow" : "connection lost");
}

/* What the writer does about a client that says nothing. The reader only notes the time of each
 * line: that costs less than to move a timer. */
struct watch {
    go_timer *timer; /* for when to look again */
    int64_t warned;  /* the line after which it was warned; 0: it was not */
};

/* Warns a client that has said nothing for long; ends one that has not since it was warned. */
static void look_at_silence(struct client *client, struct watch *watch, go_writer *out)
{
    go_duration limit = client->hall->settings->idle_timeout, grace = limit / 4;
    int64_t heard = atomic_load_explicit(&client->heard, memory_order_relaxed);
    go_duration silence = go_now() - heard;
    char time[GO_DURATION_ROOM];
    if (silence < limit - grace) {
        go_timer_reset(watch->timer, limit - grace - silence);
    } else if (watch->warned != heard) {
        go_writer_printf(out, "* are you there? another %s without a line is the end\n",
                         go_duration_string(grace, time, sizeof time));
        flush(client, out);
        watch->warned = heard;
        go_timer_reset(watch->timer, grace);
    } else {
        go_writer_printf(out, "* nothing from you for %s: goodbye\n",
                         go_duration_string(limit, time, sizeof time));
        flush(client, out);
        go_context_cancel_cause(client->ctx, ETIMEDOUT, "silent for %s", time);
    }
}

/* Writes what the hall sends until it closes `out`; the last is flushed when nothing waits behind
 * it, so that many texts go out in one piece. */
static void write_texts(struct client *client)
{
    enum { TEXT, SILENCE };
    char memory[4096];
    go_writer out;
    go_duration limit = client->hall->settings->idle_timeout;
    struct watch watch = { .timer = need(go_timer_new(limit - limit / 4)) };
    struct text *text;
    int some = 1;
    go_writer_init_in(&out, go_conn_sink(client->conn), memory, sizeof memory);
    go_writer_set_context(&out, client->ctx);
    while (some)
        switch (go_select(go_case_as(TEXT, go_case_recv_ok(client->out, &text, &some)),
                          go_case_as(SILENCE, go_case_recv(go_timer_chan(watch.timer), NULL)))) {
        case TEXT:
            if (!some)
                break;
            go_writer_write(&out, text->bytes, text->size);
            text_unuse(text);
            if (go_len(client->out) == 0)
                flush(client, &out);
            break;
        case SILENCE:
            look_at_silence(client, &watch, &out);
            break;
        }
    flush(client, &out);
    go_timer_free(watch.timer);
    go_context_cancel(client->ctx); /* ends the reader, if it reads */
}

/* ---- the reader ------------------------------------------------------------------------------ */

/* A client may send a second's worth of lines at once, and then as many as the rate allows: the
 * others are left in the connection, and hold it up. */
static void keep_to_rate(struct client *client)
{
    int64_t now = go_now();
    if (client->next_line < now - GO_SECOND)
        client->next_line = now - GO_SECOND;
    client->next_line += GO_SECOND / client->hall->settings->rate;
    if (client->next_line > now)
        go_sleep_ctx(client->ctx, client->next_line - now);
}

/* Passes lines on to the hall until the client closes, is cancelled, or fails. */
static void read_lines(struct client *client)
{
    struct hall *hall = client->hall;
    go_reader in;
    char *text;
    bool skips = false; /* in the rest of a line that is too long */
    size_t longest = hall->settings->longest_line;
    /* not larger than a line: so a line that is too long has no end in the buffer */
    go_reader_init(&in, go_conn_source(client->conn), longest < 512 ? longest : 512);
    go_reader_set_longest_line(&in, longest);
    go_reader_set_context(&in, client->ctx);
    for (;;) {
        ssize_t n = go_reader_read_line(&in, &text);
        if (n < 0 && errno != ENOBUFS)
            break;
        bool skipped = skips;
        skips = n < 0;
        if (skips)
            go_reader_discard(&in, go_reader_buffered(&in));
        if (skipped)
            continue;
        keep_to_rate(client);
        atomic_store_explicit(&client->heard, go_now(), memory_order_relaxed);
        struct line line = { client, n < 0 ? NULL : need(strdup(text)) };
        if (go_send_ctx(client->ctx, hall->lines, line) != 0) {
            free(line.text);
            break;
        }
    }
    go_reader_free(&in);
}

/* ---- the connection -------------------------------------------------------------------------- */

/* Closed with bytes unread a connection is reset, and what was written last may be lost: reads on
 * until the client has closed, too. */
static void linger(go_context *cutting, go_conn *conn)
{
    char dropped[512];
    if (go_conn_close_write(conn) != 0)
        return;
    go_conn_set_read_deadline(conn, go_now() + linger_time);
    while (go_conn_read_ctx(cutting, conn, dropped, sizeof dropped) > 0)
        ;
}

void client_serve(struct hall *hall, go_context *cutting, go_conn *conn)
{
    struct client client = { .hall = hall, .conn = conn };
    go_waitgroup writer = { 0 };
    atomic_init(&client.heard, go_now());
    client.ctx = need(go_context_with_cancel(cutting));
    client.out = need(go_chan_make(struct text *, hall->settings->queue));
    go_waitgroup_go(&writer, write_texts, &client);
    go_send(hall->joins, &client);
    read_lines(&client);
    go_send(hall->leaves, &client);
    go_waitgroup_wait(&writer);
    linger(cutting, conn);
    go_chan_unref(client.out);
    go_context_end(client.ctx);
    go_conn_close(conn);
    go_conn_unref(conn);
}

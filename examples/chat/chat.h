/* What the server's files know of each other:
 *
 *   main.c     the command line, accepting, the end
 *   hall.c     one goroutine that knows who is where, and tells everybody what they are to hear
 *   client.c   two goroutines for each connection: one reads its lines, one writes to it
 *
 * They share no data but by channels. The hall alone decides; a client's reader brings it lines, a
 * client's writer gets texts from it. The hall waits for nobody: who does not take his texts in
 * time is dropped. */
#ifndef CHAT_H
#define CHAT_H

#include <gofer.h>
#include <stdatomic.h>
#include <stdbool.h>

struct settings {
    const char *address;
    int most_clients;
    int queue;                 /* texts that a client may be behind */
    int rate;                  /* lines a second that a client may send */
    size_t longest_line;       /* in bytes, with its end */
    go_duration idle_timeout;  /* for a client that says nothing; warned after three quarters */
    go_duration write_timeout; /* for a client that takes nothing */
    go_duration drain_timeout; /* for the last texts when the server is stopped */
};

/* ---- texts ----------------------------------------------------------------------------------- */

/* What several clients are to hear; shared, never changed, freed by the last. */
struct text {
    _Atomic int uses;
    size_t size;
    char bytes[];
};

/* With one use, the caller's. Where there is no memory it panics, as all here. */
struct text *text_make(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct text *text_use(struct text *text);
void text_unuse(struct text *text);

/* `memory`, or a panic. */
void *need(void *memory);

/* ---- the hall -------------------------------------------------------------------------------- */

enum { NAME_ROOM = 21 };

struct client {
    struct hall *hall;
    go_conn *conn;
    go_context *ctx;            /* cancelled, with the reason, when it is to go at once */
    go_chan(struct text *) out; /* the hall sends, and closes it after the last */
    _Atomic int64_t heard;      /* when its last line came: by the reader, for the writer */
    int64_t next_line;          /* the reader's: when it may send one more */
    char name[NAME_ROOM];       /* this and the rest are the hall's */
    char room[NAME_ROOM];
    bool is_behind; /* it had no room for a text */
};

struct line {
    struct client *from;
    char *text; /* the hall frees it; NULL: it was too long */
};

/* The channels have no buffer: when a send returns, the hall has what was sent, in that order. */
struct hall {
    const struct settings *settings;
    go_context *stopping;           /* cancelled: everybody is told, and nobody comes in any more */
    go_chan(struct client *) joins; /* closed: all have left, the hall's goroutine ends */
    go_chan(struct client *) leaves;
    go_chan(struct line) lines;
    struct client **clients; /* who is in, `count` of them; the hall's goroutine's */
    int count, behind;       /* ... and so many of them are behind */
    unsigned guests;         /* how many names were given */
};

/* Runs until hall->joins is closed. Blocks. */
void hall_run(struct hall *hall);

/* ---- clients --------------------------------------------------------------------------------- */

/* Serves a connection until its end, and gives it back. What is still to be written when `cutting`
 * is cancelled is not. Blocks. */
void client_serve(struct hall *hall, go_context *cutting, go_conn *conn);

#endif

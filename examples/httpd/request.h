/* One request: read from a go_reader, parsed by llhttp, checked. It knows nothing of sockets, so
 * the fuzzer and the server run the same code. */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H

#include <gofer.h>
#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that are taken: of the target, of all up to the empty line, of the body. */
struct request_limits {
    size_t target, head, body;
};

struct request {
    llhttp_t parser;
    const struct request_limits *limits;
    uint64_t taken; /* bytes of the head, then of the body with its chunks' heads */
    int refusal;    /* the status that a callback stopped the parser with */
    bool head_done, body_done;

    /* Of the head as it comes, up to now: */
    bool line_begun, line_done; /* the request's line */
    int spaces;                 /* in it */
    char last;                  /* byte; after the line 0 for any but a line's end */

    /* From request_read_head on: */
    const char *target; /* as it came; "" where none did */
    const char *path;   /* decoded, without "." and ".." and empty segments; "*" */
    const char *query;  /* what follows the ?, as it came */
    bool keep_alive, has_body, expects_continue;

    /* From request_read_body on: */
    char *body;
    size_t body_size;

    /* The target, then each field's name and value, then the path, each with its NUL. */
    char *text;
    size_t text_size, text_room, body_room;
    size_t fields, fields_end; /* where the fields lie in the text */
};

void request_init(struct request *request, const struct request_limits *limits);
void request_free(struct request *request);

/* Reads up to the end of the head. 0; a status, with which to answer before the connection is
 * closed; or -1 and errno: the client's end (0) or the reader's error. Blocks as the reader does.
 */
int request_read_head(struct request *request, go_reader *in);

/* Reads the body, where has_body says that there is one. Returns as above. */
int request_read_body(struct request *request, go_reader *in);

/* The method's name, and the value of a field, NULL where it did not come. */
const char *request_method(const struct request *request);
const char *request_field(const struct request *request, const char *name);

/* Takes a target apart: "/path?query", "http://host/path?query" or, where it may be, "*". The path
 * is decoded, begins with a slash, and has no ".", ".." or empty segment but, at its end, a slash
 * for a folder; `path` has room for two bytes more than the target. -1: it is none, or leads out of
 * the root. */
int target_split(const char *target, bool may_be_star, char *path, const char **query);

#endif

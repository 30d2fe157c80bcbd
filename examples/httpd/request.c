/* Reading requests: llhttp is given what the reader has buffered, and its callbacks collect.
 *
 * The parser pauses at the end of the head, so that the server may refuse a body before it comes,
 * and at the end of the message, so that a next one stays in the reader. Each request begins with a
 * new parser. Memory grows with what has come, never with what was announced. */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what the parser reports ----------------------------------------------------------------- */

static int refuse(struct request *request, int status)
{
    request->refusal = status;
    return -1;
}

/* Makes room for `more` bytes in a growing allocation. */
static bool make_room(char **at, size_t *room, size_t used, size_t more)
{
    if (used + more <= *room)
        return true;
    size_t want = *room ? 2 * *room : 512;
    while (want < used + more)
        want *= 2;
    char *grown = realloc(*at, want);
    if (!grown)
        return false;
    *at = grown;
    *room = want;
    return true;
}

static int add_text(llhttp_t *parser, const char *bytes, size_t size)
{
    struct request *request = parser->data;
    if (request->head_done) /* a trailer: nobody here needs it */
        return 0;
    if (!make_room(&request->text, &request->text_room, request->text_size, size))
        return refuse(request, 503);
    memcpy(request->text + request->text_size, bytes, size);
    request->text_size += size;
    return 0;
}

static int end_text(llhttp_t *parser)
{
    return add_text(parser, "", 1);
}

static int on_url(llhttp_t *parser, const char *bytes, size_t size)
{
    struct request *request = parser->data;
    if (request->text_size + size > request->limits->target)
        return refuse(request, 414);
    return add_text(parser, bytes, size);
}

static int on_url_complete(llhttp_t *parser)
{
    struct request *request = parser->data;
    int error = end_text(parser);
    request->fields = request->text_size;
    return error;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct request *request = parser->data;
    request->head_done = true;
    request->fields_end = request->text_size;
    request->keep_alive = llhttp_should_keep_alive(parser);
    parser->upgrade = 0; /* there is no other protocol here: the field is to be ignored */
    return HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *bytes, size_t size)
{
    struct request *request = parser->data;
    if (request->body_size + size > request->limits->body)
        return refuse(request, 413);
    if (!make_room(&request->body, &request->body_room, request->body_size, size))
        return refuse(request, 503);
    memcpy(request->body + request->body_size, bytes, size);
    request->body_size += size;
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    ((struct request *)parser->data)->body_done = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = add_text,
    .on_header_field_complete = end_text,
    .on_header_value = add_text,
    .on_header_value_complete = end_text,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void request_init(struct request *request, const struct request_limits *limits)
{
    *request = (struct request){ .limits = limits, .target = "", .path = "", .query = "" };
    llhttp_init(&request->parser, HTTP_REQUEST, &callbacks);
    request->parser.data = request;
}

void request_free(struct request *request)
{
    free(request->text);
    free(request->body);
    request->text = request->body = NULL;
}

/* ---- what the parser takes loosely ----------------------------------------------------------- */

/* The next byte of the request's line, or before it, where lines may be empty. */
static bool is_of_request_line(struct request *request, char c)
{
    char last = request->last;
    request->last = c;
    if (!request->line_begun) {
        request->line_begun = c != '\r' && c != '\n';
        return (last == '\r') == (c == '\n');
    }
    request->spaces += c == ' ';
    request->line_done = c == '\n';
    return last != ' ' || (c != ' ' && (request->spaces < 2 || c == 'H'));
}

/* Whether these bytes of a head have nothing that llhttp takes and the grammar has not: a CR or LF
 * alone before the request's line, several spaces or another protocol in it, fields that are folded
 * or have no name. Where a proxy reads such a thing in another way, requests are smuggled past it.
 */
static bool is_strict(struct request *request, const char *bytes, size_t size)
{
    const char *at = bytes, *end = bytes + size;
    while (at < end && !request->line_done)
        if (!is_of_request_line(request, *at++))
            return false;
    while (at < end) {
        if (request->last == '\n' && (*at == ' ' || *at == '\t' || *at == ':'))
            return false;
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        request->last = line_end ? '\n' : 0;
        at = line_end ? line_end + 1 : end;
    }
    return true;
}

/* ---- feeding it ------------------------------------------------------------------------------ */

/* Whether these bytes begin with a method, if one that nobody has heard of. */
static bool begins_with_token(const char *bytes, size_t size)
{
    size_t n = 0;
    while (n < size && bytes[n] >= 'A' && bytes[n] <= 'Z')
        n++;
    return n > 0 && n < size && bytes[n] == ' ';
}

static int status_of(enum llhttp_errno error, bool is_unknown_method)
{
    switch (error) {
    case HPE_INVALID_METHOD:
        return is_unknown_method ? 501 : 400;
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
        return 505;
    default:
        return 400;
    }
}

/* Gives the parser what comes, at most `most` bytes, until it pauses. 0, -1 and errno, or a status:
 * `too_much` where there are more. */
static int parse(struct request *request, go_reader *in, uint64_t most, int too_much)
{
    for (;;) {
        const char *bytes;
        if (go_reader_peek(in, 1, &bytes) <= 0)
            return -1;
        size_t size = go_reader_buffered(in);
        bool is_first = request->taken == 0, is_head = !request->head_done;
        enum llhttp_errno error = llhttp_execute(&request->parser, bytes, size);
        bool is_unknown_method = is_first && begins_with_token(bytes, size);
        if (error != HPE_OK)
            size = (size_t)(llhttp_get_error_pos(&request->parser) - bytes);
        bool is_wrong = is_head && (ssize_t)size > 0 && !is_strict(request, bytes, size);
        go_reader_discard(in, (ssize_t)size < 0 ? 0 : size);
        request->taken += size;
        if (request->refusal)
            return request->refusal;
        if (request->taken > most)
            return too_much;
        if (is_wrong)
            return 400;
        if (error == HPE_PAUSED) {
            llhttp_resume(&request->parser);
            return 0;
        }
        if (error != HPE_OK)
            return status_of(error, is_unknown_method);
    }
}

/* ---- whole requests -------------------------------------------------------------------------- */

/* How many fields of this name there are; the last one's value goes to *last. */
static int count_fields(const struct request *request, const char *name, const char **last)
{
    int count = 0;
    const char *end = request->text + request->fields_end;
    for (const char *at = request->text + request->fields; at < end;) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0) {
            count++;
            *last = value;
        }
        at = value + strlen(value) + 1;
    }
    return count;
}

const char *request_field(const struct request *request, const char *name)
{
    const char *value = NULL;
    count_fields(request, name, &value);
    return value;
}

const char *request_method(const struct request *request)
{
    return llhttp_method_name((llhttp_method_t)request->parser.method);
}

/* Sets target, path and query. 0, or a status. */
static int take_target(struct request *request)
{
    size_t size = strlen(request->text), at = request->text_size;
    if (!make_room(&request->text, &request->text_room, at, size + 2))
        return 503;
    request->target = request->text;
    request->path = request->text + at;
    bool may_be_star = request->parser.method == HTTP_OPTIONS;
    return target_split(request->target, may_be_star, request->text + at, &request->query) ? 400
                                                                                           : 0;
}

/* What the grammar allows and the rules of the protocol do not, or this server cannot. 0, or a
 * status. */
static int check_head(struct request *request)
{
    const llhttp_t *parser = &request->parser;
    const char *value = NULL;
    if (parser->http_major != 1)
        return 505;
    int hosts = count_fields(request, "Host", &value);
    if (hosts > 1 || (hosts == 0 && parser->http_minor > 0))
        return 400;
    bool is_chunked = false;
    int codings = count_fields(request, "Transfer-Encoding", &value);
    if (codings) {
        is_chunked = codings == 1 && strcasecmp(value, "chunked") == 0;
        if (!is_chunked)
            return 501;
        /* both of them, or with 1.0: a sign of smuggling */
        if (parser->http_minor == 0 || request_field(request, "Content-Length"))
            return 400;
    }
    if (parser->content_length > request->limits->body)
        return 413;
    request->has_body = is_chunked || parser->content_length > 0;
    value = request_field(request, "Expect");
    if (value && strcasecmp(value, "100-continue") != 0)
        return 417;
    request->expects_continue = value && parser->http_minor > 0 && request->has_body;
    return 0;
}

int request_read_head(struct request *request, go_reader *in)
{
    int status = parse(request, in, request->limits->head, 431);
    if (request->text && request->fields) { /* so that a refusal can be logged, too */
        int wrong = take_target(request);
        status = status ? status : wrong;
    }
    return status ? status : check_head(request);
}

int request_read_body(struct request *request, go_reader *in)
{
    /* The smallest chunk has a byte and 5 of its own. Whoever needs more per byte sends no body. */
    request->taken = 1; /* not the first: no method begins here */
    return parse(request, in, request->limits->head + 6 * (uint64_t)request->limits->body, 413);
}

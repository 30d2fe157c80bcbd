/* The JSON API, and what helps to look into a running server. */
#include "httpd.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char json[] = "application/json";

/* ---- JSON ------------------------------------------------------------------------------------ */

/* The length of the character at `at` in UTF-8, or 0 where it is none. */
static size_t character(const unsigned char *at, size_t size)
{
    /* for each length: the first byte's mask and value, and the least code that needs it */
    static const struct {
        unsigned char mask, value;
        uint32_t least;
    } forms[] = {
        { 0x80, 0, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
    };
    for (size_t length = 1; length <= 4 && length <= size; length++) {
        if ((at[0] & forms[length - 1].mask) != forms[length - 1].value)
            continue;
        uint32_t code = at[0] & (unsigned char)~forms[length - 1].mask;
        for (size_t i = 1; i < length; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (at[i] & 0x3f);
        }
        bool is_valid =
            code >= forms[length - 1].least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        return is_valid ? length : 0;
    }
    return 0;
}

/* What is no UTF-8 becomes U+FFFD, as JSON cannot carry it. */
static void write_string(FILE *to, const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    putc('"', to);
    while (size) {
        size_t length = character(at, size);
        if (length == 0)
            fputs("\\ufffd", to), length = 1;
        else if (*at == '"' || *at == '\\')
            fprintf(to, "\\%c", *at);
        else if (*at < 0x20)
            fprintf(to, "\\u%04x", *at);
        else
            fwrite(at, 1, length, to);
        at += length;
        size -= length;
    }
    putc('"', to);
}

/* ---- the API --------------------------------------------------------------------------------- */

/* GET: the count; POST: one more; DELETE: from zero again. */
void api_counter(struct connection *c)
{
    _Atomic uint64_t *counter = &c->server->counter;
    char text[48];
    uint64_t count = 0;
    switch (c->request.parser.method) {
    case HTTP_POST:
        count = atomic_fetch_add_explicit(counter, 1, memory_order_relaxed) + 1;
        break;
    case HTTP_DELETE:
        atomic_store_explicit(counter, 0, memory_order_relaxed);
        break;
    default:
        count = atomic_load_explicit(counter, memory_order_relaxed);
    }
    int size = snprintf(text, sizeof text, "{\"count\":%" PRIu64 "}\n", count);
    respond(c, HTTP_STATUS_OK, json, text, (size_t)size);
}

/* What came, as the server understood it. */
void api_echo(struct connection *c)
{
    const struct request *request = &c->request;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    bool is_whole = false;
    if (to) {
        fprintf(to, "{\"method\":\"%s\",\"query\":", request_method(request));
        write_string(to, request->query, strlen(request->query));
        fprintf(to, ",\"size\":%zu,\"body\":", request->body_size);
        write_string(to, request->body, request->body_size);
        fputs("}\n", to);
        is_whole = !ferror(to);
        is_whole = fclose(to) == 0 && is_whole;
    }
    if (is_whole)
        respond(c, HTTP_STATUS_OK, json, text, size);
    else
        respond_error(c, HTTP_STATUS_SERVICE_UNAVAILABLE, "");
    free(text);
}

/* ---- debugging, by --debug alone ------------------------------------------------------------- */

static int count_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count - 3; /* ".", ".." and the folder's own */
}

void debug_stats(struct connection *c)
{
    struct server *server = c->server;
    char text[160];
    int size = snprintf(text, sizeof text,
                        "{\"goroutines\":%d,\"descriptors\":%d,\"connections\":%" PRIu64
                        ",\"requests\":%" PRIu64 "}\n",
                        go_num_goroutine(), count_descriptors(),
                        atomic_load_explicit(&server->connections, memory_order_relaxed),
                        atomic_load_explicit(&server->requests, memory_order_relaxed));
    respond(c, HTTP_STATUS_OK, json, text, (size_t)size);
}

/* An answer that takes a while: ?200ms, at most a minute. */
void debug_sleep(struct connection *c)
{
    go_duration d;
    if (go_duration_parse(c->request.query, &d) != 0 || d > GO_MINUTE)
        respond_error(c, HTTP_STATUS_BAD_REQUEST, "");
    else if (go_sleep_ctx(c->server->cutting, d) != 0)
        respond_error(c, HTTP_STATUS_SERVICE_UNAVAILABLE, "");
    else
        respond(c, HTTP_STATUS_OK, json, "{}\n", 3);
}

void debug_panic(struct connection *c)
{
    go_panic("asked for with \"%s\"", c->request.query);
}

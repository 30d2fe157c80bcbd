/* Answers: their heads, errors, and HTTP's dates. Whether writing failed nobody asks here: the
 * writer keeps its first error, and the connection looks at it once, at the end of the answer. */
#define _GNU_SOURCE /* strptime */
#include "httpd.h"

#include <stdio.h>
#include <string.h>

const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        { 200, "OK" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 301, "Moved Permanently" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "";
}

/* ---- dates ----------------------------------------------------------------------------------- */

char *http_date(time_t when, char buf[32])
{
    struct tm tm;
    gmtime_r(&when, &tm);
    strftime(buf, 32, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return buf;
}

time_t http_date_parse(const char *text)
{
    struct tm tm = { 0 };
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return end && !*end ? timegm(&tm) : -1;
}

/* The date of now, made once a second. */
static const char *date(struct connection *c)
{
    time_t now = time(NULL);
    if (now != c->second) {
        http_date(now, c->date);
        c->second = now;
    }
    return c->date;
}

/* ---- answers --------------------------------------------------------------------------------- */

void respond_head(struct connection *c, int status, const char *type, uint64_t size,
                  const char *fields)
{
    const char *connection = "";
    if (!c->keep_alive)
        connection = "Connection: close\r\n";
    else if (c->request.parser.http_minor == 0)
        connection = "Connection: keep-alive\r\n";
    c->status = status;
    go_writer_printf(&c->out, "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: gofer\r\n%s", status,
                     status_text(status), date(c), connection);
    if (status != HTTP_STATUS_NO_CONTENT && status != HTTP_STATUS_NOT_MODIFIED)
        go_writer_printf(&c->out, "Content-Length: %llu\r\n", (unsigned long long)size);
    if (type)
        go_writer_printf(&c->out, "Content-Type: %s\r\n", type);
    go_writer_write_string(&c->out, fields);
    go_writer_write_string(&c->out, "\r\n");
}

void respond(struct connection *c, int status, const char *type, const void *body, size_t size)
{
    respond_head(c, status, type, size, "");
    if (c->request.parser.method == HTTP_HEAD)
        return;
    go_writer_write(&c->out, body, size);
    c->sent += size;
}

void respond_error(struct connection *c, int status, const char *fields)
{
    char text[64];
    int size = snprintf(text, sizeof text, "%d %s\n", status, status_text(status));
    respond_head(c, status, "text/plain; charset=utf-8", (uint64_t)size, fields);
    if (c->request.parser.method == HTTP_HEAD)
        return;
    go_writer_write(&c->out, text, (size_t)size);
    c->sent += (uint64_t)size;
}

void respond_empty(struct connection *c, int status, const char *fields)
{
    respond_head(c, status, NULL, 0, fields);
}

/* URLs, and one exchange with a server. llhttp reads what comes; nothing here is shared. */
#define _GNU_SOURCE /* strcasestr */
#include "page.h"

#include <ctype.h>
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_BYTES = 1 << 20, MOST_URL = 2048 };

/* ---- URLs ------------------------------------------------------------------------------------ */

/* Takes the segments "." and ".." out of a path that begins with a slash, in place. */
static void remove_dots(char *path)
{
    char *to = path;
    for (const char *from = path, *end; *from; from = end) {
        end = from + 1 + strcspn(from + 1, "/");
        bool up = end - from == 3 && from[1] == '.' && from[2] == '.';
        while (up && to > path && *--to != '/')
            ;
        if (!up && !(end - from == 2 && from[1] == '.')) {
            memmove(to, from, (size_t)(end - from));
            to += end - from;
        } else if (!*end) {
            *to++ = '/';
        }
    }
    *to = 0;
}

char *plain_url(const char *url)
{
    char path[MOST_URL], *plain = NULL;
    if (strncasecmp(url, "http://", 7) != 0)
        return NULL;
    const char *name = url + 7;
    size_t length = strcspn(name, "/?#"), rest = strcspn(name + length, "#");
    if (!length || strlen(url) >= MOST_URL - 2 || memchr(name, '@', length))
        return NULL;
    for (const char *at = url; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 127) /* it would end the request's line */
            return NULL;
    bool bare = name[length] != '/';
    snprintf(path, sizeof path, "%s%.*s", bare ? "/" : "", (int)rest, name + length);
    char *query = strdupa(path + strcspn(path, "?"));
    path[strcspn(path, "?")] = 0;
    remove_dots(path);
    if (asprintf(&plain, "http://%.*s%s%s", (int)length, name, path, query) < 0)
        need(NULL);
    for (size_t i = 0; i < length; i++)
        plain[7 + i] = (char)tolower((unsigned char)plain[7 + i]);
    return plain;
}

char *resolve(const struct page *page, const char *link)
{
    char url[2 * MOST_URL];
    size_t scheme = strcspn(link, ":/?#"), path = strcspn(page->path, "?"), folder = path;
    while (folder > 0 && page->path[folder - 1] != '/')
        folder--;
    if (link[scheme] == ':' && scheme)
        return plain_url(link);
    if (!*link || *link == '#')
        return NULL;
    if (link[0] == '/' && link[1] == '/')
        snprintf(url, sizeof url, "http:%s", link);
    else
        snprintf(url, sizeof url, "http://%s%.*s%s", page->name,
                 (int)(*link == '/'   ? 0
                       : *link == '?' ? path
                                      : folder),
                 page->path, link);
    return plain_url(url);
}

/* ---- a response ------------------------------------------------------------------------------ */

struct response {
    struct page *page;
    char field[32], value[MOST_URL];
    char *body; /* of MOST_BYTES and a final zero */
    bool is_html, done;
};

static void add_link(struct page *page, const char *text, size_t size)
{
    char *link = need(strndup(text, size)), *at = link;
    while ((at = strstr(at, "&amp;")) != NULL) {
        at++;
        memmove(at, at + 4, strlen(at + 4) + 1);
    }
    page->links = need(realloc(page->links, (size_t)(page->count + 1) * sizeof *page->links));
    page->links[page->count++] = link;
}

static int append(char *to, size_t room, const char *bytes, size_t size)
{
    size_t used = strlen(to);
    snprintf(to + used, room - used, "%.*s", (int)size, bytes);
    return 0;
}

static int on_field(llhttp_t *parser, const char *bytes, size_t size)
{
    struct response *response = parser->data;
    return append(response->field, sizeof response->field, bytes, size);
}

static int on_value(llhttp_t *parser, const char *bytes, size_t size)
{
    struct response *response = parser->data;
    return append(response->value, sizeof response->value, bytes, size);
}

static int on_value_complete(llhttp_t *parser)
{
    struct response *response = parser->data;
    if (strcasecmp(response->field, "location") == 0)
        add_link(response->page, response->value, strlen(response->value));
    if (strcasecmp(response->field, "content-type") == 0)
        response->is_html = strncasecmp(response->value, "text/html", 9) == 0;
    response->field[0] = response->value[0] = 0;
    return 0;
}

static int on_body(llhttp_t *parser, const char *bytes, size_t size)
{
    struct response *response = parser->data;
    if (response->page->size + size > MOST_BYTES) {
        llhttp_set_error_reason(parser, "the page is too large");
        return HPE_USER;
    }
    memcpy(response->body + response->page->size, bytes, size);
    response->page->size += size;
    response->body[response->page->size] = 0;
    return 0;
}

/* 100, 103 and their like are followed by the answer; 101 is one. */
static int on_complete(llhttp_t *parser)
{
    struct response *response = parser->data;
    response->done = parser->status_code >= 200 || parser->status_code == 101;
    response->is_html &= response->done;
    return response->done ? HPE_PAUSED : HPE_OK;
}

/* Not all of HTML: every href in quotes, also one in a comment. */
static void find_links(struct page *page, char *html)
{
    for (size_t i = 0; i < page->size; i++)
        if (!html[i]) /* it is no end */
            html[i] = ' ';
    for (const char *at = html, *end; (at = strcasestr(at, "href")) != NULL;) {
        at += 4 + strspn(at + 4, " \t\r\n");
        if (*at != '=')
            continue;
        at += 1 + strspn(at + 1, " \t\r\n");
        if ((*at == '"' || *at == '\'') && (end = strchr(at + 1, *at)) != NULL) {
            add_link(page, at + 1, (size_t)(end - at - 1));
            at = end;
        }
    }
}

/* ---- a request ------------------------------------------------------------------------------- */

/* NULL, or why there is no answer. */
static const char *exchange(go_context *ctx, go_conn *conn, struct response *response)
{
    static const llhttp_settings_t callbacks = {
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_header_value_complete = on_value_complete,
        .on_body = on_body,
        .on_message_complete = on_complete,
    };
    llhttp_t parser;
    char buffer[16384];
    ssize_t n = snprintf(buffer, sizeof buffer,
                         "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: gofer-crawl\r\n"
                         "Connection: close\r\n\r\n",
                         response->page->path, response->page->name);
    if (go_conn_write_ctx(ctx, conn, buffer, (size_t)n) != n)
        return go_net_error();
    llhttp_init(&parser, HTTP_RESPONSE, &callbacks);
    parser.data = response;
    while (!response->done && (n = go_conn_read_ctx(ctx, conn, buffer, sizeof buffer)) >= 0) {
        llhttp_errno_t error =
            n ? llhttp_execute(&parser, buffer, (size_t)n) : llhttp_finish(&parser);
        if (!response->done && (error != HPE_OK || n == 0))
            return error ? llhttp_get_error_reason(&parser) : "no answer";
    }
    response->page->status = parser.status_code;
    return n < 0 ? go_net_error() : NULL;
}

void page_fetch(go_context *parent, struct page *page, go_duration timeout)
{
    struct response response = { .page = page, .body = need(calloc(1, MOST_BYTES + 1)) };
    go_context *ctx = need(go_context_with_timeout(parent, timeout));
    const char *bracket = strchr(page->name, ']'), *error = NULL;
    char address[MOST_URL];
    snprintf(address, sizeof address, "%s%s", page->name,
             strchr(bracket ? bracket : page->name, ':') ? "" : ":80");
    go_conn *conn = go_dial_ctx(ctx, "tcp", address);
    if (!conn || (error = exchange(ctx, conn, &response)) != NULL) {
        page->status = 0;
        snprintf(page->error, sizeof page->error, "%s", conn ? error : go_net_error());
    } else if (response.is_html) {
        find_links(page, response.body);
    }
    go_conn_unref(conn);
    go_context_end(ctx);
    free(response.body);
}

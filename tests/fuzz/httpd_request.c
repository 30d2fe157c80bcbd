/* What httpd makes of any bytes: requests in a row, as a connection reads them. The first byte says
 * in pieces of what size the rest comes; what is read must not depend on it. */
#include "httpd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small, so that short inputs meet them. */
static const struct request_limits limits = { .target = 64, .head = 512, .body = 256 };

struct bytes {
    const uint8_t *at;
    size_t left, piece;
};

static ssize_t read_bytes(go_context *ctx, void *from, void *buffer, size_t size)
{
    struct bytes *bytes = from;
    (void)ctx;
    size_t n = size < bytes->piece ? size : bytes->piece;
    if (n > bytes->left)
        n = bytes->left;
    memcpy(buffer, bytes->at, n);
    bytes->at += n;
    bytes->left -= n;
    return (ssize_t)n;
}

static void hold(bool is_so, const char *what, const struct request *request)
{
    if (is_so)
        return;
    fprintf(stderr, "%s: target \"%s\", path \"%s\"\n", what, request->target, request->path);
    abort();
}

static void check_request(const struct request *request)
{
    const char *path = request->path, *end = path + strlen(path);
    hold(strlen(request->target) <= limits.target, "a target is longer than allowed", request);
    hold(request->body_size <= limits.body, "a body is larger than allowed", request);
    hold(strcmp(path, "*") == 0 || *path == '/', "a path has no root", request);
    hold(!strstr(path, "//") && !strstr(path, "/../") && !strstr(path, "/./"),
         "a path is not plain", request);
    hold(end - path < 3 || strcmp(end - 3, "/..") != 0, "a path leads out", request);
    hold(end - path < 2 || strcmp(end - 2, "/.") != 0, "a path is not plain", request);
    hold(request->parser.http_minor == 0 || request_field(request, "host"), "no Host", request);

    struct range range;
    file_is_unchanged(request, "\"tag\"", 1000);
    if (file_range(request, "\"tag\"", "date", 100, &range) > 0)
        hold(range.first < range.end && range.end <= 100, "a range is not in its file", request);
}

/* Reads all requests that there are, and writes what they were. */
static char *read_all(const uint8_t *data, size_t size, size_t piece)
{
    struct bytes bytes = { data, size, piece };
    char memory[128], *text = NULL;
    size_t text_size;
    FILE *to = open_memstream(&text, &text_size);
    go_reader in;
    go_reader_init_in(&in, (go_source){ read_bytes, &bytes }, memory, sizeof memory);
    for (bool goes_on = true; goes_on;) {
        struct request request;
        request_init(&request, &limits);
        size_t left = bytes.left + go_reader_buffered(&in);
        int status = request_read_head(&request, &in);
        if (status == 0) {
            hold(bytes.left + go_reader_buffered(&in) < left, "nothing was read", &request);
            if (request.has_body)
                status = request_read_body(&request, &in);
        }
        if (status == 0) {
            check_request(&request);
            fprintf(to, "%s %s %s %s %d %d ", request_method(&request), request.target,
                    request.path, request.query, request.keep_alive, request.expects_continue);
            fprintf(to, "%.*s", (int)request.body_size, request.body ? request.body : "");
        } else { /* which of several reasons was met first may differ */
            fputs(status < 0 ? "end" : "refused", to);
        }
        fputc('\n', to);
        goes_on = status == 0 && request.keep_alive;
        request_free(&request);
    }
    fclose(to);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *whole = read_all(data + 1, size - 1, SIZE_MAX);
    char *pieces = read_all(data + 1, size - 1, 1 + data[0] % 32);
    if (strcmp(whole, pieces) != 0) {
        fprintf(stderr, "in one piece:\n%s\nin pieces:\n%s\n", whole, pieces);
        abort();
    }
    free(whole);
    free(pieces);
    return 0;
}

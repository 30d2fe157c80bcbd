/* Static files: conditions, ranges, types; and never one that is outside of the root.
 *
 * The path has no ".." (request.c), and is opened step by step without following symbolic links, so
 * nothing in the tree leads out of it either. Small files go out with their heads in one piece; of
 * large ones the kernel sends the bytes itself. */
#define _GNU_SOURCE /* O_PATH */
#include "httpd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above SMALL sendfile pays; PIECE is what a client must take within one write_timeout. */
enum { SMALL = OUT_ROOM, PIECE = 256 * 1024 };

/* ---- opening --------------------------------------------------------------------------------- */

static bool is_link(int folder, const char *name)
{
    struct stat stat;
    return fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(stat.st_mode);
}

/* Opens what path, "/a/b" or "/a/b/", names below the root. A descriptor, or -1 with errno. */
static int open_below(int root, const char *path)
{
    char name[NAME_MAX + 1];
    int folder = root, next = -1;
    for (const char *at = path + 1;; at += strlen(name) + 1) {
        size_t length = strcspn(at, "/");
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(name, at, length);
        name[length] = '\0';
        bool is_last = !at[length];
        next = openat(folder, length ? name : ".",
                      O_CLOEXEC | O_NOFOLLOW |
                          (is_last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY));
        if (next < 0 && errno == ENOTDIR)
            errno = is_link(folder, name) ? ELOOP : ENOTDIR;
        if (next < 0 || is_last)
            break;
        if (folder != root)
            close(folder);
        folder = next;
        next = -1;
    }
    int error = errno;
    if (folder != root)
        close(folder);
    errno = error;
    return next;
}

static int status_of_errno(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case ELOOP: /* a symbolic link */
        return HTTP_STATUS_FORBIDDEN;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return HTTP_STATUS_SERVICE_UNAVAILABLE;
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return HTTP_STATUS_NOT_FOUND;
    default:
        return HTTP_STATUS_INTERNAL_SERVER_ERROR;
    }
}

/* ---- types ----------------------------------------------------------------------------------- */

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        { "html", "text/html; charset=utf-8" },
        { "htm", "text/html; charset=utf-8" },
        { "css", "text/css; charset=utf-8" },
        { "js", "text/javascript; charset=utf-8" },
        { "mjs", "text/javascript; charset=utf-8" },
        { "txt", "text/plain; charset=utf-8" },
        { "md", "text/markdown; charset=utf-8" },
        { "csv", "text/csv; charset=utf-8" },
        { "xml", "text/xml; charset=utf-8" },
        { "json", "application/json" },
        { "pdf", "application/pdf" },
        { "wasm", "application/wasm" },
        { "zip", "application/zip" },
        { "gz", "application/gzip" },
        { "svg", "image/svg+xml" },
        { "png", "image/png" },
        { "jpg", "image/jpeg" },
        { "jpeg", "image/jpeg" },
        { "gif", "image/gif" },
        { "webp", "image/webp" },
        { "ico", "image/x-icon" },
        { "woff2", "font/woff2" },
        { "mp3", "audio/mpeg" },
        { "mp4", "video/mp4" },
        { "webm", "video/webm" },
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* ---- sending --------------------------------------------------------------------------------- */

/* By way of the writer: small files, and connections that the kernel cannot write to by itself. */
static bool copy_file(struct connection *c, int file, struct range range)
{
    char *piece = malloc(SMALL);
    while (piece && range.first < range.end) {
        uint64_t left = range.end - range.first;
        ssize_t n = pread(file, piece, left < SMALL ? left : SMALL, (off_t)range.first);
        if (n <= 0 || go_writer_write(&c->out, piece, (size_t)n) < 0)
            break;
        range.first += (uint64_t)n;
        c->sent += (uint64_t)n;
    }
    free(piece);
    return range.first == range.end;
}

/* The kernel copies from the file's pages to the socket. */
static bool send_file(struct connection *c, go_fd *socket, int file, struct range range)
{
    off_t at = (off_t)range.first;
    if (go_writer_flush(&c->out) != 0)
        return false;
    while ((uint64_t)at < range.end) {
        uint64_t left = range.end - (uint64_t)at;
        connection_may_write(c);
        if (go_fd_wait_ctx(c->server->cutting, socket, GO_WRITABLE) != 0)
            return false;
        ssize_t n = go_fd_sendfile(socket, file, &at, left < PIECE ? left : PIECE);
        if (n <= 0) /* the client is gone or too slow; 0: somebody has cut the file */
            return false;
        c->sent += (uint64_t)n;
    }
    return true;
}

static void answer_with(struct connection *c, int file, const char *name, const struct stat *stat)
{
    const struct request *request = &c->request;
    uint64_t size = (uint64_t)stat->st_size;
    struct range range = { 0, size };
    char tag[48], changed[32], fields[256];
    snprintf(tag, sizeof tag, "\"%" PRIx64 "-%" PRIx64 "\"",
             (uint64_t)stat->st_mtim.tv_sec * GO_SECOND + (uint64_t)stat->st_mtim.tv_nsec, size);
    http_date(stat->st_mtime, changed);
    int length = snprintf(fields, sizeof fields,
                          "Last-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n"
                          "X-Content-Type-Options: nosniff\r\n",
                          changed, tag);
    if (file_is_unchanged(request, tag, stat->st_mtime)) {
        respond_empty(c, HTTP_STATUS_NOT_MODIFIED, fields);
        return;
    }
    int part = file_range(request, tag, changed, size, &range);
    if (part < 0) {
        snprintf(fields, sizeof fields, "Content-Range: bytes */%" PRIu64 "\r\n", size);
        respond_error(c, HTTP_STATUS_RANGE_NOT_SATISFIABLE, fields);
        return;
    }
    if (part)
        snprintf(fields + length, sizeof fields - (size_t)length,
                 "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", range.first,
                 range.end - 1, size);
    uint64_t count = range.end - range.first;
    respond_head(c, part ? HTTP_STATUS_PARTIAL_CONTENT : HTTP_STATUS_OK, type_of(name), count,
                 fields);
    if (request->parser.method == HTTP_HEAD || !count)
        return;
    go_fd *socket = count > SMALL ? go_conn_fd(c->conn) : NULL;
    c->broken = socket ? !send_file(c, socket, file, range) : !copy_file(c, file, range);
}

/* To the same path with a slash, by which the names in the page are found. It is written anew from
 * the path, since the target "//host" would lead to another server. */
static void redirect_to_folder(struct connection *c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *path = c->request.path;
    char *fields = malloc(3 * strlen(path) + strlen(c->request.query) + sizeof "Location: /?\r\n");
    if (!fields) {
        respond_error(c, HTTP_STATUS_SERVICE_UNAVAILABLE, "");
        return;
    }
    char *at = stpcpy(fields, "Location: ");
    for (; *path; path++) {
        if (isalnum((unsigned char)*path) || strchr("/-._~", *path)) {
            *at++ = *path;
        } else {
            *at++ = '%';
            *at++ = digits[(unsigned char)*path >> 4];
            *at++ = digits[(unsigned char)*path & 15];
        }
    }
    sprintf(at, "/%s%s\r\n", *c->request.query ? "?" : "", c->request.query);
    respond_error(c, HTTP_STATUS_MOVED_PERMANENTLY, fields);
    free(fields);
}

void files_answer(struct connection *c)
{
    const char *path = c->request.path;
    const char *name = strrchr(path, '/') + 1;
    bool is_folder = !*name;
    int file = open_below(c->server->settings->root, path);
    if (file >= 0 && is_folder) {
        int folder = file;
        name = "index.html";
        file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        int error = errno;
        close(folder);
        errno = error;
    }
    struct stat stat;
    if (file < 0 || fstat(file, &stat) != 0)
        respond_error(c, status_of_errno(errno), "");
    else if (S_ISDIR(stat.st_mode) && !is_folder)
        redirect_to_folder(c);
    else if (!S_ISREG(stat.st_mode))
        respond_error(c, HTTP_STATUS_FORBIDDEN, "");
    else
        answer_with(c, file, name, &stat);
    if (file >= 0)
        close(file);
}

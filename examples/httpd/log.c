/* The access log, in the common format with the duration added. Connections append their lines to a
 * buffer under a mutex; one goroutine writes it out, when it is half full or a second after its
 * first line. A log that cannot be written fast enough loses lines, and says how many: it holds up
 * nobody, and the server's end for a second at most. Where nothing is logged nobody wakes. */
#include "httpd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ROOM = 256 * 1024 };

static struct {
    go_mutex mutex; /* guards the next three */
    char filling[ROOM];
    size_t used;
    uint64_t lost;
    char written[ROOM]; /* the goroutine's own */
    go_fd *fd;
    go_context *cutting;     /* cancelled: what is not written by now is lost */
    go_chan(go_unit) begun;  /* a value: there is something to write */
    go_chan(go_unit) urgent; /* a value: there is much; closed: no more comes */
    go_waitgroup writer;
} access_log;

static uint64_t count_lines(const char *at, const char *end)
{
    uint64_t count = 0;
    for (; at < end; at++)
        count += *at == '\n';
    return count;
}

/* Takes what is there and writes it. */
static void flush_log(void)
{
    go_mutex_lock(&access_log.mutex);
    size_t size = access_log.used;
    uint64_t lost = access_log.lost;
    memcpy(access_log.written, access_log.filling, size);
    access_log.used = 0;
    access_log.lost = 0;
    go_mutex_unlock(&access_log.mutex);
    ssize_t n = 0;
    if (size)
        n = go_fd_write_ctx(access_log.cutting, access_log.fd, access_log.written, size);
    if (n != (ssize_t)size) {
        fprintf(stderr, "httpd: the log: %s\n", strerror(errno));
        lost += count_lines(access_log.written + (n > 0 ? n : 0), access_log.written + size);
    }
    if (lost)
        fprintf(stderr, "httpd: the log: %llu lines lost\n", (unsigned long long)lost);
}

static void write_log(void)
{
    while (go_recv_ok(access_log.begun, NULL)) {
        go_select(go_case_recv(access_log.urgent, NULL), go_case_after(GO_SECOND));
        flush_log();
    }
    flush_log();
}

int log_open(int descriptor)
{
    if (descriptor < 0)
        return 0;
    access_log.fd = go_fd_new(descriptor);
    access_log.cutting = go_context_with_cancel(NULL);
    if (!access_log.fd || !access_log.cutting)
        return -1;
    access_log.begun = go_chan_make(go_unit, 1);
    access_log.urgent = go_chan_make(go_unit, 1);
    go_waitgroup_go(&access_log.writer, write_log);
    return 0;
}

/* Writes all that is there, if it is taken in time; no request may be in progress. */
void log_close(void)
{
    if (!access_log.fd)
        return;
    go_close(access_log.begun);
    go_close(access_log.urgent);
    go_context *patience = go_context_with_timeout(NULL, GO_SECOND);
    if (go_waitgroup_wait_ctx(patience, &access_log.writer) != 0) {
        go_context_cancel(access_log.cutting);
        go_waitgroup_wait(&access_log.writer);
    }
    go_context_end(patience);
    go_context_unref(access_log.cutting);
    go_chan_unref(access_log.begun);
    go_chan_unref(access_log.urgent);
    go_fd_release(access_log.fd);
    go_fd_unref(access_log.fd);
    access_log.fd = NULL;
}

static void append(const char *line, size_t size)
{
    go_mutex_lock(&access_log.mutex);
    size_t before = access_log.used;
    bool fits = before + size <= ROOM;
    if (fits) {
        memcpy(access_log.filling + before, line, size);
        access_log.used += size;
    } else {
        access_log.lost++;
    }
    size_t after = access_log.used;
    go_mutex_unlock(&access_log.mutex);
    if (before == 0)
        go_try_send(access_log.begun, (go_unit){ 0 });
    if (before < ROOM / 2 && after >= ROOM / 2)
        go_try_send(access_log.urgent, (go_unit){ 0 });
}

/* Appends to a line of `size` bytes; what does not fit is cut. Returns how much is used now. */
__attribute__((format(printf, 4, 5))) static size_t add(char *line, size_t size, size_t used,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line + used, size - used, format, arguments);
    va_end(arguments);
    return (size_t)n < size - used ? used + (size_t)n : size - 1;
}

/* The request's line, without what would end its quotes or the log's line. */
static size_t add_request(char *line, size_t size, size_t used, const struct request *request)
{
    if (!*request->target)
        return add(line, size, used, "-");
    used = add(line, size, used, "%s ", request_method(request));
    for (const char *at = request->target; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\')
            used = add(line, size, used, "\\x%02x", c);
        else if (used < size - 1)
            line[used++] = *at;
    }
    return add(line, size, used, " HTTP/%d.%d", request->parser.http_major,
               request->parser.http_minor);
}

void log_request(const struct connection *c, go_duration took)
{
    enum { LINE = 768, END = 64 }; /* the request may be cut, what follows it not */
    char line[LINE];
    if (!access_log.fd)
        return;
    time_t now = time(NULL);
    struct tm tm;
    size_t used = add(line, LINE, 0, "%s - - [", c->peer);
    used += strftime(line + used, LINE - used, "%d/%b/%Y:%H:%M:%S +0000", gmtime_r(&now, &tm));
    used = add(line, LINE, used, "] \"");
    used = add_request(line, LINE - END, used, &c->request);
    used = add(line, LINE, used, "\" %d %llu %lldus\n", c->status, (unsigned long long)c->sent,
               (long long)(took / GO_MICROSECOND));
    append(line, used);
}

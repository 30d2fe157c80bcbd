/* The access log, in the common format with the duration added. Connections append their lines to a
 * buffer under a mutex; one goroutine writes it out, when it is half full or a second after its
 * first line. A log that cannot be written fast enough loses lines, and says how many: it holds up
 * nobody. Where nothing is logged nobody wakes. */
#include "httpd.h"

#include <errno.h>
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
    go_chan(go_unit) begun;  /* a value: there is something to write */
    go_chan(go_unit) urgent; /* a value: there is much; closed: no more comes */
    go_waitgroup writer;
} access_log;

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
    if (go_fd_write(access_log.fd, access_log.written, size) != (ssize_t)size)
        fprintf(stderr, "httpd: the log: %s\n", strerror(errno));
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
    if (!access_log.fd)
        return -1;
    access_log.begun = go_chan_make(go_unit, 1);
    access_log.urgent = go_chan_make(go_unit, 1);
    go_waitgroup_go(&access_log.writer, write_log);
    return 0;
}

/* Writes all that is there; no request may be in progress. */
void log_close(void)
{
    if (!access_log.fd)
        return;
    go_close(access_log.begun);
    go_close(access_log.urgent);
    go_waitgroup_wait(&access_log.writer);
    go_chan_unref(access_log.begun);
    go_chan_unref(access_log.urgent);
    go_fd_release(access_log.fd);
    go_fd_unref(access_log.fd);
    access_log.fd = NULL;
}

/* The target without what would end its quotes or its line. */
static void quote(char *to, size_t size, const char *from)
{
    size_t used = 0;
    for (; *from && used + 5 < size; from++) {
        unsigned char c = (unsigned char)*from;
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            used += (size_t)snprintf(to + used, size - used, "\\x%02x", c);
        else
            to[used++] = *from;
    }
    to[used] = '\0';
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

void log_request(const struct connection *c, go_duration took)
{
    const llhttp_t *parser = &c->request.parser;
    char target[512], request[600] = "-", line[1024], when[40];
    if (!access_log.fd)
        return;
    time_t now = time(NULL);
    struct tm tm;
    quote(target, sizeof target, c->request.target);
    if (*target)
        snprintf(request, sizeof request, "%s %s HTTP/%d.%d", request_method(&c->request), target,
                 parser->http_major, parser->http_minor);
    strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S +0000", gmtime_r(&now, &tm));
    int size =
        snprintf(line, sizeof line, "%s - - [%s] \"%s\" %d %llu %lldus\n", c->peer, when, request,
                 c->status, (unsigned long long)c->sent, (long long)(took / GO_MICROSECOND));
    append(line, (size_t)size);
}

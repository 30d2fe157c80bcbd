/* Failures in words, as Go puts them, and where the calling goroutine finds the last one: a value
 * of its own (go_local), made by its first failure. */
#include "net/net.h"

#include "gofer/runtime.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

static const char text_key;

char *gofer_net_join(char *buf, size_t room, ...)
{
    const char *text;
    size_t length = 0;
    va_list texts;
    va_start(texts, room);
    while ((text = va_arg(texts, const char *)))
        while (*text && length + 1 < room)
            buf[length++] = *text++;
    va_end(texts);
    buf[length] = 0;
    return buf;
}

/* Go's, whatever the C library and the locale say; for the rest of errno they do. */
static const struct {
    int error;
    const char *words;
} error_words[] = {
    { EACCES, "permission denied" },
    { EADDRINUSE, "address already in use" },
    { EADDRNOTAVAIL, "cannot assign requested address" },
    { EAFNOSUPPORT, "address family not supported by protocol" },
    { EAGAIN, "resource temporarily unavailable" },
    { EBADF, "bad file descriptor" },
    { ECANCELED, "operation canceled" },
    { ECONNABORTED, "software caused connection abort" },
    { ECONNREFUSED, "connection refused" },
    { ECONNRESET, "connection reset by peer" },
    { EDESTADDRREQ, "destination address required" },
    { EEXIST, "file exists" },
    { EHOSTDOWN, "host is down" },
    { EHOSTUNREACH, "no route to host" },
    { EINVAL, "invalid argument" },
    { EIO, "input/output error" },
    { EISCONN, "transport endpoint is already connected" },
    { ELOOP, "too many levels of symbolic links" },
    { EMFILE, "too many open files" },
    { EMSGSIZE, "message too long" },
    { ENAMETOOLONG, "file name too long" },
    { ENETDOWN, "network is down" },
    { ENETRESET, "network dropped connection on reset" },
    { ENETUNREACH, "network is unreachable" },
    { ENFILE, "too many open files in system" },
    { ENOBUFS, "no buffer space available" },
    { ENODEV, "no such device" },
    { ENOENT, "no such file or directory" },
    { ENOMEM, "cannot allocate memory" },
    { ENOPROTOOPT, "protocol not available" },
    { ENOSPC, "no space left on device" },
    { ENOTCONN, "transport endpoint is not connected" },
    { ENOTDIR, "not a directory" },
    { ENOTSOCK, "socket operation on non-socket" },
    { EOPNOTSUPP, "operation not supported" },
    { EPERM, "operation not permitted" },
    { EPIPE, "broken pipe" },
    { EPROTO, "protocol error" },
    { EPROTONOSUPPORT, "protocol not supported" },
    { EPROTOTYPE, "protocol wrong type for socket" },
    { EROFS, "read-only file system" },
    { ESHUTDOWN, "cannot send after transport endpoint shutdown" },
    { ESOCKTNOSUPPORT, "socket type not supported" },
    { ETIMEDOUT, "connection timed out" },
};

const char *gofer_net_words(int error)
{
    for (size_t i = 0; i < sizeof error_words / sizeof *error_words; i++)
        if (error_words[i].error == error)
            return error_words[i].words;
    return strerror(error);
}

void gofer_net_fail(gofer_net_failure *failure, int error, const struct gofer_net_call *call,
                    const char *reason)
{
    static const struct gofer_net_call nothing = { "", NULL, NULL, NULL };
    const struct gofer_net_call *about = call ? call : &nothing;
    const char *network = about->network, *source = about->source, *address = about->address;
    failure->error = error;
    gofer_net_join(failure->text, sizeof failure->text, about->operation,
                   network && *network ? " " : "", network ? network : "", source ? " " : "",
                   source ? source : "",
                   !address ? ""
                   : source ? "->"
                            : " ",
                   address ? address : "", call ? ": " : "", reason, (char *)NULL);
}

/* What to do where no descriptor is left: Go's words are kept, and followed by which limit it is.
 */
static const char *limit_words(int error, char *buf, size_t room)
{
    struct rlimit limit;
    if (error == ENFILE)
        return "; sysctl fs.file-max sets the limit";
    if (error != EMFILE || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return "";
    snprintf(buf, room, "; the process may have %llu (ulimit -n)",
             (unsigned long long)limit.rlim_cur);
    return buf;
}

void gofer_net_fail_call(gofer_net_failure *failure, int error, const struct gofer_net_call *call,
                         const char *kernel_call)
{
    char reason[GOFER_NET_REASON], limit[64];
    gofer_net_join(reason, sizeof reason, kernel_call, ": ", gofer_net_words(error),
                   limit_words(error, limit, sizeof limit), (char *)NULL);
    gofer_net_fail(failure, error, call, reason);
}

void gofer_net_fail_during(gofer_net_failure *failure, const char *operation, const char *network)
{
    char reason[GOFER_NET_TEXT];
    const struct gofer_net_call call = { .operation = operation, .network = network };
    memcpy(reason, failure->text, sizeof reason);
    gofer_net_fail(failure, failure->error, &call, reason);
}

int gofer_net_publish(const gofer_net_failure *failure)
{
    char *text = go_local_get(&text_key);
    if (!text && (text = malloc(GOFER_NET_TEXT)) && go_local_set(&text_key, text, free) != 0) {
        free(text);
        text = NULL;
    }
    if (text)
        memcpy(text, failure->text, GOFER_NET_TEXT);
    *gofer_errno() = failure->error;
    return -1;
}

const char *go_net_error(void)
{
    const char *text = go_local_get(&text_key);
    return text ? text : "";
}

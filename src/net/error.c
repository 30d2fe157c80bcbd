/* Failures in words, as Go puts them, and where the calling goroutine finds the last one: a value
 * of its own (go_local), made by its first failure. */
#include "net/net.h"

#include "gofer/runtime.h"

#include <ctype.h>
#include <stdarg.h>

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

char *gofer_net_words(int error, char *buf, size_t room)
{
    const char *words = strerror(error);
    gofer_net_join(buf, room, words, (char *)NULL);
    /* "Connection refused", but not "RFS specific error" */
    if (isupper((unsigned char)words[0]) && islower((unsigned char)words[1]))
        buf[0] = (char)tolower((unsigned char)words[0]);
    return buf;
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

void gofer_net_fail_call(gofer_net_failure *failure, int error, const struct gofer_net_call *call,
                         const char *kernel_call)
{
    char words[GOFER_NET_REASON], reason[GOFER_NET_REASON];
    gofer_net_words(error, words, sizeof words);
    gofer_net_join(reason, sizeof reason, kernel_call, ": ", words, (char *)NULL);
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

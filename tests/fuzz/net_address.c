/* Addresses from any text: taken apart, put together again, parsed, printed. What is taken stays
 * the same when it is printed and read again. */
#include "net/net.h"

#include <net/if.h>
#include <stdio.h>

static void hold(bool is_so, const char *what, const char *text)
{
    if (is_so)
        return;
    fprintf(stderr, "%s: \"%s\"\n", what, text);
    abort();
}

/* A buffer that is too small gets the text's beginning. */
static void check_cut(const go_address *address, const char *text, size_t size)
{
    char cut[GO_ADDRESS_ROOM];
    memset(cut, 'x', sizeof cut);
    go_address_string(address, cut, size);
    hold(size == 0 || strlen(cut) < size, "a cut text has no end", text);
    hold(strncmp(cut, text, size ? size - 1 : 0) == 0, "a cut text is another", text);
    hold(cut[size] == 'x', "more was written than there was room", text);
}

static void check_host(const char *host, size_t size)
{
    go_address address, again;
    char text[GO_ADDRESS_ROOM], text_again[GO_ADDRESS_ROOM], whole[GO_ADDRESS_ROOM];
    if (!gofer_address_parse(host, &address))
        return;
    go_address_host(&address, text, sizeof text);
    hold(gofer_address_parse(text, &again), "not parsed again", text);
    hold(go_address_equal(&address, &again), "another when parsed again", host);
    go_address_host(&again, text_again, sizeof text_again);
    hold(strcmp(text, text_again) == 0, "another text when parsed again", text);
    const char *zone = strchr(host, '%');
    unsigned scope = (unsigned)if_nametoindex(zone ? zone + 1 : "");
    bool is_number = zone && strspn(zone + 1, "0123456789") == strlen(zone + 1);
    if (zone && !scope && (!is_number || strtoull(zone + 1, NULL, 10) > UINT32_MAX))
        hold(!strchr(text, '%'), "a zone that nobody named", host);
    gofer_address_set_port(&address, 65535);
    hold(go_address_port(&address) == 65535, "another port", host);
    go_address_string(&address, whole, sizeof whole);
    check_cut(&address, whole, size % (sizeof whole - 1));

    char part[GO_ADDRESS_ROOM], port[GO_ADDRESS_ROOM];
    hold(go_split_host_port(whole, part, sizeof part, port, sizeof port) == 0,
         "a printed address is none", whole);
    hold(strcmp(part, text) == 0 && strcmp(port, "65535") == 0, "other parts", whole);
}

static void check_parts(const char *text, size_t size)
{
    size_t room = strlen(text) + 3;
    char *host = malloc(room), *port = malloc(room), *joined = malloc(2 * room);
    char *host_again = malloc(room), *port_again = malloc(room);
    if (go_split_host_port(text, host, room, port, room) == 0) {
        go_join_host_port(host, port, joined, 2 * room);
        hold(go_split_host_port(joined, host_again, room, port_again, room) == 0,
             "not taken apart again", joined);
        hold(strcmp(host, host_again) == 0 && strcmp(port, port_again) == 0, "other parts", text);
        bool fits = strlen(host) < size && strlen(port) < size;
        errno = 0;
        bool fitted = go_split_host_port(text, host_again, size, port_again, size) == 0;
        hold(fits == fitted && (fits || errno == ERANGE), "a small buffer", text);
        check_host(host, size);
    } else {
        hold(errno == EINVAL && *go_net_error(), "refused without a reason", text);
    }
    free(host);
    free(port);
    free(joined);
    free(host_again);
    free(port_again);
}

/* The first byte is the size of the small buffers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    size_t room = data[0] % 64 < strlen(text) + 3 ? data[0] % 64 : strlen(text) + 3;
    check_parts(text, room);
    check_host(text, data[0]);
    free(text);
    return 0;
}

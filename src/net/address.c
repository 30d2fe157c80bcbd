/* Networks and addresses as text: Go's names and Go's syntax. Nothing here blocks. */
#include "net/net.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>

/* ---- networks -------------------------------------------------------------------------------- */

static const gofer_network networks[] = {
    { "tcp", AF_UNSPEC, SOCK_STREAM, "tcp" },        { "tcp4", AF_INET, SOCK_STREAM, "tcp" },
    { "tcp6", AF_INET6, SOCK_STREAM, "tcp" },        { "udp", AF_UNSPEC, SOCK_DGRAM, "udp" },
    { "udp4", AF_INET, SOCK_DGRAM, "udp" },          { "udp6", AF_INET6, SOCK_DGRAM, "udp" },
    { "unix", AF_UNIX, SOCK_STREAM, NULL },          { "unixgram", AF_UNIX, SOCK_DGRAM, NULL },
    { "unixpacket", AF_UNIX, SOCK_SEQPACKET, NULL },
};
enum { NETWORKS = sizeof networks / sizeof *networks };

const gofer_network *gofer_network_find(const char *operation, const char *name,
                                        gofer_net_failure *failure)
{
    char reason[GOFER_NET_REASON];
    const struct gofer_net_call call = { operation, name, NULL, NULL };
    for (int i = 0; i < NETWORKS; i++)
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    gofer_net_join(reason, sizeof reason, "unknown network ", name, (char *)NULL);
    gofer_net_fail(failure, EINVAL, operation ? &call : NULL, reason);
    return NULL;
}

const gofer_network *gofer_network_of(int family, int type)
{
    for (int i = 0; i < NETWORKS; i++)
        if (networks[i].type == type && (networks[i].family == AF_UNIX) == (family == AF_UNIX) &&
            (family == AF_UNIX || family == AF_INET || family == AF_INET6))
            return &networks[i];
    return NULL;
}

const char *gofer_network_with_family(const gofer_network *network, int family)
{
    for (int i = 0; i < NETWORKS; i++)
        if (networks[i].type == network->type && networks[i].family == family)
            return networks[i].name;
    return network->name;
}

/* ---- looking at addresses -------------------------------------------------------------------- */

static const struct in6_addr mapped_prefix = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

static bool is_mapped(const go_address *address)
{
    return gofer_sockaddr_of(address)->any.sa_family == AF_INET6 &&
           memcmp(&gofer_sockaddr_of(address)->in6.sin6_addr, &mapped_prefix, 12) == 0;
}

/* The four bytes, or NULL. */
static const void *ipv4_of(const go_address *address)
{
    if (gofer_sockaddr_of(address)->any.sa_family == AF_INET)
        return &gofer_sockaddr_of(address)->in.sin_addr;
    return is_mapped(address) ? &gofer_sockaddr_of(address)->in6.sin6_addr.s6_addr[12] : NULL;
}

static int family_of(const go_address *address)
{
    return address->size ? gofer_sockaddr_of(address)->any.sa_family : AF_UNSPEC;
}

bool gofer_address_is_ipv4(const go_address *address)
{
    return address->size && ipv4_of(address);
}

bool gofer_address_is_wildcard(const go_address *address)
{
    static const struct in6_addr any = IN6ADDR_ANY_INIT;
    switch (family_of(address)) {
    case AF_INET:
        return gofer_sockaddr_of(address)->in.sin_addr.s_addr == htonl(INADDR_ANY);
    case AF_INET6:
        return memcmp(&gofer_sockaddr_of(address)->in6.sin6_addr, &any, sizeof any) == 0;
    default:
        return false;
    }
}

int go_address_port(const go_address *address)
{
    switch (family_of(address)) {
    case AF_INET:
        return ntohs(gofer_sockaddr_of(address)->in.sin_port);
    case AF_INET6:
        return ntohs(gofer_sockaddr_of(address)->in6.sin6_port);
    default:
        return 0;
    }
}

int go_address_equal(const go_address *a, const go_address *b)
{
    bool a_is_ipv4 = gofer_address_is_ipv4(a), b_is_ipv4 = gofer_address_is_ipv4(b);
    if (go_address_port(a) != go_address_port(b) || a_is_ipv4 != b_is_ipv4)
        return 0;
    if (a_is_ipv4)
        return memcmp(ipv4_of(a), ipv4_of(b), sizeof(struct in_addr)) == 0;
    if (family_of(a) == AF_INET6 && family_of(b) == AF_INET6)
        return gofer_sockaddr_of(a)->in6.sin6_scope_id == gofer_sockaddr_of(b)->in6.sin6_scope_id &&
               memcmp(&gofer_sockaddr_of(a)->in6.sin6_addr, &gofer_sockaddr_of(b)->in6.sin6_addr,
                      sizeof(struct in6_addr)) == 0;
    return a->size == b->size && memcmp(a->socket, b->socket, a->size) == 0;
}

bool gofer_address_in_family(const go_address *address, int family, go_address *out)
{
    const void *ipv4 = address->size ? ipv4_of(address) : NULL;
    int port = go_address_port(address);
    *out = *address;
    if (family_of(address) == family)
        return true;
    if (family == AF_INET && ipv4) {
        *out = gofer_address_any(AF_INET);
        memcpy(&gofer_sockaddr_of(out)->in.sin_addr, ipv4, sizeof(struct in_addr));
    } else if (family == AF_INET6 && ipv4) {
        *out = gofer_address_any(AF_INET6);
        if (!gofer_address_is_wildcard(address)) { /* which stands for both */
            gofer_sockaddr_of(out)->in6.sin6_addr = mapped_prefix;
            memcpy(&gofer_sockaddr_of(out)->in6.sin6_addr.s6_addr[12], ipv4,
                   sizeof(struct in_addr));
        }
    } else {
        return false;
    }
    gofer_address_set_port(out, port);
    return true;
}

void gofer_address_set_port(go_address *address, int port)
{
    if (gofer_sockaddr_of(address)->any.sa_family == AF_INET)
        gofer_sockaddr_of(address)->in.sin_port = htons((uint16_t)port);
    else
        gofer_sockaddr_of(address)->in6.sin6_port = htons((uint16_t)port);
}

/* ---- text to address ------------------------------------------------------------------------- */

/* The number of a zone: an interface's name, or a number; 0: neither, nor one that is too large. */
static uint32_t zone_number(const char *zone)
{
    uint64_t number = if_nametoindex(zone);
    if (number)
        return (uint32_t)number;
    for (; *zone >= '0' && *zone <= '9' && number <= UINT32_MAX; zone++)
        number = number * 10 + (uint64_t)(*zone - '0');
    return *zone || number > UINT32_MAX ? 0 : (uint32_t)number;
}

bool gofer_address_parse(const char *host, go_address *address)
{
    char number[INET6_ADDRSTRLEN];
    const char *zone = strchr(host, '%');
    size_t length = zone ? (size_t)(zone - host) : strlen(host);
    *address = gofer_address_any(AF_INET);
    if (length >= sizeof number)
        return false;
    memcpy(number, host, length);
    number[length] = 0;
    if (!zone && inet_pton(AF_INET, number, &gofer_sockaddr_of(address)->in.sin_addr) == 1)
        return true;
    *address = gofer_address_any(AF_INET6);
    if ((zone && !zone[1]) ||
        inet_pton(AF_INET6, number, &gofer_sockaddr_of(address)->in6.sin6_addr) != 1)
        return false;
    if (zone)
        gofer_sockaddr_of(address)->in6.sin6_scope_id = zone_number(zone + 1);
    return true;
}

static bool refuse(gofer_net_failure *failure, const char *text, const char *why)
{
    char reason[GOFER_NET_REASON];
    gofer_net_join(reason, sizeof reason, *text ? "address " : "", text, *text ? ": " : "", why,
                   (char *)NULL);
    gofer_net_fail(failure, EINVAL, NULL, reason);
    return false;
}

static bool copy_part(char *to, size_t room, const char *from, size_t length,
                      gofer_net_failure *failure)
{
    if (length >= room) {
        refuse(failure, from, "a part is too long");
        failure->error = ERANGE;
        return false;
    }
    memcpy(to, from, length);
    to[length] = 0;
    return true;
}

bool gofer_split_host_port(const char *text, char *host, size_t host_size, char *port,
                           size_t port_size, gofer_net_failure *failure)
{
    const char *colon = strrchr(text, ':'), *first = text, *last = colon;
    const char *brackets_from = text, *brackets_to = text; /* where [ and ] are out of place */
    if (!colon)
        return refuse(failure, text, "missing port in address");
    if (*text == '[') {
        last = strchr(text, ']');
        if (!last)
            return refuse(failure, text, "missing ']' in address");
        if (last + 1 != colon)
            return refuse(failure, text,
                          last[1] == ':' ? "too many colons in address"
                                         : "missing port in address");
        first = text + 1;
        brackets_from = first;
        brackets_to = last + 1;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return refuse(failure, text, "too many colons in address");
    }
    if (strchr(brackets_from, '['))
        return refuse(failure, text, "unexpected '[' in address");
    if (strchr(brackets_to, ']'))
        return refuse(failure, text, "unexpected ']' in address");
    return copy_part(host, host_size, first, (size_t)(last - first), failure) &&
           copy_part(port, port_size, colon + 1, strlen(colon + 1), failure);
}

int go_split_host_port(const char *text, char *host, size_t host_size, char *port, size_t port_size)
{
    gofer_net_failure failure;
    return gofer_split_host_port(text, host, host_size, port, port_size, &failure)
               ? 0
               : gofer_net_publish(&failure);
}

/* ---- address to text ------------------------------------------------------------------------- */

char *go_join_host_port(const char *host, const char *port, char *buf, size_t size)
{
    bool brackets = strchr(host, ':') != NULL;
    if (size)
        snprintf(buf, size, "%s%s%s:%s", brackets ? "[" : "", host, brackets ? "]" : "", port);
    return buf;
}

static void unix_name(const go_address *address, char *buf, size_t size)
{
    const char *path = gofer_sockaddr_of(address)->un.sun_path;
    size_t room = address->size - offsetof(struct sockaddr_un, sun_path);
    size_t first = room && !path[0] ? 1 : 0; /* abstract */
    int length = room > first ? (int)strnlen(path + first, room - first) : 0;
    snprintf(buf, size, "%s%.*s", first || !room ? "@" : "", length, path + first);
}

static unsigned group_of(const struct in6_addr *number, size_t i)
{
    return (unsigned)number->s6_addr[2 * i] << 8 | number->s6_addr[2 * i + 1];
}

/* RFC 5952, in hexadecimal throughout: inet_ntop writes some that begin with zeros as IPv4's. */
static void write_ipv6(const struct in6_addr *number, char *buf, size_t size)
{
    enum { GROUPS = 8 };
    int zeros = -1, most = 1; /* the first of the longest runs; a single group is written out */
    for (int i = 0, run = 0; i < GROUPS; i++) {
        run = group_of(number, i) ? 0 : run + 1;
        if (run > most) {
            most = run;
            zeros = i + 1 - run;
        }
    }
    size_t n = 0;
    for (int i = 0; i < GROUPS; i++) {
        if (i == zeros)
            n += (size_t)snprintf(buf + n, size - n, "::");
        else if (zeros < 0 || i < zeros || i >= zeros + most)
            n += (size_t)snprintf(buf + n, size - n, "%s%x", i && i != zeros + most ? ":" : "",
                                  group_of(number, i));
    }
}

char *go_address_host(const go_address *address, char *buf, size_t size)
{
    char number[INET6_ADDRSTRLEN] = "", zone[IF_NAMESIZE + 1] = "";
    if (!size)
        return buf;
    buf[0] = 0;
    if (family_of(address) == AF_UNIX) {
        unix_name(address, buf, size);
    } else if (gofer_address_is_ipv4(address)) {
        inet_ntop(AF_INET, ipv4_of(address), number, sizeof number);
        snprintf(buf, size, "%s", number);
    } else if (family_of(address) == AF_INET6) {
        uint32_t scope = gofer_sockaddr_of(address)->in6.sin6_scope_id;
        write_ipv6(&gofer_sockaddr_of(address)->in6.sin6_addr, number, sizeof number);
        if (scope && !if_indextoname(scope, zone))
            snprintf(zone, sizeof zone, "%u", scope);
        snprintf(buf, size, "%s%s%s", number, scope ? "%" : "", zone);
    }
    return buf;
}

char *go_address_string(const go_address *address, char *buf, size_t size)
{
    char host[GO_ADDRESS_ROOM], port[8];
    if (family_of(address) != AF_INET && family_of(address) != AF_INET6)
        return go_address_host(address, buf, size);
    snprintf(port, sizeof port, "%d", go_address_port(address));
    return go_join_host_port(go_address_host(address, host, sizeof host), port, buf, size);
}

char *gofer_endpoint_string(const gofer_endpoint *endpoint, char *buf, size_t size)
{
    if (!endpoint->no_host)
        return go_address_string(&endpoint->address, buf, size);
    snprintf(buf, size, ":%d", go_address_port(&endpoint->address));
    return buf;
}

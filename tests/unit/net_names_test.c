/* Which of a name's addresses are taken, with a getaddrinfo of the test's own. */
#include "unit.h"

#include <netdb.h>
#include <netinet/in.h>

/* One address of each family. */
int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    static struct sockaddr_in in = { .sin_family = AF_INET };
    static struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                                       .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    (void)service;
    (void)hints;
    CHECK_TEXT(node, "both.test");
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *found = calloc(2, sizeof **found);
    for (int i = 0; i < 2; i++) {
        (*found)[i].ai_family = i ? AF_INET6 : AF_INET;
        (*found)[i].ai_addr = i ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
        (*found)[i].ai_addrlen = i ? sizeof in6 : sizeof in;
    }
    (*found)[0].ai_next = &(*found)[1];
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    free(info);
}

static void check(const char *network, const char *text, const char *expected)
{
    go_address address;
    char got[GO_ADDRESS_ROOM];
    CHECK(go_resolve_address(network, text, &address), 0);
    CHECK_TEXT(go_address_string(&address, got, sizeof got), expected);
}

/* Go: addrList.forResolve. */
static void brackets_ask_for_ipv6(void)
{
    check("tcp", "both.test:80", "127.0.0.1:80");
    check("tcp", "[both.test]:80", "[::1]:80");
    check("udp", "[both.test]:80", "[::1]:80");
    check("tcp4", "[both.test]:80", "127.0.0.1:80");
    check("tcp6", "both.test:80", "[::1]:80");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    brackets_ask_for_ipv6();
    return 0;
}

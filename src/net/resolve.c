/* From a network and a text to the addresses to dial or listen on. */
#include "net/net.h"

/* ---- unix sockets ---------------------------------------------------------------------------- */

/* A path that is too long: the kernel would refuse it so. */
static void fail_path(const char *operation, const gofer_network *network, const char *path,
                      gofer_net_failure *failure)
{
    const struct gofer_net_call call = { operation, network->name, NULL, path };
    if (operation)
        gofer_net_fail_call(failure, EINVAL, &call, *operation == 'd' ? "connect" : "bind");
    else
        gofer_net_fail(failure, EINVAL, NULL, "invalid argument");
}

static bool resolve_unix(const char *operation, const gofer_network *network, const char *path,
                         go_address *address, gofer_net_failure *failure)
{
    size_t length = strlen(path);
    bool is_abstract = *path == '@';
    *address = (go_address){ 0 };
    gofer_sockaddr_of(address)->un.sun_family = AF_UNIX;
    if (length + !is_abstract > sizeof gofer_sockaddr_of(address)->un.sun_path) {
        fail_path(operation, network, path, failure);
        return false;
    }
    memcpy(gofer_sockaddr_of(address)->un.sun_path, path, length);
    if (is_abstract)
        gofer_sockaddr_of(address)->un.sun_path[0] = 0;
    /* an empty one has the family alone: the kernel gives a name */
    address->size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (length && !is_abstract));
    return true;
}

/* ---- IP -------------------------------------------------------------------------------------- */

static void add_endpoint(gofer_endpoints *endpoints, const go_address *address)
{
    if (endpoints->count < GOFER_NET_MOST_ADDRESSES)
        endpoints->at[endpoints->count++].address = *address;
}

/* Every address of the machine. */
static void add_no_host(gofer_endpoints *endpoints, int family)
{
    go_address any = gofer_address_any(family == AF_INET6 ? AF_INET6 : AF_INET);
    add_endpoint(endpoints, &any);
    endpoints->at[0].no_host = true;
}

static bool is_suitable(const go_address *address, int family)
{
    return family == AF_UNSPEC || (family == AF_INET) == gofer_address_is_ipv4(address);
}

/* Those of `found` that the network takes. */
static bool add_suitable(gofer_endpoints *endpoints, const go_address *found, int count, int family,
                         const char *host, gofer_net_failure *failure)
{
    char reason[GOFER_NET_REASON];
    for (int i = 0; i < count; i++)
        if (is_suitable(&found[i], family))
            add_endpoint(endpoints, &found[i]);
    if (endpoints->count)
        return true;
    gofer_net_join(reason, sizeof reason, "address ", host, ": no suitable address found",
                   (char *)NULL);
    gofer_net_fail(failure, EADDRNOTAVAIL, NULL, reason);
    return false;
}

static bool add_literal(gofer_endpoints *endpoints, const go_address *literal, int family,
                        const char *host, gofer_net_failure *failure)
{
    go_address found[2] = { *literal };
    int count = 1;
    /* Where "::" can be listened on but not connected to, 0.0.0.0 may do. */
    if (gofer_sockaddr_of(literal)->any.sa_family == AF_INET6 && gofer_address_is_wildcard(literal))
        found[count++] = gofer_address_any(AF_INET);
    return add_suitable(endpoints, found, count, family, host, failure);
}

static bool add_by_name(go_context *ctx, gofer_endpoints *endpoints, int family, const char *host,
                        gofer_net_failure *failure)
{
    go_address *found = calloc(GOFER_NET_MOST_ADDRESSES, sizeof *found);
    if (!found) {
        gofer_net_fail(failure, ENOMEM, NULL, "cannot allocate memory");
        return false;
    }
    int count = gofer_lookup_host(ctx, host, found, GOFER_NET_MOST_ADDRESSES, failure);
    if (count > GOFER_NET_MOST_ADDRESSES)
        count = GOFER_NET_MOST_ADDRESSES;
    bool added = count > 0 && add_suitable(endpoints, found, count, family, host, failure);
    free(found);
    return added;
}

static bool resolve_ip(go_context *ctx, const gofer_network *network, const char *text,
                       gofer_endpoints *endpoints, gofer_net_failure *failure)
{
    char host[GOFER_NET_HOST] = "", service[GOFER_NET_HOST];
    int port = 0;
    go_address literal;
    bool found = true;
    if (*text &&
        !(gofer_split_host_port(text, host, sizeof host, service, sizeof service, failure) &&
          gofer_lookup_port(network, service, &port, failure)))
        return false;
    if (!*host)
        add_no_host(endpoints, network->family);
    else if (gofer_address_parse(host, &literal))
        found = add_literal(endpoints, &literal, network->family, host, failure);
    else
        found = add_by_name(ctx, endpoints, network->family, host, failure);
    for (int i = 0; i < endpoints->count; i++)
        gofer_address_set_port(&endpoints->at[i].address, port);
    return found;
}

bool gofer_resolve(go_context *ctx, const char *operation, const gofer_network *network,
                   const char *text, gofer_endpoints *endpoints, gofer_net_failure *failure)
{
    endpoints->count = 0;
    for (int i = 0; i < GOFER_NET_MOST_ADDRESSES; i++)
        endpoints->at[i].no_host = false;
    if (network->family == AF_UNIX) {
        endpoints->count = 1;
        return resolve_unix(operation, network, text, &endpoints->at[0].address, failure);
    }
    bool found = resolve_ip(ctx, network, text, endpoints, failure);
    if (!found && operation)
        gofer_net_fail_during(failure, operation, network->name);
    return found;
}

/* The first that is of IPv4, or is not; else the first. */
static const gofer_endpoint *first_of(const gofer_endpoints *endpoints, bool ipv4)
{
    for (int i = 0; i < endpoints->count; i++) {
        const gofer_endpoint *endpoint = &endpoints->at[i];
        if ((!endpoint->no_host && gofer_address_is_ipv4(&endpoint->address)) == ipv4)
            return endpoint;
    }
    return &endpoints->at[0];
}

const gofer_endpoint *gofer_endpoints_first(const gofer_endpoints *endpoints)
{
    return first_of(endpoints, true);
}

/* ---- the calls ------------------------------------------------------------------------------- */

static bool resolve_one(go_context *ctx, const char *network_name, const char *text,
                        go_address *address, gofer_net_failure *failure)
{
    const gofer_network *network = gofer_network_find(NULL, network_name, failure);
    gofer_endpoints *endpoints = network ? malloc(sizeof *endpoints) : NULL;
    if (network && !endpoints)
        gofer_net_fail(failure, ENOMEM, NULL, "cannot allocate memory");
    if (!endpoints)
        return false;
    bool found = gofer_resolve(ctx, NULL, network, text, endpoints, failure);
    bool wants_ipv6 = network->family == AF_UNSPEC && strchr(text, '[');
    if (found)
        *address = first_of(endpoints, !wants_ipv6)->address;
    free(endpoints);
    return found;
}

int go_resolve_address_ctx(go_context *ctx, const char *network, const char *text,
                           go_address *address)
{
    gofer_net_failure failure;
    return resolve_one(ctx, network, text, address, &failure) ? 0 : gofer_net_publish(&failure);
}

int go_resolve_address(const char *network, const char *text, go_address *address)
{
    return go_resolve_address_ctx(NULL, network, text, address);
}

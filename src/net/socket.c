/* Making sockets: which family, which options. By Go's rules. */
#include "net/net.h"

#include "io/fd.h"

#include <netinet/tcp.h>
#include <unistd.h>

/* ---- what the machine can do ----------------------------------------------------------------- */

static bool can_bind(int family, const go_address *address)
{
    int off = 0, number = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (number < 0)
        return false;
    setsockopt(number, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    bool bound = bind(number, &gofer_sockaddr_of(address)->any, address->size) == 0;
    close(number);
    return bound;
}

/* Whether one socket can serve IPv6 and IPv4, or there is no IPv4: asked until one of them works.
 * That none does may be for want of a descriptor. */
static bool listens_on_both(void)
{
    enum { UNKNOWN, NO, YES };
    static _Atomic int known; /* relaxed: it carries nothing but itself */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == UNKNOWN) {
        go_address loopback = gofer_address_any(AF_INET);
        gofer_sockaddr_of(&loopback)->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        go_address mapped;
        gofer_address_in_family(&loopback, AF_INET6, &mapped);
        answer = can_bind(AF_INET6, &mapped) ? YES : can_bind(AF_INET, &loopback) ? NO : UNKNOWN;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer != NO;
}

static bool is_ipv4_or_none(const gofer_endpoint *endpoint)
{
    return !endpoint || gofer_address_is_ipv4(&endpoint->address);
}

int gofer_socket_family(const gofer_network *network, const gofer_endpoint *local,
                        const gofer_endpoint *remote, bool listens)
{
    if (network->family != AF_UNSPEC)
        return network->family;
    if (listens && gofer_address_is_wildcard(&local->address) && listens_on_both())
        return AF_INET6;
    return is_ipv4_or_none(local) && is_ipv4_or_none(remote) ? AF_INET : AF_INET6;
}

/* ---- sockets --------------------------------------------------------------------------------- */

static int set_option(int number, int level, int option, int value)
{
    return setsockopt(number, level, option, &value, sizeof value) == 0 ? 0 : errno;
}

int gofer_socket_new(const gofer_network *network, int family, struct gofer_net_call *call,
                     gofer_net_failure *failure)
{
    int number = socket(family, network->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (number < 0) {
        gofer_net_fail_call(failure, errno, call, "socket");
        return -1;
    }
    if (family == AF_INET6) /* refused on some systems: then it is as they have it */
        set_option(number, IPPROTO_IPV6, IPV6_V6ONLY, network->family == AF_INET6);
    if (family != AF_UNIX && network->type == SOCK_DGRAM)
        set_option(number, SOL_SOCKET, SO_BROADCAST, 1);
    return number;
}

enum { KEEP_ALIVE_SECONDS = 15, KEEP_ALIVE_COUNT = 9 };

/* Rounded up to seconds, which the kernel counts in. Nothing happens for d < 0. */
static int set_seconds(int number, int option, go_duration d)
{
    int64_t seconds = d ? (d + GO_SECOND - 1) / GO_SECOND : KEEP_ALIVE_SECONDS;
    if (d < 0)
        return 0;
    return set_option(number, IPPROTO_TCP, option, seconds > INT16_MAX ? INT16_MAX : (int)seconds);
}

int gofer_socket_keep_alive(int number, const go_keep_alive *options)
{
    int error = set_option(number, SOL_SOCKET, SO_KEEPALIVE, !options->off);
    if (error || options->off)
        return error;
    error = set_seconds(number, TCP_KEEPIDLE, options->idle);
    if (!error)
        error = set_seconds(number, TCP_KEEPINTVL, options->interval);
    if (!error && options->count >= 0)
        error = set_option(number, IPPROTO_TCP, TCP_KEEPCNT,
                           options->count ? options->count : KEEP_ALIVE_COUNT);
    return error;
}

go_fd *gofer_socket_adopt(const gofer_network *network, int number)
{
    bool is_tcp = network->type == SOCK_STREAM && network->family != AF_UNIX;
    go_fd *fd = gofer_fd_adopt(number, is_tcp ? GOFER_FD_TCP : GOFER_FD_SOCKET);
    if (!fd) {
        int error = *gofer_errno();
        close(number);
        *gofer_errno() = error;
    }
    return fd;
}

void gofer_socket_local(int number, go_address *address)
{
    address->size = sizeof address->socket;
    if (getsockname(number, &gofer_sockaddr_of(address)->any, &address->size) != 0)
        address->size = 0;
}

bool gofer_socket_remote(int number, go_address *address)
{
    address->size = sizeof address->socket;
    if (getpeername(number, &gofer_sockaddr_of(address)->any, &address->size) == 0)
        return true;
    address->size = 0;
    return false;
}

/* Listening: sockets that others connect to, and sockets for packets.
 *
 * A listener's TCP options (no delay, keep-alive) are set on the listening socket: Linux gives them
 * to each connection that it accepts. */
#include "net/net.h"

#include "io/fd.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <unistd.h>

struct go_listener {
    _Atomic uint32_t references;
    _Atomic bool unlinks; /* taken by who removes the file; relaxed: it guards nothing else */
    const gofer_network *network; /* constant, as the rest */
    go_fd *fd;
    go_address local;
    /* constant once it is used; NULL: its connections are sockets */
    go_conn *(*wrap)(void *arg, go_conn *conn);
    void (*drop)(void *arg);
    void *wrap_arg;
};

/* What is asked for; constant. */
struct listening {
    const go_listen_config *config;
    const gofer_network *network;
    bool packets;
};

/* ---- making one ------------------------------------------------------------------------------ */

static int set_flag(int number, int level, int option)
{
    int on = 1;
    return setsockopt(number, level, option, &on, sizeof on) == 0 ? 0 : errno;
}

static bool is_multicast(const go_address *address)
{
    if (gofer_sockaddr_of(address)->any.sa_family == AF_INET)
        return IN_MULTICAST(ntohl(gofer_sockaddr_of(address)->in.sin_addr.s_addr));
    return gofer_sockaddr_of(address)->any.sa_family == AF_INET6 &&
           IN6_IS_ADDR_MULTICAST(&gofer_sockaddr_of(address)->in6.sin6_addr);
}

/* Before the socket is bound. 0, or an errno. */
static int set_listener_options(const struct listening *listening, int number,
                                const go_address *address)
{
    const gofer_network *network = listening->network;
    int error = 0;
    if (!listening->packets || is_multicast(address))
        error = set_flag(number, SOL_SOCKET, SO_REUSEADDR);
    if (!error && listening->config->reuse_port)
        error = set_flag(number, SOL_SOCKET, SO_REUSEPORT);
    if (error || listening->packets || network->family == AF_UNIX)
        return error;
    set_flag(number, IPPROTO_TCP, TCP_NODELAY);
    return gofer_socket_keep_alive(number, &listening->config->keep_alive);
}

/* Whom to bind to: packets to a group are taken at every address of the machine, as in Go. */
static void bind_address(const struct listening *listening, const gofer_endpoint *endpoint,
                         int family, go_address *address)
{
    gofer_address_in_family(&endpoint->address, family, address);
    if (!listening->packets || !is_multicast(address))
        return;
    if (family == AF_INET)
        gofer_sockaddr_of(address)->in.sin_addr.s_addr = htonl(INADDR_ANY);
    else
        gofer_sockaddr_of(address)->in6.sin6_addr = (struct in6_addr)IN6ADDR_ANY_INIT;
}

static bool bind_and_listen(const struct listening *listening, int number, int family,
                            const gofer_endpoint *endpoint, const struct gofer_net_call *call,
                            gofer_net_failure *failure)
{
    const go_listen_config *config = listening->config;
    const gofer_network *network = listening->network;
    go_address address;
    int error = set_listener_options(listening, number, &endpoint->address);
    if (error) {
        gofer_net_fail_call(failure, error, call, "setsockopt");
        return false;
    }
    if (config->control)
        error = config->control(config->control_arg, gofer_network_with_family(network, family),
                                call->address, number);
    if (error) {
        gofer_net_fail(failure, error, call, gofer_net_words(error));
        return false;
    }
    bind_address(listening, endpoint, family, &address);
    if (bind(number, &gofer_sockaddr_of(&address)->any, address.size) != 0) {
        gofer_net_fail_call(failure, errno, call, "bind");
        return false;
    }
    /* the kernel knows how many are too many */
    if (!listening->packets && listen(number, config->backlog > 0 ? config->backlog : INT_MAX)) {
        gofer_net_fail_call(failure, errno, call, "listen");
        return false;
    }
    return true;
}

/* The network carries packets where a stream is asked for, or the other way round. */
static bool refuse_kind(const struct listening *listening, const char *address,
                        const struct gofer_net_call *call, gofer_net_failure *failure)
{
    char reason[GOFER_NET_REASON];
    if ((listening->network->type == SOCK_DGRAM) == listening->packets)
        return false;
    gofer_net_join(reason, sizeof reason, *address ? "address " : "", address, *address ? ": " : "",
                   "unexpected address type", (char *)NULL);
    gofer_net_fail(failure, EPROTOTYPE, call, reason);
    return true;
}

static go_fd *listen_at(const struct listening *listening, const gofer_endpoint *endpoint,
                        const char *address, gofer_net_failure *failure)
{
    char text[GO_ADDRESS_ROOM];
    const gofer_network *network = listening->network;
    struct gofer_net_call call = { "listen", network->name, NULL,
                                   gofer_endpoint_string(endpoint, text, sizeof text) };
    if (refuse_kind(listening, address, &call, failure))
        return NULL;
    int family = gofer_socket_family(network, endpoint, NULL, true);
    int number = gofer_socket_new(network, family, &call, failure);
    if (number < 0)
        return NULL;
    if (!bind_and_listen(listening, number, family, endpoint, &call, failure)) {
        close(number);
        return NULL;
    }
    go_fd *fd = gofer_socket_adopt(network, number);
    if (!fd)
        gofer_net_fail_call(failure, *gofer_errno(), &call, "epoll_ctl");
    return fd;
}

static go_fd *listen_socket(go_context *ctx, struct listening *listening, const char *name,
                            const char *address, gofer_net_failure *failure)
{
    static const go_listen_config defaults;
    struct gofer_net_call call = { "listen", name, NULL, NULL };
    go_fd *fd = NULL;
    listening->network = gofer_network_find("listen", name, failure);
    if (!listening->network)
        return NULL;
    if (!listening->config)
        listening->config = &defaults;
    gofer_endpoints *endpoints = malloc(sizeof *endpoints);
    if (!endpoints)
        gofer_net_fail(failure, ENOMEM, &call, "cannot allocate memory");
    else if (gofer_resolve(ctx, "listen", listening->network, address, endpoints, failure))
        fd = listen_at(listening, gofer_endpoints_first(endpoints), address, failure);
    free(endpoints);
    return fd;
}

go_listener *go_listen_config_listen(go_context *ctx, const go_listen_config *config,
                                     const char *network, const char *address)
{
    gofer_net_failure failure;
    struct listening listening = { .config = config };
    go_listener *listener = NULL;
    go_fd *fd = listen_socket(ctx, &listening, network, address, &failure);
    if (fd && (listener = calloc(1, sizeof *listener))) {
        atomic_store_explicit(&listener->references, 1, memory_order_relaxed);
        atomic_store_explicit(&listener->unlinks, listening.network->family == AF_UNIX,
                              memory_order_relaxed);
        listener->network = listening.network;
        listener->fd = fd;
        gofer_socket_local(go_fd_number(fd), &listener->local);
        return listener;
    }
    if (fd) {
        const struct gofer_net_call call = { "listen", network, NULL, address };
        gofer_net_fail(&failure, ENOMEM, &call, "cannot allocate memory");
    }
    go_fd_unref(fd);
    gofer_net_publish(&failure);
    return NULL;
}

go_listener *go_listen(const char *network, const char *address)
{
    return go_listen_config_listen(NULL, NULL, network, address);
}

go_conn *go_listen_config_listen_packet(go_context *ctx, const go_listen_config *config,
                                        const char *network, const char *address)
{
    static const go_address nobody;
    gofer_net_failure failure;
    struct listening listening = { .config = config, .packets = true };
    go_fd *fd = listen_socket(ctx, &listening, network, address, &failure);
    go_conn *conn = fd ? gofer_conn_new(listening.network, fd, &nobody) : NULL;
    if (fd && !conn) {
        const struct gofer_net_call call = { "listen", network, NULL, address };
        gofer_net_fail(&failure, ENOMEM, &call, "cannot allocate memory");
    }
    if (!conn)
        gofer_net_publish(&failure);
    return conn;
}

go_conn *go_listen_packet(const char *network, const char *address)
{
    return go_listen_config_listen_packet(NULL, NULL, network, address);
}

/* ---- accepting ------------------------------------------------------------------------------- */

/* Publishes what a call on the listener left in errno. Returns -1. */
static gofer_cold int fail_listener(const go_listener *listener, go_context *ctx,
                                    const char *operation, const char *kernel_call)
{
    int error = *gofer_errno();
    gofer_net_failure failure;
    char text[GO_ADDRESS_ROOM];
    const struct gofer_net_call call = { operation, listener->network->name, NULL,
                                         go_address_string(&listener->local, text, sizeof text) };
    if (error == EBADF)
        gofer_net_fail(&failure, error, &call, "use of closed network connection");
    else if (error == ECANCELED && go_context_err(ctx))
        gofer_net_fail(&failure, error, &call, "operation was canceled");
    else if (error == ETIMEDOUT)
        gofer_net_fail(&failure, error, &call, "i/o timeout");
    else
        gofer_net_fail_call(&failure, error, &call, kernel_call);
    return gofer_net_publish(&failure);
}

go_conn *go_listener_accept_ctx(go_context *ctx, go_listener *listener)
{
    go_address remote = { .size = sizeof remote.socket };
    struct sockaddr *peer = &gofer_sockaddr_of(&remote)->any;
    go_conn *conn = gofer_conn_reserve(); /* before: without it the connection waits on */
    go_fd *fd = conn ? go_fd_accept_ctx(ctx, listener->fd, peer, &remote.size) : NULL;
    if (fd) {
        gofer_conn_fill(conn, listener->network, fd, &remote);
        return listener->wrap ? listener->wrap(listener->wrap_arg, conn) : conn;
    }
    if (conn)
        gofer_conn_give_back(conn);
    fail_listener(listener, ctx, "accept", "accept4");
    return NULL;
}

void gofer_listener_wrap(go_listener *listener, go_conn *(*wrap)(void *arg, go_conn *conn),
                         void (*drop)(void *arg), void *arg)
{
    if (listener->drop)
        listener->drop(listener->wrap_arg);
    listener->wrap = wrap;
    listener->drop = drop;
    listener->wrap_arg = arg;
}

go_conn *go_listener_accept(go_listener *listener)
{
    return go_listener_accept_ctx(NULL, listener);
}

/* ---- closing, asking ------------------------------------------------------------------------- */

/* Once, and before the socket is closed: afterwards the name may be another's. */
static void unlink_file(go_listener *listener)
{
    char path[GO_ADDRESS_ROOM];
    if (!atomic_exchange_explicit(&listener->unlinks, false, memory_order_relaxed))
        return;
    go_address_string(&listener->local, path, sizeof path);
    if (path[0] != '@')
        unlink(path);
}

int go_listener_close(go_listener *listener)
{
    unlink_file(listener);
    return go_fd_close(listener->fd) == 0 ? 0 : fail_listener(listener, NULL, "close", "close");
}

go_listener *go_listener_ref(go_listener *listener)
{
    atomic_fetch_add_explicit(&listener->references, 1, memory_order_relaxed);
    return listener;
}

void go_listener_unref(go_listener *listener)
{
    /* acq_rel: the last one frees what the others have used */
    if (!listener || atomic_fetch_sub_explicit(&listener->references, 1, memory_order_acq_rel) > 1)
        return;
    int kept = *gofer_errno();
    unlink_file(listener);
    go_fd_unref(listener->fd);
    if (listener->drop)
        listener->drop(listener->wrap_arg);
    free(listener);
    *gofer_errno() = kept;
}

int go_listener_set_deadline(go_listener *listener, int64_t when)
{
    gofer_net_failure failure;
    if (go_fd_set_deadline(listener->fd, GO_READABLE, when) == 0)
        return 0;
    int error = *gofer_errno();
    gofer_net_fail(&failure, error, NULL, /* as Go says it, of no address */
                   error == EBADF ? "use of closed network connection" : gofer_net_words(error));
    return gofer_net_publish(&failure);
}

void go_listener_set_unlink_on_close(go_listener *listener, int unlink)
{
    atomic_store_explicit(&listener->unlinks, unlink && listener->network->family == AF_UNIX,
                          memory_order_relaxed);
}

const go_address *go_listener_local(const go_listener *listener)
{
    return &listener->local;
}

char *go_listener_address(const go_listener *listener, char *buf, size_t size)
{
    return go_address_string(&listener->local, buf, size);
}

go_fd *go_listener_fd(const go_listener *listener)
{
    return listener->fd;
}

/* Dialling: one address after the other, or two families side by side (RFC 8305, as Go does it).
 *
 * A time limit is a context with a deadline. It is shared out: each address gets an equal part of
 * what is left, two seconds at least. */
#include "net/net.h"

#include "gofer/chan.h"
#include "gofer/runtime.h"
#include "gofer/select.h"
#include "gofer/sync.h"
#include "gofer/time.h"

#include <netinet/tcp.h>
#include <unistd.h>

#define FALLBACK_DELAY (300 * GO_MILLISECOND)
#define LEAST_SHARE (2 * GO_SECOND)

/* One dial, the same for all its addresses; constant. */
struct dialling {
    const go_dialer *options;
    const gofer_network *network;
    const char *local_text;      /* NULL: none */
    const gofer_endpoint *local; /* NULL: none */
};

/* Addresses that are tried in turn. */
struct addresses {
    const gofer_endpoint **at;
    int count;
};

/* ---- one address ----------------------------------------------------------------------------- */

/* Under way: waits for the outcome. 0, or an errno. */
static int wait_for_connection(go_context *ctx, go_fd *fd)
{
    for (;;) {
        int result = 0, number = go_fd_number(fd);
        socklen_t size = sizeof result;
        go_address unused;
        if (go_fd_wait_ctx(ctx, fd, GO_WRITABLE) != 0)
            return *gofer_errno();
        if (getsockopt(number, SOL_SOCKET, SO_ERROR, &result, &size) != 0)
            return errno;
        if (result == EISCONN || (!result && gofer_socket_remote(number, &unused)))
            return 0;
        if (result && result != EINPROGRESS && result != EALREADY && result != EINTR)
            return result;
    }
}

/* In the socket's family. False: it has no such form. */
static bool fit_address(const gofer_endpoint *endpoint, int family, go_address *address,
                        const struct gofer_net_call *call, gofer_net_failure *failure)
{
    char host[GO_ADDRESS_ROOM], reason[GOFER_NET_REASON];
    if (gofer_address_in_family(&endpoint->address, family, address))
        return true;
    go_address_host(&endpoint->address, host, sizeof host);
    gofer_net_join(reason, sizeof reason, "address ", host, ": non-IPv4 address", (char *)NULL);
    gofer_net_fail(failure, EINVAL, call, reason);
    return false;
}

/* What comes before connect. */
static bool prepare_socket(const struct dialling *dialling, int number, int family,
                           const char *remote_text, const struct gofer_net_call *call,
                           gofer_net_failure *failure)
{
    const go_dialer *options = dialling->options;
    go_address local;
    int error = !options->control
                    ? 0
                    : options->control(options->control_arg,
                                       gofer_network_with_family(dialling->network, family),
                                       remote_text, number);
    if (error) {
        gofer_net_fail(failure, error, call, gofer_net_words(error));
        return false;
    }
    if (!dialling->local)
        return true;
    if (!fit_address(dialling->local, family, &local, call, failure))
        return false;
    if (bind(number, &gofer_sockaddr_of(&local)->any, local.size) == 0)
        return true;
    gofer_net_fail_call(failure, errno, call, "bind");
    return false;
}

/* Connects a prepared socket, which it takes over. */
static go_fd *connect_socket(go_context *ctx, const struct dialling *dialling, int number,
                             const go_address *remote, const struct gofer_net_call *call,
                             gofer_net_failure *failure)
{
    int error = connect(number, &gofer_sockaddr_of(remote)->any, remote->size) == 0 ? 0 : errno;
    bool under_way = error == EINPROGRESS || error == EALREADY || error == EINTR;
    go_fd *fd = NULL;
    if (error && !under_way) {
        close(number);
        gofer_net_fail_call(failure, error, call, "connect");
        return NULL;
    }
    fd = gofer_socket_adopt(dialling->network, number);
    if (!fd) {
        gofer_net_fail_call(failure, *gofer_errno(), call, "epoll_ctl");
        return NULL;
    }
    error = under_way ? wait_for_connection(ctx, fd) : 0;
    if (!error)
        return fd;
    int why = go_context_err(ctx);
    if (why && error == why)
        gofer_net_fail(failure, error, call,
                       error == ETIMEDOUT ? "i/o timeout" : "operation was canceled");
    else
        gofer_net_fail_call(failure, error, call, "connect");
    go_fd_unref(fd);
    return NULL;
}

static go_conn *dial_address(go_context *ctx, const struct dialling *dialling,
                             const gofer_endpoint *endpoint, gofer_net_failure *failure)
{
    char text[GO_ADDRESS_ROOM];
    const gofer_network *network = dialling->network;
    struct gofer_net_call call = { "dial", network->name, dialling->local_text,
                                   gofer_endpoint_string(endpoint, text, sizeof text) };
    int family = gofer_socket_family(network, dialling->local, endpoint, false);
    go_address remote;
    int number = gofer_socket_new(network, family, &call, failure);
    if (number < 0)
        return NULL;
    if (!prepare_socket(dialling, number, family, text, &call, failure) ||
        !fit_address(endpoint, family, &remote, &call, failure)) {
        close(number);
        return NULL;
    }
    go_fd *fd = connect_socket(ctx, dialling, number, &remote, &call, failure);
    if (fd && network->type == SOCK_STREAM && network->family != AF_UNIX) {
        int on = 1;
        setsockopt(go_fd_number(fd), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        gofer_socket_keep_alive(go_fd_number(fd), &dialling->options->keep_alive);
    }
    go_address peer;
    bool has_peer = fd && gofer_socket_remote(go_fd_number(fd), &peer);
    go_conn *conn = fd ? gofer_conn_new(network, fd, has_peer ? &peer : &remote) : NULL;
    if (fd && !conn)
        gofer_net_fail(failure, ENOMEM, &call, "cannot allocate memory");
    return conn;
}

/* The kernel picked a port from which the socket connected to itself, since nobody listened there;
 * or it picked one that is in use. */
static bool is_spurious(const struct dialling *dialling, const go_conn *conn,
                        const gofer_net_failure *failure)
{
    if (dialling->network->type != SOCK_STREAM || dialling->network->family == AF_UNIX ||
        (dialling->local && go_address_port(&dialling->local->address)))
        return false;
    return conn ? go_address_equal(&conn->local, &conn->remote) : failure->error == EADDRNOTAVAIL;
}

static go_conn *dial_one(go_context *ctx, const struct dialling *dialling,
                         const gofer_endpoint *endpoint, gofer_net_failure *failure)
{
    go_conn *conn = dial_address(ctx, dialling, endpoint, failure);
    for (int i = 0; i < 2 && is_spurious(dialling, conn, failure); i++) {
        go_conn_unref(conn);
        conn = dial_address(ctx, dialling, endpoint, failure);
    }
    return conn;
}

/* ---- several in turn ------------------------------------------------------------------------- */

/* A context for one of `left` addresses, which the caller ends; NULL: ctx will do. */
static go_context *share_of(go_context *ctx, int left)
{
    int64_t deadline, now = go_now();
    if (left == 1 || !go_context_deadline(ctx, &deadline))
        return NULL;
    int64_t share = (deadline - now) / left;
    if (share < LEAST_SHARE)
        share = LEAST_SHARE;
    return deadline - now > share ? go_context_with_deadline(ctx, now + share) : NULL;
}

/* The context has ended before this address's turn. */
static void fail_ended(const struct dialling *dialling, const gofer_endpoint *endpoint, int error,
                       gofer_net_failure *failure)
{
    char text[GO_ADDRESS_ROOM];
    const struct gofer_net_call call = { "dial", dialling->network->name, dialling->local_text,
                                         gofer_endpoint_string(endpoint, text, sizeof text) };
    gofer_net_fail(failure, error, &call,
                   error == ETIMEDOUT ? "i/o timeout" : "operation was canceled");
}

static go_conn *dial_in_turn(go_context *ctx, const struct dialling *dialling,
                             const struct addresses *addresses, gofer_net_failure *failure)
{
    go_conn *conn = NULL;
    for (int i = 0; i < addresses->count && !conn; i++) {
        gofer_net_failure attempt;
        int error = go_context_err(ctx);
        if (error) {
            fail_ended(dialling, addresses->at[i], error, &attempt);
        } else {
            go_context *share = share_of(ctx, addresses->count - i);
            conn = dial_one(share ? share : ctx, dialling, addresses->at[i], &attempt);
            go_context_end(share);
        }
        if (!conn && i == 0) /* the first one's tells most */
            *failure = attempt;
    }
    return conn;
}

/* ---- two families side by side --------------------------------------------------------------- */

struct racer {
    go_context *ctx;
    const struct dialling *dialling;
    struct addresses addresses;
    go_chan(int) done; /* its number, when it has ended */
    int number;
    go_conn *conn;
    gofer_net_failure failure;
};

static void run_racer(void *arg)
{
    struct racer *racer = arg;
    racer->conn = dial_in_turn(racer->ctx, racer->dialling, &racer->addresses, &racer->failure);
    go_send(racer->done, racer->number);
}

/* Starts the first, the second after the delay or when the first has failed, and waits until one
 * has a connection or both have failed. Returns how many still run. */
static int wait_for_winner(struct racer racers[2], go_duration delay)
{
    int started = 1, ended = 0, number;
    bool won = false;
    go_spawn(run_racer, &racers[0]);
    while (!won && ended < 2) {
        bool late = false;
        if (started == 2)
            number = go_recv(racers[0].done);
        else
            late = go_select(go_case_recv(racers[0].done, &number), go_case_after(delay)) == 1;
        if (!late) {
            ended++;
            won = racers[number].conn != NULL;
        }
        if (!won && started == 1) {
            go_spawn(run_racer, &racers[1]);
            started = 2;
        }
    }
    return started - ended;
}

static go_conn *dial_side_by_side(go_context *ctx, const struct dialling *dialling,
                                  const struct addresses sides[2], gofer_net_failure *failure)
{
    struct racer racers[2];
    go_duration delay = dialling->options->fallback_delay;
    go_context *race = go_context_with_cancel(ctx);
    go_chan(int) done = go_chan_make(int, 2);
    const struct gofer_net_call call = { "dial", dialling->network->name, NULL, NULL };
    if (!race || !done) {
        gofer_net_fail(failure, ENOMEM, &call, "cannot allocate memory");
        go_context_end(race);
        go_chan_unref(done);
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        racers[i].ctx = race;
        racers[i].dialling = dialling;
        racers[i].addresses = sides[i];
        racers[i].done = done;
        racers[i].number = i;
        racers[i].conn = NULL;
    }
    int running = wait_for_winner(racers, delay ? delay : FALLBACK_DELAY);
    go_context_cancel(race); /* the loser gives up at once */
    for (; running; running--)
        go_recv(done);
    go_context_unref(race);
    go_chan_unref(done);
    go_conn *conn = racers[0].conn ? racers[0].conn : racers[1].conn;
    if (racers[0].conn)
        go_conn_unref(racers[1].conn);
    if (!conn)
        *failure = racers[0].failure;
    return conn;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* Those that can be dialled from the local address, the first one's family in front of the other's.
 */
static void sort_addresses(const gofer_endpoints *endpoints, const gofer_endpoint *local,
                           struct addresses sides[2], bool splits)
{
    bool first_is_ipv4 = false, any = false;
    for (int i = 0; i < endpoints->count; i++) {
        const gofer_endpoint *endpoint = &endpoints->at[i];
        const go_address *address = &endpoint->address;
        bool is_ipv4 = !endpoint->no_host && gofer_address_is_ipv4(address);
        if (local && gofer_sockaddr_of(address)->any.sa_family != AF_UNIX &&
            !gofer_address_is_wildcard(&local->address) && !gofer_address_is_wildcard(address) &&
            is_ipv4 != gofer_address_is_ipv4(&local->address))
            continue;
        if (!any)
            first_is_ipv4 = is_ipv4;
        any = true;
        struct addresses *side = &sides[splits && is_ipv4 != first_is_ipv4];
        side->at[side->count++] = endpoint;
    }
}

static go_conn *dial_endpoints(go_context *ctx, const struct dialling *dialling,
                               const gofer_endpoints *endpoints, gofer_net_failure *failure)
{
    const gofer_endpoint *first[GOFER_NET_MOST_ADDRESSES], *second[GOFER_NET_MOST_ADDRESSES];
    struct addresses sides[2] = { { first, 0 }, { second, 0 } };
    sort_addresses(endpoints, dialling->local, sides,
                   strcmp(dialling->network->name, "tcp") == 0 &&
                       dialling->options->fallback_delay >= 0);
    if (!sides[0].count) {
        char reason[GOFER_NET_REASON];
        const struct gofer_net_call call = { "dial", dialling->network->name, NULL, NULL };
        gofer_net_join(reason, sizeof reason, "address ", dialling->local_text,
                       ": no suitable address found", (char *)NULL);
        gofer_net_fail(failure, EADDRNOTAVAIL, &call, reason);
        return NULL;
    }
    return sides[1].count ? dial_side_by_side(ctx, dialling, sides, failure)
                          : dial_in_turn(ctx, dialling, &sides[0], failure);
}

/* Resolves both ends. `room` has place for two. */
static bool resolve_ends(go_context *ctx, struct dialling *dialling, const char *address,
                         gofer_endpoints *room, char *local_text, gofer_net_failure *failure)
{
    if (!*address) {
        const struct gofer_net_call call = { "dial", dialling->network->name, NULL, NULL };
        gofer_net_fail(failure, EDESTADDRREQ, &call, "missing address");
        return false;
    }
    if (!gofer_resolve(ctx, "dial", dialling->network, address, &room[0], failure))
        return false;
    if (!dialling->options->local_address || !*dialling->options->local_address)
        return true;
    if (!gofer_resolve(ctx, "dial", dialling->network, dialling->options->local_address, &room[1],
                       failure))
        return false;
    dialling->local = gofer_endpoints_first(&room[1]);
    dialling->local_text = gofer_endpoint_string(dialling->local, local_text, GO_ADDRESS_ROOM);
    return true;
}

static go_conn *dial_within(go_context *ctx, const go_dialer *options, const gofer_network *network,
                            const char *address, gofer_net_failure *failure)
{
    char local_text[GO_ADDRESS_ROOM];
    struct dialling dialling = { .options = options, .network = network };
    const struct gofer_net_call call = { "dial", network->name, NULL, NULL };
    go_conn *conn = NULL;
    gofer_endpoints *room = malloc(2 * sizeof *room);
    if (!room)
        gofer_net_fail(failure, ENOMEM, &call, "cannot allocate memory");
    else if (resolve_ends(ctx, &dialling, address, room, local_text, failure))
        conn = dial_endpoints(ctx, &dialling, &room[0], failure);
    free(room);
    return conn;
}

go_conn *go_dialer_dial_ctx(go_context *ctx, const go_dialer *dialer, const char *network,
                            const char *address)
{
    static const go_dialer defaults;
    gofer_net_failure failure;
    const go_dialer *options = dialer ? dialer : &defaults;
    const gofer_network *found = gofer_network_find("dial", network, &failure);
    go_context *limited = NULL;
    go_conn *conn = NULL;
    if (found && options->timeout && !(limited = go_context_with_timeout(ctx, options->timeout))) {
        const struct gofer_net_call call = { "dial", network, NULL, NULL };
        gofer_net_fail(&failure, ENOMEM, &call, "cannot allocate memory");
    } else if (found) {
        conn = dial_within(limited ? limited : ctx, options, found, address, &failure);
        go_context_end(limited);
    }
    if (!conn)
        gofer_net_publish(&failure);
    return conn;
}

go_conn *go_dialer_dial(const go_dialer *dialer, const char *network, const char *address)
{
    return go_dialer_dial_ctx(NULL, dialer, network, address);
}

go_conn *go_dial_ctx(go_context *ctx, const char *network, const char *address)
{
    return go_dialer_dial_ctx(ctx, NULL, network, address);
}

go_conn *go_dial(const char *network, const char *address)
{
    return go_dialer_dial_ctx(NULL, NULL, network, address);
}

go_conn *go_dial_timeout(const char *network, const char *address, go_duration timeout)
{
    go_dialer dialer = { .timeout = timeout };
    return go_dialer_dial_ctx(NULL, &dialer, network, address);
}

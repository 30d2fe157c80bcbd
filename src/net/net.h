/* What the files of this room share: networks, endpoints, failures, connections.
 *
 * Inside the room a call that fails fills a gofer_net_failure, the words with the number; only the
 * public functions publish it to the calling goroutine (gofer_net_publish), since part of the work
 * is done by other goroutines. */
#ifndef GOFER_SRC_NET_H
#define GOFER_SRC_NET_H

#include "base/base.h"

#include "gofer/net.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

/* ---- networks -------------------------------------------------------------------------------- */

typedef struct gofer_network {
    const char *name;
    int family;           /* AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC: both of IP */
    int type;             /* as socket(2) has it */
    const char *protocol; /* of a service's name; NULL: unix */
} gofer_network;

typedef struct gofer_net_failure gofer_net_failure;

/* By name; NULL: there is none, which is a failure of the operation. */
const gofer_network *gofer_network_find(const char *operation, const char *name,
                                        gofer_net_failure *failure);

/* The one that a socket belongs to; NULL: none. */
const gofer_network *gofer_network_of(int family, int type);

/* Its name with the family that was chosen, for control callbacks: "tcp" is "tcp4" or "tcp6". */
const char *gofer_network_with_family(const gofer_network *network, int family);

/* ---- failures -------------------------------------------------------------------------------- */

enum { GOFER_NET_TEXT = 512, GOFER_NET_REASON = 384 };

struct gofer_net_failure {
    int error;
    char text[GOFER_NET_TEXT];
};

/* What a failed call was about: any but the operation may be NULL. */
struct gofer_net_call {
    const char *operation, *network, *source, *address;
};

/* Writes the texts one behind the other, up to a (char *)NULL, cut after room bytes. Returns buf.
 */
GOFER_API char *gofer_net_join(char *buf, size_t room, ...) __attribute__((sentinel));

/* Fills the failure with "operation network source->address: reason"; without a call, with the
 * reason alone. */
void gofer_net_fail(gofer_net_failure *failure, int error, const struct gofer_net_call *call,
                    const char *reason);

/* The same for a call of the kernel's: "connect: connection refused". */
void gofer_net_fail_call(gofer_net_failure *failure, int error, const struct gofer_net_call *call,
                         const char *kernel_call);

/* What Go says of an errno. */
GOFER_API const char *gofer_net_words(int error);

/* Puts the operation and the network in front of a failure that names neither yet. */
void gofer_net_fail_during(gofer_net_failure *failure, const char *operation, const char *network);

/* For the public functions: go_net_error gives the text from now on, errno the number. Returns -1.
 */
GOFER_API int gofer_net_publish(const gofer_net_failure *failure);

/* ---- addresses ------------------------------------------------------------------------------- */

typedef union __attribute__((may_alias)) gofer_sockaddr {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
} gofer_sockaddr;

/* What is in an address. (Not const, as getsockname's and bind's are one pointer here.) */
static inline gofer_sockaddr *gofer_sockaddr_of(const go_address *address)
{
    return (gofer_sockaddr *)(uintptr_t)address->socket;
}

/* Every address of the machine. */
static inline go_address gofer_address_any(sa_family_t family)
{
    go_address any = { .size = sizeof(struct sockaddr_in) };
    if (family == AF_INET6)
        any.size = sizeof(struct sockaddr_in6);
    gofer_sockaddr_of(&any)->any.sa_family = family;
    return any;
}

/* ---- endpoints ------------------------------------------------------------------------------- */

typedef struct gofer_endpoint {
    go_address address;
    bool no_host; /* only a port was given */
} gofer_endpoint;

enum { GOFER_NET_HOST = 256, GOFER_NET_MOST_ADDRESSES = 64 };

typedef struct gofer_endpoints {
    int count;
    gofer_endpoint at[GOFER_NET_MOST_ADDRESSES];
} gofer_endpoints;

char *gofer_endpoint_string(const gofer_endpoint *endpoint, char *buf, size_t size);
bool gofer_address_is_ipv4(const go_address *address); /* mapped ones too */
bool gofer_address_is_wildcard(const go_address *address);

/* An address in the family of a socket: IPv4 mapped or unmapped. False: it has no such form. */
bool gofer_address_in_family(const go_address *address, int family, go_address *out);

/* A numeric host, with a zone, without a port. */
bool gofer_address_parse(const char *host, go_address *address);
void gofer_address_set_port(go_address *address, int port);

/* As go_split_host_port. Parts are host_size and port_size long at most. */
bool gofer_split_host_port(const char *text, char *host, size_t host_size, char *port,
                           size_t port_size, gofer_net_failure *failure);

/* What a text stands for. `operation` is for the failure's words: "dial", "listen", or NULL, which
 * gives the reason alone. */
bool gofer_resolve(go_context *ctx, const char *operation, const gofer_network *network,
                   const char *text, gofer_endpoints *endpoints, gofer_net_failure *failure);

/* The first of IPv4, or the first of all: what to listen on. */
const gofer_endpoint *gofer_endpoints_first(const gofer_endpoints *endpoints);

/* The port of a service. False: a failure, without operation. */
bool gofer_lookup_port(const gofer_network *network, const char *service, int *port,
                       gofer_net_failure *failure);

/* Addresses of a host that is no number: how many there are; -1: a failure, without operation. */
int gofer_lookup_host(go_context *ctx, const char *host, go_address *addresses, int room,
                      gofer_net_failure *failure);

/* ---- sockets --------------------------------------------------------------------------------- */

typedef int gofer_net_control(void *arg, const char *network, const char *address, int descriptor);

/* Which family a socket has that listens there, or dials from one to the other (NULL: anywhere). */
int gofer_socket_family(const gofer_network *network, const gofer_endpoint *local,
                        const gofer_endpoint *remote, bool listens);

/* A new socket, non-blocking and closed on exec, with Go's default options, or -1. */
int gofer_socket_new(const gofer_network *network, int family, struct gofer_net_call *call,
                     gofer_net_failure *failure);

/* 0, or an errno. */
int gofer_socket_keep_alive(int number, const go_keep_alive *options);

/* A descriptor that is ready for the poller, or NULL and errno. Takes the number over. */
go_fd *gofer_socket_adopt(const gofer_network *network, int number);

void gofer_socket_local(int number, go_address *address);
bool gofer_socket_remote(int number, go_address *address);

/* ---- connections ----------------------------------------------------------------------------- */

/* What a kind of connection does; each returns as the public call, -1 with errno, and leaves the
 * words to that. A socket is one kind, TLS (a library of its own) another. */
typedef struct gofer_conn_kind {
    ssize_t (*read)(go_context *ctx, go_conn *conn, void *buffer, size_t size, bool full);
    ssize_t (*writev)(go_context *ctx, go_conn *conn, const struct iovec *pieces, int count);
    int (*close)(go_conn *conn);
    int (*shutdown)(go_conn *conn, int how);
    int (*set_deadline)(go_conn *conn, int what, int64_t when);
    bool (*is_expired)(const go_conn *conn, int what); /* for the words alone */
    go_fd *(*fd)(const go_conn *conn);
    void (*free)(go_conn *conn); /* the last reference is gone: closes, frees */
    bool has_words; /* reading, writing and closing put their failures into words themselves */
} gofer_conn_kind;

/* All but the references are constant. */
struct go_conn {
    const gofer_conn_kind *kind;
    const gofer_network *network;
    _Atomic uint32_t references;
    bool is_connected;
    go_address local, remote;
};

/* Takes fd over; NULL and ENOMEM: it was given back. */
go_conn *gofer_conn_new(const gofer_network *network, go_fd *fd, const go_address *remote);

/* In parts: room for one, NULL and ENOMEM; then its socket, which it takes over. */
go_conn *gofer_conn_reserve(void);
void gofer_conn_fill(go_conn *room, const gofer_network *network, go_fd *fd,
                     const go_address *remote);
void gofer_conn_give_back(go_conn *room); /* errno stays */

/* Whether the deadline of one side of fd has passed. */
bool gofer_net_expired(go_fd *fd, int what);

/* Fills a failure for what a conn's call left in errno. */
GOFER_API void gofer_conn_fail(const go_conn *conn, go_context *ctx, int what,
                               const char *operation, const char *kernel_call,
                               gofer_net_failure *failure);

/* Each connection that the listener, which nobody uses yet, accepts becomes what `wrap` makes of
 * it, whose reference that takes over; NULL: a failure is published. `drop` gets arg in the end. */
GOFER_API void gofer_listener_wrap(go_listener *listener,
                                   go_conn *(*wrap)(void *arg, go_conn *conn),
                                   void (*drop)(void *arg), void *arg);

#endif

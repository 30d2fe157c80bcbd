/* Connections: TCP, UDP and unix sockets, by Go's names of networks and Go's syntax of addresses.
 * Go's package net.
 *
 *     go_conn *conn = go_dial("tcp", "localhost:http");
 *     if (!conn)
 *         puts(go_net_error()); // dial tcp 127.0.0.1:80: connect: connection refused
 *
 * Networks: tcp, tcp4, tcp6, udp, udp4, udp6, unix, unixgram, unixpacket. Addresses: "host:port",
 * "[::1]:80", "[fe80::1%eth0]:80", ":80" (every address of this machine), with a name or a number
 * for either part; of unix sockets a path, or "@name" for an abstract one.
 *
 * A go_conn and a go_listener are counted: the call that makes one gives one reference, …_unref
 * drops one, and the last closes. …_close closes at once for all who use it; calls that are blocked
 * return then. All calls may be made from goroutines and plain threads, on one connection by
 * several at a time: one reads and one writes at a time, first come, first served.
 *
 * Errors: -1 or NULL with errno, and go_net_error says in words what was tried and what came of it.
 * EBADF: it was closed. ETIMEDOUT: the deadline, or the time of the context, has passed. ECANCELED:
 * the context was cancelled. EINVAL: a wrong address or an unknown network. ENOENT: no such host.
 * Else what the kernel said. SIGPIPE is raised only where go_signal_notify was asked for it.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_NET_H
#define GOFER_NET_H

#include <gofer/base.h>
#include <gofer/bufio.h>
#include <gofer/context.h>
#include <gofer/fd.h>

#include <sys/types.h>

GOFER_BEGIN

/* A connection. Go: net.Conn, net.PacketConn. */
typedef struct go_conn go_conn;

/* A socket that others connect to. Go: net.Listener. */
typedef struct go_listener go_listener;

/* An address as the kernel has it: a struct sockaddr of `size` bytes, to be passed on as
 * `(const struct sockaddr *)address.socket`, or looked at in a copy; size 0: none. Go: net.Addr. */
typedef struct go_address {
    unsigned size; /* a socklen_t */
    /* not a struct sockaddr_storage, as fd.h does not include socket.h; read as any of its kind */
    char socket[112] __attribute__((aligned(8)));
} go_address;

/* Room for any address's text and its final zero. */
#define GO_ADDRESS_ROOM 128

/* ---- addresses ------------------------------------------------------------------------------- */

/* Writes the address as "host:port", "[host]:port", a path, or "@name" (an abstract or unnamed unix
 * socket), cut after size bytes with the final zero. Returns buf. Does not block. Go: Addr.String.
 */
GOFER_API char *go_address_string(const go_address *address, char *buf, size_t size);

/* The same without the port. Go: IP.String. */
GOFER_API char *go_address_host(const go_address *address, char *buf, size_t size);

/* The port, or 0. Go: TCPAddr.Port, UDPAddr.Port. */
GOFER_API int go_address_port(const go_address *address);

/* Whether two addresses are the same; an IPv4 address is, however it is written. Go: IP.Equal and
 * the ports. */
GOFER_API int go_address_equal(const go_address *a, const go_address *b);

/* The address that a text stands for; of several the first of IPv4, but the first of all where the
 * host is written in brackets. Looks names up: blocks. 0, or -1 with errno. Go: ResolveTCPAddr,
 * ResolveUDPAddr, ResolveUnixAddr. */
GOFER_API int go_resolve_address(const char *network, const char *text, go_address *address);
GOFER_API int go_resolve_address_ctx(go_context *ctx, const char *network, const char *text,
                                     go_address *address);

/* Takes "host:port" apart, without the brackets. 0; -1 with EINVAL where it is none, with ERANGE
 * where a part does not fit its buffer. Does not block. Go: SplitHostPort. */
GOFER_API int go_split_host_port(const char *text, char *host, size_t host_size, char *port,
                                 size_t port_size);

/* Puts the two together, a host with colons in brackets, cut after size bytes with the final zero.
 * Returns buf. Does not block. Go: JoinHostPort. */
GOFER_API char *go_join_host_port(const char *host, const char *port, char *buf, size_t size);

/* The addresses of a host, with port 0, as the system is configured to find them; the first `room`
 * go to `addresses`. How many there are, which may be more, or -1 with errno: ENOENT (no such
 * host), EAGAIN (the name service does not answer now), ... Blocks; a numeric address does not.
 * Equal look-ups at a time are one. Go: LookupHost. */
GOFER_API int go_lookup_host(const char *host, go_address *addresses, int room);
GOFER_API int go_lookup_host_ctx(go_context *ctx, const char *host, go_address *addresses,
                                 int room);

/* ---- errors ---------------------------------------------------------------------------------- */

/* What the goroutine's (or plain thread's) last failed call of this header says of its failure, as
 * Go says it: "dial tcp 127.0.0.1:1: connect: connection refused". It lives until the next one
 * fails or the goroutine ends. "" where none has failed yet, or where there was no memory for the
 * first one's words. Does not block. Go: OpError.Error. */
GOFER_API const char *go_net_error(void);

/* ---- dialling -------------------------------------------------------------------------------- */

/* When to ask a silent peer whether it still is there. 0 is Go's: after 15 s of silence, every
 * 15 s, giving up after 9; negative: as the system has it. Go: net.KeepAliveConfig. */
typedef struct go_keep_alive {
    int off; /* not 0: never */
    go_duration idle, interval;
    int count;
} go_keep_alive;

/* How to dial; all zero is what go_dial does. Go: net.Dialer. */
typedef struct go_dialer {
    go_duration timeout; /* for all of it, names included; 0: none */
    const char
        *local_address; /* to dial from, in the network's syntax; NULL: the system's choice */
    /* TCP to a host of IPv4 and IPv6: how long to try the family of its first address before the
     * other is tried too, and the first that answers wins; 0: 300 ms; negative: one after the
     * other. */
    go_duration fallback_delay;
    go_keep_alive keep_alive;
    /* Called with each socket before it connects: "tcp4" or "tcp6" and so on, where to, and the
     * descriptor. 0, or an errno, with which the attempt fails. Go: Dialer.Control. */
    int (*control)(void *arg, const char *network, const char *address, int descriptor);
    void *control_arg;
} go_dialer;

/* Connects. TCP gets TCP_NODELAY and keep-alive. Where a host has several addresses each is tried
 * until one answers; a timeout is shared out among them. NULL and errno. Blocks. Go: Dial,
 * DialTimeout, Dialer.Dial, Dialer.DialContext. */
GOFER_API go_conn *go_dial(const char *network, const char *address);
GOFER_API go_conn *go_dial_ctx(go_context *ctx, const char *network, const char *address);
GOFER_API go_conn *go_dial_timeout(const char *network, const char *address, go_duration timeout);
GOFER_API go_conn *go_dialer_dial(const go_dialer *dialer, const char *network,
                                  const char *address);
GOFER_API go_conn *go_dialer_dial_ctx(go_context *ctx, const go_dialer *dialer, const char *network,
                                      const char *address);

/* ---- listening ------------------------------------------------------------------------------- */

/* How to listen; all zero is what go_listen does. Go: net.ListenConfig. */
typedef struct go_listen_config {
    int reuse_port; /* not 0: SO_REUSEPORT, several share the port */
    int backlog;    /* connections that may wait to be accepted; 0: as many as the system allows */
    go_keep_alive keep_alive; /* of the accepted */
    /* As go_dialer's, before the socket is bound. Go: ListenConfig.Control. */
    int (*control)(void *arg, const char *network, const char *address, int descriptor);
    void *control_arg;
} go_listen_config;

/* Listens on tcp, unix or unixpacket. Without a host ("tcp", ":80") it takes IPv6 and IPv4 both;
 * port 0 is any that is free. Looks names up: blocks. NULL and errno. Go: Listen,
 * ListenConfig.Listen. */
GOFER_API go_listener *go_listen(const char *network, const char *address);
GOFER_API go_listener *go_listen_config_listen(go_context *ctx, const go_listen_config *config,
                                               const char *network, const char *address);

/* The next connection. NULL and errno; after EMFILE, ENFILE, ENOBUFS or ENOMEM wait a little before
 * the next call: the connection still waits (but what the kernel cannot watch, ENOMEM or ENOSPC,
 * and what gets no memory for TLS is closed). Blocks. Go: Listener.Accept. */
GOFER_API go_conn *go_listener_accept(go_listener *listener);
GOFER_API go_conn *go_listener_accept_ctx(go_context *ctx, go_listener *listener);

/* Closes it: accepts that are blocked fail with EBADF. A unix socket's file is removed. 0, or -1
 * with errno: EBADF (it was closed before). Go: Listener.Close. */
GOFER_API int go_listener_close(go_listener *listener);

/* One more reference, and listener; one less; the last closes. unref(NULL) does nothing. */
GOFER_API go_listener *go_listener_ref(go_listener *listener);
GOFER_API void go_listener_unref(go_listener *listener);

/* From `when` on (as go_now counts; 0: never) accepts fail with ETIMEDOUT. 0, or -1 with errno.
 * Go: TCPListener.SetDeadline. */
GOFER_API int go_listener_set_deadline(go_listener *listener, int64_t when);

/* Whether closing removes a unix socket's file; it does unless this is called with 0.
 * Go: UnixListener.SetUnlinkOnClose. */
GOFER_API void go_listener_set_unlink_on_close(go_listener *listener, int unlink);

/* The listener's address; it lives as long as the listener. The second: its text, as
 * go_address_string writes it. Go: Listener.Addr. */
GOFER_API const go_address *go_listener_local(const go_listener *listener);
GOFER_API char *go_listener_address(const go_listener *listener, char *buf, size_t size);

/* The descriptor below, without a reference. Go: TCPListener.SyscallConn. */
GOFER_API go_fd *go_listener_fd(const go_listener *listener);

/* A socket for packets: udp or unixgram. The same as for go_listen. Go: ListenPacket,
 * ListenConfig.ListenPacket. */
GOFER_API go_conn *go_listen_packet(const char *network, const char *address);
GOFER_API go_conn *go_listen_config_listen_packet(go_context *ctx, const go_listen_config *config,
                                                  const char *network, const char *address);

/* ---- connections ----------------------------------------------------------------------------- */

/* A connection over a socket, whose reference it takes over. NULL and errno, and the reference is
 * still the caller's: ENOTSOCK, ENOMEM, and EPROTONOSUPPORT for what none of the networks names. Of
 * NULL, which go_fd_new may have given: NULL, and errno as it was. Go: FileConn. */
GOFER_API go_conn *go_conn_from_fd(go_fd *fd);

/* One more reference, and conn; one less; the last closes. unref(NULL) does nothing. */
GOFER_API go_conn *go_conn_ref(go_conn *conn);
GOFER_API void go_conn_unref(go_conn *conn);

/* Up to `size` bytes, as soon as there are any, or one packet: how many; 0 at the end of what the
 * peer sends. Go: Conn.Read. */
GOFER_API ssize_t go_conn_read(go_conn *conn, void *buffer, size_t size);
GOFER_API ssize_t go_conn_read_ctx(go_context *ctx, go_conn *conn, void *buffer, size_t size);

/* All `size` bytes: `size`; fewer where they end before (errno 0) or an error comes (errno) after
 * some were read. Go: io.ReadFull. */
GOFER_API ssize_t go_conn_read_full(go_conn *conn, void *buffer, size_t size);
GOFER_API ssize_t go_conn_read_full_ctx(go_context *ctx, go_conn *conn, void *buffer, size_t size);

/* All `size` bytes, or one packet: `size`; fewer, with errno, where an error comes after some were
 * written. Go: Conn.Write. */
GOFER_API ssize_t go_conn_write(go_conn *conn, const void *data, size_t size);
GOFER_API ssize_t go_conn_write_ctx(go_context *ctx, go_conn *conn, const void *data, size_t size);

/* The same of several pieces; at most 1024. Go: Buffers.WriteTo. */
GOFER_API ssize_t go_conn_writev(go_conn *conn, const struct iovec *pieces, int count);
GOFER_API ssize_t go_conn_writev_ctx(go_context *ctx, go_conn *conn, const struct iovec *pieces,
                                     int count);

/* Closes it at once for all who use it: calls that are blocked return EBADF. 0, or -1 with errno:
 * EBADF (it was closed before). Go: Conn.Close. */
GOFER_API int go_conn_close(go_conn *conn);

/* Ends one direction: the peer reads an end; reads here give one. 0, or -1 with errno.
 * Go: TCPConn.CloseRead, CloseWrite. */
GOFER_API int go_conn_close_read(go_conn *conn);
GOFER_API int go_conn_close_write(go_conn *conn);

/* From `when` on (as go_now counts; 0: never) reads, writes, or both fail with ETIMEDOUT, those in
 * progress too. 0, or -1 with errno. Go: Conn.SetDeadline, SetReadDeadline, SetWriteDeadline. */
GOFER_API int go_conn_set_deadline(go_conn *conn, int64_t when);
GOFER_API int go_conn_set_read_deadline(go_conn *conn, int64_t when);
GOFER_API int go_conn_set_write_deadline(go_conn *conn, int64_t when);

/* Both ends' addresses; they live as long as the connection. The remote one of a socket for packets
 * that is connected to nobody has size 0. Go: Conn.LocalAddr, RemoteAddr. */
GOFER_API const go_address *go_conn_local(const go_conn *conn);
GOFER_API const go_address *go_conn_remote(const go_conn *conn);

/* Their texts, as go_address_string writes them. Go: Conn.LocalAddr().String(). */
GOFER_API char *go_conn_local_address(const go_conn *conn, char *buf, size_t size);
GOFER_API char *go_conn_remote_address(const go_conn *conn, char *buf, size_t size);

/* The network's name, as it was dialled or listened on. Go: Addr.Network. */
GOFER_API const char *go_conn_network(const go_conn *conn);

/* The descriptor below, without a reference; NULL where there is none that carries just these
 * bytes. Go: TCPConn.SyscallConn. */
GOFER_API go_fd *go_conn_fd(const go_conn *conn);

/* A connection as a source of a go_reader, and as a sink of a go_writer. They take no reference.
 * Go: bufio.NewReader(conn). */
GOFER_API go_source go_conn_source(go_conn *conn);
GOFER_API go_sink go_conn_sink(go_conn *conn);

/* Options of a TCP connection: whether small writes go out at once (they do by default); keep-alive
 * as it says; seconds for which close tries to send what is left (0: drops it, negative: the
 * system's way, in the background). 0, or -1 with errno. Go: TCPConn.SetNoDelay,
 * SetKeepAliveConfig, SetLinger. */
GOFER_API int go_conn_set_no_delay(go_conn *conn, int on);
GOFER_API int go_conn_set_keep_alive(go_conn *conn, const go_keep_alive *keep_alive);
GOFER_API int go_conn_set_linger(go_conn *conn, int seconds);

/* The sizes of the kernel's buffers. 0, or -1 with errno. Go: SetReadBuffer, SetWriteBuffer. */
GOFER_API int go_conn_set_read_buffer(go_conn *conn, int bytes);
GOFER_API int go_conn_set_write_buffer(go_conn *conn, int bytes);

/* ---- packets, and what unix sockets carry ---------------------------------------------------- */

/* One packet, cut to `size`, and in *from, which may be NULL, who sent it (size 0: a unix socket
 * without a name). How many bytes, or -1 with errno. Go: PacketConn.ReadFrom. */
GOFER_API ssize_t go_conn_read_from(go_conn *conn, void *buffer, size_t size, go_address *from);
GOFER_API ssize_t go_conn_read_from_ctx(go_context *ctx, go_conn *conn, void *buffer, size_t size,
                                        go_address *from);

/* One packet to `to`. `size`, or -1 with errno: EISCONN where it was dialled. Go:
 * PacketConn.WriteTo. */
GOFER_API ssize_t go_conn_write_to(go_conn *conn, const void *data, size_t size,
                                   const go_address *to);
GOFER_API ssize_t go_conn_write_to_ctx(go_context *ctx, go_conn *conn, const void *data,
                                       size_t size, const go_address *to);

/* Who is at the other end of a unix socket. */
typedef struct go_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
} go_credentials;

/* What the kernel says of the process that connected or listened there. 0, or -1 with errno. Does
 * not block. Go: unix.GetsockoptUcred. */
GOFER_API int go_conn_peer_credentials(go_conn *conn, go_credentials *peer);

/* Writes as go_conn_write, at least one byte, to a unix socket, and sends along `count` descriptors
 * (at most 253), which stay the caller's. -1 and ENOTSUP: it is no unix socket. Go:
 * UnixConn.WriteMsgUnix, unix.UnixRights. */
GOFER_API ssize_t go_conn_send_fds(go_conn *conn, const void *data, size_t size, const int *fds,
                                   int count);
GOFER_API ssize_t go_conn_send_fds_ctx(go_context *ctx, go_conn *conn, const void *data,
                                       size_t size, const int *fds, int count);

/* Reads as go_conn_read, and takes the descriptors that came along: the first `room` of them, the
 * caller's from now on, go to `fds`; others are closed. *count says how many came. They are closed
 * on exec. -1 and EMFILE: they found no place in this process, and are lost with the bytes. Go:
 * UnixConn.ReadMsgUnix, unix.ParseUnixRights. */
GOFER_API ssize_t go_conn_recv_fds(go_conn *conn, void *buffer, size_t size, int *fds, int room,
                                   int *count);
GOFER_API ssize_t go_conn_recv_fds_ctx(go_context *ctx, go_conn *conn, void *buffer, size_t size,
                                       int *fds, int room, int *count);

GOFER_END
#endif

/* Connections: addresses and their errors, dialling, listening, deadlines, half-closing, unix
 * sockets, packets. Ports and folders are left out of what is printed. */
#include "case.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char net_folder[] = "/tmp/gofer-net-XXXXXX";

/* A path in a folder of its own. */
static const char *net_path(const char *name)
{
    static char path[100];
    static int made;
    if (!made++ && !mkdtemp(net_folder))
        exit(4);
    snprintf(path, sizeof path, "%s/%s", net_folder, name);
    return path;
}

/* An abstract name of this process's own. */
static const char *net_name(const char *name)
{
    static char text[100];
    snprintf(text, sizeof text, "@gofer-%s-%07d", name, getpid());
    return text;
}

/* The text with ports and the folder taken out. */
static const char *scrubbed(const char *text)
{
    static char out[600];
    size_t n = 0;
    while (*text && n < sizeof out - 8) {
        size_t digits = strspn(text, "0123456789");
        if (strncmp(text, net_folder, sizeof net_folder - 1) == 0) {
            n += (size_t)sprintf(out + n, "DIR");
            text += sizeof net_folder - 1;
        } else if (digits >= 4) {
            n += (size_t)sprintf(out + n, "PORT");
            text += digits;
        } else {
            size_t length = digits ? digits : 1;
            memcpy(out + n, text, length);
            n += length;
            text += length;
        }
    }
    out[n] = 0;
    return out;
}

static void tell_net(const char *what, int failed)
{
    printf("%s: %s\n", what, failed ? scrubbed(go_net_error()) : "ok");
}

/* How a read ended. */
static void tell_read(const char *what, ssize_t n, const char *bytes)
{
    if (n > 0)
        printf("%s: %zd %.*s\n", what, n, (int)n, bytes);
    else if (n == 0)
        printf("%s: EOF\n", what);
    else
        tell_net(what, 1);
}

static void tell_dial(const char *network, const char *address)
{
    char what[300];
    go_conn *conn = go_dial(network, address);
    snprintf(what, sizeof what, "%s", scrubbed(address));
    tell_net(what, !conn);
    go_conn_unref(conn);
}

static void tell_listen(const char *network, const char *address)
{
    go_listener *listener = go_listen(network, address);
    tell_net(address, !listener);
    go_listener_unref(listener);
}

static void tell_split(const char *text)
{
    char host[100], port[100];
    if (go_split_host_port(text, host, sizeof host, port, sizeof port) == 0)
        printf("%s: <%s> <%s>\n", text, host, port);
    else
        printf("%s: %s\n", text, go_net_error());
}

static void tell_resolve(const char *network, const char *text)
{
    char string[GO_ADDRESS_ROOM];
    go_address address;
    if (go_resolve_address(network, text, &address) == 0)
        printf("%s %s: %s\n", network, text, go_address_string(&address, string, sizeof string));
    else
        printf("%s %s: %s\n", network, text, go_net_error());
}

static const char *address_of(go_listener *listener)
{
    static char text[GO_ADDRESS_ROOM];
    return go_listener_address(listener, text, sizeof text);
}

/* Where nobody listens any more. */
static const char *left_address(const char *network, const char *address)
{
    go_listener *listener = go_listen(network, address);
    const char *text = address_of(listener);
    go_listener_unref(listener);
    return text;
}

struct net_pair {
    go_conn *near, *far;
};

static struct net_pair net_pair_on(const char *network, const char *address)
{
    struct net_pair pair;
    go_listener *listener = go_listen(network, address);
    pair.near = go_dial(network, address_of(listener));
    pair.far = go_listener_accept(listener);
    go_listener_unref(listener);
    return pair;
}

static void drop_pair(struct net_pair pair)
{
    go_conn_unref(pair.near);
    go_conn_unref(pair.far);
}

static struct net_pair tcp_pair(void)
{
    return net_pair_on("tcp", "127.0.0.1:0");
}

/* ---- addresses ------------------------------------------------------------------------------- */

CASE(net_split_host_port)
{
    tell_split("127.0.0.1:80");
    tell_split("localhost:http");
    tell_split(":80");
    tell_split("host:");
    tell_split(":");
    tell_split("[::1]:80");
    tell_split("[fe80::1%lo0]:80");
    tell_split("[]:80");
    tell_split("host%zone:80");
    return 0;
}

CASE(net_split_host_port_errors)
{
    tell_split("");
    tell_split("host");
    tell_split("[::1]");
    tell_split("::1:80");
    tell_split("::1");
    tell_split("[::1:80");
    tell_split("[::1]80");
    tell_split("[::1]:80:90");
    tell_split("[::1]x:80");
    tell_split("a[b:80");
    tell_split("a]b:80");
    tell_split("[a[b]:80");
    tell_split("[a]:]80");
    return 0;
}

CASE(net_join_host_port)
{
    char text[100];
    puts(go_join_host_port("host", "80", text, sizeof text));
    puts(go_join_host_port("::1", "http", text, sizeof text));
    puts(go_join_host_port("fe80::1%lo0", "1", text, sizeof text));
    puts(go_join_host_port("", "", text, sizeof text));
    return 0;
}

CASE(net_resolve)
{
    tell_resolve("tcp", "127.0.0.1:80");
    tell_resolve("tcp", "127.0.0.1:http");
    tell_resolve("tcp4", "127.0.0.1:HTTPS");
    tell_resolve("udp", "127.0.0.1:domain");
    tell_resolve("tcp", "[::1]:+80");
    tell_resolve("tcp6", "[2001:db8:0:0:0:0:0:1]:1");
    tell_resolve("tcp", "[::ffff:192.0.2.1]:1");
    tell_resolve("tcp", "192.0.2.1:");
    tell_resolve("tcp", "[fe80::1%4711]:1");
    return 0;
}

CASE(net_ipv6_text)
{
    const char *hosts[] = { "::",
                            "::1",
                            "::1:2",
                            "::abcd:0",
                            "::102:304",
                            "::1.2.3.4",
                            "1::",
                            "1:0:2:3:4:5:6:7",
                            "1:0:0:2::3",
                            "1:0:0:2:3::",
                            "0:0:1:0:0:1:0:0",
                            "::ffff:0:102:304",
                            "64:ff9b::1.2.3.4",
                            "1:2:3:4:5:6:7:8",
                            "2001:DB8:0:0:1:0:0:1" };
    char text[80];
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        snprintf(text, sizeof text, "[%s]:80", hosts[i]);
        tell_resolve("tcp", text);
    }
    return 0;
}

CASE(net_resolve_errors)
{
    tell_resolve("tcp", "127.0.0.1:65536");
    tell_resolve("tcp", "127.0.0.1:-1");
    tell_resolve("tcp", "127.0.0.1:99999999999");
    tell_resolve("tcp", "127.0.0.1:nosuchservice");
    tell_resolve("tcp4", "127.0.0.1:nosuchservice");
    tell_resolve("tcp4", "[::1]:80");
    tell_resolve("tcp6", "127.0.0.1:80");
    tell_resolve("tcp", "127.0.0.1");
    tell_resolve("carrierpigeon", "127.0.0.1:80");
    return 0;
}

/* ---- looking up ------------------------------------------------------------------------------ */

static void tell_lookup(const char *host)
{
    char text[GO_ADDRESS_ROOM];
    go_address address;
    if (go_lookup_host(host, &address, 1) > 0)
        printf("%s: %s\n", host, go_address_host(&address, text, sizeof text));
    else
        printf("%s: %s\n", host, go_net_error());
}

CASE(net_lookup_literal)
{
    tell_lookup("127.0.0.1");
    tell_lookup("::1");
    tell_lookup("");
    return 0;
}

CASE(net_lookup_numbers_of_other_forms)
{
    tell_lookup("127.0.0.010");
    tell_lookup("127.1");
    tell_lookup("2130706433");
    tell_lookup("127.0.0.256");
    return 0;
}

CASE(net_lookup_localhost)
{
    go_address addresses[8];
    char text[GO_ADDRESS_ROOM];
    int found = 0, n = go_lookup_host("localhost", addresses, 8);
    for (int i = 0; i < n && i < 8; i++)
        found |= strcmp(go_address_host(&addresses[i], text, sizeof text), "127.0.0.1") == 0;
    printf("%d\n", found);
    return 0;
}

CASE(net_lookup_cancelled)
{
    go_address address;
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    tell_net("lookup", go_lookup_host_ctx(ctx, "localhost", &address, 1) < 0);
    go_context_end(ctx);
    return 0;
}

/* ---- dialling -------------------------------------------------------------------------------- */

CASE(net_dial_unknown_network)
{
    tell_dial("carrierpigeon", "127.0.0.1:80");
    tell_dial("", "127.0.0.1:80");
    tell_dial("tcp5", "");
    return 0;
}

CASE(net_dial_missing_address)
{
    tell_dial("tcp", "");
    tell_dial("udp4", "");
    tell_dial("unix", "");
    return 0;
}

CASE(net_dial_malformed_address)
{
    tell_dial("tcp", "127.0.0.1");
    tell_dial("tcp", "::1:80");
    tell_dial("tcp", "[::1");
    tell_dial("tcp", "127.0.0.1:nosuchservice");
    tell_dial("udp", "127.0.0.1:nosuchservice");
    tell_dial("tcp", "127.0.0.1:-5");
    return 0;
}

CASE(net_dial_no_suitable_address)
{
    tell_dial("tcp4", "[::1]:80");
    tell_dial("tcp6", "127.0.0.1:80");
    return 0;
}

CASE(net_dial_refused)
{
    tell_dial("tcp", left_address("tcp", "127.0.0.1:0"));
    tell_dial("tcp4", left_address("tcp", "127.0.0.1:0"));
    return 0;
}

CASE(net_dial_refused_without_host)
{
    tell_dial("tcp", strrchr(left_address("tcp4", "127.0.0.1:0"), ':'));
    return 0;
}

CASE(net_dial_unix_errors)
{
    char longest[200];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    tell_dial("unix", net_path("missing"));
    tell_dial("unixgram", net_path("missing"));
    tell_dial("unixpacket", net_name("missing"));
    longest[108] = 0;
    tell_dial("unix", longest);
    rmdir(net_folder);
    return 0;
}

CASE(net_dial_unix_wrong_type)
{
    go_listener *listener = go_listen("unix", net_path("stream"));
    tell_dial("unixgram", net_path("stream"));
    go_listener_unref(listener);
    rmdir(net_folder);
    return 0;
}

CASE(net_dial_cancelled)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    tell_net("literal", !go_dial_ctx(ctx, "tcp", "127.0.0.1:1"));
    tell_net("name", !go_dial_ctx(ctx, "tcp", "localhost:1"));
    go_context_end(ctx);
    return 0;
}

CASE(net_dial_expired)
{
    tell_net("dial", !go_dial_timeout("tcp", "127.0.0.1:1", -1));
    return 0;
}

static int net_forbid(void *arg, const char *network, const char *address, int descriptor)
{
    (void)arg;
    (void)descriptor;
    printf("%s %s\n", network, address);
    return EPERM;
}

CASE(net_dial_control)
{
    go_dialer dialer = { .control = net_forbid };
    tell_net("tcp", !go_dialer_dial(&dialer, "tcp", "127.0.0.1:80"));
    tell_net("udp6", !go_dialer_dial(&dialer, "udp6", "[::1]:80"));
    tell_net("unix", !go_dialer_dial(&dialer, "unix", "@x"));
    return 0;
}

CASE(net_dial_local_address)
{
    char text[GO_ADDRESS_ROOM];
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    go_dialer dialer = { .local_address = "127.0.0.2:0" };
    go_conn *conn = go_dialer_dial(&dialer, "tcp", address_of(listener));
    puts(scrubbed(go_conn_local_address(conn, text, sizeof text)));
    go_conn_unref(conn);
    go_listener_unref(listener);
    return 0;
}

CASE(net_dial_local_address_errors)
{
    go_dialer dialer = { .local_address = "[::1]:0" };
    tell_net("family", !go_dialer_dial(&dialer, "tcp", "127.0.0.1:1"));
    dialer.local_address = "192.0.2.1:0";
    tell_net("not ours", !go_dialer_dial(&dialer, "tcp", "127.0.0.1:1"));
    return 0;
}

CASE(net_dial_keeps_first_error)
{
    /* two addresses, :: and 0.0.0.0; nobody on either */
    char address[100];
    const char *left = left_address("tcp", "127.0.0.1:0");
    snprintf(address, sizeof address, "[::]%s", strrchr(left, ':'));
    tell_dial("tcp", address);
    return 0;
}

/* ---- listening ------------------------------------------------------------------------------- */

CASE(net_listen_errors)
{
    tell_listen("carrierpigeon", "127.0.0.1:0");
    tell_listen("tcp", "127.0.0.1");
    tell_listen("tcp", "127.0.0.1:x");
    tell_listen("tcp", "192.0.2.1:0");
    tell_listen("tcp4", "[::1]:0");
    tell_listen("unix", "/nonexistent/folder/socket");
    return 0;
}

CASE(net_listen_at_a_group)
{
    go_listener *listener = go_listen("tcp", "224.0.0.1:0");
    puts(scrubbed(address_of(listener)));
    tell_listen("tcp", "[ff02::1%lo]:0");
    go_conn *conn = go_listen_packet("udp", "224.0.0.1:0");
    char text[GO_ADDRESS_ROOM];
    puts(scrubbed(go_conn_local_address(conn, text, sizeof text)));
    return 0;
}

CASE(net_listen_in_use)
{
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    tell_net("again", !go_listen("tcp", address_of(listener)));
    go_listener_unref(listener);
    listener = go_listen("unix", net_name("in-use"));
    tell_net("again", !go_listen("unix", net_name("in-use")));
    go_listener_unref(listener);
    return 0;
}

CASE(net_listen_wrong_kind)
{
    tell_net("listen", !go_listen("udp", "127.0.0.1:0"));
    tell_net("listen", !go_listen("udp", ""));
    tell_net("packets", !go_listen_packet("tcp", "127.0.0.1:0"));
    return 0;
}

CASE(net_listen_without_host)
{
    static const char *const networks[] = { "tcp", "tcp4", "tcp6" };
    for (int i = 0; i < 3; i++) {
        go_listener *listener = go_listen(networks[i], ":0");
        printf("%s: %s\n", networks[i], scrubbed(address_of(listener)));
        go_listener_unref(listener);
    }
    go_listener *listener = go_listen("tcp", "");
    puts(scrubbed(address_of(listener)));
    go_listener_unref(listener);
    return 0;
}

CASE(net_listen_control)
{
    go_listen_config config = { .control = net_forbid };
    tell_net("tcp", !go_listen_config_listen(NULL, &config, "tcp", "127.0.0.1:80"));
    tell_net("tcp", !go_listen_config_listen(NULL, &config, "tcp", ":80"));
    tell_net("udp", !go_listen_config_listen_packet(NULL, &config, "udp", "127.0.0.1:80"));
    return 0;
}

CASE(net_listen_reuse_after_close)
{
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    char address[GO_ADDRESS_ROOM];
    snprintf(address, sizeof address, "%s", address_of(listener));
    go_conn *near = go_dial("tcp", address), *far = go_listener_accept(listener);
    go_conn_close(far);
    go_listener_close(listener);
    tell_net("again", !go_listen("tcp", address));
    go_conn_close(near);
    return 0;
}

CASE(net_listener_closed)
{
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    tell_net("close", go_listener_close(listener) != 0);
    tell_net("accept", !go_listener_accept(listener));
    tell_net("close", go_listener_close(listener) != 0);
    tell_net("set_deadline", go_listener_set_deadline(listener, 0));
    puts(scrubbed(address_of(listener)));
    return 0;
}

static void accept_one(go_listener *listener, go_waitgroup *done)
{
    tell_net("accept", !go_listener_accept(listener));
    go_waitgroup_done(done);
}

CASE(net_listener_close_wakes_accept)
{
    go_waitgroup done = { 0 };
    go_listener *listener = go_listen("unix", net_name("wakes"));
    go_waitgroup_add(&done, 2);
    go(accept_one, listener, &done);
    go(accept_one, listener, &done);
    for (int i = 0; i < 10; i++)
        go_gosched();
    go_listener_close(listener);
    go_waitgroup_wait(&done);
    return 0;
}

CASE(net_listener_deadline)
{
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    go_listener_set_deadline(listener, go_now() + GO_MILLISECOND);
    tell_net("accept", !go_listener_accept(listener));
    tell_net("accept", !go_listener_accept(listener));
    go_listener_set_deadline(listener, 0);
    go_conn *near = go_dial("tcp", address_of(listener));
    tell_net("accept", !go_listener_accept(listener));
    go_conn_close(near);
    return 0;
}

/* ---- connections ----------------------------------------------------------------------------- */

CASE(net_conn_echo)
{
    char bytes[10];
    struct net_pair pair = tcp_pair();
    tell_net("write", go_conn_write(pair.near, "hello", 5) != 5);
    tell_read("read", go_conn_read(pair.far, bytes, sizeof bytes), bytes);
    tell_net("write nothing", go_conn_write(pair.near, "", 0) != 0);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_addresses)
{
    char text[GO_ADDRESS_ROOM];
    struct net_pair pair = tcp_pair();
    puts(go_conn_network(pair.near));
    puts(scrubbed(go_conn_local_address(pair.near, text, sizeof text)));
    puts(scrubbed(go_conn_remote_address(pair.far, text, sizeof text)));
    printf("%d\n", go_address_equal(go_conn_local(pair.near), go_conn_remote(pair.far)));
    drop_pair(pair);
    pair = net_pair_on("unix", net_name("addresses"));
    puts(go_conn_network(pair.near));
    puts(scrubbed(go_conn_local_address(pair.near, text, sizeof text)));
    puts(scrubbed(go_conn_remote_address(pair.near, text, sizeof text)));
    puts(scrubbed(go_conn_local_address(pair.far, text, sizeof text)));
    puts(scrubbed(go_conn_remote_address(pair.far, text, sizeof text)));
    drop_pair(pair);
    return 0;
}

CASE(net_conn_closed)
{
    char bytes[10], text[GO_ADDRESS_ROOM];
    struct net_pair pair = tcp_pair();
    go_conn *conn = pair.near;
    tell_net("close", go_conn_close(conn) != 0);
    tell_read("read", go_conn_read(conn, bytes, sizeof bytes), bytes);
    tell_net("write", go_conn_write(conn, "x", 1) < 0);
    tell_net("close", go_conn_close(conn) != 0);
    tell_net("close_write", go_conn_close_write(conn) != 0);
    tell_net("close_read", go_conn_close_read(conn) != 0);
    tell_net("deadline", go_conn_set_deadline(conn, 0) != 0);
    tell_net("read deadline", go_conn_set_read_deadline(conn, 0) != 0);
    puts(scrubbed(go_conn_local_address(conn, text, sizeof text)));
    drop_pair(pair);
    return 0;
}

CASE(net_conn_options_closed)
{
    struct net_pair pair = tcp_pair();
    go_conn_close(pair.near);
    tell_net("no delay", go_conn_set_no_delay(pair.near, 1) != 0);
    tell_net("linger", go_conn_set_linger(pair.near, 1) != 0);
    tell_net("read buffer", go_conn_set_read_buffer(pair.near, 10000) != 0);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_read_deadline)
{
    char bytes[10];
    struct net_pair pair = tcp_pair();
    go_conn_set_read_deadline(pair.near, go_now() + GO_MILLISECOND);
    tell_read("read", go_conn_read(pair.near, bytes, sizeof bytes), bytes);
    go_conn_write(pair.far, "x", 1);
    tell_read("read", go_conn_read(pair.near, bytes, sizeof bytes), bytes);
    tell_net("write", go_conn_write(pair.near, "x", 1) != 1);
    go_conn_set_read_deadline(pair.near, 0);
    tell_read("read", go_conn_read(pair.near, bytes, sizeof bytes), bytes);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_write_deadline)
{
    char bytes[10];
    struct net_pair pair = tcp_pair();
    go_conn_set_write_deadline(pair.near, 1);
    tell_net("write", go_conn_write(pair.near, "x", 1) != 1);
    go_conn_write(pair.far, "x", 1);
    tell_read("read", go_conn_read(pair.near, bytes, sizeof bytes), bytes);
    go_conn_set_write_deadline(pair.near, go_now() + GO_HOUR);
    tell_net("write", go_conn_write(pair.near, "x", 1) != 1);
    drop_pair(pair);
    return 0;
}

static void read_one(go_conn *conn, go_waitgroup *done)
{
    char bytes[10];
    tell_read("read", go_conn_read(conn, bytes, sizeof bytes), bytes);
    go_waitgroup_done(done);
}

static void begin_read(go_conn *conn, go_waitgroup *done)
{
    go_waitgroup_add(done, 1);
    go(read_one, conn, done);
    for (int i = 0; i < 10; i++)
        go_gosched();
}

CASE(net_conn_deadline_wakes_read)
{
    go_waitgroup done = { 0 };
    struct net_pair pair = tcp_pair();
    begin_read(pair.near, &done);
    go_conn_set_deadline(pair.near, 1);
    go_waitgroup_wait(&done);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_close_wakes_read)
{
    go_waitgroup done = { 0 };
    struct net_pair pair = tcp_pair();
    begin_read(pair.near, &done);
    begin_read(pair.near, &done);
    go_conn_close(pair.near);
    go_waitgroup_wait(&done);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_peer_close_wakes_read)
{
    go_waitgroup done = { 0 };
    struct net_pair pair = tcp_pair();
    begin_read(pair.near, &done);
    go_conn_close(pair.far);
    go_waitgroup_wait(&done);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_half_close)
{
    char bytes[10];
    struct net_pair pair = tcp_pair();
    go_conn_write(pair.near, "last", 4);
    tell_net("close_write", go_conn_close_write(pair.near) != 0);
    tell_net("write", go_conn_write(pair.near, "x", 1) < 0);
    tell_read("read", go_conn_read(pair.far, bytes, sizeof bytes), bytes);
    tell_read("read", go_conn_read(pair.far, bytes, sizeof bytes), bytes);
    tell_net("answer", go_conn_write(pair.far, "answer", 6) != 6);
    tell_read("read", go_conn_read(pair.near, bytes, sizeof bytes), bytes);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_close_read)
{
    char bytes[10];
    struct net_pair pair = net_pair_on("unix", net_name("close-read"));
    tell_net("close_read", go_conn_close_read(pair.near) != 0);
    tell_read("read", go_conn_read(pair.near, bytes, sizeof bytes), bytes);
    tell_net("write", go_conn_write(pair.near, "x", 1) != 1);
    tell_net("peer's write", go_conn_write(pair.far, "x", 1) < 0);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_reset)
{
    char bytes[10];
    struct net_pair pair = tcp_pair();
    go_conn_set_linger(pair.near, 0);
    go_conn_close(pair.near);
    tell_read("read", go_conn_read(pair.far, bytes, sizeof bytes), bytes);
    tell_net("write", go_conn_write(pair.far, "x", 1) < 0);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_broken_pipe)
{
    struct net_pair pair = net_pair_on("unix", net_name("broken-pipe"));
    go_conn_close(pair.near);
    tell_net("write", go_conn_write(pair.far, "x", 1) < 0);
    tell_net("close_write", go_conn_close_write(pair.far) != 0);
    drop_pair(pair);
    return 0;
}

CASE(net_conn_read_full)
{
    char bytes[6] = "";
    struct net_pair pair = tcp_pair();
    go_conn_write(pair.near, "hel", 3);
    go_conn_write(pair.near, "lowor", 5);
    printf("%zd %s\n", go_conn_read_full(pair.far, bytes, 5), bytes);
    go_conn_close(pair.near);
    ssize_t n = go_conn_read_full(pair.far, bytes, 5);
    printf("%zd %s\n", n, n > 0 && n < 5 && errno == 0 ? "unexpected EOF" : "?");
    n = go_conn_read_full(pair.far, bytes, 5);
    printf("%zd %s\n", n, n == 0 ? "EOF" : "?");
    drop_pair(pair);
    return 0;
}

CASE(net_conn_writev)
{
    char bytes[20];
    struct net_pair pair = tcp_pair();
    struct iovec pieces[3] = { { (char[]){ "one " }, 4 }, { NULL, 0 }, { (char[]){ "two" }, 3 } };
    printf("%zd\n", go_conn_writev(pair.near, pieces, 3));
    tell_read("read", go_conn_read_full(pair.far, bytes, 7), bytes);
    drop_pair(pair);
    return 0;
}

/* ---- unix sockets ---------------------------------------------------------------------------- */

static void tell_file(const char *path)
{
    struct stat unused;
    printf("%s\n", lstat(path, &unused) == 0 ? "there" : "gone");
}

CASE(net_unix_unlinks)
{
    go_listener *listener = go_listen("unix", net_path("socket"));
    tell_file(net_path("socket"));
    puts(scrubbed(address_of(listener)));
    go_listener_close(listener);
    tell_file(net_path("socket"));
    listener = go_listen("unix", net_path("socket"));
    go_listener_set_unlink_on_close(listener, 0);
    go_listener_close(listener);
    tell_file(net_path("socket"));
    unlink(net_path("socket"));
    rmdir(net_folder);
    return 0;
}

CASE(net_unixpacket)
{
    char bytes[10];
    struct net_pair pair = net_pair_on("unixpacket", net_name("packet"));
    puts(go_conn_network(pair.far));
    go_conn_write(pair.near, "one", 3);
    go_conn_write(pair.near, "three", 5);
    tell_read("read", go_conn_read(pair.far, bytes, sizeof bytes), bytes);
    tell_read("read", go_conn_read(pair.far, bytes, 2), bytes);
    drop_pair(pair);
    return 0;
}

CASE(net_unixgram)
{
    char bytes[10], text[GO_ADDRESS_ROOM];
    go_address from;
    go_conn *a = go_listen_packet("unixgram", net_name("gram-a"));
    go_conn *b = go_listen_packet("unixgram", net_name("gram-b"));
    go_conn_write_to(a, "hello", 5, go_conn_local(b));
    tell_read("read", go_conn_read_from(b, bytes, sizeof bytes, &from), bytes);
    puts(scrubbed(go_address_string(&from, text, sizeof text)));
    tell_net("write", go_conn_write(a, "x", 1) < 0);
    go_conn_close(b);
    tell_net("write_to", go_conn_write_to(a, "x", 1, &from) < 0);
    tell_net("write_to", go_conn_write_to(a, "x", 1, go_conn_local(b)) < 0);
    return 0;
}

/* ---- packets --------------------------------------------------------------------------------- */

CASE(net_udp_exchange)
{
    char bytes[10], text[GO_ADDRESS_ROOM];
    go_address from;
    go_conn *server = go_listen_packet("udp", "127.0.0.1:0");
    go_conn *client = go_dial("udp", go_conn_local_address(server, text, sizeof text));
    puts(go_conn_network(server));
    tell_net("write", go_conn_write(client, "ping", 4) != 4);
    tell_read("read_from", go_conn_read_from(server, bytes, sizeof bytes, &from), bytes);
    printf("%d\n", go_address_equal(&from, go_conn_local(client)));
    tell_net("write_to", go_conn_write_to(server, "pong", 4, &from) != 4);
    tell_read("read", go_conn_read(client, bytes, sizeof bytes), bytes);
    return 0;
}

CASE(net_udp_truncates)
{
    char bytes[10], text[GO_ADDRESS_ROOM];
    go_conn *server = go_listen_packet("udp", "127.0.0.1:0");
    go_conn *client = go_dial("udp", go_conn_local_address(server, text, sizeof text));
    go_conn_write(client, "long one", 8);
    go_conn_write(client, "", 0);
    go_conn_write(client, "end", 3);
    tell_read("read_from", go_conn_read_from(server, bytes, 4, NULL), bytes);
    printf("%zd\n", go_conn_read_from(server, bytes, 4, NULL));
    tell_read("read_from", go_conn_read_from(server, bytes, 4, NULL), bytes);
    return 0;
}

CASE(net_udp_write_errors)
{
    char text[GO_ADDRESS_ROOM];
    go_address ipv6;
    go_conn *server = go_listen_packet("udp4", "127.0.0.1:0");
    go_conn *client = go_dial("udp4", go_conn_local_address(server, text, sizeof text));
    go_resolve_address("udp", "[::1]:1", &ipv6);
    tell_net("unconnected", go_conn_write(server, "x", 1) < 0);
    tell_net("connected", go_conn_write_to(client, "x", 1, go_conn_local(server)) < 0);
    tell_net("another family", go_conn_write_to(server, "x", 1, &ipv6) < 0);
    static const char large[70000];
    tell_net("too long", go_conn_write_to(server, large, sizeof large, go_conn_local(client)) < 0);
    return 0;
}

CASE(net_udp_refused)
{
    char bytes[10], text[GO_ADDRESS_ROOM];
    go_conn *server = go_listen_packet("udp", "127.0.0.1:0");
    go_conn *client = go_dial("udp", go_conn_local_address(server, text, sizeof text));
    go_conn_close(server);
    tell_net("write", go_conn_write(client, "ping", 4) < 0);
    tell_read("read", go_conn_read(client, bytes, sizeof bytes), bytes);
    return 0;
}

CASE(net_udp_deadline_and_close)
{
    char bytes[10];
    go_conn *server = go_listen_packet("udp", "127.0.0.1:0");
    go_conn_set_read_deadline(server, go_now() + GO_MILLISECOND);
    tell_read("read_from", go_conn_read_from(server, bytes, sizeof bytes, NULL), bytes);
    tell_read("read", go_conn_read(server, bytes, sizeof bytes), bytes);
    tell_net("close", go_conn_close(server) != 0);
    tell_read("read_from", go_conn_read_from(server, bytes, sizeof bytes, NULL), bytes);
    tell_net("write_to", go_conn_write_to(server, "x", 1, go_conn_local(server)) < 0);
    tell_net("close", go_conn_close(server) != 0);
    return 0;
}

CASE(net_udp_in_use)
{
    char text[GO_ADDRESS_ROOM];
    go_conn *server = go_listen_packet("udp", "127.0.0.1:0");
    tell_net("again", !go_listen_packet("udp", go_conn_local_address(server, text, sizeof text)));
    return 0;
}

CASE(net_udp_without_host)
{
    char bytes[10], text[GO_ADDRESS_ROOM];
    go_address from;
    go_conn *both = go_listen_packet("udp", ":0");
    go_conn *ipv4 = go_listen_packet("udp4", "127.0.0.1:0");
    puts(scrubbed(go_conn_local_address(both, text, sizeof text)));
    go_conn_write_to(both, "x", 1, go_conn_local(ipv4));
    tell_read("read_from", go_conn_read_from(ipv4, bytes, sizeof bytes, &from), bytes);
    puts(scrubbed(go_address_string(&from, text, sizeof text)));
    go_conn_write_to(ipv4, "y", 1, &from);
    tell_read("read_from", go_conn_read_from(both, bytes, sizeof bytes, &from), bytes);
    puts(scrubbed(go_address_string(&from, text, sizeof text)));
    return 0;
}

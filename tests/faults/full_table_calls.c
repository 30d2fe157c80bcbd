/* What makes a descriptor fails with ENFILE while the system's table is full (full_table.c), leaves
 * none open, and works when the table has room again. */
#include "../descriptors.h"
#include "../unit/unit.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

#define WORDS "too many open files in system; sysctl fs.file-max sets the limit"

static _Atomic bool *table_is_full;

#define CHECK_FAILS(call, failure) \
    do {                           \
        *table_is_full = true;     \
        int failed = (call);       \
        int error = errno;         \
        *table_is_full = false;    \
        CHECK(failed, failure);    \
        CHECK(error, ENFILE);      \
    } while (0)

/* The first of all: the poller has no descriptor of its own yet. */
static void poller(void)
{
    int numbers[2];
    char byte;
    CHECK(pipe(numbers), 0);
    CHECK_FAILS(go_fd_new(numbers[0]) != NULL, false);
    go_fd *in = go_fd_new(numbers[0]), *out = go_fd_new(numbers[1]);
    CHECK(in && out, true);
    CHECK(go_fd_write(out, "x", 1), 1);
    CHECK(go_fd_read(in, &byte, 1), 1);
    go_fd_unref(in);
    go_fd_unref(out);
}

static void pairs(void)
{
    go_fd *ends[2];
    CHECK_FAILS(go_fd_pipe(ends), -1);
    CHECK_FAILS(go_fd_socketpair(AF_UNIX, SOCK_STREAM, 0, ends), -1);
    CHECK(go_fd_pipe(ends), 0);
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
}

static void making_sockets(void)
{
    CHECK_FAILS(go_listen("tcp", "127.0.0.1:0") != NULL, false);
    CHECK_TEXT(go_net_error(), "listen tcp 127.0.0.1:0: socket: " WORDS);
    CHECK_FAILS(go_listen("unix", "@gofer-full-table") != NULL, false);
    CHECK_TEXT(go_net_error(), "listen unix @gofer-full-table: socket: " WORDS);
    CHECK_FAILS(go_listen_packet("udp", "127.0.0.1:0") != NULL, false);
    CHECK_TEXT(go_net_error(), "listen udp 127.0.0.1:0: socket: " WORDS);
    CHECK_FAILS(go_dial("tcp", "127.0.0.1:9") != NULL, false);
    CHECK_TEXT(go_net_error(), "dial tcp 127.0.0.1:9: socket: " WORDS);
    CHECK_FAILS(go_dial("udp", "127.0.0.1:9") != NULL, false);
    CHECK_TEXT(go_net_error(), "dial udp 127.0.0.1:9: socket: " WORDS);
}

static void accept_one(go_listener *listener, go_chan(int) errors)
{
    go_conn *conn = go_listener_accept(listener);
    go_send(errors, conn ? 0 : errno);
    go_conn_unref(conn);
}

/* Who waits for a connection is told when one comes, and it stays in the queue: the next call finds
 * it, though the kernel says nothing more of it. */
static void accepting(void)
{
    char address[GO_ADDRESS_ROOM], text[200];
    go_chan(int) errors = go_chan_make(int, 0);
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    CHECK(listener != NULL, true);
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port =
                                  htons((uint16_t)go_address_port(go_listener_local(listener))),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    go_fd *near = go_fd_new(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    go(accept_one, listener, errors);
    go_gosched();
    *table_is_full = true;
    CHECK(go_fd_connect(near, (struct sockaddr *)&to, sizeof to), 0);
    CHECK(go_recv(errors), ENFILE);
    for (int i = 0; i < 3; i++) {
        *table_is_full = true;
        CHECK(go_listener_accept(listener) == NULL, true);
        CHECK(errno, ENFILE);
        snprintf(text, sizeof text, "accept tcp %s: accept4: " WORDS,
                 go_listener_address(listener, address, sizeof address));
        CHECK_TEXT(go_net_error(), text);
        CHECK(go_fd_accept(go_listener_fd(listener), NULL, NULL) == NULL, true);
        CHECK(errno, ENFILE);
    }
    *table_is_full = false;
    go(accept_one, listener, errors);
    CHECK(go_recv(errors), 0);
    go_fd_unref(near);
    go_listener_unref(listener);
    go_chan_unref(errors);
}

static void starting_programs(void)
{
    static char *argv[] = { "true", NULL };
    go_cmd pipes = { .argv = argv, .in = GO_CMD_PIPE, .out = GO_CMD_PIPE };
    go_cmd nothing = { .argv = argv };
    CHECK_FAILS(go_cmd_start(&pipes), -1);
    CHECK_FAILS(go_cmd_run(&nothing), -1);
    CHECK(go_cmd_run(&nothing), 0);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    *(void **)&table_is_full = dlsym(RTLD_DEFAULT, "table_is_full");
    CHECK(table_is_full != NULL, true);
    poller();
    starting_programs(); /* the first keeps descriptors for the next ones */
    int before = count_descriptors(0);
    pairs();
    making_sockets();
    accepting();
    starting_programs();
    CHECK(count_descriptors(0), before);
    puts("all fail and go on");
    return 0;
}

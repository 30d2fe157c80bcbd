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

static _Atomic int *table_room;

enum { FULL = 0, NOT_FULL = -1 };

#define CHECK_FAILS(call, failure) \
    do {                           \
        *table_room = FULL;        \
        int failed = (call);       \
        int error = errno;         \
        *table_room = NOT_FULL;    \
        CHECK(failed, failure);    \
        CHECK(error, ENFILE);      \
    } while (0)

/* With room for more and more, until it succeeds: what was opened before the failure is closed. How
 * often it failed. */
static int try_at_each_step(bool (*call)(void))
{
    for (int room = 0;; room++) {
        int before = count_descriptors(0);
        *table_room = room;
        bool succeeded = call();
        int error = errno;
        *table_room = NOT_FULL;
        if (succeeded)
            return room;
        CHECK(error, ENFILE);
        CHECK(count_descriptors(0), before);
    }
}

static int numbers[2];
static go_fd *in;

static bool take_over(void)
{
    in = go_fd_new(numbers[0]);
    return in != NULL;
}

/* The first of all: the poller has no descriptor of its own yet. */
static void poller(void)
{
    char byte;
    CHECK(pipe(numbers), 0);
    CHECK(try_at_each_step(take_over) > 0, true);
    go_fd *out = go_fd_new(numbers[1]);
    CHECK(out != NULL, true);
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
    *table_room = FULL;
    CHECK(go_fd_connect(near, (struct sockaddr *)&to, sizeof to), 0);
    CHECK(go_recv(errors), ENFILE);
    for (int i = 0; i < 3; i++) {
        *table_room = FULL;
        CHECK(go_listener_accept(listener) == NULL, true);
        CHECK(errno, ENFILE);
        snprintf(text, sizeof text, "accept tcp %s: accept4: " WORDS,
                 go_listener_address(listener, address, sizeof address));
        CHECK_TEXT(go_net_error(), text);
        CHECK(go_fd_accept(go_listener_fd(listener), NULL, NULL) == NULL, true);
        CHECK(errno, ENFILE);
    }
    *table_room = NOT_FULL;
    go(accept_one, listener, errors);
    CHECK(go_recv(errors), 0);
    go_fd_unref(near);
    go_listener_unref(listener);
    go_chan_unref(errors);
}

static bool run_true(void)
{
    static char *argv[] = { "true", NULL };
    go_cmd cmd = { .argv = argv, .in = GO_CMD_PIPE, .out = GO_CMD_PIPE };
    if (go_cmd_start(&cmd) != 0)
        return false;
    CHECK(go_cmd_wait(&cmd), 0);
    return true;
}

static void starting_programs(void)
{
    CHECK(run_true(), true);                      /* keeps what is needed each time */
    CHECK(try_at_each_step(run_true) >= 3, true); /* two pipes and /dev/null */
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    *(void **)&table_room = dlsym(RTLD_DEFAULT, "table_room");
    CHECK(table_room != NULL, true);
    poller();
    int before = count_descriptors(0);
    pairs();
    making_sockets();
    accepting();
    CHECK(count_descriptors(0), before);
    starting_programs();
    puts("all fail and go on");
    return 0;
}

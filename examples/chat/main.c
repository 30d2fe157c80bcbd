/* chat: a chat server in the way of gofer. See README.md. */
#include "chat.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: chat [options]\n"
    "  --listen ADDRESS      where; default localhost:7000, \":7000\" for everybody\n"
    "  --max-clients N       more are turned away; default 1000\n"
    "  --max-line BYTES      more, with the line's end, go to nobody; default 512\n"
    "  --queue N             texts that a client may be behind before it is dropped; default 256\n"
    "  --rate N              lines a second that a client may send; default 20\n"
    "  --idle-timeout TIME   for a client that says nothing; default 10m\n"
    "  --write-timeout TIME  for a client that takes nothing; default 10s\n"
    "  --drain-timeout TIME  for the last texts at SIGTERM or SIGINT; default 5s\n";

static struct settings settings = {
    .address = "localhost:7000",
    .most_clients = 1000,
    .queue = 256,
    .rate = 20,
    .longest_line = 512,
    .idle_timeout = 10 * GO_MINUTE,
    .write_timeout = 10 * GO_SECOND,
    .drain_timeout = 5 * GO_SECOND,
};

/* ---- the command line ------------------------------------------------------------------------ */

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "chat: %s: %s\n", what, why);
    exit(2);
}

static int parse_number(const char *text, unsigned long least)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < least || number > 1000000)
        fail(text, least == 1 ? "a number from 1 to 1000000 is wanted"
                              : "a number from 16 to 1000000 is wanted");
    return (int)number;
}

static go_duration parse_time(const char *text)
{
    go_duration d;
    if (go_duration_parse(text, &d) != 0 || d <= 0 || d > 1000 * GO_HOUR)
        fail(text, "a time such as 500ms or 1m30s is wanted");
    return d;
}

static void parse_options(int argc, char **argv)
{
    enum { LISTEN, CLIENTS, LINE, QUEUE, RATE, IDLE, WRITE, DRAIN, HELP };
    static const struct option options[] = {
        { "listen", required_argument, NULL, LISTEN },
        { "max-clients", required_argument, NULL, CLIENTS },
        { "max-line", required_argument, NULL, LINE },
        { "queue", required_argument, NULL, QUEUE },
        { "rate", required_argument, NULL, RATE },
        { "idle-timeout", required_argument, NULL, IDLE },
        { "write-timeout", required_argument, NULL, WRITE },
        { "drain-timeout", required_argument, NULL, DRAIN },
        { "help", no_argument, NULL, HELP },
        { 0 },
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
        switch (option) {
        case LISTEN:
            settings.address = optarg;
            break;
        case CLIENTS:
            settings.most_clients = parse_number(optarg, 1);
            break;
        case LINE:
            settings.longest_line = (size_t)parse_number(optarg, 16);
            break;
        case QUEUE:
            settings.queue = parse_number(optarg, 1);
            break;
        case RATE:
            settings.rate = parse_number(optarg, 1);
            break;
        case IDLE:
            settings.idle_timeout = parse_time(optarg);
            break;
        case WRITE:
            settings.write_timeout = parse_time(optarg);
            break;
        case DRAIN:
            settings.drain_timeout = parse_time(optarg);
            break;
        case HELP:
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            exit(2);
        }
    if (optind < argc)
        fail(argv[optind], "there are options alone");
}

/* ---- connections ----------------------------------------------------------------------------- */

struct server {
    struct hall hall;
    go_listener *listener;
    go_context *stopping, *cutting; /* by a signal; and when that took too long */
    go_semaphore seats;             /* one for each client */
    go_waitgroup clients;           /* and who accepts them */
    _Atomic int seated;
};

static void serve(struct server *server, go_conn *conn)
{
    client_serve(&server->hall, server->cutting, conn);
    atomic_fetch_sub_explicit(&server->seated, 1, memory_order_relaxed);
    go_semaphore_release(&server->seats, 1);
}

/* These bytes are the connection's first: they find room, and block nobody. */
static void turn_away(go_conn *conn)
{
    static const char text[] = "* the server is full: come back later\n";
    go_conn_write(conn, text, sizeof text - 1);
    go_conn_unref(conn);
}

static void accept_clients(struct server *server)
{
    go_duration pause = 0;
    while (!go_context_err(server->stopping)) {
        go_conn *conn = go_listener_accept_ctx(server->stopping, server->listener);
        if (!conn) {
            if (go_context_err(server->stopping))
                break;
            /* No descriptor or memory is left: at once it would be no better. */
            if (!pause)
                fprintf(stderr, "chat: %s; waiting\n", go_net_error());
            pause = !pause ? 5 * GO_MILLISECOND : pause < GO_SECOND ? 2 * pause : GO_SECOND;
            go_sleep_ctx(server->stopping, pause);
            continue;
        }
        pause = 0;
        if (go_semaphore_try_acquire(&server->seats, 1)) {
            atomic_fetch_add_explicit(&server->seated, 1, memory_order_relaxed);
            go_waitgroup_go(&server->clients, serve, server, conn);
        } else {
            turn_away(conn);
        }
    }
    go_listener_close(server->listener);
}

/* ---- the server's life ----------------------------------------------------------------------- */

/* Waits for the last texts to be written; after a while no more. How many clients were cut. */
static int wait_for_clients(struct server *server)
{
    int cut = 0;
    go_context *patience = need(go_context_with_timeout(NULL, settings.drain_timeout));
    if (go_waitgroup_wait_ctx(patience, &server->clients) != 0) {
        cut = atomic_load_explicit(&server->seated, memory_order_relaxed);
        go_context_cancel(server->cutting);
        go_waitgroup_wait(&server->clients);
    }
    go_context_end(patience);
    return cut;
}

static void open_hall(struct server *server)
{
    server->hall = (struct hall){
        .settings = &settings,
        .stopping = server->stopping,
        .joins = need(go_chan_make(struct client *, 0)),
        .leaves = need(go_chan_make(struct client *, 0)),
        .lines = need(go_chan_make(struct line, 0)),
    };
}

static void close_hall(struct hall *hall, go_waitgroup *running)
{
    go_close(hall->joins);
    go_waitgroup_wait(running);
    go_chan_unref(hall->joins);
    go_chan_unref(hall->leaves);
    go_chan_unref(hall->lines);
}

int go_main(int argc, char **argv)
{
    static struct server server;
    go_waitgroup running = { 0 };
    char address[GO_ADDRESS_ROOM];
    parse_options(argc, argv);
    server.stopping = need(go_signal_notify_context(NULL, SIGTERM, SIGINT));
    server.cutting = need(go_context_with_cancel(NULL));
    go_semaphore_init(&server.seats, settings.most_clients);
    server.listener = go_listen("tcp", settings.address);
    if (!server.listener)
        fail(settings.address, go_net_error());
    fprintf(stderr, "chat: listening on %s\n",
            go_listener_address(server.listener, address, sizeof address));
    open_hall(&server);
    go_waitgroup_go(&running, hall_run, &server.hall);
    go_waitgroup_go(&server.clients, accept_clients, &server);

    go_context_wait(server.stopping);
    fprintf(stderr, "chat: %s: stopping\n", go_context_cause_text(server.stopping));
    go_context_cancel(server.stopping); /* another signal ends the process at once */
    int cut = wait_for_clients(&server);
    close_hall(&server.hall, &running);
    go_listener_unref(server.listener);
    go_context_unref(server.stopping);
    go_context_unref(server.cutting);
    if (cut)
        fprintf(stderr, "chat: %d clients cut\n", cut);
    return cut ? 1 : 0;
}

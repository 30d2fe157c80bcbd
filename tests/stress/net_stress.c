/* Dials, accepts, echoes, closes, deadlines and cancelled contexts at once, by goroutines and plain
 * threads, over TCP and unix sockets; whole transfers are compared, and in the end no descriptor is
 * left. */
#include "stress.h"
#include "../descriptors.h"

enum { GOROUTINES = 12, THREADS = 2, SERVERS = 3, MOST = 20000 };

static const char *const networks[2] = { "tcp", "unix" };
static go_listener *listeners[2];
static char addresses[2][GO_ADDRESS_ROOM];
static char data[MOST]; /* what is sent */
static _Atomic long done_rounds, echoed, cut_short;

/* Sends back what comes, unless it is told to close early by the first byte. */
static void echo(go_conn *conn)
{
    char bytes[2048];
    ssize_t n = go_conn_read(conn, bytes, 1);
    if (n == 1 && bytes[0] != 'x')
        while ((n = go_conn_read(conn, bytes, sizeof bytes)) > 0)
            if (go_conn_write(conn, bytes, (size_t)n) != n)
                break;
    go_conn_unref(conn);
}

static void serve(go_listener *listener)
{
    go_conn *conn;
    while ((conn = go_listener_accept(listener)))
        go(echo, conn);
    STRESS_CHECK(errno, EBADF);
    go_listener_unref(listener);
}

static void send_all(go_conn *conn, size_t size)
{
    go_conn_write(conn, data, size);
    go_conn_close_write(conn);
    go_conn_unref(conn);
}

/* All of it comes back. */
static void transfer(go_conn *conn, unsigned *random)
{
    size_t size = stress_random(random) % MOST;
    char *got = malloc(MOST);
    STRESS_CHECK(go_conn_write(conn, "e", 1), 1);
    go(send_all, go_conn_ref(conn), size);
    STRESS_CHECK(go_conn_read_full(conn, got, MOST), size);
    STRESS_CHECK(memcmp(got, data, size), 0);
    free(got);
    echoed++;
}

/* Whoever else ends the read: the last reference may be theirs. */
static void close_and_unref(go_conn *conn)
{
    go_conn_close(conn);
    go_conn_unref(conn);
}

/* One of several things ends the read. */
static void cut(go_conn *conn, unsigned *random)
{
    char byte;
    go_context *ctx = go_context_with_cancel(NULL);
    STRESS_CHECK(go_conn_write(conn, "e", 1), 1);
    switch (stress_random(random) % 4) {
    case 0:
        go_conn_set_read_deadline(conn, go_now() + stress_random(random) % 50000);
        break;
    case 1:
        go(close_and_unref, go_conn_ref(conn));
        break;
    case 2:
        go(go_context_end, go_context_ref(ctx));
        break;
    default:
        go_conn_set_deadline(conn, 1);
        break;
    }
    STRESS_CHECK(go_conn_read_ctx(ctx, conn, &byte, 1), -1);
    if (errno != EBADF && errno != ETIMEDOUT && errno != ECANCELED)
        STRESS_CHECK(errno, ETIMEDOUT);
    STRESS_CHECK(strncmp(go_net_error(), "read ", 5), 0);
    go_context_unref(ctx);
    cut_short++;
}

/* From one of many addresses: a port that was used is not free at once. */
static go_conn *dial(unsigned which, unsigned *random)
{
    char local[32];
    go_dialer dialer = { .local_address = which ? NULL : local };
    snprintf(local, sizeof local, "127.0.0.%u:0", 1 + stress_random(random) % 250);
    go_conn *conn = go_dialer_dial(&dialer, networks[which], addresses[which]);
    if (conn)
        return conn;
    fprintf(stderr, "%s (seed %u)\n", go_net_error(), stress_seed);
    exit(1);
}

static void work(int id)
{
    unsigned random = stress_seed + (unsigned)id * 7919;
    char byte;
    while (done_rounds++ < stress_rounds) {
        unsigned which = stress_random(&random) % 2;
        go_conn *conn = dial(which, &random);
        switch (stress_random(&random) % 5) {
        case 0:
            STRESS_CHECK(go_conn_write(conn, "x", 1), 1);
            STRESS_CHECK(go_conn_read(conn, &byte, 1), 0);
            break;
        case 1:
        case 2:
            transfer(conn, &random);
            break;
        case 3:
            cut(conn, &random);
            break;
        default: /* closed at once */
            break;
        }
        go_conn_unref(conn);
        stress_pause(&random);
    }
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 3000);
    int before = 0;
    for (int i = 0; i < MOST; i++)
        data[i] = (char)(i * 31 + i / 256);
    for (int again = 0; again < 2; again++) { /* the first time opens the poller too */
        done_rounds = again ? 0 : stress_rounds - 10;
        for (int which = 0; which < 2; which++) {
            listeners[which] = go_listen(networks[which], which ? "" : "127.0.0.1:0");
            go_listener_address(listeners[which], addresses[which], GO_ADDRESS_ROOM);
            for (int i = 0; i < SERVERS; i++)
                go(serve, go_listener_ref(listeners[which]));
        }
        stress_run_workers(work, GOROUTINES, THREADS);
        for (int which = 0; which < 2; which++)
            STRESS_CHECK(go_listener_close(listeners[which]), 0);
        while (go_num_goroutine() > 1)
            go_sleep(GO_MILLISECOND);
        for (int which = 0; which < 2; which++)
            go_listener_unref(listeners[which]);
        if (again)
            STRESS_CHECK(count_descriptors(0), before);
        before = count_descriptors(0);
    }
    printf("%ld echoed, %ld cut short\n", echoed, cut_short);
    STRESS_CHECK(echoed > 0 && cut_short > 0, 1);
    return 0;
}

/* The clients: see crowd.h. */
#ifndef GOFER_TEST_CROWD_CLIENTS_H
#define GOFER_TEST_CROWD_CLIENTS_H

#include "crowd.h"

#include <unistd.h>

static const char *clients_address;
static go_semaphore clients_dialling = GO_SEMAPHORE(256); /* at once */
static go_waitgroup clients_running;

/* ---- one connection -------------------------------------------------------------------------- */

/* From one of many addresses, where that is possible: a port that was used is not free at once. */
static inline go_conn *client_dial(enum crowd_kind kind, unsigned key, unsigned length)
{
    char local[32];
    go_dialer dialer = { 0 };
    unsigned char head[CROWD_HEADER] = { kind,      key & 255,    key >> 8 & 255,
                                         key >> 16, length & 255, length >> 8 };
    if (strncmp(clients_address, "127.", 4) == 0) {
        snprintf(local, sizeof local, "127.0.0.%u:0", 1 + key % 250);
        dialer.local_address = local;
    }
    go_semaphore_acquire(&clients_dialling, 1);
    go_conn *conn = go_dialer_dial(&dialer, "tcp", clients_address);
    go_semaphore_release(&clients_dialling, 1);
    if (!conn) {
        fprintf(stderr, "clients: %s\n", go_net_error());
        exit(1);
    }
    STRESS_CHECK(go_conn_write(conn, head, sizeof head), sizeof head);
    return conn;
}

/* Sends a message and compares the echo. */
static inline void client_talk(go_conn *conn, unsigned key, unsigned *random)
{
    size_t most = stress_random(random) % 64 ? 2000 : CROWD_MOST;
    size_t size = 1 + stress_random(random) % most;
    char few[2000], *got = size <= sizeof few ? few : malloc(size);
    STRESS_CHECK(go_conn_write(conn, crowd_bytes(key), size), size);
    STRESS_CHECK(go_conn_read_full(conn, got, size), size);
    crowd_compare(got, key, size);
    if (got != few)
        free(got);
}

/* Closes it when the server has seen the end and closed it, too. */
static inline void client_end(go_conn *conn)
{
    char byte;
    STRESS_CHECK(go_conn_close_write(conn), 0);
    STRESS_CHECK(go_conn_read(conn, &byte, 1), 0);
    go_conn_unref(conn);
}

/* ---- those that are held --------------------------------------------------------------------- */

/* The members hold a connection each and talk once in a round. */
static go_mutex round_lock;
static go_cond round_begins = { .locker = GO_LOCKER_MUTEX(&round_lock) };
static int round_now; /* round_lock; negative: the end */
static go_waitgroup round_talks;
static int round_members;

static inline int round_after(int last)
{
    go_mutex_lock(&round_lock);
    while (round_now == last)
        go_cond_wait(&round_begins);
    int now = round_now;
    go_mutex_unlock(&round_lock);
    return now;
}

static inline void client_hold(unsigned key, int round)
{
    unsigned random = stress_seed + key * 7919;
    go_conn *conn = client_dial(CROWD_ECHO, key, 0);
    client_talk(conn, key, &random);
    go_waitgroup_done(&round_talks);
    while ((round = round_after(round)) >= 0) {
        client_talk(conn, key, &random);
        go_waitgroup_done(&round_talks);
    }
    client_end(conn);
}

static inline void clients_hold(int n)
{
    round_members = n;
    go_waitgroup_add(&round_talks, n);
    round_now = 0;
    for (int i = 0; i < n; i++)
        go_waitgroup_go(&clients_running, client_hold, (unsigned)i, 0);
    go_waitgroup_wait(&round_talks);
}

static inline void clients_begin_round(int end)
{
    go_mutex_lock(&round_lock);
    round_now = end ? -1 : round_now + 1;
    go_cond_broadcast(&round_begins);
    go_mutex_unlock(&round_lock);
}

static inline void clients_talk(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        go_waitgroup_add(&round_talks, round_members);
        clients_begin_round(0);
        go_waitgroup_wait(&round_talks);
    }
}

static inline void clients_talk_forever(int unused)
{
    (void)unused;
    for (;;)
        clients_talk(1);
}

static inline void clients_drop(int unused)
{
    (void)unused;
    clients_begin_round(1);
    go_waitgroup_wait(&clients_running);
}

/* ---- those that come and go ------------------------------------------------------------------ */

/* Resets it while the server waits for more, or while it waits to be read. */
static inline void client_reset(unsigned key)
{
    unsigned random = stress_seed + key * 31;
    char bytes[100];
    go_conn *conn = client_dial(CROWD_RESET, key, 0);
    switch (stress_random(&random) % 3) {
    case 0:
        break;
    case 1:
        STRESS_CHECK(go_conn_write(conn, crowd_bytes(key), 5000), 5000);
        STRESS_CHECK(go_conn_read_full(conn, bytes, sizeof bytes), sizeof bytes);
        crowd_compare(bytes, key, sizeof bytes);
        break;
    default:
        go_conn_set_read_buffer(conn, CROWD_SMALL_BUFFER);
        go_conn_set_write_deadline(conn, go_now() + 20 * GO_MILLISECOND);
        crowd_write_long(conn, key, 0);
        break;
    }
    STRESS_CHECK(go_conn_set_linger(conn, 0), 0);
    go_conn_unref(conn);
}

/* Sends all and ends its side; all comes back, and then the end. */
static inline void client_half(unsigned key)
{
    unsigned size = 1 + key * 7919 % 40000;
    char *got = malloc(size + 1);
    go_conn *conn = client_dial(CROWD_CLIENT_HALF, key, size);
    STRESS_CHECK(go_conn_write(conn, crowd_bytes(key), size), size);
    STRESS_CHECK(go_conn_close_write(conn), 0);
    STRESS_CHECK(go_conn_read_full(conn, got, size + 1), size);
    crowd_compare(got, key, size);
    go_conn_unref(conn);
    free(got);
}

/* The server ends its side, and reads on. */
static inline void client_other_half(unsigned key)
{
    unsigned size = 1 + key * 7919 % 40000;
    char got[CROWD_HELLO + 1];
    go_conn *conn = client_dial(CROWD_SERVER_HALF, key, size);
    STRESS_CHECK(go_conn_read_full(conn, got, sizeof got), CROWD_HELLO);
    crowd_compare(got, key, CROWD_HELLO);
    STRESS_CHECK(go_conn_write(conn, crowd_bytes(key), size), size);
    go_conn_unref(conn);
}

static inline void clients_reset(int n)
{
    for (int i = 0; i < n; i++)
        go_waitgroup_go(&round_talks, client_reset, (unsigned)i);
    go_waitgroup_wait(&round_talks);
}

static inline void clients_half_close(int n)
{
    for (int i = 0; i < n; i++)
        go_waitgroup_go(&round_talks, i % 2 ? client_half : client_other_half, (unsigned)i);
    go_waitgroup_wait(&round_talks);
}

/* ---- slow readers, a flood: two steps each --------------------------------------------------- */

static go_waitgroup clients_begun;
static go_chan(go_unit) clients_go_on; /* closed */

static inline void clients_begin(void)
{
    clients_go_on = go_chan_make(go_unit, 0);
}

static inline void clients_end(int unused)
{
    (void)unused;
    go_close(clients_go_on);
    go_waitgroup_wait(&round_talks);
    go_chan_unref(clients_go_on);
}

static inline void client_read_slowly(unsigned key)
{
    go_conn *conn = client_dial(CROWD_SLOW_CLIENT, key, 0);
    go_waitgroup_done(&clients_begun);
    go_recv(clients_go_on);
    crowd_read_slowly(conn, key);
    go_conn_unref(conn);
}

/* The server reads slowly: the write ends at the deadline, in part, and goes on. */
static inline void client_write_much(unsigned key)
{
    go_conn *conn = client_dial(CROWD_SLOW_SERVER, key, 0);
    go_conn_set_write_buffer(conn, CROWD_SMALL_BUFFER);
    go_conn_set_write_deadline(conn, go_now() + 2 * GO_MILLISECOND);
    size_t offset = crowd_write_long(conn, key, 0);
    go_waitgroup_done(&clients_begun);
    go_recv(clients_go_on);
    go_conn_set_write_deadline(conn, 0);
    STRESS_CHECK(crowd_write_long(conn, key, offset), CROWD_LONG);
    client_end(conn);
}

static inline void clients_slow(int n)
{
    clients_begin();
    go_waitgroup_add(&clients_begun, n);
    for (int i = 0; i < n; i++)
        go_waitgroup_go(&round_talks, i % 2 ? client_write_much : client_read_slowly, (unsigned)i);
    go_waitgroup_wait(&clients_begun);
}

/* The server has no descriptors for all: each is served in the end. */
static inline void client_flood(unsigned key)
{
    unsigned random = stress_seed + key;
    go_conn *conn = client_dial(CROWD_ECHO, key, 0);
    go_waitgroup_done(&clients_begun);
    go_recv(clients_go_on);
    client_talk(conn, key, &random);
    client_end(conn);
}

static inline void clients_flood(int n)
{
    clients_begin();
    go_waitgroup_add(&clients_begun, n);
    for (int i = 0; i < n; i++)
        go_waitgroup_go(&round_talks, client_flood, (unsigned)i);
    go_waitgroup_wait(&clients_begun);
}

/* ---- what they are told ---------------------------------------------------------------------- */

static inline void clients_watch(int unused)
{
    (void)unused;
    crowd_check_rest(getppid());
}

static const struct clients_verb {
    const char *name;
    void (*run)(int n);
} clients_verbs[] = {
    { "hold", clients_hold },    { "talk", clients_talk },
    { "drop", clients_drop },    { "talk-forever", clients_talk_forever },
    { "reset", clients_reset },  { "half-close", clients_half_close },
    { "be-slow", clients_slow }, { "flood", clients_flood },
    { "go-on", clients_end },    { "watch", clients_watch },
};

static inline void clients_obey(const char *line)
{
    char name[32];
    int n = 0;
    STRESS_CHECK(sscanf(line, "%31s %d", name, &n) >= 1, 1);
    for (size_t i = 0; i < sizeof clients_verbs / sizeof *clients_verbs; i++)
        if (strcmp(name, clients_verbs[i].name) == 0) {
            clients_verbs[i].run(n);
            return;
        }
    fprintf(stderr, "clients: no verb %s\n", name);
    exit(1);
}

/* argv: clients ADDRESS SEED. Ends with the standard input. */
static inline int crowd_clients(char **argv)
{
    go_reader in;
    char *line;
    clients_address = argv[2];
    stress_seed = (unsigned)strtoul(argv[3], NULL, 10);
    crowd_make_data();
    crowd_raise_limit();
    go_fd *input = go_fd_new(0);
    STRESS_CHECK(input != NULL, 1);
    go_reader_init(&in, go_fd_source(input), 0);
    while (go_reader_read_line(&in, &line) >= 0) {
        clients_obey(line);
        if (write(1, "ok\n", 3) != 3)
            exit(1);
    }
    go_reader_free(&in);
    go_fd_unref(input);
    return 0;
}

#endif

/* The server, and how the clients are told what to do: see crowd.h. */
#ifndef GOFER_TEST_CROWD_SERVER_H
#define GOFER_TEST_CROWD_SERVER_H

#include "crowd.h"
#include "../descriptors.h"

#include <signal.h>
#include <sys/wait.h>

enum { CROWD_ACCEPTORS = 2, CROWD_MORE_THREADS = 256 };

struct crowd {
    go_listener *listener;
    char address[GO_ADDRESS_ROOM]; /* whom the clients dial */
    go_waitgroup acceptors, serving;
    go_chan(int) freed; /* a connection has ended: maybe there is a descriptor */
    _Atomic long accepted, ended, refused, bytes; /* refused: accepts without a descriptor */
    _Atomic long cut, stuck;                      /* connections reset; writers that were blocked */
    go_cmd clients;
    go_reader answers;
};

static struct crowd crowd;

/* ---- serving --------------------------------------------------------------------------------- */

/* How a connection ended: n is 0 at the peer's end, else what errno says. */
static inline void crowd_note_end(ssize_t n)
{
    if (n == 0)
        return;
    const char *text = go_net_error();
    int error = errno;
    crowd.cut++;
    if (error != ECONNRESET && error != EPIPE) {
        fprintf(stderr, "a connection ended with error %d: %s\n", error, text);
        exit(1);
    }
    STRESS_CHECK(strncmp(text, "read tcp ", 9) == 0 || strncmp(text, "write tcp ", 10) == 0, 1);
}

static inline void serve_echo(go_conn *conn)
{
    char bytes[1024];
    ssize_t n;
    while ((n = go_conn_read(conn, bytes, sizeof bytes)) > 0) {
        crowd.bytes += n;
        if (go_conn_write(conn, bytes, (size_t)n) != n) {
            n = -1;
            break;
        }
    }
    crowd_note_end(n);
}

static inline void serve_client_half(go_conn *conn, unsigned key, size_t size)
{
    char *bytes = malloc(CROWD_MOST);
    STRESS_CHECK(go_conn_read_full(conn, bytes, CROWD_MOST), size);
    crowd_compare(bytes, key, size);
    STRESS_CHECK(go_conn_write(conn, bytes, size), size);
    free(bytes);
}

static inline void serve_server_half(go_conn *conn, unsigned key, size_t size)
{
    char *bytes = malloc(CROWD_MOST);
    STRESS_CHECK(go_conn_write(conn, crowd_bytes(key), CROWD_HELLO), CROWD_HELLO);
    STRESS_CHECK(go_conn_close_write(conn), 0);
    STRESS_CHECK(go_conn_read_full(conn, bytes, CROWD_MOST), size);
    crowd_compare(bytes, key, size);
    free(bytes);
}

/* Nobody reads at first, so the buffers fill, and the deadline ends the write in its middle. */
static inline void serve_slow_client(go_conn *conn, unsigned key)
{
    go_conn_set_write_buffer(conn, CROWD_SMALL_BUFFER);
    go_conn_set_write_deadline(conn, go_now() + 50 * GO_MILLISECOND);
    size_t offset = crowd_write_long(conn, key, 0);
    STRESS_CHECK(offset < CROWD_LONG && errno == ETIMEDOUT, 1);
    crowd.stuck++;
    go_conn_set_write_deadline(conn, 0);
    STRESS_CHECK(crowd_write_long(conn, key, offset), CROWD_LONG);
}

static inline void crowd_serve(go_conn *conn)
{
    unsigned char head[CROWD_HEADER];
    ssize_t n = go_conn_read_full(conn, head, sizeof head);
    unsigned key = (unsigned)(head[1] | head[2] << 8 | head[3] << 16);
    size_t length = (size_t)(head[4] | head[5] << 8);
    if (n != sizeof head)
        crowd_note_end(n < 0 || errno ? -1 : 0);
    else if (head[0] == CROWD_ECHO || head[0] == CROWD_RESET)
        serve_echo(conn);
    else if (head[0] == CROWD_CLIENT_HALF)
        serve_client_half(conn, key, length);
    else if (head[0] == CROWD_SERVER_HALF)
        serve_server_half(conn, key, length);
    else if (head[0] == CROWD_SLOW_CLIENT)
        serve_slow_client(conn, key);
    else if (head[0] == CROWD_SLOW_SERVER)
        crowd_read_slowly(conn, key);
    else
        STRESS_CHECK(head[0], CROWD_ECHO);
    go_conn_unref(conn);
    crowd.ended++;
    go_try_send(crowd.freed, 1);
}

/* No descriptor is left: the error says so and what to do, and another call has a chance only when
 * a connection has gone. So who accepts waits for that, and the calls that failed can be counted.
 */
static inline void crowd_wait_for_descriptor(void)
{
    const char *text = go_net_error();
    if (errno != EMFILE || strncmp(text, "accept tcp ", 11) != 0 ||
        !strstr(text, "too many open files") || !strstr(text, "ulimit -n")) {
        fprintf(stderr, "accept failed with error %d: %s\n", errno, text);
        exit(1);
    }
    crowd.refused++;
    go_recv(crowd.freed);
}

static inline void crowd_accept(void)
{
    for (;;) {
        go_conn *conn = go_listener_accept(crowd.listener);
        if (conn) {
            crowd.accepted++;
            go_waitgroup_go(&crowd.serving, crowd_serve, conn);
        } else if (errno == EBADF) {
            break;
        } else {
            crowd_wait_for_descriptor();
        }
    }
}

/* ---- the clients ----------------------------------------------------------------------------- */

static inline void crowd_say(const char *verb, long n)
{
    char line[64];
    int size = snprintf(line, sizeof line, "%s %ld\n", verb, n);
    STRESS_CHECK(go_fd_write(go_cmd_stdin_pipe(&crowd.clients), line, (size_t)size), size);
}

static inline void crowd_await_answer(void)
{
    char *line;
    if (go_reader_read_line(&crowd.answers, &line) < 0 || strcmp(line, "ok") != 0) {
        fprintf(stderr, "the clients failed (seed %u)\n", stress_seed);
        exit(1);
    }
}

static inline void crowd_tell(const char *verb, long n)
{
    crowd_say(verb, n);
    crowd_await_answer();
}

static inline void crowd_start_clients(void)
{
    static char seed[16], *argv[] = { "/proc/self/exe", "clients", crowd.address, seed, NULL };
    snprintf(seed, sizeof seed, "%u", stress_seed);
    crowd.clients =
        (go_cmd){ .argv = argv, .in = GO_CMD_PIPE, .out = GO_CMD_PIPE, .err = GO_CMD_INHERIT };
    STRESS_CHECK(go_cmd_start(&crowd.clients), 0);
    go_reader_init(&crowd.answers, go_fd_source(go_cmd_stdout_pipe(&crowd.clients)), 0);
}

static inline void crowd_end_clients(int status)
{
    go_reader_free(&crowd.answers);
    go_fd_close(go_cmd_stdin_pipe(&crowd.clients));
    STRESS_CHECK(go_cmd_wait(&crowd.clients), status);
    go_waitgroup_wait(&crowd.serving);
    STRESS_CHECK(crowd.ended, crowd.accepted);
}

/* Listens at `host` for those who dial the same port at `dialled`. */
static inline void crowd_begin(const char *host, const char *dialled)
{
    char at[GO_ADDRESS_ROOM];
    crowd_make_data();
    snprintf(at, sizeof at, "%s:0", host);
    crowd.listener = go_listen("tcp", at);
    STRESS_CHECK(crowd.listener != NULL, 1);
    snprintf(crowd.address, sizeof crowd.address, "%s:%d", dialled,
             go_address_port(go_listener_local(crowd.listener)));
    crowd.freed = go_chan_make(int, 1);
    for (int i = 0; i < CROWD_ACCEPTORS; i++)
        go_waitgroup_go(&crowd.acceptors, crowd_accept);
}

static inline void crowd_end(void)
{
    STRESS_CHECK(go_listener_close(crowd.listener), 0);
    go_waitgroup_wait(&crowd.acceptors);
    go_listener_unref(crowd.listener);
    go_chan_unref(crowd.freed);
}

/* ---- what happens to them -------------------------------------------------------------------- */

static inline void crowd_wait_until(_Atomic long *count, long at_least)
{
    while (atomic_load(count) < at_least)
        go_sleep(GO_MILLISECOND);
}

/* Until those are gone who have nothing more to do; for a while, where one never goes. */
static inline void crowd_wait_for_ends(long goroutines)
{
    for (int i = 0; i < 10000 && go_num_goroutine() > goroutines; i++)
        go_sleep(GO_MILLISECOND);
}

static inline void crowd_resets(long n)
{
    long cut = crowd.cut;
    crowd_tell("reset", n);
    crowd_wait_until(&crowd.cut, cut + n);
    STRESS_CHECK(crowd.cut, cut + n);
}

static inline void crowd_half_closes(long n)
{
    long cut = crowd.cut, ended = crowd.ended;
    crowd_tell("half-close", n);
    crowd_wait_until(&crowd.ended, ended + n);
    STRESS_CHECK(crowd.cut, cut);
}

static inline void crowd_slow_readers(long n)
{
    long ended = crowd.ended, stuck = crowd.stuck;
    crowd_tell("be-slow", n);
    crowd_wait_until(&crowd.stuck, stuck + (n + 1) / 2);
    crowd_tell("go-on", 0);
    crowd_wait_until(&crowd.ended, ended + n);
}

/* More connections than there are descriptors: accept says so, those who wait cost nothing, and as
 * descriptors come free everybody is served. */
static inline void crowd_flood(long n, bool watch)
{
    struct rlimit limit, few;
    long ended = crowd.ended, refused = crowd.refused;
    STRESS_CHECK(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = (rlim_t)(count_descriptors(0) + n / 4);
    STRESS_CHECK(setrlimit(RLIMIT_NOFILE, &few), 0);
    crowd_tell("flood", n);
    crowd_wait_until(&crowd.refused, refused + 1);
    if (watch)
        crowd_tell("watch", 0);
    crowd_tell("go-on", 0);
    crowd_wait_until(&crowd.ended, ended + n);
    /* one for each that ended, and one for each who accepts, at most */
    STRESS_CHECK(crowd.refused - refused <= n + 2 * CROWD_ACCEPTORS, 1);
    STRESS_CHECK(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* kill -9 while all talk, and have sent so many bytes: each connection ends. */
static inline void crowd_kill(long bytes)
{
    crowd_say("talk-forever", 0);
    crowd_wait_until(&crowd.bytes, crowd.bytes + bytes);
    STRESS_CHECK(go_cmd_kill(&crowd.clients), 0);
    crowd_end_clients(128 + SIGKILL);
}

/* ---- what is left ---------------------------------------------------------------------------- */

struct crowd_resources {
    long descriptors, goroutines, threads, kib;
};

/* Memory of the process's own: KiB. */
static inline long crowd_resident_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "RssAnon: %ld", &kib);
    if (file)
        fclose(file);
    return kib;
}

static inline struct crowd_resources crowd_resources(void)
{
    go_metric_sample samples[] = { { .name = "/sched/goroutines:goroutines" },
                                   { .name = "/sched/threads/total:threads" } };
    go_metrics_read(samples, 2);
    return (struct crowd_resources){ count_descriptors(0), (long)samples[0].value.u64,
                                     (long)samples[1].value.u64, crowd_resident_kib() };
}

/* Threads that block in foreign code, and those that took over from them, are kept for the next
 * time: so there may be some more, but not with every connection. */
static inline void crowd_check_resources(const struct crowd_resources *before, long more_kib)
{
    crowd_wait_for_ends(before->goroutines);
    struct crowd_resources now = crowd_resources();
    if (now.descriptors != before->descriptors)
        count_descriptors(1);
    STRESS_CHECK(now.descriptors, before->descriptors);
    if (now.goroutines > before->goroutines) /* fewer: one was on its way out before */
        STRESS_CHECK(now.goroutines, before->goroutines);
    if (now.threads <= before->threads + CROWD_MORE_THREADS && now.kib <= before->kib + more_kib)
        return;
    fprintf(stderr, "%ld threads and %ld KiB, expected %ld and %ld at most (seed %u)\n",
            now.threads, now.kib, before->threads + CROWD_MORE_THREADS, before->kib + more_kib,
            stress_seed);
    exit(1);
}

#endif

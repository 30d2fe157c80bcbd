/* Servers: the runner measures them by ../load.c, which starts them with the row's name. They serve
 * until they are killed. */
#include "bench.h"
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* What is read at a time, where messages have 64 bytes and where they have 4 KiB. */
enum { ROOM = 1024, LARGE_ROOM = 8192 };

static void echo_through(go_conn *conn, char *buffer, size_t size)
{
    ssize_t n;
    while ((n = go_conn_read(conn, buffer, size)) > 0 &&
           go_conn_write(conn, buffer, (size_t)n) == n)
        ;
    go_conn_unref(conn);
}

static void echo(go_conn *conn)
{
    char buffer[ROOM];
    echo_through(conn, buffer, sizeof buffer);
}

static void echo_large(go_conn *conn)
{
    char buffer[LARGE_ROOM];
    echo_through(conn, buffer, sizeof buffer);
}

static void drop(go_conn *conn)
{
    go_conn_unref(conn);
}

static long serve(void (*body)(go_conn *conn))
{
    char address[GO_ADDRESS_ROOM];
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    check(listener != NULL);
    puts(go_listener_address(listener, address, sizeof address));
    fflush(stdout);
    go_conn *conn;
    while ((conn = go_listener_accept(listener)))
        go(body, conn);
    check(!"accepting");
    return 0;
}

static long echo_server(void)
{
    return serve(echo);
}

static long large_echo_server(void)
{
    return serve(echo_large);
}

static long accept_server(void)
{
    return serve(drop);
}

/* The example, which lies beside this program. */
static long http_server(void)
{
    char path[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof "httpd");
    check(n > 0);
    strcpy(strrchr(path, '/') + 1, "httpd");
    dup2(STDOUT_FILENO, STDERR_FILENO); /* where it says where it listens */
    execl(path, path, "--listen", "127.0.0.1:0", "--log", "none", "--root",
          getenv("GOFER_BENCH_FILES"), (char *)NULL);
    check(!"httpd");
    return 0;
}

static const struct row rows[] = {
    { "echo_64b_50", "echo of 64 bytes over 50 connections at a time: one round trip",
      echo_server },
    { "echo_4k_50", "echo of 4 KiB over 50 connections at a time: one round trip",
      large_echo_server },
    { "echo_64b_1000", "echo of 64 bytes over 1,000 connections at a time: one round trip",
      echo_server },
    { "echo_4k_1000", "echo of 4 KiB over 1,000 connections at a time: one round trip",
      large_echo_server },
    { "echo_64b_50_cpu",
      "the server's CPU time for a round trip of 64 bytes over 50 connections: where it is less "
      "than the client's, that bounds the others",
      echo_server },
    { "echo_64b_1000_cpu", "the same over 1,000 connections", echo_server },
    { "echo_4k_50_cpu", "the same with 4 KiB over 50", large_echo_server },
    { "echo_4k_1000_cpu", "the same with 4 KiB over 1,000", large_echo_server },
    { "accept", "accept a connection and close it in a goroutine of its own, 50 at a time",
      accept_server },
    { "accept_cpu", "the server's CPU time for it", accept_server },
    { "idle_connection_bytes",
      "the server's memory, with page tables, for each of 10,000 connections that wait in read",
      echo_server, "B" },
    { "http_1k",
      "`examples/httpd` and net/http's FileServer: a file of 1 KiB over 50 kept connections, "
      "without a log: one request",
      http_server },
    { "http_1k_p50", "the same at 5,000 requests a second: half of them are answered in this time",
      http_server },
    { "http_1k_p99", "the same: 99 % of them are", http_server },
    { "http_1k_p999", "the same: 99.9 % of them are", http_server },
    { 0 },
};
const struct table io_table = { "Input and output", rows };

#include <gofer.h>
#include <stdio.h>

static void echo(go_conn *conn)
{
    char bytes[4096];
    ssize_t n;
    while ((n = go_conn_read(conn, bytes, sizeof bytes)) > 0)
        if (go_conn_write(conn, bytes, (size_t)n) != n)
            break;
    go_conn_unref(conn); /* closes */
}

static void serve(go_listener *listener)
{
    go_conn *conn;
    while ((conn = go_listener_accept(listener)))
        go(echo, conn);
    printf("%s\n", errno == EBADF ? "the listener was closed" : go_net_error());
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char address[GO_ADDRESS_ROOM], answer[10];
    go_waitgroup serving = { 0 };
    go_listener *listener = go_listen("tcp", "localhost:0"); /* any port that is free */
    if (!listener) {
        fprintf(stderr, "%s\n", go_net_error());
        return 1;
    }
    go_waitgroup_go(&serving, serve, listener);

    go_conn *conn = go_dial("tcp", go_listener_address(listener, address, sizeof address));
    go_conn_write(conn, "hello", 5);
    go_conn_close_write(conn); /* the server reads an end */
    ssize_t n = go_conn_read_full(conn, answer, sizeof answer);
    printf("%.*s\n", (int)n, answer);
    go_conn_unref(conn);

    go_listener_close(listener); /* ends the accept */
    go_waitgroup_wait(&serving);
    go_listener_unref(listener);
    return 0;
}
// Output:
// hello
// the listener was closed

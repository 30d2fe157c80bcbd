#include <gofer.h>
#include <stdio.h>

static void greet(go_conn *conn)
{
    go_conn_write(conn, "hello\n", 6);
    go_conn_unref(conn); /* the last reference: it is closed */
}

static void serve(go_listener *listener)
{
    go_conn *conn;
    while ((conn = go_listener_accept(listener)))
        go(greet, conn);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char address[GO_ADDRESS_ROOM], text[100];
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    go(serve, listener);
    go_listener_address(listener, address, sizeof address);
    go_conn *conn = go_dial("tcp", address);
    ssize_t n = go_conn_read_full(conn, text, sizeof text);
    printf("%.*s", (int)n, text);
    go_conn_unref(conn);
    go_listener_close(listener);
    return 0;
}
// Output:
// hello

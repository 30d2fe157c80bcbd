#include <gofer.h>
#include <stdio.h>
#include <string.h>

/* One request; the peer has so long for all of it. */
static ssize_t ask(go_conn *conn, const char *question, char *answer, size_t size, go_duration most)
{
    go_conn_set_deadline(conn, go_now() + most);
    if (go_conn_write(conn, question, strlen(question)) < 0)
        return -1;
    return go_conn_read(conn, answer, size);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char address[GO_ADDRESS_ROOM], answer[100];
    go_listener *silent = go_listen("tcp", "127.0.0.1:0");
    go_listener_address(silent, address, sizeof address);
    go_conn *conn = go_dial_timeout("tcp", address, GO_SECOND);
    if (ask(conn, "anybody?", answer, sizeof answer, 10 * GO_MILLISECOND) < 0)
        puts(strrchr(go_net_error(), ':') + 2);

    go_context *request = go_context_with_timeout(NULL, 10 * GO_MILLISECOND);
    go_conn_set_deadline(conn, 0);
    if (go_conn_read_ctx(request, conn, answer, sizeof answer) < 0)
        puts(errno == ETIMEDOUT ? "ETIMEDOUT" : "?");
    go_context_end(request);
    go_conn_unref(conn);
    go_listener_unref(silent);
    return 0;
}
// Output:
// i/o timeout
// ETIMEDOUT

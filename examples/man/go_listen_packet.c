#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char address[GO_ADDRESS_ROOM], packet[100];
    go_address from;
    go_conn *server = go_listen_packet("udp", "127.0.0.1:0");
    go_conn *client = go_dial("udp", go_conn_local_address(server, address, sizeof address));
    go_conn_write(client, "what?", 5);
    go_conn_read_from(server, packet, sizeof packet, &from);
    go_conn_write_to(server, "that", 4, &from);
    ssize_t n = go_conn_read(client, packet, sizeof packet);
    printf("%.*s\n", (int)n, packet);
    go_conn_unref(client);
    go_conn_unref(server);
    return 0;
}
// Output:
// that

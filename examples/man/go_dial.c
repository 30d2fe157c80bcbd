#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_conn *conn = go_dial("tcp", "localhost");
    if (!conn)
        puts(go_net_error());
    go_dialer quick = { .timeout = 5 * GO_SECOND, .local_address = "127.0.0.1:0" };
    conn = go_dialer_dial(&quick, "tcp", "127.0.0.1:99999");
    if (!conn)
        puts(go_net_error());
    return 0;
}
// Output:
// dial tcp: address localhost: missing port in address
// dial tcp: address 99999: invalid port

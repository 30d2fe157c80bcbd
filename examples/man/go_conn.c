#include <gofer.h>
#include <stdio.h>
#include <sys/socket.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_fd *ends[2];
    char text[10];
    go_fd_socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    go_conn *near = go_conn_from_fd(ends[0]), *far = go_conn_from_fd(ends[1]);
    go_conn_write(near, "ping", 4);
    printf("%zd\n", go_conn_read(far, text, sizeof text));
    go_conn_set_read_deadline(far, go_now() + GO_MILLISECOND);
    if (go_conn_read(far, text, sizeof text) < 0)
        puts(errno == ETIMEDOUT ? "nothing comes" : "?");
    go_conn_set_read_deadline(far, 0);
    go_conn_close_write(near);
    printf("%zd\n", go_conn_read(far, text, sizeof text));
    go_conn_unref(near);
    go_conn_unref(far);
    return 0;
}
// Output:
// 4
// nothing comes
// 0

#include <gofer.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_fd *ends[2];
    char text[10];
    int pipe_ends[2], got, count;
    go_credentials peer;
    go_fd_socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    go_conn *near = go_conn_from_fd(ends[0]), *far = go_conn_from_fd(ends[1]);
    if (pipe(pipe_ends) != 0)
        return 1;
    go_conn_send_fds(near, "p", 1, &pipe_ends[1], 1);
    go_conn_recv_fds(far, text, sizeof text, &got, 1, &count);
    printf("%d came\n", count);
    ssize_t n = write(got, "hello", 5);
    printf("%zd written, %zd read\n", n, read(pipe_ends[0], text, sizeof text));
    if (go_conn_peer_credentials(far, &peer) == 0 && peer.pid == getpid())
        puts("I am my own peer");
    return 0;
}
// Output:
// 1 came
// 5 written, 5 read
// I am my own peer

#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_fd *ends[2];
    go_reader in;
    char *line;
    if (go_fd_pipe(ends) != 0)
        return 1;
    go_fd_write(ends[1], "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody", 31);
    go_fd_unref(ends[1]);
    go_reader_init(&in, go_fd_source(ends[0]), 0);
    while (go_reader_read_line(&in, &line) > 0) // up to the empty line
        puts(line);
    printf("then %zu bytes\n", go_reader_buffered(&in));
    go_reader_free(&in);
    go_fd_unref(ends[0]);
    return 0;
}
// Output:
// GET / HTTP/1.1
// Host: a
// then 4 bytes

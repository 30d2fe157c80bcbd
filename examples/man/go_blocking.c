#include <gofer.h>
#include <stdio.h>
#include <unistd.h>

static void answer(int fd)
{
    if (write(fd, "x", 1) != 1)
        perror("write");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    int fds[2];
    char byte = 0;
    if (pipe(fds) != 0)
        return 1;
    go(answer, fds[1]);
    go_blocking_begin(); // others get this processor at once
    ssize_t n = read(fds[0], &byte, 1);
    go_blocking_end();
    printf("%d byte: %c\n", (int)n, byte);
    return 0;
}
// Output:
// 1 byte: x

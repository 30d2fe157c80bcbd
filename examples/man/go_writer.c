#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_fd *out = go_fd_new(1);
    go_writer w;
    go_writer_init(&w, go_fd_sink(out), 0);
    for (int i = 1; i <= 3; i++)
        go_writer_printf(&w, "%d squared is %d\n", i, i * i);
    if (go_writer_flush(&w) != 0) // the first error of them all
        perror("write");
    go_writer_free(&w);
    return 0;
}
// Output:
// 1 squared is 1
// 2 squared is 4
// 3 squared is 9

/* A long-running server: works until SIGTERM or SIGINT, then ends cleanly with exit status 0.
 * The handler writes to a pipe; a goroutine blocks in read() on it and holds up nobody. */
#include <gofer.h>
#include <stdio.h>
#include <signal.h>
#include <unistd.h>

static void run(int iter, const char *name)
{
    for (int i = 0; i < iter; i++) {
        go_sleep(GO_SECOND);
        printf("%s\n", name);
    }
}

static int wake[2];

static void on_signal(int number)
{
    char byte = (char)number;
    if (write(wake[1], &byte, 1) < 0)
        _exit(1);
}

static void wait_for_signal(go_chan(go_unit) stop)
{
    char byte;
    while (read(wake[0], &byte, 1) != 1)
        ;
    go_close(stop);
}

static void work(void)
{
    run(1000000, "serving");
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(go_unit) stop = go_chan_make(go_unit, 0);
    if (pipe(wake) != 0) {
        perror("pipe");
        return 1;
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    go(wait_for_signal, stop);
    go(work);
    go_recv(stop);
    printf("bye\n");
    return 0;
}

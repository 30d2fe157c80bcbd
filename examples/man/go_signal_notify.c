#include <gofer.h>
#include <signal.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char text[32];
    go_chan(int) stop = go_chan_make(int, 1);
    go_signal_notify(stop, SIGINT, SIGTERM);
    raise(SIGTERM); /* or Ctrl-C */
    printf("%s: shutting down\n", go_signal_string(go_recv(stop), text, sizeof text));
    go_signal_stop(stop);
    go_chan_unref(stop);
    return 0;
}
// Output:
// terminated: shutting down

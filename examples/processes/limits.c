/* Runs commands at the same time, none for longer than it may take. */
#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>

static void run(char *script, go_chan(go_unit) done)
{
    go_defer(go_signal, done);
    char *command[] = { "sh", "-c", script, NULL }, *bytes, text[40];
    go_cmd cmd = { .argv = command,
                   .flags = GO_CMD_NEW_GROUP | GO_CMD_SIGNAL_GROUP, // its children too
                   .cancel_signal = SIGTERM,                        // asked first,
                   .wait_delay = GO_SECOND };                       // killed a second later
    go_context *ctx = go_context_with_timeout(NULL, 2 * GO_SECOND);
    go_defer(go_context_end, ctx);
    int status = go_cmd_combined_output_ctx(ctx, &cmd, &bytes, NULL);
    if (status >= 0)
        printf("%s: %d, %s", script, status, bytes);
    else if (errno == ETIMEDOUT)
        printf("%s: %s\n", script, go_process_state_string(&cmd.state, text, sizeof text));
    else
        perror(script);
    free(bytes);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char *scripts[] = { "echo quick", "sleep 1000; echo late" };
    go_chan(go_unit) done = go_chan_make(go_unit, 2);
    for (int i = 0; i < 2; i++)
        go(run, scripts[i], done);
    for (int i = 0; i < 2; i++)
        go_recv(done);
    return 0;
}
// Output:
// echo quick: 0, quick
// sleep 1000; echo late: signal: terminated

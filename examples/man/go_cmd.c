#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char *sort[] = { "sort", "-r", NULL }, *bytes, text[40];
    go_cmd cmd = { .argv = sort, .in = GO_CMD_BYTES, .input = "a\nc\nb\n", .input_size = 6 };
    if (go_cmd_output(&cmd, &bytes, NULL) == 0)
        printf("%s", bytes);
    free(bytes);

    char *sleep[] = { "sleep", "1000", NULL };
    go_context *ctx = go_context_with_timeout(NULL, 500 * GO_MILLISECOND);
    go_cmd slow = { .argv = sleep, .err = GO_CMD_INHERIT };
    if (go_cmd_run_ctx(ctx, &slow) == -1 && errno == ETIMEDOUT)
        puts(go_process_state_string(&slow.state, text, sizeof text));
    go_context_end(ctx);
    return 0;
}
// Output:
// c
// b
// a
// signal: killed

/* Counts the words of each line that a command prints. */
#include <gofer.h>
#include <stdio.h>

static int words(const char *line)
{
    int n = 0;
    for (; *line; line++)
        n += *line != ' ' && (line[1] == ' ' || !line[1]);
    return n;
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char *command[] = { "sh", "-c", "echo one line; echo and one more; exit 3", NULL };
    go_cmd cmd = { .argv = command, .out = GO_CMD_PIPE, .err = GO_CMD_INHERIT };
    if (go_cmd_start(&cmd) != 0) {
        perror("sh");
        return 1;
    }
    go_reader out;
    char *line;
    go_reader_init(&out, go_fd_source(go_cmd_stdout_pipe(&cmd)), 0);
    while (go_reader_read_line(&out, &line) >= 0)
        printf("%d: %s\n", words(line), line);
    if (errno)
        perror("read");
    go_reader_free(&out);
    printf("and then %d\n", go_cmd_wait(&cmd));
    return 0;
}
// Output:
// 2: one line
// 3: and one more
// and then 3

/* Processes: what they get, how their end is told, what contexts and signals do to them. */
#include "case.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })
#define SHELL(script) WORDS("/bin/sh", "-c", script)

static const char *how(int result)
{
    return result < 0 ? "error" : result == 0 ? "ok" : "failed";
}

static const char *error_name(int error)
{
    switch (error) {
    case ENOENT:
        return "no such file or directory";
    case EACCES:
        return "permission denied";
    case EISDIR:
        return "is a directory";
    case ENOEXEC:
        return "exec format error";
    case EPERM:
        return "found in a relative directory";
    }
    return "another error";
}

/* Runs it and prints how it ended, in the words of the state. */
static void print_run(go_cmd *cmd)
{
    char text[60];
    int result = go_cmd_run(cmd);
    printf("%s: %s\n", how(result), go_process_state_string(&cmd->state, text, sizeof text));
}

static void print_output(go_cmd *cmd)
{
    char *bytes;
    int result = go_cmd_output(cmd, &bytes, NULL);
    printf("%s: '%s'\n", how(result), bytes ? bytes : "");
    free(bytes);
}

static void print_start(go_cmd *cmd)
{
    if (go_cmd_start(cmd) == 0)
        printf("started\n");
    else
        printf("%s\n", error_name(errno));
}

CASE(exec_output)
{
    go_cmd cmd = { .argv = WORDS("echo", "one", "two words") };
    print_output(&cmd);
    return 0;
}

CASE(exec_output_of_a_command_that_fails)
{
    go_cmd cmd = { .argv = SHELL("echo half; exit 1") };
    print_output(&cmd);
    return 0;
}

CASE(exec_output_leaves_stderr_alone)
{
    go_cmd cmd = { .argv = SHELL("echo out; echo err >&2") };
    print_output(&cmd);
    return 0;
}

CASE(exec_combined_output)
{
    char *bytes;
    go_cmd cmd = { .argv = SHELL("echo out; echo err >&2; echo out again") };
    int result = go_cmd_combined_output(&cmd, &bytes, NULL);
    printf("%s: '%s'\n", how(result), bytes);
    free(bytes);
    return 0;
}

CASE(exec_output_with_stdout_set)
{
    go_cmd cmd = { .argv = WORDS("true"), .out = GO_CMD_INHERIT };
    print_output(&cmd);
    return 0;
}

CASE(exec_exit_statuses)
{
    char *scripts[] = { "exit 0", "exit 3", "exit 255", "exit 256" };
    for (int i = 0; i < 4; i++) {
        go_cmd cmd = { .argv = SHELL(scripts[i]) };
        print_run(&cmd);
        printf("%d %d\n", cmd.state.exited, cmd.state.status);
    }
    return 0;
}

CASE(exec_ended_by_signals)
{
    char *scripts[] = { "kill -TERM $$", "kill -KILL $$", "kill -HUP $$", "kill -USR1 $$" };
    for (int i = 0; i < 4; i++) {
        go_cmd cmd = { .argv = SHELL(scripts[i]) };
        print_run(&cmd);
        printf("%d %d\n", cmd.state.exited, cmd.state.status);
    }
    return 0;
}

CASE(exec_no_such_command)
{
    go_cmd cmd = { .argv = WORDS("gofer-no-such-command") };
    print_start(&cmd);
    return 0;
}

CASE(exec_no_such_file)
{
    go_cmd cmd = { .argv = WORDS("/no/such/file") };
    print_start(&cmd);
    return 0;
}

CASE(exec_not_executable)
{
    go_cmd cmd = { .argv = WORDS("/etc/passwd") };
    print_start(&cmd);
    return 0;
}

CASE(exec_a_directory)
{
    go_cmd cmd = { .argv = WORDS("/") };
    print_start(&cmd);
    return 0;
}

CASE(exec_no_such_dir)
{
    go_cmd cmd = { .argv = WORDS("/bin/true"), .dir = "/no/such/dir" };
    print_start(&cmd);
    return 0;
}

CASE(exec_dir)
{
    go_cmd cmd = { .argv = SHELL("pwd -P"), .dir = "/" };
    print_output(&cmd);
    return 0;
}

CASE(exec_a_relative_path_begins_in_dir)
{
    go_cmd cmd = { .path = "bin/echo", .argv = WORDS("echo", "found"), .dir = "/" };
    print_output(&cmd);
    return 0;
}

CASE(exec_a_name_with_a_slash_begins_in_dir)
{
    go_cmd cmd = { .argv = WORDS("bin/echo", "found"), .dir = "/" };
    print_output(&cmd);
    go_cmd directory = { .argv = WORDS("/tmp") };
    print_start(&directory);
    return 0;
}

CASE(exec_dir_is_pwd)
{
    go_cmd cmd = { .argv = WORDS("printenv", "PWD"), .dir = "//usr/./lib/..//bin/" };
    print_output(&cmd);
    setenv("PWD", "/", 1);
    go_cmd relative = { .argv = WORDS("printenv", "PWD"), .dir = "../usr" };
    if (chdir("/") == 0)
        print_output(&relative);
    go_cmd given = { .argv = WORDS("printenv", "PWD"), .env = WORDS("PWD=mine"), .dir = "/usr" };
    print_output(&given);
    return 0;
}

CASE(exec_the_last_of_a_name_counts)
{
    go_cmd cmd = { .argv = WORDS("env"),
                   .env = WORDS("A=1", "B", "AB=2", "", "A=3", "=x=1", "A", "=x=2", "AB=4") };
    print_output(&cmd);
    return 0;
}

CASE(exec_env)
{
    go_cmd cmd = { .argv = SHELL("echo $COLOUR$HOME"), .env = WORDS("COLOUR=blue") };
    print_output(&cmd);
    setenv("COLOUR", "red", 1);
    go_cmd inherits = { .argv = SHELL("echo $COLOUR") };
    print_output(&inherits);
    return 0;
}

CASE(exec_the_name_may_be_another)
{
    go_cmd cmd = { .path = "/bin/sh", .argv = WORDS("nick", "-c", "echo $0") };
    print_output(&cmd);
    return 0;
}

CASE(exec_stdin_is_null_by_default)
{
    go_cmd cmd = { .argv = WORDS("cat") };
    print_output(&cmd);
    return 0;
}

CASE(exec_stdin_from_memory)
{
    go_cmd cmd = {
        .argv = WORDS("tr", "a-z", "A-Z"), .in = GO_CMD_BYTES, .input = "hello", .input_size = 5
    };
    print_output(&cmd);
    return 0;
}

CASE(exec_stdin_that_nobody_reads)
{
    static char much[1000000];
    go_cmd cmd = {
        .argv = WORDS("true"), .in = GO_CMD_BYTES, .input = much, .input_size = sizeof much
    };
    print_run(&cmd);
    return 0;
}

CASE(exec_pipes)
{
    go_cmd cmd = { .argv = WORDS("cat"), .in = GO_CMD_PIPE, .out = GO_CMD_PIPE };
    go_reader r;
    char *line;
    printf("%s\n", how(go_cmd_start(&cmd)));
    go_reader_init(&r, go_fd_source(go_cmd_stdout_pipe(&cmd)), 0);
    for (int i = 0; i < 2; i++) {
        go_fd_write(go_cmd_stdin_pipe(&cmd), i ? "two\n" : "one\n", 4);
        if (go_reader_read_line(&r, &line) >= 0)
            printf("%s\n", line);
    }
    go_fd_close(go_cmd_stdin_pipe(&cmd));
    printf("end %d\n", go_reader_read_line(&r, &line) < 0 && errno == 0);
    go_reader_free(&r);
    printf("%s\n", how(go_cmd_wait(&cmd)));
    return 0;
}

CASE(exec_stdout_is_inherited)
{
    go_cmd cmd = { .argv = WORDS("echo", "from the child"), .out = GO_CMD_INHERIT };
    puts("before");
    print_run(&cmd);
    return 0;
}

CASE(exec_extra_files)
{
    go_fd *ends[2];
    char to[20] = "";
    go_fd_pipe(ends);
    int extra[] = { go_fd_number(ends[1]) };
    go_cmd cmd = { .argv = SHELL("echo three >&3"), .extra = extra, .extra_count = 1 };
    print_run(&cmd);
    go_fd_close(ends[1]);
    ssize_t n = go_fd_read_full(ends[0], to, sizeof to - 1);
    printf("%d '%s'\n", (int)n, to);
    return 0;
}

CASE(exec_wait_before_the_start_and_twice)
{
    go_cmd cmd = { .argv = WORDS("true") };
    printf("%s\n", how(go_cmd_wait(&cmd)));
    printf("%s\n", how(go_cmd_start(&cmd)));
    printf("%s\n", how(go_cmd_wait(&cmd)));
    printf("%s\n", how(go_cmd_wait(&cmd)));
    return 0;
}

CASE(exec_start_twice)
{
    go_cmd cmd = { .argv = WORDS("true") };
    printf("%s\n", how(go_cmd_start(&cmd)));
    printf("%s\n", how(go_cmd_start(&cmd)));
    printf("%s\n", how(go_cmd_wait(&cmd)));
    return 0;
}

CASE(exec_kill)
{
    char text[60];
    go_cmd cmd = { .argv = WORDS("sleep", "1000") };
    printf("%s\n", how(go_cmd_start(&cmd)));
    printf("%s\n", how(go_cmd_kill(&cmd)));
    go_cmd_wait(&cmd);
    printf("%s\n", go_process_state_string(&cmd.state, text, sizeof text));
    printf("%s\n", how(go_cmd_kill(&cmd)));
    return 0;
}

static void start_and_await(go_context *ctx, go_cmd *cmd)
{
    char ready[6];
    cmd->out = GO_CMD_PIPE;
    printf("%s\n", how(go_cmd_start_ctx(ctx, cmd)));
    go_fd_read_full(go_cmd_stdout_pipe(cmd), ready, sizeof ready);
}

CASE(exec_signal)
{
    char text[60];
    go_cmd cmd = { .argv = SHELL("trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done") };
    start_and_await(NULL, &cmd);
    printf("%s\n", how(go_cmd_signal(&cmd, SIGUSR1)));
    printf("%s\n", how(go_cmd_wait(&cmd)));
    printf("%s\n", go_process_state_string(&cmd.state, text, sizeof text));
    return 0;
}

CASE(exec_process_group_of_its_own)
{
    go_cmd cmd = { .argv = WORDS("sleep", "1000"), .flags = GO_CMD_NEW_GROUP };
    go_cmd other = { .argv = WORDS("sleep", "1000") };
    go_cmd_start(&cmd);
    go_cmd_start(&other);
    printf("%d %d\n", getpgid(cmd.pid) == cmd.pid, getpgid(other.pid) == getpgid(0));
    go_cmd_kill(&cmd);
    go_cmd_kill(&other);
    go_cmd_wait(&cmd);
    go_cmd_wait(&other);
    return 0;
}

CASE(exec_context_kills)
{
    char text[60];
    go_context *ctx = go_context_with_timeout(NULL, 300 * GO_MILLISECOND);
    go_cmd cmd = { .argv = WORDS("sleep", "1000") };
    printf("%d\n", go_cmd_run_ctx(ctx, &cmd) != 0);
    printf("%s\n", go_process_state_string(&cmd.state, text, sizeof text));
    return 0;
}

CASE(exec_context_that_has_ended)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_context_cancel(ctx);
    go_cmd cmd = { .argv = WORDS("echo", "never"), .out = GO_CMD_INHERIT };
    int result = go_cmd_run_ctx(ctx, &cmd);
    printf("%s %d %d\n", how(result), errno == ECANCELED, cmd.pid != 0);
    return 0;
}

CASE(exec_context_ends_after_the_process)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_cmd cmd = { .argv = SHELL("exit 4") };
    const char *result = how(go_cmd_run_ctx(ctx, &cmd));
    printf("%s %d\n", result, cmd.state.status);
    go_context_cancel(ctx);
    return 0;
}

CASE(exec_context_with_a_gentle_signal)
{
    go_context *ctx = go_context_with_cancel(NULL);
    char text[60];
    go_cmd cmd = { .argv = SHELL("trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done"),
                   .cancel_signal = SIGTERM };
    start_and_await(ctx, &cmd);
    go_context_cancel(ctx);
    int result = go_cmd_wait(&cmd);
    printf("%s %d\n", how(result), errno == ECANCELED);
    printf("%s\n", go_process_state_string(&cmd.state, text, sizeof text));
    return 0;
}

CASE(exec_wait_delay_kills)
{
    go_context *ctx = go_context_with_cancel(NULL);
    char text[60];
    go_cmd cmd = { .argv = SHELL("trap '' TERM; echo ready; while :; do sleep 0.01; done"),
                   .cancel_signal = SIGTERM,
                   .wait_delay = 20 * GO_MILLISECOND };
    start_and_await(ctx, &cmd);
    go_context_cancel(ctx);
    printf("%d\n", go_cmd_wait(&cmd) != 0);
    printf("%s\n", go_process_state_string(&cmd.state, text, sizeof text));
    return 0;
}

CASE(exec_wait_delay_cuts_the_output_off)
{
    char *bytes;
    go_cmd cmd = { .argv = SHELL("sleep 5 & echo all"), .wait_delay = GO_SECOND };
    int result = go_cmd_output(&cmd, &bytes, NULL);
    printf("%s %d '%s'\n", how(result), errno == ETIME, bytes);
    return 0;
}

CASE(exec_signals_of_the_child)
{
    char *scripts[] = { "kill -PIPE $$; echo alive", "kill -USR1 $$; echo alive",
                        "kill -USR2 $$; echo alive" };
    go_chan(int) c = go_chan_make(int, 1);
    go_signal_notify(c, SIGUSR1);
    go_signal_ignore(SIGUSR2);
    for (int i = 0; i < 3; i++) {
        go_cmd cmd = { .argv = SHELL(scripts[i]), .out = GO_CMD_INHERIT };
        print_run(&cmd);
    }
    return 0;
}

static char directory[] = "/tmp/gofer-exec-XXXXXX";

/* A directory with a program in it is the current one. */
static void enter_directory(void)
{
    if (!mkdtemp(directory) || chdir(directory) != 0)
        exit(3);
    FILE *file = fopen("gofer-runs", "w");
    fputs("#!/bin/sh\necho runs\n", file);
    fclose(file);
    go_cmd cmd = { .argv = WORDS("chmod", "755", "gofer-runs") };
    go_cmd_run(&cmd);
}

static void print_path(const char *path, const char *name)
{
    setenv("PATH", path, 1);
    char *found = go_look_path(name);
    const char *base = found ? strrchr(found, '/') : NULL;
    printf("%s\n", base ? base : error_name(errno));
    free(found);
}

CASE(exec_look_path)
{
    char path[100];
    enter_directory();
    snprintf(path, sizeof path, "/no/such:%s:/bin", directory);
    print_path(path, "gofer-runs");
    print_path("/bin", "gofer-runs");
    print_path("", "gofer-runs");
    print_path("/bin", "");
    print_path("/no/such", "./gofer-runs");
    print_path("/", "bin");
    print_path("/", "/etc/passwd");
    unlink("gofer-runs");
    rmdir(directory);
    return 0;
}

CASE(exec_look_path_of_a_relative_directory)
{
    enter_directory();
    print_path(".", "gofer-runs");
    print_path(":/bin", "gofer-runs");
    print_path("/bin:", "gofer-runs");
    setenv("PATH", ".:/bin", 1);
    go_cmd cmd = { .argv = WORDS("gofer-runs") };
    print_start(&cmd);
    unlink("gofer-runs");
    rmdir(directory);
    return 0;
}

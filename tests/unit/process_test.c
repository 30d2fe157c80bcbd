/* Processes: each way in and out, how they end, signals and contexts, errors of the start, and that
 * nothing is left: no descriptor, no zombie. faults/pidfd_test.sh runs it without pidfds. */
#define _GNU_SOURCE 1 /* pipe2 */
#include "unit.h"
#include "../descriptors.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL(script) ((char *[]){ "/bin/sh", "-c", (char *)(uintptr_t)(script), NULL })

/* The output of a command that must succeed. */
static void check_output(go_cmd *cmd, const char *expected)
{
    char *bytes;
    size_t size;
    CHECK(go_cmd_output(cmd, &bytes, &size), 0);
    CHECK_TEXT(bytes, expected);
    CHECK(size, strlen(expected));
    free(bytes);
}

/* ---- what they begin with ------------------------------------------------------------------- */

enum { SLACK = 70001 };
static int has_slack; /* which emulators and old kernels do not show */

__attribute__((constructor)) static void before_the_runtime(void)
{
    prctl(PR_SET_TIMERSLACK, (unsigned long)SLACK, 0UL, 0UL, 0UL);
    has_slack = prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL) == SLACK &&
                access("/proc/self/timerslack_ns", R_OK) == 0;
}

static void timer_slack(void)
{
    go_cmd cmd = { .argv = (char *[]){ "cat", "/proc/self/timerslack_ns", NULL } };
    if (!has_slack)
        return;
    CHECK(prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL), 1); /* a thread's that runs goroutines */
    check_output(&cmd, "70001\n");
    CHECK(prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL), 1);
}

/* ---- how they end ---------------------------------------------------------------------------- */

static void statuses(void)
{
    static const struct {
        const char *script, *text;
        int result, exited, status, signal;
    } rows[] = {
        { "exit 0", "exit status 0", 0, 1, 0, 0 },
        { "exit 7", "exit status 7", 7, 1, 7, 0 },
        { "exit 255", "exit status 255", 255, 1, 255, 0 },
        { "kill -TERM $$", "signal: terminated", 128 + SIGTERM, 0, -1, SIGTERM },
        { "kill -KILL $$", "signal: killed", 128 + SIGKILL, 0, -1, SIGKILL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[60];
        go_cmd cmd = { .argv = SHELL(rows[i].script) };
        CHECK(go_cmd_run(&cmd), rows[i].result);
        CHECK(cmd.state.pid, cmd.pid);
        CHECK(cmd.state.exited, rows[i].exited);
        CHECK(cmd.state.status, rows[i].status);
        CHECK(cmd.state.signal, rows[i].signal);
        CHECK_TEXT(go_process_state_string(&cmd.state, text, sizeof text), rows[i].text);
    }
}

static void the_state_in_words_is_cut(void)
{
    go_process_state state = { .signal = SIGABRT, .core_dumped = 1 };
    char text[60];
    CHECK_TEXT(go_process_state_string(&state, text, sizeof text), "signal: aborted (core dumped)");
    CHECK_TEXT(go_process_state_string(&state, text, 8), "signal:");
}

static void time_is_counted(void)
{
    go_cmd cmd = { .argv = SHELL("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done") };
    CHECK(go_cmd_run(&cmd), 0);
    CHECK(cmd.state.user_time + cmd.state.system_time > 0, 1);
    CHECK(cmd.state.user_time >= 0 && cmd.state.system_time >= 0, 1);
}

static void one_wait_for_each_start(void)
{
    go_cmd cmd = { .argv = SHELL("exit 3") };
    CHECK(go_cmd_wait(&cmd), -1);
    CHECK(errno, ECHILD);
    for (int i = 0; i < 2; i++) { /* it may be used again */
        CHECK(go_cmd_start(&cmd), 0);
        CHECK(go_cmd_start(&cmd), -1);
        CHECK(errno, EBUSY);
        CHECK(go_cmd_wait(&cmd), 3);
        CHECK(go_cmd_wait(&cmd), -1);
        CHECK(errno, ECHILD);
    }
}

static void somebody_else_took_the_status(void)
{
    go_cmd cmd = { .argv = SHELL("exit 3") };
    siginfo_t info;
    CHECK(go_cmd_start(&cmd), 0);
    CHECK(waitid(P_PID, (id_t)cmd.pid, &info, WEXITED), 0);
    CHECK(go_cmd_kill(&cmd), -1);
    CHECK(errno, ESRCH);
    CHECK(go_cmd_wait(&cmd), -1);
    CHECK(errno, ECHILD);
}

/* ---- ways in and out ------------------------------------------------------------------------- */

static void output_is_kept(void)
{
    go_cmd cmd = { .argv = SHELL("echo out; echo err >&2") };
    check_output(&cmd, "out\n");
    char *bytes;
    CHECK(go_cmd_combined_output(&cmd, &bytes, NULL), 0);
    CHECK_TEXT(bytes, "out\nerr\n");
    free(bytes);
    go_cmd fails = { .argv = SHELL("echo half; exit 2") };
    CHECK(go_cmd_output(&fails, &bytes, NULL), 2);
    CHECK_TEXT(bytes, "half\n");
    free(bytes);
    go_cmd silent = { .argv = SHELL(":") };
    check_output(&silent, "");
    go_cmd set = { .argv = SHELL(":"), .out = GO_CMD_INHERIT };
    CHECK(go_cmd_output(&set, &bytes, NULL), -1);
    CHECK(errno, EINVAL);
    CHECK(bytes == NULL, 1);
}

static void much_output(void)
{
    char *bytes;
    size_t size;
    go_cmd cmd = { .argv = SHELL("head -c 1000000 /dev/zero") };
    CHECK(go_cmd_output(&cmd, &bytes, &size), 0);
    CHECK(size, 1000000);
    free(bytes);
}

static void input_is_given(void)
{
    go_cmd cmd = { .argv = SHELL("cat"), .in = GO_CMD_BYTES, .input = "hello", .input_size = 5 };
    check_output(&cmd, "hello");
    char *much = (char *)malloc(300000), *bytes;
    size_t size;
    memset(much, 'x', 300000);
    cmd.input = much;
    cmd.input_size = 300000;
    CHECK(go_cmd_output(&cmd, &bytes, &size), 0);
    CHECK(size, 300000);
    CHECK(memcmp(bytes, much, size), 0);
    free(bytes);
    cmd.argv = SHELL("exit 0"); /* does not read it */
    CHECK(go_cmd_run(&cmd), 0);
    cmd.input_size = 0;
    cmd.argv = SHELL("cat");
    check_output(&cmd, "");
    free(much);
}

/* FD_CLOEXEC is of no matter to what is inherited; nor need it be open. */
static void what_is_inherited_is_there(void)
{
    int kept = fcntl(0, F_DUPFD_CLOEXEC, 3);
    CHECK(fcntl(0, F_SETFD, FD_CLOEXEC), 0);
    go_cmd cmd = { .argv = SHELL("[ -e /proc/self/fd/0 ] && echo open"), .in = GO_CMD_INHERIT };
    check_output(&cmd, "open\n");
    close(0);
    cmd.argv = SHELL("true");
    check_output(&cmd, "");
    CHECK(dup2(kept, 0), 0);
    close(kept);
}

static void null_is_the_default(void)
{
    go_cmd cmd = { .argv = SHELL("cat; readlink /proc/self/fd/0 /proc/self/fd/2") };
    check_output(&cmd, "/dev/null\n/dev/null\n");
}

static void pipes_both_ways(void)
{
    go_cmd cmd = { .argv = SHELL("while read a; do echo got $a; echo err $a >&2; done"),
                   .in = GO_CMD_PIPE,
                   .out = GO_CMD_PIPE,
                   .err = GO_CMD_PIPE };
    char *line, expected[20];
    go_reader out, err;
    CHECK(go_cmd_stdin_pipe(&cmd) == NULL, 1);
    CHECK(errno, EINVAL);
    CHECK(go_cmd_start(&cmd), 0);
    go_reader_init(&out, go_fd_source(go_cmd_stdout_pipe(&cmd)), 0);
    go_reader_init(&err, go_fd_source(go_cmd_stderr_pipe(&cmd)), 0);
    for (int i = 0; i < 20; i++) {
        int n = snprintf(expected, sizeof expected, "%d\n", i);
        CHECK(go_fd_write(go_cmd_stdin_pipe(&cmd), expected, (size_t)n), n);
        snprintf(expected, sizeof expected, "got %d", i);
        CHECK(go_reader_read_line(&out, &line) > 0, 1);
        CHECK_TEXT(line, expected);
        snprintf(expected, sizeof expected, "err %d", i);
        CHECK(go_reader_read_line(&err, &line) > 0, 1);
        CHECK_TEXT(line, expected);
    }
    go_fd_close(go_cmd_stdin_pipe(&cmd));
    CHECK(go_reader_read_line(&out, &line), -1);
    CHECK(errno, 0);
    go_reader_free(&out);
    go_reader_free(&err);
    CHECK(go_cmd_wait(&cmd), 0);
    CHECK(go_cmd_stdout_pipe(&cmd) == NULL, 1);
}

/* With a reference of its own one reads on after the wait. */
static void a_pipe_outlives_the_wait(void)
{
    char to[10];
    go_cmd cmd = { .argv = SHELL("echo later"), .out = GO_CMD_PIPE };
    CHECK(go_cmd_start(&cmd), 0);
    go_fd *out = go_fd_ref(go_cmd_stdout_pipe(&cmd));
    CHECK(go_cmd_wait(&cmd), 0);
    CHECK(go_fd_read_full(out, to, sizeof to), 6);
    CHECK(memcmp(to, "later\n", 6), 0);
    go_fd_unref(out);
}

static void descriptors_are_where_they_shall(void)
{
    int ends[2], file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    char to[100];
    CHECK(pipe2(ends, O_CLOEXEC), 0);
    int inherited = dup(file); /* without FD_CLOEXEC */
    int extra[] = { ends[1], file, ends[1] };
    go_cmd cmd = { .argv =
                       SHELL("echo out; echo three >&3; echo five >&5; readlink /proc/self/fd/4;"
                             "ls /proc/self/fd | wc -l"),
                   .in = GO_CMD_FD,
                   .in_fd = file,
                   .out = GO_CMD_FD,
                   .out_fd = ends[1],
                   .err = GO_CMD_STDOUT,
                   .extra = extra,
                   .extra_count = 3 };
    CHECK(go_cmd_run(&cmd), 0);
    close(ends[1]);
    size_t size = 0;
    for (ssize_t n; (n = read(ends[0], to + size, sizeof to - 1 - size)) > 0;)
        size += (size_t)n;
    to[size] = 0;
#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 34) /* elsewhere the inherited one is open too */
    CHECK_TEXT(to, "out\nthree\nfive\n/dev/zero\n7\n"); /* six, and ls's own */
#endif
#endif
    close(ends[0]);
    close(file);
    close(inherited);
}

/* Whatever numbers they have here: none is overwritten before its turn. */
static void descriptors_that_cross_over(void)
{
    enum { FILES = 20 };
    int files[FILES], reversed[FILES];
    char name[20], expected[FILES * 30] = "", script[FILES * 30] = "";
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file-%d", i);
        files[i] = reversed[FILES - 1 - i] = memfd_create(name, MFD_CLOEXEC);
        CHECK(files[i] >= 0, 1);
    }
    for (int i = 0; i < FILES; i++) {
        size_t at = strlen(script), to = strlen(expected);
        snprintf(script + at, sizeof script - at, "readlink /proc/self/fd/%d;", 3 + i);
        snprintf(expected + to, sizeof expected - to, "/memfd:file-%d (deleted)\n", FILES - 1 - i);
    }
    go_cmd cmd = { .argv = SHELL(script), .extra = reversed, .extra_count = FILES };
    check_output(&cmd, expected);
    for (int i = 0; i < FILES; i++)
        close(files[i]);
}

static void surroundings(void)
{
    char *const env[] = { (char *)(uintptr_t) "COLOUR=blue", NULL };
    go_cmd cmd = { .argv = SHELL("echo $COLOUR; pwd; echo $0"), .env = env, .dir = "/" };
    check_output(&cmd, "blue\n/\n/bin/sh\n");
    setenv("COLOUR", "red", 1);
    cmd.env = NULL;
    check_output(&cmd, "red\n/\n/bin/sh\n");
    char *const argv[] = { (char *)(uintptr_t) "another name", (char *)(uintptr_t) "-c",
                           (char *)(uintptr_t) "echo $0", NULL };
    go_cmd named = { .path = "/bin/sh", .argv = argv };
    check_output(&named, "another name\n");
    go_cmd relative = { .path = "bin/sh", .argv = argv, .dir = "/" };
    check_output(&relative, "another name\n");
    char *const begins_there[] = { (char *)(uintptr_t) "bin/sh", (char *)(uintptr_t) "-c",
                                   (char *)(uintptr_t) "echo $0", NULL };
    go_cmd relative_name = { .argv = begins_there, .dir = "/" };
    check_output(&relative_name, "bin/sh\n");
    char *const looked_up[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                                (char *)(uintptr_t) "echo $0", NULL };
    go_cmd found = { .argv = looked_up };
    check_output(&found, "sh\n");
}

/* What the program blocks, catches or does with SIGPIPE is not the child's. */
static void signals_are_as_at_the_beginning(void)
{
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    go_lock_os_thread();
    pthread_sigmask(SIG_BLOCK, &set, &before);
    void (*handler)(int) = signal(SIGPIPE, SIG_IGN);
    go_cmd cmd = { .argv = SHELL("kill -USR1 $$; echo alive") };
    CHECK(go_cmd_run(&cmd), 128 + SIGUSR1);
    cmd.argv = SHELL("kill -PIPE $$; echo alive");
    CHECK(go_cmd_run(&cmd), 128 + SIGPIPE);
    signal(SIGPIPE, handler);
    handler = signal(SIGUSR2, SIG_IGN); /* but what it ignores stays so */
    cmd.argv = SHELL("kill -USR2 $$; exit 5");
    CHECK(go_cmd_run(&cmd), 5);
    signal(SIGUSR2, handler);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    go_unlock_os_thread();
}

/* ---- signals --------------------------------------------------------------------------------- */

/* Has the command's first line come: its traps are set. */
static void await_line(go_cmd *cmd)
{
    char byte = 0;
    while (byte != '\n')
        CHECK(go_fd_read(go_cmd_stdout_pipe(cmd), &byte, 1), 1);
}

static void signals_reach_it(void)
{
    go_cmd cmd = { .argv = SHELL("trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done"),
                   .out = GO_CMD_PIPE };
    CHECK(go_cmd_signal(&cmd, SIGUSR1), -1);
    CHECK(errno, ESRCH);
    CHECK(go_cmd_start(&cmd), 0);
    await_line(&cmd);
    CHECK(go_cmd_signal(&cmd, 0), 0);
    CHECK(go_cmd_signal(&cmd, 12345), -1);
    CHECK(errno, EINVAL);
    CHECK(go_cmd_signal(&cmd, SIGUSR1), 0);
    CHECK(go_cmd_wait(&cmd), 9);
    CHECK(go_cmd_kill(&cmd), -1);
    CHECK(errno, ESRCH);
}

static void an_ended_process_gets_none(void)
{
    go_cmd cmd = { .argv = SHELL("exit 0") };
    siginfo_t info;
    CHECK(go_cmd_start(&cmd), 0);
    CHECK(waitid(P_PID, (id_t)cmd.pid, &info, WEXITED | WNOWAIT), 0);
    CHECK(go_cmd_kill(&cmd), -1);
    CHECK(errno, ESRCH);
    CHECK(go_cmd_wait(&cmd), 0);
}

static void groups_and_sessions(void)
{
    go_cmd cmds[] = { { .flags = GO_CMD_NEW_GROUP }, { 0 }, { .flags = GO_CMD_NEW_SESSION } };
    for (int i = 0; i < 3; i++) {
        cmds[i].argv = SHELL("echo ready; exec sleep 1000");
        cmds[i].out = GO_CMD_PIPE;
        cmds[1].join_group = cmds[0].pid;
        CHECK(go_cmd_start(&cmds[i]), 0);
        await_line(&cmds[i]);
    }
    CHECK(getpgid(cmds[0].pid), cmds[0].pid);
    CHECK(getsid(cmds[0].pid), getsid(0));
    CHECK(getpgid(cmds[1].pid), cmds[0].pid);
    CHECK(getsid(cmds[2].pid), cmds[2].pid);
    for (int i = 0; i < 3; i++) {
        CHECK(go_cmd_kill(&cmds[i]), 0);
        CHECK(go_cmd_wait(&cmds[i]), 128 + SIGKILL);
    }
}

/* The signal ends the child's children too: the pipe that they hold closes. */
static void a_whole_group(void)
{
    char byte;
    go_cmd cmd = { .argv = SHELL("sleep 1000 & echo ready; wait"),
                   .out = GO_CMD_PIPE,
                   .flags = GO_CMD_NEW_GROUP | GO_CMD_SIGNAL_GROUP };
    CHECK(go_cmd_start(&cmd), 0);
    await_line(&cmd);
    CHECK(go_cmd_kill(&cmd), 0);
    CHECK(go_fd_read(go_cmd_stdout_pipe(&cmd), &byte, 1), 0);
    CHECK(go_cmd_wait(&cmd), 128 + SIGKILL);
}

/* ---- contexts -------------------------------------------------------------------------------- */

/* The number that a child says on its stderr, and the context that ends then. */
struct said {
    go_fd *ends[2];
    go_context *ctx;
    pid_t pid;
    go_waitgroup wg;
};

static void hear(struct said *said)
{
    char line[20];
    size_t n = 0;
    do
        CHECK(go_fd_read(said->ends[0], line + n, 1), 1);
    while (line[n++] != '\n');
    line[n - 1] = 0;
    said->pid = (pid_t)atoi(line);
    go_context_cancel(said->ctx);
}

static void listen_to(struct said *said, go_cmd *cmd)
{
    *said = (struct said){ .ctx = go_context_with_cancel(NULL) };
    CHECK(go_fd_pipe(said->ends), 0);
    cmd->err = GO_CMD_FD;
    cmd->err_fd = go_fd_number(said->ends[1]);
    go_waitgroup_go(&said->wg, hear, said);
}

static void end_listening(struct said *said)
{
    go_waitgroup_wait(&said->wg);
    go_fd_unref(said->ends[0]);
    go_fd_unref(said->ends[1]);
    go_context_unref(said->ctx);
}

static void a_context_kills(void)
{
    struct said said;
    go_cmd cmd = { .argv = SHELL("echo 1 >&2; exec sleep 1000") };
    listen_to(&said, &cmd);
    CHECK(go_cmd_run_ctx(said.ctx, &cmd), -1);
    CHECK(errno, ECANCELED);
    CHECK(cmd.state.signal, SIGKILL);
    pid_t before = cmd.pid;
    CHECK(go_cmd_run_ctx(said.ctx, &cmd), -1); /* and it is not started once that has ended */
    CHECK(errno, ECANCELED);
    CHECK(cmd.pid, before);
    end_listening(&said);
    go_context *ctx = go_context_with_timeout(NULL, GO_NANOSECOND);
    CHECK(go_context_wait(ctx), ETIMEDOUT);
    CHECK(go_cmd_run_ctx(ctx, &cmd), -1);
    CHECK(errno, ETIMEDOUT);
    go_context_end(ctx);
}

/* Nobody waits meanwhile. */
static void a_context_kills_by_itself(void)
{
    siginfo_t info;
    go_context *ctx = go_context_with_cancel(NULL);
    go_cmd cmd = { .argv = SHELL("exec sleep 1000") };
    CHECK(go_cmd_start_ctx(ctx, &cmd), 0);
    go_context_cancel(ctx);
    CHECK(waitid(P_PID, (id_t)cmd.pid, &info, WEXITED | WNOWAIT), 0);
    CHECK(info.si_status, SIGKILL);
    CHECK(go_cmd_wait(&cmd), -1);
    CHECK(errno, ECANCELED);
    go_context_unref(ctx);
}

static void a_context_that_ends_later(void)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_cmd cmd = { .argv = SHELL("exit 4") };
    siginfo_t info;
    CHECK(go_cmd_run_ctx(ctx, &cmd), 4);
    CHECK(go_cmd_start_ctx(ctx, &cmd), 0);
    CHECK(waitid(P_PID, (id_t)cmd.pid, &info, WEXITED | WNOWAIT), 0);
    go_context_cancel(ctx); /* it has ended by itself */
    CHECK(go_cmd_wait(&cmd), 4);
    go_context_unref(ctx);
}

static void a_gentle_signal(void)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_cmd cmd = { .argv = SHELL("trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done"),
                   .out = GO_CMD_PIPE,
                   .cancel_signal = SIGTERM };
    CHECK(go_cmd_start_ctx(ctx, &cmd), 0);
    await_line(&cmd);
    go_context_cancel(ctx);
    CHECK(go_cmd_wait(&cmd), -1);
    CHECK(errno, ECANCELED);
    CHECK(cmd.state.exited, 1);
    CHECK(cmd.state.status, 0);
    go_context_unref(ctx);
}

static void who_does_not_hear_is_killed(void)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_cmd cmd = { .argv = SHELL("trap '' TERM; echo ready; while :; do sleep 0.01; done"),
                   .out = GO_CMD_PIPE,
                   .cancel_signal = SIGTERM,
                   .wait_delay = 20 * GO_MILLISECOND };
    CHECK(go_cmd_start_ctx(ctx, &cmd), 0);
    await_line(&cmd);
    go_context_cancel(ctx);
    CHECK(go_cmd_wait(&cmd), -1);
    CHECK(errno, ECANCELED);
    CHECK(cmd.state.signal, SIGKILL);
    go_context_unref(ctx);
}

/* A grandchild holds the output's pipe open. What was kept by then is no sure thing. */
static void output_is_cut_off(void)
{
    static const char *const scripts[] = { "sleep 1000 & echo out; echo $! >&2",
                                           "sleep 1000 & echo out; echo $! >&2; wait" };
    for (int i = 0; i < 2; i++) {
        char *bytes;
        struct said said;
        go_cmd cmd = { .argv = SHELL(scripts[i]), .wait_delay = 20 * GO_MILLISECOND };
        listen_to(&said, &cmd);
        CHECK(go_cmd_output_ctx(i ? said.ctx : NULL, &cmd, &bytes, NULL), -1);
        CHECK(errno, i ? ECANCELED : ETIME);
        CHECK(!*bytes || strcmp(bytes, "out\n") == 0, 1);
        free(bytes);
        end_listening(&said);
        CHECK(said.pid > 1, 1);
        CHECK(kill(said.pid, SIGKILL), 0);
    }
}

static void a_wait_that_is_given_up(void)
{
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_cmd cmd = { .argv = SHELL("read a; exit 6"), .in = GO_CMD_PIPE };
    CHECK(go_cmd_start(&cmd), 0);
    for (int i = 0; i < 2; i++) {
        CHECK(go_cmd_wait_ctx(ctx, &cmd), -1);
        CHECK(errno, ETIMEDOUT);
    }
    CHECK(go_fd_close(go_cmd_stdin_pipe(&cmd)), 0);
    CHECK(go_cmd_wait_ctx(NULL, &cmd), 6);
    go_context_end(ctx);
}

/* The process has ended, but a child of its own holds the pipe. */
static void a_wait_for_the_copying_is_given_up(go_duration delay)
{
    static char much[1 << 20];
    int hold[2];
    CHECK(pipe2(hold, O_CLOEXEC), 0);
    go_cmd cmd = { .argv = SHELL("exec 4<&0; { read x <&3; } <&4 & exit 0"),
                   .in = GO_CMD_BYTES,
                   .input = much,
                   .input_size = sizeof much,
                   .extra = hold,
                   .extra_count = 1,
                   .wait_delay = delay };
    CHECK(go_cmd_start(&cmd), 0);
    while (go_cmd_signal(&cmd, 0) == 0)
        go_gosched();
    CHECK(errno, ESRCH);
    go_context *ctx = go_context_with_timeout(NULL, 10 * GO_MILLISECOND);
    for (int i = 0; i < 2; i++) {
        CHECK(go_cmd_wait_ctx(ctx, &cmd), -1);
        CHECK(errno, ETIMEDOUT);
        CHECK(go_cmd_start(&cmd), -1);
        CHECK(errno, EBUSY);
    }
    close(hold[1]);
    CHECK(go_cmd_wait(&cmd), 0);
    go_context_end(ctx);
    close(hold[0]);
}

static void wait_for_it(go_cmd *cmd, int *result)
{
    *result = go_cmd_wait(cmd);
}

static void killed_while_another_waits(void)
{
    go_cmd cmd = { .argv = SHELL("exec sleep 1000") };
    int result = 0;
    go_waitgroup wg = { 0 };
    CHECK(go_cmd_start(&cmd), 0);
    go_waitgroup_go(&wg, wait_for_it, &cmd, &result);
    go_gosched();
    CHECK(go_cmd_kill(&cmd), 0);
    go_waitgroup_wait(&wg);
    CHECK(result, 128 + SIGKILL);
}

/* ---- errors of the start --------------------------------------------------------------------- */

static char directory[] = "/tmp/gofer-process-XXXXXX", file[64], plain[64], broken[64];

static void write_file(char *path, size_t size, const char *name, const char *text, mode_t mode)
{
    snprintf(path, size, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(write(fd, text, strlen(text)), strlen(text));
    CHECK(fchmod(fd, mode), 0);
    close(fd);
}

static void make_files(void)
{
    CHECK(mkdtemp(directory) != NULL, 1);
    write_file(file, sizeof file, "gofer-runs", "#!/bin/sh\necho runs\n", 0755);
    write_file(plain, sizeof plain, "gofer-plain", "#!/bin/sh\n", 0644);
    write_file(broken, sizeof broken, "gofer-broken", "\x01\x02\x03 no program\n", 0755);
}

static void remove_files(void)
{
    unlink(file);
    unlink(plain);
    unlink(broken);
    rmdir(directory);
}

static void check_start(go_cmd cmd, int error)
{
    errno = 0;
    CHECK(go_cmd_start(&cmd), -1);
    CHECK(errno, error);
    CHECK(go_cmd_wait(&cmd), -1);
    CHECK(errno, ECHILD);
}

/* qemu's user emulation and valgrind have no vfork: what exec says is lost there. */
static _Bool is_emulated(void)
{
    return runs_under("qemu-") || runs_under("memcheck");
}

static void errors_of_the_start(void)
{
    char *const none[] = { NULL };
    char *const name[] = { (char *)(uintptr_t) "x", NULL };
    int bad = 9999;
    check_start((go_cmd){ 0 }, EINVAL);
    check_start((go_cmd){ .argv = none }, EINVAL);
    check_start((go_cmd){ .argv = (char *[]){ "gofer-no-such-command", NULL } }, ENOENT);
    check_start((go_cmd){ .argv = name, .path = "/bin/sh", .out = GO_CMD_STDOUT }, EINVAL);
    check_start((go_cmd){ .argv = name, .path = "/bin/sh", .err = GO_CMD_BYTES }, EINVAL);
    check_start((go_cmd){ .argv = name, .path = "/bin/sh", .in = GO_CMD_FD, .in_fd = -1 }, EBADF);
    check_start((go_cmd){ .argv = name, .path = "/bin/sh", .extra_count = -1 }, EINVAL);
    check_start((go_cmd){ .argv = name, .path = "/bin/sh", .extra_count = 65 }, EINVAL);
    for (int flag = GO_CMD_NEW_GROUP; flag <= GO_CMD_NEW_SESSION; flag++)
        check_start(
            (go_cmd){ .argv = name, .path = "/bin/sh", .flags = flag, .join_group = getpgrp() },
            EINVAL);
    if (is_emulated())
        return;
    check_start((go_cmd){ .argv = name, .path = "/bin/sh", .out = GO_CMD_FD, .out_fd = bad },
                EBADF);
    check_start((go_cmd){ .argv = name,
                          .path = "/no/such/file",
                          .in = GO_CMD_PIPE,
                          .out = GO_CMD_PIPE,
                          .err = GO_CMD_PIPE },
                ENOENT);
    check_start((go_cmd){ .argv = name, .path = plain }, EACCES);
    check_start((go_cmd){ .argv = name, .path = broken }, ENOEXEC);
    check_start((go_cmd){ .argv = name, .path = "/bin/sh", .dir = "/no/such/dir" }, ENOENT);
    check_start((go_cmd){ .argv = name, .path = "/bin/sh", .dir = plain }, ENOTDIR);
}

static void check_path(const char *path, const char *name, int error, const char *expected)
{
    setenv("PATH", path, 1);
    char *found = go_look_path(name);
    CHECK(found ? 0 : errno, error);
    CHECK_TEXT(found ? found : "", expected);
    free(found);
}

static void names_are_looked_up(void)
{
    char path[200], before[4096];
    snprintf(before, sizeof before, "%s", getenv("PATH"));
    snprintf(path, sizeof path, "/no/such:%s:/", directory);
    check_path(path, "gofer-runs", 0, file);
    check_path(path, "gofer-plain", ENOENT, "");
    check_path(path, "tmp", ENOENT, ""); /* a directory */
    check_path(path, "", ENOENT, "");
    check_path("", "gofer-runs", ENOENT, "");
    check_path(path, file, 0, file);
    check_path(path, plain, EACCES, "");
    check_path(path, directory, EISDIR, "");
    check_path(path, "/no/such", ENOENT, "");
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(chdir(directory), 0);
    check_path(".", "gofer-runs", EPERM, "");
    check_path(":/", "gofer-runs", EPERM, "");
    check_path("/:", "gofer-runs", EPERM, "");
    check_path(path, "./gofer-runs", 0, "./gofer-runs");
    setenv("PATH", "", 1);
    check_path(":", "gofer-plain", ENOENT, "");
    CHECK(fchdir(here), 0);
    close(here);
    setenv("PATH", before, 1);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void all(void)
{
    timer_slack();
    statuses();
    the_state_in_words_is_cut();
    time_is_counted();
    one_wait_for_each_start();
    somebody_else_took_the_status();
    output_is_kept();
    much_output();
    input_is_given();
    what_is_inherited_is_there();
    null_is_the_default();
    pipes_both_ways();
    a_pipe_outlives_the_wait();
    descriptors_are_where_they_shall();
    descriptors_that_cross_over();
    surroundings();
    signals_are_as_at_the_beginning();
    signals_reach_it();
    an_ended_process_gets_none();
    groups_and_sessions();
    a_whole_group();
    a_context_kills();
    a_context_kills_by_itself();
    a_context_that_ends_later();
    a_gentle_signal();
    who_does_not_hear_is_killed();
    output_is_cut_off();
    a_wait_that_is_given_up();
    a_wait_for_the_copying_is_given_up(0);
    a_wait_for_the_copying_is_given_up(1000 * GO_SECOND);
    killed_while_another_waits();
    errors_of_the_start();
    names_are_looked_up();
}

int go_main(int argc, char **argv)
{
    go_fd *ends[2];
    (void)argc;
    (void)argv;
    CHECK(go_fd_pipe(ends), 0); /* the poller's own descriptors are open now */
    make_files();
    int before = count_descriptors(0);
    all();
    CHECK(count_descriptors(0), before);
    CHECK(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    CHECK(errno, ECHILD);
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
    remove_files();
    return 0;
}

/* Processes: started by child.c, watched by watch.c, ended by one wait.
 *
 * Beside the program's goroutines, some may serve a process: one writes its input, one keeps its
 * output, one is started where its context ends. The wait ends when they have ended. */
#include "io/child.h"
#include "io/watch.h"

#include "gofer/bufio.h"
#include "gofer/signal.h"
#include "gofer/time.h"

#include "sched/sched.h"
#include "time/timer.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static int fail(int error)
{
    *gofer_errno() = error;
    return -1;
}

/* ---- signals --------------------------------------------------------------------------------- */

int go_cmd_signal(go_cmd *cmd, int number)
{
    go_mutex_lock(&cmd->lock);
    int error = cmd->process ? gofer_process_signal(cmd->process, number) : ESRCH;
    go_mutex_unlock(&cmd->lock);
    return error ? fail(error) : 0;
}

int go_cmd_kill(go_cmd *cmd)
{
    return go_cmd_signal(cmd, SIGKILL);
}

/* ---- contexts -------------------------------------------------------------------------------- */

/* For waits up to p->delay_ends. Where memory is short that is tried again; NULL: the time has
 * passed, or ctx has ended. */
static go_context *limit_wait(const struct gofer_process *p, go_context *ctx)
{
    go_context *limit;
    while (!(limit = go_context_with_deadline(ctx, p->delay_ends)) && go_now() < p->delay_ends &&
           !go_context_err(ctx))
        go_sleep(GO_MILLISECOND);
    return limit;
}

static void kill_after_delay(struct gofer_process *p)
{
    go_context *limit = limit_wait(p, NULL);
    if (!limit || gofer_process_wait(p, limit) != 0)
        go_cmd_kill(p->cmd);
    go_context_end(limit);
}

/* The context has ended. */
static void cancel_process(void *process)
{
    struct gofer_process *p = process;
    go_cmd *cmd = p->cmd;
    go_mutex_lock(&cmd->lock);
    bool sent = !gofer_process_has_ended(p) &&
                gofer_process_signal(p, cmd->cancel_signal ? cmd->cancel_signal : SIGKILL) == 0;
    if (sent)
        p->cancelled = go_context_err(p->ctx);
    if (cmd->wait_delay)
        p->delay_ends = gofer_time_after(cmd->wait_delay);
    go_mutex_unlock(&cmd->lock);
    if (cmd->wait_delay > 0)
        kill_after_delay(p);
    go_waitgroup_done(&p->cancelling);
}

static int begin_cancelling(struct gofer_process *p, go_context *ctx)
{
    if (!ctx)
        return 0;
    p->ctx = go_context_ref(ctx);
    go_waitgroup_add(&p->cancelling, 1);
    p->after = go_context_after_func(ctx, cancel_process, p);
    if (p->after)
        return 0;
    go_waitgroup_done(&p->cancelling);
    return ENOMEM;
}

static void end_cancelling(struct gofer_process *p)
{
    if (p->after && !go_context_after_stop(p->after))
        go_waitgroup_wait(&p->cancelling);
    go_context_after_free(p->after);
    go_context_unref(p->ctx);
}

/* ---- input and output ------------------------------------------------------------------------ */

static void write_input(void *process)
{
    struct gofer_process *p = process;
    if (p->cmd->input_size) /* a child that does not read it all may do so */
        go_fd_write(p->pipes[0], p->cmd->input, p->cmd->input_size);
    go_fd_close(p->pipes[0]);
}

static void keep_output(void *process)
{
    struct gofer_process *p = process;
    go_reader from;
    size_t capacity = 0;
    go_reader_init(&from, go_fd_source(p->pipes[1]), 0);
    ssize_t n = go_reader_read_until(&from, -1, &p->output, &capacity, SIZE_MAX);
    p->output_error = *gofer_errno(); /* 0 at the end */
    p->size = n < 0 ? 0 : (size_t)n;
    go_reader_free(&from);
    go_fd_close(p->pipes[1]); /* after an error it writes on */
}

/* Waits until input and output are through, as long as is allowed; then cuts them off. 0; or ctx's
 * errno, and they go on. */
static int end_copying(struct gofer_process *p, go_context *ctx)
{
    if (p->cmd->wait_delay <= 0)
        return go_waitgroup_wait_ctx(ctx, &p->copying) == 0 ? 0 : *gofer_errno();
    go_context *limit = limit_wait(p, ctx);
    bool cut = !limit || go_waitgroup_wait_ctx(limit, &p->copying) != 0;
    go_context_end(limit);
    int error = cut ? go_context_err(ctx) : 0;
    if (error)
        return error;
    for (int i = 0; i < 2 && cut; i++)
        if (p->pipes[i])
            go_fd_close(p->pipes[i]);
    go_waitgroup_wait(&p->copying);
    p->cut = cut;
    return 0;
}

/* ---- starting -------------------------------------------------------------------------------- */

static void free_process(struct gofer_process *p)
{
    if (p->pidfd)
        go_fd_unref(p->pidfd);
    for (int i = 0; i < 3; i++)
        if (p->pipes[i])
            go_fd_unref(p->pipes[i]);
    free(p->output);
    free(p);
}

/* Our ends of its pipes. 0, or an errno: then none is open that p does not know. */
static int adopt_pipes(struct gofer_process *p, const int numbers[3])
{
    int error = 0;
    for (int i = 0; i < 3; i++) {
        if (numbers[i] < 0)
            continue;
        if (!error && !(p->pipes[i] = go_fd_new(numbers[i])))
            error = *gofer_errno();
        if (error)
            close(numbers[i]);
    }
    return error;
}

/* 0, or an errno. */
static int launch(struct gofer_process *p, const char *path)
{
    struct gofer_child child;
    int error = gofer_child_open(&child, p->cmd);
    if (error)
        return error;
    error = adopt_pipes(p, child.parents);
    if (error)
        gofer_child_close(&child);
    else
        error = gofer_child_start(&child, p->cmd, path, &p->cmd->pid);
    return error;
}

/* Who leads a group joins no other. */
static bool fits_together(const go_cmd *cmd)
{
    return !cmd->join_group || !(cmd->flags & (GO_CMD_NEW_GROUP | GO_CMD_NEW_SESSION));
}

/* 0, or an errno. */
static int check_start(go_context *ctx, const go_cmd *cmd)
{
    int error = go_context_err(ctx);
    if (!error)
        error = cmd->process ? EBUSY : cmd->argv && cmd->argv[0] && fits_together(cmd) ? 0 : EINVAL;
    if (error)
        return error;
    gofer_m *m = gofer_m_attached();
    error = gofer_visit(m); /* the runtime runs from now on: its signal mask is known */
    if (!error)
        gofer_visit_end(m);
    return error;
}

/* NULL and errno. */
static struct gofer_process *start_path(go_cmd *cmd, const char *path)
{
    struct gofer_process *p = calloc(1, sizeof *p);
    int error = ENOMEM;
    if (p) {
        p->cmd = cmd;
        error = launch(p, path);
    }
    if (!error)
        return p;
    if (p)
        free_process(p);
    fail(error);
    return NULL;
}

/* A name with a slash begins in the child's directory: exec alone can tell what it is. But "/" is
 * the same everywhere, and looked up as in Go. */
static bool is_path(const char *name)
{
    return strchr(name, '/') && strcmp(name, "/") != 0;
}

static struct gofer_process *start_named(go_cmd *cmd)
{
    if (cmd->path || is_path(cmd->argv[0]))
        return start_path(cmd, cmd->path ? cmd->path : cmd->argv[0]);
    char *found = go_look_path(cmd->argv[0]);
    struct gofer_process *p = found ? start_path(cmd, found) : NULL;
    free(found);
    return p;
}

/* `keeps`: its output. */
static int start_keeping(go_context *ctx, go_cmd *cmd, bool keeps)
{
    int error = check_start(ctx, cmd);
    if (error)
        return fail(error);
    struct gofer_process *p = start_named(cmd);
    if (!p)
        return -1;
    gofer_process_watch(p);
    go_mutex_lock(&cmd->lock);
    cmd->process = p;
    go_mutex_unlock(&cmd->lock);
    if (cmd->in == GO_CMD_BYTES)
        go_waitgroup_spawn(&p->copying, write_input, p);
    if (keeps)
        go_waitgroup_spawn(&p->copying, keep_output, p);
    error = begin_cancelling(p, ctx);
    if (!error)
        return 0;
    go_cmd_kill(cmd);
    go_cmd_wait(cmd);
    return fail(error);
}

int go_cmd_start_ctx(go_context *ctx, go_cmd *cmd)
{
    return start_keeping(ctx, cmd, false);
}

int go_cmd_start(go_cmd *cmd)
{
    return start_keeping(NULL, cmd, false);
}

static go_fd *pipe_of(go_cmd *cmd, int target, enum go_cmd_stream stream)
{
    go_mutex_lock(&cmd->lock);
    go_fd *fd = cmd->process && stream == GO_CMD_PIPE ? cmd->process->pipes[target] : NULL;
    go_mutex_unlock(&cmd->lock);
    if (!fd)
        fail(EINVAL);
    return fd;
}

go_fd *go_cmd_stdin_pipe(go_cmd *cmd)
{
    return pipe_of(cmd, 0, cmd->in);
}

go_fd *go_cmd_stdout_pipe(go_cmd *cmd)
{
    return pipe_of(cmd, 1, cmd->out);
}

go_fd *go_cmd_stderr_pipe(go_cmd *cmd)
{
    return pipe_of(cmd, 2, cmd->err);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Who may wait: p, or NULL. */
static struct gofer_process *begin_wait(go_cmd *cmd)
{
    go_mutex_lock(&cmd->lock);
    struct gofer_process *p = cmd->process && !cmd->process->waited ? cmd->process : NULL;
    if (p)
        p->waited = true;
    go_mutex_unlock(&cmd->lock);
    return p;
}

/* What a wait returns for the state. */
static int shell_status(const go_process_state *state)
{
    return state->exited ? state->status : 128 + state->signal;
}

/* Waits for its end, and takes its status: once. 0, or ctx's errno. */
static int end_process(struct gofer_process *p, go_context *ctx)
{
    go_cmd *cmd = p->cmd;
    int error = p->reaped ? 0 : gofer_process_wait(p, ctx);
    if (error || p->reaped)
        return error;
    go_mutex_lock(&cmd->lock);
    p->reap_error = gofer_process_reap(p, &cmd->state);
    go_mutex_unlock(&cmd->lock);
    end_cancelling(p);
    if (!p->delay_ends)
        p->delay_ends = gofer_time_after(cmd->wait_delay);
    return 0;
}

/* As go_cmd_wait; what was kept of the output goes to *kept. */
static int wait_keeping(go_context *ctx, go_cmd *cmd, char **kept, size_t *size)
{
    struct gofer_process *p = begin_wait(cmd);
    if (!p)
        return fail(ECHILD);
    int error = end_process(p, ctx);
    if (!error)
        error = end_copying(p, ctx);
    go_mutex_lock(&cmd->lock);
    if (error)
        p->waited = false;
    else
        cmd->process = NULL;
    go_mutex_unlock(&cmd->lock);
    if (error)
        return fail(error);
    int status = shell_status(&cmd->state);
    error = p->reap_error ? p->reap_error : p->cancelled;
    if (!error && p->output_error == ENOMEM) /* its status may come of the closed pipe */
        error = ENOMEM;
    if (!error && status == 0)
        error = p->cut ? ETIME : p->output_error;
    if (kept) {
        *kept = p->output;
        p->output = NULL;
        if (size)
            *size = p->size;
    }
    free_process(p);
    return error ? fail(error) : status;
}

int go_cmd_wait_ctx(go_context *ctx, go_cmd *cmd)
{
    return wait_keeping(ctx, cmd, NULL, NULL);
}

int go_cmd_wait(go_cmd *cmd)
{
    return wait_keeping(NULL, cmd, NULL, NULL);
}

int go_cmd_run_ctx(go_context *ctx, go_cmd *cmd)
{
    return go_cmd_start_ctx(ctx, cmd) == 0 ? go_cmd_wait(cmd) : -1;
}

int go_cmd_run(go_cmd *cmd)
{
    return go_cmd_run_ctx(NULL, cmd);
}

static int output(go_context *ctx, go_cmd *cmd, bool combined, char **bytes, size_t *size)
{
    *bytes = NULL;
    if (size)
        *size = 0;
    if (cmd->out != GO_CMD_NULL || (combined && cmd->err != GO_CMD_NULL))
        return fail(EINVAL);
    cmd->out = GO_CMD_PIPE;
    if (combined)
        cmd->err = GO_CMD_STDOUT;
    int status = start_keeping(ctx, cmd, true);
    if (status == 0)
        status = wait_keeping(NULL, cmd, bytes, size);
    cmd->out = GO_CMD_NULL;
    if (combined)
        cmd->err = GO_CMD_NULL;
    return status;
}

int go_cmd_output_ctx(go_context *ctx, go_cmd *cmd, char **bytes, size_t *size)
{
    return output(ctx, cmd, false, bytes, size);
}

int go_cmd_output(go_cmd *cmd, char **bytes, size_t *size)
{
    return output(NULL, cmd, false, bytes, size);
}

int go_cmd_combined_output_ctx(go_context *ctx, go_cmd *cmd, char **bytes, size_t *size)
{
    return output(ctx, cmd, true, bytes, size);
}

int go_cmd_combined_output(go_cmd *cmd, char **bytes, size_t *size)
{
    return output(NULL, cmd, true, bytes, size);
}

/* ---- the state in words ---------------------------------------------------------------------- */

char *go_process_state_string(const go_process_state *state, char *buf, size_t size)
{
    char name[40];
    if (state->exited)
        snprintf(buf, size, "exit status %d", state->status);
    else
        snprintf(buf, size, "signal: %s%s", go_signal_string(state->signal, name, sizeof name),
                 state->core_dumped ? " (core dumped)" : "");
    return buf;
}

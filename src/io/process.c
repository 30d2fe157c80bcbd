/* Processes: started by child.c, watched by a pidfd that the poller knows, ended by one wait.
 *
 * Who signals a process holds the go_cmd's lock, and so does the wait while it takes the status:
 * until then the number is nobody else's. Where there is no pidfd a goroutine waits in the kernel,
 * without taking the status.
 *
 * Beside the program's goroutines, some may serve a process: one writes its input, one keeps its
 * output, one is started where its context ends. The wait ends when they have ended. */
#include "io/child.h"

#include "gofer/bufio.h"
#include "gofer/runtime.h"
#include "gofer/signal.h"
#include "gofer/time.h"

#include "sched/sched.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BY_PIDFD = 3 /* P_PIDFD */ };

struct gofer_process {
    go_cmd *cmd;
    go_fd *pidfd;        /* NULL: watched by a goroutine */
    go_waitgroup exited; /* of that goroutine */
    go_fd *pipes[3];     /* our ends, or NULL */
    go_context *ctx;     /* a reference */
    go_context_after *after;
    go_waitgroup cancelling; /* as long as `after` may run */
    go_waitgroup copying;    /* who write the input and keep the output */
    char *output;
    size_t size;
    int output_error;
    /* guarded by the go_cmd's lock */
    int cancelled;      /* 0, or with what the context ended, once the signal was sent */
    int64_t delay_ends; /* 0, or when what the context allows after its end is over */
    bool waited;        /* somebody waits */
    bool reaped;
};

static int fail(int error)
{
    *gofer_errno() = error;
    return -1;
}

/* ---- signals ----------------------------------------------------------------------------------
 */

static int wait_by(const struct gofer_process *p, siginfo_t *info, int options,
                   struct rusage *usage)
{
    long result;
    *info = (siginfo_t){ 0 };
    do {
        result = p->pidfd
                     ? syscall(SYS_waitid, BY_PIDFD, go_fd_number(p->pidfd), info, options, usage)
                     : -1;
        if (!p->pidfd || (result != 0 && errno == EINVAL)) /* Linux 5.3 has no P_PIDFD */
            result = syscall(SYS_waitid, P_PID, p->cmd->pid, info, options, usage);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

/* The lock is held. */
static bool has_exited(const struct gofer_process *p)
{
    siginfo_t info;
    return p->reaped || wait_by(p, &info, WEXITED | WNOHANG | WNOWAIT, NULL) != 0 ||
           info.si_pid != 0;
}

/* The lock is held. 0, or an errno. */
static int send_signal(const struct gofer_process *p, int number)
{
    const go_cmd *cmd = p->cmd;
    if (cmd->flags & GO_CMD_SIGNAL_GROUP && cmd->flags & (GO_CMD_NEW_GROUP | GO_CMD_NEW_SESSION)) {
        if (p->reaped)
            return ESRCH;
        return kill(-cmd->pid, number) == 0 ? 0 : errno;
    }
    if (has_exited(p))
        return ESRCH;
#ifdef SYS_pidfd_send_signal
    if (p->pidfd) {
        if (syscall(SYS_pidfd_send_signal, go_fd_number(p->pidfd), number, NULL, 0) == 0)
            return 0;
        if (errno != ENOSYS && errno != EPERM) /* a filter may refuse it */
            return errno;
    }
#endif
    return kill(cmd->pid, number) == 0 ? 0 : errno;
}

int go_cmd_signal(go_cmd *cmd, int number)
{
    go_mutex_lock(&cmd->lock);
    int error = cmd->process ? send_signal(cmd->process, number) : ESRCH;
    go_mutex_unlock(&cmd->lock);
    return error ? fail(error) : 0;
}

int go_cmd_kill(go_cmd *cmd)
{
    return go_cmd_signal(cmd, SIGKILL);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

/* Blocks until it has ended: 0; or until ctx has: an errno. */
static int wait_exit(struct gofer_process *p, go_context *ctx)
{
    int result = p->pidfd ? go_fd_wait_ctx(ctx, p->pidfd, GO_READABLE)
                          : go_waitgroup_wait_ctx(ctx, &p->exited);
    return result == 0 ? 0 : *gofer_errno();
}

static void watch(void *process)
{
    struct gofer_process *p = process;
    siginfo_t info;
    go_blocking_begin();
    wait_by(p, &info, WEXITED | WNOWAIT, NULL);
    go_blocking_end();
}

static void begin_watching(struct gofer_process *p)
{
    int number = -1;
#ifdef SYS_pidfd_open
    number = (int)syscall(SYS_pidfd_open, p->cmd->pid, 0);
#endif
    if (number >= 0)
        p->pidfd = go_fd_new(number);
    if (p->pidfd)
        return;
    if (number >= 0)
        close(number);
    go_waitgroup_spawn(&p->exited, watch, p);
}

static go_duration time_of(struct timeval t)
{
    return t.tv_sec * GO_SECOND + t.tv_usec * GO_MICROSECOND;
}

/* The lock is held. Takes the status. 0, or an errno. */
static int reap(struct gofer_process *p, go_process_state *state)
{
    siginfo_t info;
    struct rusage usage = { 0 };
    int error = wait_by(p, &info, WEXITED, &usage);
    p->reaped = true;
    bool exited = info.si_code == CLD_EXITED;
    *state = (go_process_state){ .pid = p->cmd->pid,
                                 .exited = !error && exited,
                                 .status = !error && exited ? info.si_status : -1,
                                 .signal = error || exited ? 0 : info.si_status,
                                 .core_dumped = !error && info.si_code == CLD_DUMPED,
                                 .user_time = time_of(usage.ru_utime),
                                 .system_time = time_of(usage.ru_stime) };
    return error;
}

/* ---- contexts ---------------------------------------------------------------------------------
 */

static void kill_after_delay(struct gofer_process *p)
{
    go_context *limit = go_context_with_timeout(NULL, p->cmd->wait_delay);
    if (!limit || wait_exit(p, limit) != 0)
        go_cmd_kill(p->cmd);
    go_context_end(limit);
}

/* The context has ended. */
static void cancel_process(void *process)
{
    struct gofer_process *p = process;
    go_cmd *cmd = p->cmd;
    go_mutex_lock(&cmd->lock);
    bool sent =
        !has_exited(p) && send_signal(p, cmd->cancel_signal ? cmd->cancel_signal : SIGKILL) == 0;
    if (sent)
        p->cancelled = go_context_err(p->ctx);
    if (cmd->wait_delay)
        p->delay_ends = go_now() + cmd->wait_delay;
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

/* ---- input and output -------------------------------------------------------------------------
 */

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

/* Waits until input and output are through, as long as is allowed; then cuts them off. True: it
 * had to. */
static bool end_copying(struct gofer_process *p)
{
    go_duration delay = p->cmd->wait_delay;
    if (delay <= 0) {
        go_waitgroup_wait(&p->copying);
        return false;
    }
    go_context *limit =
        go_context_with_deadline(NULL, p->delay_ends ? p->delay_ends : go_now() + delay);
    bool cut = !limit || go_waitgroup_wait_ctx(limit, &p->copying) != 0;
    go_context_end(limit);
    for (int i = 0; i < 2 && cut; i++)
        if (p->pipes[i])
            go_fd_close(p->pipes[i]);
    go_waitgroup_wait(&p->copying);
    return cut;
}

/* ---- starting ---------------------------------------------------------------------------------
 */

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

/* 0, or an errno; then p is as good as new. */
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

/* 0, or an errno. */
static int start(go_context *ctx, go_cmd *cmd, struct gofer_process **started)
{
    int error = go_context_err(ctx);
    if (!error)
        error = cmd->process ? EBUSY : cmd->argv && cmd->argv[0] ? 0 : EINVAL;
    if (error)
        return error;
    gofer_m *m = gofer_m_attached();
    error = gofer_visit(m); /* the runtime runs: its signal mask is known */
    if (error)
        return error;
    gofer_visit_end(m);
    char *found = cmd->path ? NULL : go_look_path(cmd->argv[0]);
    if (!cmd->path && !found)
        return *gofer_errno();
    struct gofer_process *p = calloc(1, sizeof *p);
    error = p ? 0 : ENOMEM;
    if (p) {
        p->cmd = cmd;
        error = launch(p, cmd->path ? cmd->path : found);
        if (error)
            free_process(p);
    }
    free(found);
    *started = p;
    return error;
}

/* `keeps`: its output. */
static int start_keeping(go_context *ctx, go_cmd *cmd, bool keeps)
{
    struct gofer_process *p = NULL;
    int error = start(ctx, cmd, &p);
    if (error)
        return fail(error);
    begin_watching(p);
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

/* ---- waiting ----------------------------------------------------------------------------------
 */

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

/* As go_cmd_wait; what was kept of the output goes to *kept. */
static int wait_keeping(go_context *ctx, go_cmd *cmd, char **kept, size_t *size)
{
    struct gofer_process *p = begin_wait(cmd);
    if (!p)
        return fail(ECHILD);
    int error = wait_exit(p, ctx);
    go_mutex_lock(&cmd->lock);
    if (error)
        p->waited = false;
    else
        error = reap(p, &cmd->state);
    bool ended = p->reaped;
    go_mutex_unlock(&cmd->lock);
    if (!ended)
        return fail(error);
    end_cancelling(p);
    bool cut = end_copying(p);
    go_mutex_lock(&cmd->lock);
    cmd->process = NULL;
    go_mutex_unlock(&cmd->lock);
    int status = shell_status(&cmd->state);
    error = error ? error : p->cancelled;
    if (!error && status == 0)
        error = cut ? ETIME : p->output_error;
    if (kept) {
        *kept = p->output;
        *size = p->size;
        p->output = NULL;
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
    size_t unused;
    *bytes = NULL;
    size = size ? size : &unused;
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

/* ---- the state in words -----------------------------------------------------------------------
 */

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

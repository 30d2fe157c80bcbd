/* See watch.h. */
#include "io/watch.h"

#include "gofer/runtime.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BY_PIDFD = 3 /* P_PIDFD */ };

/* ---- signals --------------------------------------------------------------------------------- */

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
bool gofer_process_has_ended(const struct gofer_process *p)
{
    siginfo_t info;
    return p->reaped || wait_by(p, &info, WEXITED | WNOHANG | WNOWAIT, NULL) != 0 ||
           info.si_pid != 0;
}

/* The lock is held. 0, or an errno. */
int gofer_process_signal(const struct gofer_process *p, int number)
{
    const go_cmd *cmd = p->cmd;
    if (cmd->flags & GO_CMD_SIGNAL_GROUP && cmd->flags & (GO_CMD_NEW_GROUP | GO_CMD_NEW_SESSION)) {
        if (p->reaped)
            return ESRCH;
        return kill(-cmd->pid, number) == 0 ? 0 : errno;
    }
    if (gofer_process_has_ended(p))
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

/* ---- the end --------------------------------------------------------------------------------- */

/* Blocks until it has ended: 0; or until ctx has: an errno. */
int gofer_process_wait(struct gofer_process *p, go_context *ctx)
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

void gofer_process_watch(struct gofer_process *p)
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
int gofer_process_reap(struct gofer_process *p, go_process_state *state)
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

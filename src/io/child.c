/* Starting a process: posix_spawn, which shares our memory until the exec instead of copying it,
 * and so neither runs fork's handlers nor depends on how large the program is.
 *
 * The child's descriptors are duplicated one after the other, so none may be overwritten before its
 * turn: all that lie among the targets are moved above them first. */
#include "io/child.h"
#include "io/environment.h"

#include "sched/sched.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#ifndef POSIX_SPAWN_SETSID
#define POSIX_SPAWN_SETSID 0x80
#endif

/* ---- descriptors ----------------------------------------------------------------------------- */

void gofer_child_close(struct gofer_child *child)
{
    while (child->ours_count)
        close(child->ours[--child->ours_count]);
}

/* `number` is the child's descriptor `target`. 0, or an errno. */
static int set_source(struct gofer_child *child, int target, int number)
{
    if (number < 0)
        return EBADF;
    if (number < child->count) {
        number = fcntl(number, F_DUPFD_CLOEXEC, child->count);
        if (number < 0)
            return errno;
        child->ours[child->ours_count++] = number;
    }
    child->sources[target] = number;
    return 0;
}

/* The same of one that is ours to close. */
static int set_our_source(struct gofer_child *child, int target, int number)
{
    if (number < 0)
        return errno;
    child->ours[child->ours_count++] = number;
    return set_source(child, target, number);
}

static int open_pipe(struct gofer_child *child, int target)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    int mine = target == 0;
    child->parents[target] = ends[mine];
    return set_our_source(child, target, ends[!mine]);
}

/* The program's own: where that has FD_CLOEXEC it is duplicated onto itself, which takes it off. */
static void inherit(struct gofer_child *child, int target)
{
    int flags = fcntl(target, F_GETFD);
    if (flags >= 0 && flags & FD_CLOEXEC)
        child->sources[target] = target;
}

static int open_stream(struct gofer_child *child, int target, enum go_cmd_stream stream, int number)
{
    switch (stream) {
    case GO_CMD_INHERIT:
        inherit(child, target);
        return 0;
    case GO_CMD_FD:
        return set_source(child, target, number);
    case GO_CMD_PIPE:
        return open_pipe(child, target);
    case GO_CMD_BYTES:
        return target == 0 ? open_pipe(child, target) : EINVAL;
    case GO_CMD_STDOUT:
        if (target != 2)
            return EINVAL;
        number = child->sources[1];
        return set_source(child, target, number < 0 ? 1 : number);
    case GO_CMD_NULL:
        return set_our_source(child, target,
                              open("/dev/null", (target == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
    }
    return EINVAL;
}

int gofer_child_open(struct gofer_child *child, const go_cmd *cmd)
{
    if (cmd->extra_count < 0 || cmd->extra_count > GOFER_CHILD_MOST - 3)
        return EINVAL;
    child->count = 3 + cmd->extra_count;
    child->ours_count = 0;
    for (int i = 0; i < 3; i++)
        child->parents[i] = child->sources[i] = -1;
    int error = open_stream(child, 0, cmd->in, cmd->in_fd);
    if (!error)
        error = open_stream(child, 1, cmd->out, cmd->out_fd);
    if (!error)
        error = open_stream(child, 2, cmd->err, cmd->err_fd);
    for (int i = 0; i < cmd->extra_count && !error; i++)
        error = set_source(child, 3 + i, cmd->extra[i]);
    if (!error)
        return 0;
    gofer_child_close(child);
    for (int i = 0; i < 3; i++)
        if (child->parents[i] >= 0)
            close(child->parents[i]);
    return error;
}

/* ---- the start ------------------------------------------------------------------------------- */

#ifdef __GLIBC__
#define HAVE_CHDIR __GLIBC_PREREQ(2, 29)
#define HAVE_CLOSEFROM __GLIBC_PREREQ(2, 34)
#else
#define HAVE_CHDIR 1 /* musl, since 1.1.24 */
#define HAVE_CLOSEFROM 0
#endif

static int add_actions(posix_spawn_file_actions_t *actions, const struct gofer_child *child,
                       const char *dir)
{
    int error = 0;
    for (int i = 0; i < child->count && !error; i++)
        if (child->sources[i] >= 0)
            error = posix_spawn_file_actions_adddup2(actions, child->sources[i], i);
#if HAVE_CLOSEFROM
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(actions, child->count);
#endif
#if HAVE_CHDIR
    if (!error && dir)
        error = posix_spawn_file_actions_addchdir_np(actions, dir);
#else
    if (!error && dir)
        error = ENOTSUP;
#endif
    return error;
}

static int set_attributes(posix_spawnattr_t *attributes, const go_cmd *cmd)
{
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if (cmd->flags & GO_CMD_NEW_SESSION)
        flags |= POSIX_SPAWN_SETSID;
    else if (cmd->flags & GO_CMD_NEW_GROUP || cmd->join_group)
        flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setpgroup(attributes, cmd->flags & GO_CMD_NEW_GROUP ? 0 : cmd->join_group);
    posix_spawnattr_setsigdefault(attributes, &defaults);
    posix_spawnattr_setsigmask(attributes, &gofer_sched.signal_mask);
    return posix_spawnattr_setflags(attributes, (short)flags);
}

/* posix_spawn. The child keeps the thread's timer slack over the exec: it shall be the program's.
 */
static int spawn_with_slack(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                            const posix_spawnattr_t *attributes, char *const *arguments,
                            char *const *environment)
{
    bool is_ours = !gofer_m_self()->is_foreign;
    if (is_ours)
        gofer_sleepers_on_time(false);
    int error = posix_spawn(pid, path, actions, attributes, arguments, environment);
    if (is_ours)
        gofer_sleepers_on_time(true);
    return error;
}

static int spawn(const struct gofer_child *child, const go_cmd *cmd, const char *path,
                 char *const *environment, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (!error) {
        error = posix_spawnattr_init(&attributes);
        if (!error) {
            error = add_actions(&actions, child, cmd->dir);
            if (!error)
                error = set_attributes(&attributes, cmd);
            if (!error)
                error = spawn_with_slack(pid, path, &actions, &attributes, cmd->argv, environment);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    return error;
}

int gofer_child_start(struct gofer_child *child, const go_cmd *cmd, const char *path, pid_t *pid)
{
    char **variables, *pwd;
    int error = gofer_environment_make(cmd, &variables, &pwd);
    if (!error)
        error = spawn(child, cmd, path, variables, pid);
    free(variables);
    free(pwd);
    gofer_child_close(child);
    return error;
}

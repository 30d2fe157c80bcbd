/* Other programs: start, feed, read, signal, wait.
 *
 *     char *argv[] = { "git", "rev-parse", "HEAD", NULL }, *out;
 *     go_cmd cmd = { .argv = argv, .err = GO_CMD_INHERIT };
 *     size_t size;
 *     if (go_cmd_output(&cmd, &out, &size) != 0)
 *         …
 *     free(out);
 *
 * A go_cmd is the program's own object: all zero but for what is said in it, and it stays where it
 * is from the start until the wait is over. Each start needs one wait, which leaves neither a
 * zombie nor a descriptor; then it may be started again. What a blocking call waits for holds no
 * thread, but on kernels before 5.3, where a process's end cannot be polled.
 *
 * The child gets the descriptors that the go_cmd names and, with glibc from 2.34 on, no others;
 * elsewhere those too that are open without FD_CLOEXEC. Its signals do what they do by default, or
 * are ignored, where the program ignores them; SIGPIPE is not. It begins with the signal mask that
 * the runtime was started with. EINTR is never seen. Go's os/exec.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_PROCESS_H
#define GOFER_PROCESS_H

#include <gofer/base.h>
#include <gofer/context.h>
#include <gofer/fd.h>
#include <gofer/sync.h>

#include <sys/types.h>

/* What a standard descriptor of the child is. */
enum go_cmd_stream {
    GO_CMD_NULL,    /* /dev/null */
    GO_CMD_INHERIT, /* the program's own */
    GO_CMD_FD,      /* the one that in_fd, out_fd or err_fd names, which stays the program's */
    GO_CMD_PIPE,    /* a pipe, whose other end is go_cmd_stdin_pipe's and so on */
    GO_CMD_STDOUT,  /* for err: where out goes */
    GO_CMD_BYTES    /* for in: the bytes at `input` */
};

/* For go_cmd.flags. */
enum go_cmd_flag {
    GO_CMD_NEW_GROUP = 1,   /* the child leads a process group of its own */
    GO_CMD_NEW_SESSION = 2, /* and a session */
    GO_CMD_SIGNAL_GROUP = 4 /* with one of these: signals go to the whole group */
};

/* How a process ended, and what it cost. Go: os.ProcessState. */
typedef struct go_process_state {
    pid_t pid;
    int exited;      /* 1: it exited; 0: a signal ended it */
    int status;      /* its exit status, or -1 */
    int signal;      /* the signal's number, or 0 */
    int core_dumped; /* 1: with a core */
    go_duration user_time, system_time;
} go_process_state;

/* A program to run. Go: exec.Cmd. */
typedef struct go_cmd {
    char *const *argv; /* ends with NULL */
    const char *path;  /* the program's file; NULL: argv[0], which without a slash is looked up */
    char *const *env;  /* ends with NULL; NULL: the program's own, with PWD where `dir` is given. Of
                        * several of one name the last counts */
    const char *dir;   /* where it starts; a relative path begins there. NULL: here */
    enum go_cmd_stream in, out, err;
    int in_fd, out_fd, err_fd;
    const void *input; /* must live until the wait is over */
    size_t input_size;
    const int *extra; /* these become the child's descriptors 3, 4, …; 64 at most */
    int extra_count;
    int flags;
    pid_t join_group;  /* the process group that the child joins; 0: none. Without the first two
                          flags */
    int cancel_signal; /* what a context sends; 0: SIGKILL */
    go_duration wait_delay; /* see go_cmd_start_ctx */
    /* set by the library */
    pid_t pid;              /* since it was started */
    go_process_state state; /* since a wait returned that ended it */
    go_mutex lock;          /* its own, as the next */
    struct gofer_process *process;
} go_cmd;

GOFER_BEGIN

/* ---- running -------------------------------------------------------------------------------- */

/* Starts the program. 0, or -1 with errno, and nothing runs or is open: what exec said (ENOENT,
 * EACCES, ENOEXEC, E2BIG; ENOENT and ENOTDIR also of `dir`), go_look_path's, EBADF (of a descriptor
 * that was named), EAGAIN, ENOMEM, EMFILE, ENFILE, EINVAL (no argv, or words that do not fit
 * together), EBUSY (it was started and not waited for). May block its thread until the child's
 * exec, not the other goroutines. From any thread. Go: Cmd.Start. */
GOFER_API int go_cmd_start(go_cmd *cmd);

/* The same; when ctx ends, the process gets `cancel_signal`, and go_cmd_wait returns -1 with
 * ECANCELED or ETIMEDOUT. Where wait_delay is not 0, it gets SIGKILL when it has not ended so much
 * later; and GO_CMD_BYTES and go_cmd_output, whose pipes other processes may hold open, go on no
 * longer than so long after the context's or the process's end: then they are cut off, and the wait
 * returns -1 with ETIME if it would have succeeded. A context that has ended: -1 at once, and
 * nothing is started. Keeps a reference to ctx until the wait is over. Go: exec.CommandContext,
 * Cmd.Cancel, Cmd.WaitDelay. */
GOFER_API int go_cmd_start_ctx(go_context *ctx, go_cmd *cmd);

/* Blocks until the process has ended. 0: it succeeded; its exit status where that is not 0; 128 and
 * the signal's number where a signal ended it, as shells say it; `state` tells exactly. -1 with
 * errno: the context's (see go_cmd_start_ctx), ETIME, or ECHILD: it was not started, another waits
 * for it, or somebody else has taken its status, which happens where SIGCHLD is ignored. Drops the
 * pipes; who reads or writes one after that needs a reference of its own. Go: Cmd.Wait. */
GOFER_API int go_cmd_wait(go_cmd *cmd);

/* The same, ended by ctx too: -1 with ECANCELED or ETIMEDOUT; the process runs on, or the copying
 * of its input and output, and another wait is due. Not in Go. */
GOFER_API int go_cmd_wait_ctx(go_context *ctx, go_cmd *cmd);

/* Starts and waits: as go_cmd_wait, or -1 with go_cmd_start's errno. Go: Cmd.Run. */
GOFER_API int go_cmd_run(go_cmd *cmd);
GOFER_API int go_cmd_run_ctx(go_context *ctx, go_cmd *cmd);

/* Runs it and keeps what it writes to out, which must be GO_CMD_NULL, in *bytes, which is the
 * program's to free, also where it fails; a NUL comes after the *size bytes, which may be NULL.
 * Returns as go_cmd_run; -1 with ENOMEM where memory is short. Go: Cmd.Output. */
GOFER_API int go_cmd_output(go_cmd *cmd, char **bytes, size_t *size);
GOFER_API int go_cmd_output_ctx(go_context *ctx, go_cmd *cmd, char **bytes, size_t *size);

/* The same of out and err, in the order in which they were written; both must be GO_CMD_NULL. Go:
 * Cmd.CombinedOutput. */
GOFER_API int go_cmd_combined_output(go_cmd *cmd, char **bytes, size_t *size);
GOFER_API int go_cmd_combined_output_ctx(go_context *ctx, go_cmd *cmd, char **bytes, size_t *size);

/* ---- while it runs -------------------------------------------------------------------------- */

/* The program's end of the pipe that in, out or err is, from the start until the wait is over. It
 * gives no reference: go_fd_ref takes one. NULL and EINVAL where it is no pipe or nothing runs.
 * Close the first to let the child see the end. Go: Cmd.StdinPipe, StdoutPipe, StderrPipe. */
GOFER_API go_fd *go_cmd_stdin_pipe(go_cmd *cmd);
GOFER_API go_fd *go_cmd_stdout_pipe(go_cmd *cmd);
GOFER_API go_fd *go_cmd_stderr_pipe(go_cmd *cmd);

/* Sends the process a signal, and SIGKILL; never another process that has its number after it. 0;
 * -1 with errno: ESRCH (it has ended, or was not started), EINVAL, EPERM. From any goroutine or
 * thread, also while another waits. Go: Process.Signal, Process.Kill. */
GOFER_API int go_cmd_signal(go_cmd *cmd, int signal);
GOFER_API int go_cmd_kill(go_cmd *cmd);

/* ---- around it ------------------------------------------------------------------------------ */

/* The file that `name` runs: itself if there is a slash in it, else from the directories in PATH;
 * to be freed. NULL and errno: ENOENT; for a name with a slash also EACCES, EISDIR and what else
 * the kernel says; EPERM where PATH has it in a directory that is not absolute, such as the current
 * one: write "./name" to run that. Go: exec.LookPath, exec.ErrDot. */
GOFER_API char *go_look_path(const char *name);

/* The state in Go's words: "exit status 1", "signal: killed", "signal: aborted (core dumped)", into
 * buf of `size` bytes, cut where it does not fit; returns buf. Go: ProcessState.String. */
GOFER_API char *go_process_state_string(const go_process_state *state, char *buf, size_t size);

GOFER_END
#endif

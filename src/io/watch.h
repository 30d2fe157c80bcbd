/* A process that runs, as who watches and signals it sees it.
 *
 * Who signals a process holds the go_cmd's lock, and so does the wait while it takes the status:
 * until then the number is nobody else's. Where there is no pidfd a goroutine waits in the kernel,
 * without taking the status. */
#ifndef GOFER_SRC_WATCH_H
#define GOFER_SRC_WATCH_H

#include "base/base.h"

#include "gofer/process.h"

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
    int reap_error; /* who waits has these two */
    bool cut;       /* input and output took longer than was allowed */
    /* guarded by the go_cmd's lock */
    int cancelled;      /* 0, or with what the context ended, once the signal was sent */
    int64_t delay_ends; /* 0, or when what the context allows after its end is over */
    bool waited;        /* somebody waits */
    bool reaped;
};

/* Once it runs: p->cmd->pid is known. */
void gofer_process_watch(struct gofer_process *p);

/* Blocks until it has ended: 0; or until ctx has: an errno. */
int gofer_process_wait(struct gofer_process *p, go_context *ctx);

/* The lock is held for these. */
bool gofer_process_has_ended(const struct gofer_process *p);
int gofer_process_signal(const struct gofer_process *p, int number); /* 0, or an errno */

/* Takes the status of one that has ended. 0, or an errno. */
int gofer_process_reap(struct gofer_process *p, go_process_state *state);

#endif

/* A child that is about to be: its descriptors, opened before the start so that all that can fail
 * has failed by then, and the start. */
#ifndef GOFER_SRC_CHILD_H
#define GOFER_SRC_CHILD_H

#include "base/base.h"

#include "gofer/process.h"

enum { GOFER_CHILD_MOST = 3 + 64 };

struct gofer_child {
    int count;                     /* of the child's descriptors */
    int sources[GOFER_CHILD_MOST]; /* what they are here; -1: as it is */
    int parents[3];                /* our ends of pipes, or -1: the caller's */
    int ours[2 * GOFER_CHILD_MOST];
    int ours_count; /* to be closed after the start */
};

/* 0, or an errno, and nothing is open. */
int gofer_child_open(struct gofer_child *child, const go_cmd *cmd);

/* Closes what only the child needs. */
void gofer_child_close(struct gofer_child *child);

/* Starts it, and closes what only it needs. 0, or an errno. */
int gofer_child_start(struct gofer_child *child, const go_cmd *cmd, const char *path, pid_t *pid);

#endif

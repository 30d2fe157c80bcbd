/* The environment that a child gets. */
#ifndef GOFER_SRC_ENVIRONMENT_H
#define GOFER_SRC_ENVIRONMENT_H

#include "base/base.h"

#include "gofer/process.h"

/* 0, or an errno. Both are the caller's to free, also then: the array, and PWD's text in it. */
int gofer_environment_make(const go_cmd *cmd, char ***variables, char **pwd);

#endif

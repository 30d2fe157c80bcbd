/* What faults.c gives to others that put handlers in front of handlers. */
#ifndef GOFER_SRC_FAULTS_H
#define GOFER_SRC_FAULTS_H

#include <signal.h>
#include <stdbool.h>

/* In a handler: calls the one that was there before, as the kernel would. False: it is no function,
 * but SIG_DFL or SIG_IGN. */
bool gofer_call_handler(const struct sigaction *action, int number, siginfo_t *info, void *context);

#endif

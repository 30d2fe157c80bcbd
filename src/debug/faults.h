/* What faults.c gives to others that put handlers in front of handlers. */
#ifndef GOFER_SRC_FAULTS_H
#define GOFER_SRC_FAULTS_H

#include <signal.h>
#include <stdbool.h>

/* In a handler: calls the one that was there before, as the kernel would. False: it is no function,
 * but SIG_DFL or SIG_IGN. */
bool gofer_call_handler(const struct sigaction *action, int number, siginfo_t *info, void *context);

/* Under TSan, after sigaction: puts the handler where the kernel sees it. TSan puts one of its own
 * in its place, which holds signals back until the thread calls something that TSan intercepts; a
 * thread that is idle or only computes never does. The handler must not be instrumented. */
void gofer_bypass_tsan(int number, void (*handler)(int, siginfo_t *, void *));

#endif

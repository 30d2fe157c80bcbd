/* Starting the runtime's own threads, which have small stacks. */
#ifndef GOFER_SRC_OWN_THREAD_H
#define GOFER_SRC_OWN_THREAD_H

#include "base/base.h"

#include <pthread.h>

/* As pthread_create, with at least `stack` bytes for frames, whatever the program's thread-local
 * variables take. 0, or an errno. */
int gofer_own_thread(pthread_t *thread, size_t stack, void *(*run)(void *), void *argument);

#endif

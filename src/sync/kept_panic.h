/* A panic's value that outlives the deferred call that recovered it, to be raised again. Freed with
 * free. */
#ifndef GOFER_SRC_SYNC_KEPT_PANIC_H
#define GOFER_SRC_SYNC_KEPT_PANIC_H

#include "gofer/panic.h"

typedef struct gofer_kept_panic {
    go_panic_value value; /* its text is the one below */
    char text[];
} gofer_kept_panic;

gofer_kept_panic *gofer_keep_panic(const go_panic_value *value);

#endif

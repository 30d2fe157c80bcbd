/* A captured call that a goroutine of the library's own runs, with something to do when it has
 * ended: what go_waitgroup_go and go_errgroup_go start. */
#ifndef GOFER_SRC_SYNC_GROUP_CALL_H
#define GOFER_SRC_SYNC_GROUP_CALL_H

#include "gofer/sync.h"

#include "base/base.h"

/* In memory of its own, which `run` frees; the call's stack part lies behind it. */
typedef struct gofer_group_call {
    void *group;
    bool holds_slot; /* errgroup: it counts against the limit; scope: it returns an error */
    _Alignas(16) gofer_call call;
} gofer_group_call;

/* Starts run(kept copy of the record's call) as a goroutine; without memory, fatal. */
void gofer_group_call_start(const gofer_group_record *record, const void *stack, bool holds_slot,
                            void (*run)(void *));

/* Calls it; fn's result, where it has one in an integer register. */
long gofer_group_call_replay(const gofer_group_call *kept);

#endif

/* go_errgroup. `failed` is set by the first function that fails, which alone then writes `error`
 * and `error_errno`, before it counts as ended; whoever waits reads them after that. `cancelled` is
 * set by who calls `cancel`. The limit is a semaphore; what took a slot gives it back. */
#include "gofer/errgroup.h"

#include "gofer/panic.h"
#include "panic/panic.h"
#include "panic/unwind.h"
#include "sync/group_call.h"
#include "sync/sync.h"

/* The first to come: relaxed, the order comes from `running`. */
static bool is_first(uint32_t *flag)
{
    return !atomic_exchange_explicit((_Atomic uint32_t *)(void *)flag, 1, memory_order_relaxed);
}

static void cancel(go_errgroup *group, int error)
{
    if (group->cancel && is_first(&group->cancelled))
        group->cancel(group->cancel_arg, error);
}

static void fail(go_errgroup *group, int error, int error_errno)
{
    if (!is_first(&group->failed))
        return;
    group->error = error;
    group->error_errno = error_errno;
    cancel(group, error);
}

/* A panic ends the process: to count it as ended would let somebody who waits be faster. */
static void finish(gofer_group_call *kept)
{
    const struct gofer_panic *panic = gofer_self()->panics;
    if (panic && !panic->is_goexit)
        return;
    go_errgroup *group = kept->group;
    if (kept->holds_slot)
        go_semaphore_release(&group->slots, 1);
    free(kept);
    go_waitgroup_done(&group->running);
}

static void run(void *argument)
{
    gofer_group_call *kept = argument;
    go_defer(finish, kept);
    int error = (int)gofer_group_call_replay(kept), error_errno = *gofer_errno();
    if (error)
        fail(kept->group, error, error_errno);
}

void gofer_deliver_errgroup(gofer_call *call, const void *stack)
{
    gofer_group_record *record = gofer_container(call, gofer_group_record, call);
    go_errgroup *group = record->group;
    record->started =
        !group->limited || !record->attempt || go_semaphore_try_acquire(&group->slots, 1);
    if (!record->started)
        return;
    if (group->limited && !record->attempt)
        gofer_semaphore_acquire_as(&group->slots, 1, NULL, GOFER_WAIT_CHAN_SEND);
    go_waitgroup_add(&group->running, 1);
    gofer_group_call_start(record, stack, group->limited, run);
}

static int spawn(go_errgroup *group, int (*fn)(void *), void *arg, int attempt)
{
    gofer_group_record record = { .group = group, .attempt = attempt };
    record.call.fn = (void (*)(void))fn;
    record.call.integer[0] = (uint64_t)(uintptr_t)arg;
    gofer_deliver_errgroup(&record.call, NULL);
    return record.started;
}

void go_errgroup_spawn(go_errgroup *group, int (*fn)(void *), void *arg)
{
    spawn(group, fn, arg, 0);
}

int go_errgroup_try_spawn(go_errgroup *group, int (*fn)(void *), void *arg)
{
    return spawn(group, fn, arg, 1);
}

int go_errgroup_wait(go_errgroup *group)
{
    go_waitgroup_wait(&group->running);
    int error = group->error;
    cancel(group, error);
    if (error)
        *gofer_errno() = group->error_errno;
    return error;
}

void go_errgroup_set_limit(go_errgroup *group, int n)
{
    if (n < 0) {
        group->limited = 0;
        return;
    }
    if (group->slots.held)
        go_panic_error(0,
                       "errgroup: modify limit while %lld goroutines in the group are still active",
                       (long long)group->slots.held);
    go_semaphore_init(&group->slots, n);
    group->limited = 1;
}

/* Contexts under random schedules: goroutines and plain threads derive, cancel, give back, wait on
 * and hang calls on one tree at a time, while its deadlines expire. Each after_func call runs once
 * or was stopped, never both, never neither; what was sent was received, though both sides may be
 * cut short; a cancelled context's descendants are cancelled when cancel has returned; and who saw
 * a context's end may give it back at once (ASan sees a canceller that touches it late). */
#include "stress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { GOROUTINES = 4, THREADS = 2, WORKERS = GOROUTINES + THREADS, SLOTS = 6, OPERATIONS = 40 };

static int key;

/* One round's. Counters are relaxed: read after all have been waited for. */
struct tree {
    long number;
    go_context *root;
    go_mutex mutex; /* guards slots */
    go_context *slots[SLOTS];
    go_mutex held; /* guards inside */
    long inside;
    go_chan(int) values;
    _Atomic long hung, ran, stopped, sent, received, locked;
    go_waitgroup workers, calls;
};

static void add(_Atomic long *counter, long n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static go_duration short_time(unsigned *random)
{
    return (go_duration)(stress_random(random) % 60) * GO_MICROSECOND;
}

/* ---- the slots ---------------------------------------------------------------------------- */

/* A reference of the caller's. */
static go_context *take(struct tree *t, unsigned *random)
{
    go_mutex_lock(&t->mutex);
    go_context *ctx = go_context_ref(t->slots[stress_random(random) % SLOTS]);
    go_mutex_unlock(&t->mutex);
    return ctx;
}

static void put(struct tree *t, unsigned *random, go_context *ctx)
{
    unsigned at = stress_random(random) % SLOTS;
    go_mutex_lock(&t->mutex);
    go_context *old = t->slots[at];
    t->slots[at] = ctx;
    go_mutex_unlock(&t->mutex);
    go_context_unref(old);
}

/* All can be cancelled, and all are below the root. */
static go_context *derive(go_context *parent, unsigned *random)
{
    go_context *ctx;
    switch (stress_random(random) % 4) {
    case 0:
        return go_context_with_timeout(parent, short_time(random));
    case 1:
        return go_context_with_timeout_cause(parent, GO_HOUR, 1, "cause %d", 1);
    case 2:
        parent = go_context_with_value(parent, &key, &key);
        ctx = go_context_with_cancel(parent);
        go_context_unref(parent);
        return ctx;
    default:
        return go_context_with_cancel(parent);
    }
}

/* ---- what workers do ---------------------------------------------------------------------- */

static void check_cancelled(go_context *ctx)
{
    STRESS_CHECK(go_context_err(ctx) != 0, 1);
    STRESS_CHECK(go_context_cause_text(ctx) != NULL, 1);
    STRESS_CHECK(go_select(go_case_done(ctx), go_case_default), 0);
}

static void cancel_and_look_below(go_context *ctx, unsigned *random)
{
    go_context *below = derive(ctx, random), *further = derive(below, random);
    stress_pause(random);
    if (stress_random(random) % 2)
        go_context_cancel(ctx);
    else
        go_context_cancel_cause(ctx, 2, "cancelled by %u", *random);
    check_cancelled(ctx);
    check_cancelled(below);
    check_cancelled(further);
    go_context_unref(below);
    go_context_unref(further);
}

static void call(void *tree)
{
    struct tree *t = tree;
    add(&t->ran, 1);
    go_waitgroup_done(&t->calls);
}

static void hang_a_call(struct tree *t, go_context *ctx, unsigned *random)
{
    go_waitgroup_add(&t->calls, 1);
    add(&t->hung, 1);
    go_context_after *after = go_context_after_func(ctx, call, t);
    stress_pause(random);
    if (stress_random(random) % 2 && go_context_after_stop(after)) {
        add(&t->stopped, 1);
        go_waitgroup_done(&t->calls);
        STRESS_CHECK(go_context_after_stop(after), 0);
    }
    go_context_after_free(after);
}

static void expect_error(go_context *ctx, int error)
{
    STRESS_CHECK(error == ECANCELED || error == ETIMEDOUT, 1);
    STRESS_CHECK(go_context_err(ctx), error);
}

/* Below ctx, with a deadline: nobody waits for ever. */
static void block(struct tree *t, go_context *ctx, unsigned *random)
{
    int value;
    ctx = go_context_with_timeout(ctx, short_time(random));
    switch (stress_random(random) % 6) {
    case 0:
        if (go_send_ctx(ctx, t->values, 1) == 0)
            add(&t->sent, 1);
        else
            expect_error(ctx, errno);
        break;
    case 1:
        if (go_recv_ctx(ctx, t->values, &value) == 1)
            add(&t->received, 1);
        else
            expect_error(ctx, errno);
        break;
    case 2:
        switch (go_select(go_case_send(t->values, 1), go_case_done(ctx))) {
        case 0:
            add(&t->sent, 1);
            break;
        case 1:
            check_cancelled(ctx);
        }
        break;
    case 3:
        if (go_mutex_lock_ctx(ctx, &t->held) != 0) {
            expect_error(ctx, errno);
            break;
        }
        t->inside++;
        add(&t->locked, 1);
        stress_pause(random);
        go_mutex_unlock(&t->held);
        break;
    case 4:
        if (go_sleep_ctx(ctx, short_time(random)) != 0)
            expect_error(ctx, errno);
        break;
    default:
        go_context_wait(ctx);
        check_cancelled(ctx);
    }
    go_context_unref(ctx);
}

static void work(struct tree *t, unsigned worker)
{
    unsigned random = stress_seed + (unsigned)t->number * 2654435761u + (worker + 1) * 40503u;
    for (int i = 0; i < OPERATIONS; i++) {
        go_context *ctx = take(t, &random);
        switch (stress_random(&random) % 8) {
        case 0:
        case 1:
        case 2:
            put(t, &random, derive(stress_random(&random) % 2 ? ctx : t->root, &random));
            break;
        case 3:
            cancel_and_look_below(ctx, &random);
            break;
        case 4:
        case 5:
            hang_a_call(t, ctx, &random);
            break;
        default:
            block(t, ctx, &random);
        }
        stress_pause(&random);
        go_context_unref(ctx);
    }
    go_waitgroup_done(&t->workers);
}

/* ---- plain threads ------------------------------------------------------------------------ */

struct job {
    struct tree *tree;
    go_context *cancel; /* or this one is to be cancelled */
    unsigned worker;
};

static go_chan(struct job) jobs;

static void *serve(void *unused)
{
    struct job job;
    while (go_recv_ok(jobs, &job))
        if (job.cancel)
            go_context_cancel(job.cancel);
        else
            work(job.tree, job.worker);
    return unused;
}

/* ---- the rounds --------------------------------------------------------------------------- */

static void one_tree(long number)
{
    struct tree t = { .number = number, .root = go_context_with_cancel(NULL) };
    t.values = go_chan_make(int, 0);
    for (int i = 0; i < SLOTS; i++)
        t.slots[i] = go_context_with_cancel(t.root);
    go_waitgroup_add(&t.workers, WORKERS);
    for (unsigned i = 0; i < GOROUTINES; i++)
        go(work, &t, i);
    for (unsigned i = GOROUTINES; i < WORKERS; i++)
        go_send(jobs, ((struct job){ &t, NULL, i }));
    unsigned random = stress_seed + (unsigned)number;
    if (stress_random(&random) % 2) {
        stress_pause(&random);
        go_context_cancel(t.root); /* while they work */
    }
    go_waitgroup_wait(&t.workers);
    go_context_cancel(t.root);
    for (int i = 0; i < SLOTS; i++) {
        check_cancelled(t.slots[i]);
        go_context_unref(t.slots[i]);
    }
    go_waitgroup_wait(&t.calls);
    STRESS_CHECK(t.ran + t.stopped, t.hung);
    STRESS_CHECK(t.sent, t.received);
    STRESS_CHECK(t.inside, t.locked);
    go_context_unref(t.root);
    go_chan_unref(t.values);
}

/* Who cancels has no reference of its own; who sees it gives the last one back at once. */
static void end_at_once(unsigned *random)
{
    go_context *ctx = go_context_with_timeout(NULL, stress_random(random) % 4 ? GO_HOUR : 1);
    go_context *child = go_context_with_cancel(ctx);
    bool expires = false;
    int64_t when;
    go_context_deadline(ctx, &when);
    expires = when < go_now() + GO_MINUTE;
    if (!expires && stress_random(random) % 2)
        go_send(jobs, ((struct job){ NULL, ctx, 0 }));
    else if (!expires)
        go(go_context_cancel, ctx);
    switch (stress_random(random) % 3) {
    case 0:
        go_context_wait(ctx);
        break;
    case 1:
        go_recv_ok(go_context_done(ctx), NULL);
        break;
    default:
        while (go_context_err(ctx) == 0)
            go_gosched();
    }
    go_context_unref(ctx);
    go_context_wait(child);
    go_context_unref(child);
}

int go_main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    stress_begin(argc, argv, 400);
    jobs = go_chan_make(struct job, WORKERS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, serve, NULL);
    unsigned random = stress_seed;
    for (long round = 0; round < stress_rounds; round++) {
        one_tree(round);
        for (int i = 0; i < 20; i++)
            end_at_once(&random);
    }
    go_close(jobs);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    while (go_num_goroutine() > 1)
        go_gosched();
    go_chan_unref(jobs);
    return 0;
}

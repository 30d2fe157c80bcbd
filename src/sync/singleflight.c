/* go_singleflight: calls in progress, in a table of lists by their key's hash. The table and each
 * call's `shares`, `channels` and `listed` are guarded by `mutex`; once a call is out of the table
 * they are written no more. Its results are written before its `running` comes to zero. A call is
 * freed by the last of those who run it or wait for it.
 *
 * Lifetime: the group is last touched where the call is taken out of the table, before anybody who
 * waits for it wakes. */
#include "gofer/singleflight.h"

#include "gofer/panic.h"
#include "gofer/runtime.h"
#include "gofer/select.h"
#include "panic/panic.h"
#include "sync/kept_panic.h"

enum { FIRST_SIZE = 8, MOST_A_LIST = 2 };

typedef go_chan(go_singleflight_result) result_chan;

struct receiver {
    struct receiver *next;
    result_chan channel;
};

typedef struct flight {
    struct flight *next;
    go_singleflight *group;
    int (*fn)(void *arg, void **value);
    void *arg;
    uint64_t hash;
    uint32_t shares; /* callers that joined */
    bool listed;
    _Atomic uint32_t references;
    go_waitgroup running;
    go_singleflight_result result;
    bool returned, recovered, exited;
    gofer_kept_panic *panic;
    struct receiver *receivers, **last_receiver; /* first come, first served */
    char key[];
} flight;

/* ---- the table ---------------------------------------------------------------------------- */

static uint64_t hash_of(const char *key)
{
    uint64_t hash = 14695981039346656037u;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    return hash;
}

static void **place(const go_singleflight *group, uint64_t hash)
{
    return &group->buckets[hash & (group->size - 1)];
}

/* To a power of two. False: no memory, and all is as it was. */
static bool resize(go_singleflight *group, size_t size)
{
    go_singleflight larger = { .buckets = calloc(size, sizeof *larger.buckets), .size = size };
    if (!larger.buckets)
        return false;
    for (size_t i = 0; i < group->size; i++) {
        for (flight *f = group->buckets[i], *next; f; f = next) {
            void **at = place(&larger, f->hash);
            next = f->next;
            f->next = *at;
            *at = f;
        }
    }
    free(group->buckets);
    group->buckets = larger.buckets;
    group->size = size;
    return true;
}

static flight *find(const go_singleflight *group, uint64_t hash, const char *key)
{
    flight *f = group->size ? *place(group, hash) : NULL;
    while (f && (f->hash != hash || strcmp(f->key, key) != 0))
        f = f->next;
    return f;
}

/* False: no memory. A table that cannot grow has longer lists. */
static bool insert(go_singleflight *group, flight *f)
{
    if (group->count >= group->size * MOST_A_LIST &&
        !resize(group, group->size ? group->size * 2 : FIRST_SIZE) && !group->size)
        return false;
    void **at = place(group, f->hash);
    f->next = *at;
    *at = f;
    f->listed = true;
    group->count++;
    return true;
}

static void take_out(go_singleflight *group, flight *f)
{
    if (!f->listed)
        return;
    void **at = place(group, f->hash);
    while (*at != f)
        at = (void **)&((flight *)*at)->next;
    *at = f->next;
    f->listed = false;
    if (--group->count == 0) {
        free(group->buckets);
        group->buckets = NULL;
        group->size = 0;
    }
}

/* In the table. NULL: no memory. */
static flight *new_flight(go_singleflight *group, const char *key, uint64_t hash,
                          int (*fn)(void *, void **), void *arg)
{
    size_t size = strlen(key) + 1;
    flight *f = calloc(1, sizeof *f + size);
    if (!f)
        return NULL;
    f->group = group;
    f->fn = fn;
    f->arg = arg;
    f->hash = hash;
    f->last_receiver = &f->receivers;
    memcpy(f->key, key, size);
    go_waitgroup_add(&f->running, 1);
    atomic_store_explicit(&f->references, 1, memory_order_relaxed);
    if (insert(group, f))
        return f;
    free(f);
    return NULL;
}

static void drop(flight *f)
{
    /* acq_rel: the last one frees what the others have used */
    if (atomic_fetch_sub_explicit(&f->references, 1, memory_order_acq_rel) > 1)
        return;
    free(f->panic);
    free(f);
}

/* ---- one call ----------------------------------------------------------------------------- */

static void raise_again(const flight *f)
{
    go_panic_error(f->panic->value.integer, "%s", f->panic->text);
}

static void note_panic(flight *f)
{
    if (f->returned)
        return;
    const go_panic_value *panic = go_recover();
    if (panic)
        f->panic = gofer_keep_panic(panic);
}

static void call(flight *f)
{
    go_recoverable();
    go_defer(note_panic, f);
    f->result.error = f->fn(f->arg, &f->result.value);
    f->result.error_errno = *gofer_errno();
    f->returned = true;
}

static void send_results(flight *f)
{
    while (f->receivers) {
        struct receiver *receiver = f->receivers;
        f->receivers = receiver->next;
        if (f->returned)
            go_send(receiver->channel, f->result);
        go_chan_unref(receiver->channel);
        free(receiver);
    }
}

/* However the call ended. Nobody who waits on a channel could be told of a panic: it shall not be
 * recovered then. */
static void finish(flight *f)
{
    go_singleflight *group = f->group;
    f->exited = !f->returned && !f->recovered;
    go_mutex_lock(&group->mutex);
    take_out(group, f);
    f->result.shared = f->shares > 0;
    go_mutex_unlock(&group->mutex);
    go_waitgroup_done(&f->running);
    if (f->panic && f->receivers) {
        go(raise_again, f);
        go_select_array(NULL, 0); /* for ever: it appears in the report */
    }
    send_results(f);
}

static void run(flight *f)
{
    go_defer(finish, f);
    call(f);
    f->recovered = !f->returned;
}

static void run_alone(flight *f)
{
    go_defer(drop, f);
    run(f);
}

/* ---- the calls ---------------------------------------------------------------------------- */

/* What each caller gets from a call that has ended. */
static int hand_out(flight *f, void **value, int *shared)
{
    if (f->panic)
        raise_again(f);
    if (f->exited)
        go_goexit();
    if (value)
        *value = f->result.value;
    if (shared)
        *shared = f->result.shared;
    return f->result.error;
}

int go_singleflight_do(go_singleflight *group, const char *key, int (*fn)(void *, void **),
                       void *arg, void **value, int *shared)
{
    uint64_t hash = hash_of(key);
    go_mutex_lock(&group->mutex);
    flight *f = find(group, hash, key);
    bool joins = f != NULL;
    if (joins) {
        f->shares++;
        atomic_fetch_add_explicit(&f->references, 1, memory_order_relaxed);
    } else {
        f = new_flight(group, key, hash, fn, arg);
        if (!f)
            gofer_fatal("runtime: cannot allocate memory for go_singleflight");
    }
    go_mutex_unlock(&group->mutex);
    int error, error_errno;
    {
        go_defer(drop, f);
        if (joins)
            go_waitgroup_wait(&f->running);
        else
            run(f);
        error = hand_out(f, value, shared);
        error_errno = f->result.error_errno;
    }
    if (error)
        *gofer_errno() = error_errno;
    return error;
}

/* The receiver shall get a call's result: one in progress, or one that begins. False: no memory. */
static bool receive(struct receiver *receiver, go_singleflight *group, const char *key,
                    int (*fn)(void *, void **), void *arg)
{
    uint64_t hash = hash_of(key);
    go_mutex_lock(&group->mutex);
    flight *f = find(group, hash, key);
    bool joins = f != NULL;
    if (joins)
        f->shares++;
    else
        f = new_flight(group, key, hash, fn, arg);
    if (f) {
        *f->last_receiver = receiver;
        f->last_receiver = &receiver->next;
    }
    go_mutex_unlock(&group->mutex);
    if (f && !joins)
        go(run_alone, f);
    return f != NULL;
}

go_chan(go_singleflight_result) go_singleflight_do_chan(go_singleflight *group, const char *key,
                                                        int (*fn)(void *, void **), void *arg)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    result_chan channel = receiver ? go_chan_make(go_singleflight_result, 1) : NULL;
    if (channel) {
        receiver->channel = channel;
        go_chan_ref(channel);
        if (receive(receiver, group, key, fn, arg))
            return channel;
        go_chan_unref(channel); /* the receiver's */
        go_chan_unref(channel);
    }
    free(receiver);
    *gofer_errno() = ENOMEM;
    return NULL;
}

void go_singleflight_forget(go_singleflight *group, const char *key)
{
    uint64_t hash = hash_of(key);
    go_mutex_lock(&group->mutex);
    flight *f = find(group, hash, key);
    if (f)
        take_out(group, f);
    go_mutex_unlock(&group->mutex);
}

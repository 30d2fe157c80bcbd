/* See poller.h. */
#include "io/poller_kind.h"

#include "debug/dump.h"
#include "debug/options.h"
#include "panic/panic.h"
#include "sched/sched.h"

#include <stdio.h>

static gofer_spin open_lock; /* guards the opening */
/* NULL: not open yet. Release when it is, pairs with the acquires. */
static const struct gofer_poller_kind *_Atomic used;
static _Atomic uint32_t taken, looks;
static _Atomic int watched; /* descriptors; written before and read after in the order of all */

/* ---- which kind ------------------------------------------------------------------------------ */

static const struct gofer_poller_kind *const kinds[] = { &gofer_epoll, &gofer_uring };
enum { KINDS = sizeof kinds / sizeof *kinds };

/* GOFER_POLLER's. */
static const struct gofer_poller_kind *kind_asked_for(void)
{
    const char *name = getenv("GOFER_POLLER");
    char line[200];
    if (!name || !*name)
        return &gofer_epoll; /* it measures faster: docs/io.md */
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    snprintf(line, sizeof line, "gofer: GOFER_POLLER: \"%.60s\" is unknown; there are %s, %s\n",
             name, kinds[0]->name, kinds[1]->name);
    gofer_print(line);
    return &gofer_epoll;
}

/* open_lock. 0, or an errno. */
static int open_kind(void)
{
    char line[200];
    const struct gofer_poller_kind *kind = kind_asked_for();
    int error = kind->open();
    bool has_descriptors = error != EMFILE && error != ENFILE; /* or epoll would have none either */
    if (error && has_descriptors && kind != &gofer_epoll) {
        snprintf(line, sizeof line,
                 "gofer: GOFER_POLLER: the kernel refuses %s: %s (errno %d); epoll is used\n",
                 kind->name, strerror(error), error);
        gofer_print(line);
        kind = &gofer_epoll;
        error = kind->open();
    }
    if (error)
        return error;
    if (gofer_debug.poller) {
        snprintf(line, sizeof line, "gofer: GOFER_DEBUG=poller: %s\n", kind->name);
        gofer_print(line);
    }
    atomic_store_explicit(&used, kind, memory_order_release);
    return 0;
}

/* Of an open poller. */
static const struct gofer_poller_kind *open_one(void)
{
    return atomic_load_explicit(&used, memory_order_acquire);
}

/* 0, or an errno. */
static int need_open(void)
{
    if (gofer_likely(open_one()))
        return 0;
    gofer_spin_lock(&open_lock);
    int error = open_one() ? 0 : open_kind();
    gofer_spin_unlock(&open_lock);
    return error;
}

const char *gofer_poller_name(void)
{
    return open_one() ? open_one()->name : NULL;
}

pid_t gofer_poller_thread(void)
{
    return open_one() ? open_one()->thread() : 0;
}

/* ---- what is watched ------------------------------------------------------------------------- */

int gofer_poller_add(int fd, uint64_t key)
{
    int error = need_open();
    if (error) /* EPERM, as sandboxes have it, would speak of the descriptor */
        return error == EPERM ? ENOSYS : error;
    /* counted before: who waits for an edge has its thread see that there is something to watch */
    atomic_fetch_add_explicit(&watched, 1, memory_order_seq_cst);
    error = open_one()->add(fd, key);
    if (error)
        atomic_fetch_sub_explicit(&watched, 1, memory_order_relaxed);
    return error;
}

void gofer_poller_add_again(int fd, uint64_t key)
{
    open_one()->add_again(fd, key);
}

void gofer_poller_remove(int fd, uint64_t key)
{
    if (gofer_sched.forked)
        return; /* the kernel's object is the parent's too, which watches on */
    open_one()->remove(fd, key);
    atomic_fetch_sub_explicit(&watched, 1, memory_order_relaxed);
}

bool gofer_poller_watches(void)
{
    return atomic_load_explicit(&watched, memory_order_seq_cst) > 0;
}

void gofer_poller_free(void)
{
    if (!open_one())
        return;
    open_one()->close();
    atomic_store_explicit(&used, NULL, memory_order_relaxed);
}

/* ---- waiting --------------------------------------------------------------------------------- */

bool gofer_poller_is_unattended(void)
{
    return gofer_poller_watches() && atomic_load_explicit(&taken, memory_order_seq_cst) == 0;
}

bool gofer_poller_take(void)
{
    uint32_t free_ = 0;
    if (!gofer_poller_watches() || atomic_load_explicit(&taken, memory_order_relaxed))
        return false;
    /* acquire: pairs with the release of who drops it */
    return atomic_compare_exchange_strong_explicit(&taken, &free_, 1, memory_order_seq_cst,
                                                   memory_order_relaxed);
}

void gofer_poller_drop(void)
{
    atomic_store_explicit(&taken, 0, memory_order_release);
}

uint32_t gofer_poller_looks(void)
{
    return atomic_load_explicit(&looks, memory_order_relaxed);
}

void gofer_poller_wait(gofer_poll_batch *batch, int64_t deadline)
{
    int64_t left = deadline;
    if (deadline > 0) {
        left = deadline - gofer_nanotime();
        left = left < 0 ? 0 : left;
    }
    batch->count = 0;
    int error = open_one()->wait(batch, left);
    if (error)
        gofer_fatal("runtime: waiting in %s failed: %s", open_one()->name,
                    strerror(error)); /* somebody closed it */
    atomic_store_explicit(&looks, atomic_load_explicit(&looks, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void gofer_poller_break(void)
{
    open_one()->wake();
}

bool gofer_poller_look(void)
{
    gofer_poll_batch batch;
    if (!gofer_poller_take())
        return false;
    gofer_poller_wait(&batch, 0);
    gofer_poller_drop();
    gofer_poller_deliver(&batch);
    return batch.count > 0;
}

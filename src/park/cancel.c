/* See cancel.h. */
#include "park/cancel.h"

/* One waiter of a source; lies on the waiter's stack. */
struct gofer_cancel_watch {
    gofer_g *g;
    struct gofer_cancel_watch *next, *previous;
    bool listed;
};

static void unlist(gofer_cancel *source, gofer_cancel_watch *watch)
{
    if (!watch->listed)
        return;
    if (watch->previous)
        watch->previous->next = watch->next;
    else
        source->watches = watch->next;
    if (watch->next)
        watch->next->previous = watch->previous;
    watch->listed = false;
}

/* False: cancelled already. Not by `listed`, which a cancellation may take back as soon as the lock
 * is free. */
static bool list(gofer_cancel *source, gofer_cancel_watch *watch)
{
    gofer_spin_lock(&source->lock);
    bool live = gofer_cancel_error(source) == 0;
    if (live) {
        watch->listed = true;
        watch->next = source->watches;
        if (watch->next)
            watch->next->previous = watch;
        source->watches = watch;
    }
    gofer_spin_unlock(&source->lock);
    return live;
}

/* A watch that was claimed is chained through `next`: its owner sleeps until it is made ready. One
 * that was not is gone as soon as the lock is free: its owner takes that before it returns. */
gofer_cancel_watch *gofer_cancel_claim_all(gofer_cancel *source, int error)
{
    gofer_cancel_watch *claimed = NULL;
    GOFER_TSAN_RELEASE(source);
    atomic_store_explicit(&source->error, error, memory_order_release);
    for (gofer_cancel_watch *watch; (watch = source->watches);) {
        unlist(source, watch);
        if (!gofer_claim(watch->g, watch))
            continue;
        watch->next = claimed;
        claimed = watch;
    }
    return claimed;
}

void gofer_cancel_ready_all(gofer_cancel_watch *claimed)
{
    while (claimed) {
        gofer_g *g = claimed->g;
        claimed = claimed->next;
        gofer_ready_last(g);
    }
}

void gofer_cancel_fire(gofer_cancel *source, int error)
{
    gofer_cancel_watch *claimed = NULL;
    gofer_spin_lock(&source->lock);
    if (gofer_cancel_error(source) == 0)
        claimed = gofer_cancel_claim_all(source, error);
    gofer_spin_unlock(&source->lock);
    gofer_cancel_ready_all(claimed);
}

int gofer_park_cancellable(gofer_g *self, gofer_cancel *source)
{
    gofer_cancel_watch watch = { .g = self };
    if (!source) {
        gofer_park(self);
        return 0;
    }
    if (!list(source, &watch) && gofer_claim(self, &watch)) {
        gofer_cancel_park(self); /* cancelled already, and nobody was faster */
        return gofer_cancel_error(source);
    }
    gofer_park(self);
    if (self->woken_by == &watch)
        return gofer_cancel_error(source);
    gofer_spin_lock(&source->lock);
    unlist(source, &watch);
    gofer_spin_unlock(&source->lock);
    return 0;
}

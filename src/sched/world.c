/* Stopping the world for a moment: no goroutine is resumed, none that runs gets into the runtime,
 * until gofer_start_world. Foreign code runs on meanwhile. For looks at all goroutines of a program
 * that goes on; gofer_freeze_world (freeze.c) is for one that ends.
 *
 * Every processor that somebody holds is frozen, one after the other, under sched.lock, without
 * which no idle one is taken. Where a holder is inside, or a processor is on its way from one to
 * the next, all is undone and tried again: who is inside may wait for the very lock that we hold.
 * Plain threads start goroutines without a processor; they wait for the descriptors' lock, or, with
 * one that is complete, for sched.lock.
 */
#include "sched/internal.h"

#include <sched.h>

static gofer_spin one_stops; /* who has stopped the world, or tries to */
static struct {
    gofer_m *m;
    gofer_p *p;
} stopped[GOFER_MAX_PROCS]; /* what is frozen; one_stops */
static int stopped_count;

static void thaw_all(void)
{
    while (stopped_count > 0) {
        stopped_count--;
        gofer_unfreeze(stopped[stopped_count].m, stopped[stopped_count].p);
    }
}

/* sched.lock. `self` is inside with its processor, or has none. */
static bool freeze_all(const gofer_m *self)
{
    int own = self->is_foreign ? 0 : 1;
    for (gofer_m *m = atomic_load_explicit(&gofer_sched.all_ms, memory_order_acquire); m;
         m = m->all_link) {
        gofer_p *p = atomic_load_explicit(&m->p, memory_order_acquire);
        if (m == self || !p)
            continue;
        if (stopped_count == GOFER_MAX_PROCS || !gofer_freeze(m, p, false))
            return false;
        stopped[stopped_count].m = m;
        stopped[stopped_count].p = p;
        stopped_count++;
    }
    return stopped_count + own ==
           atomic_load_explicit(&gofer_sched.busy_p_count, memory_order_relaxed);
}

gofer_m *gofer_stop_world(void)
{
    gofer_m *m = gofer_m_attached();
    if (!gofer_visit_running(m))
        return NULL;
    gofer_cut_off_end(); /* who waits for that is inside */
    for (;;) {
        gofer_enter(&m); /* nobody freezes us while we freeze others */
        if (gofer_spin_try(&one_stops)) {
            gofer_spin_lock(&gofer_sched.lock);
            if (freeze_all(m)) {
                gofer_spin_lock(&gofer_gs.lock);
                return m;
            }
            thaw_all();
            gofer_spin_unlock(&gofer_sched.lock);
            gofer_spin_unlock(&one_stops);
        }
        gofer_leave(m);
        sched_yield();
    }
}

void gofer_start_world(gofer_m *m)
{
    gofer_spin_unlock(&gofer_gs.lock);
    thaw_all();
    gofer_spin_unlock(&gofer_sched.lock);
    gofer_spin_unlock(&one_stops);
    gofer_leave(m);
    gofer_visit_end(m);
}

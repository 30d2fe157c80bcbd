/* Stealing: half of what waits on another processor, whose thread is frozen meanwhile. That costs
 * both some microseconds. A processor that has switched since the last look will soon get to what
 * waits on it: it is left alone until PATIENCE looks in a row, together some seven microseconds,
 * have found something waiting. So goroutines that run for a moment and wake each other stay
 * together.
 */
#include "sched/internal.h"

enum { STEAL_MOST = 128, PATIENCE = 20 };

/* How many of so many a thief takes. */
static uint32_t share_of(uint32_t count)
{
    uint32_t half = count - count / 2;
    return half < STEAL_MOST ? half : STEAL_MOST;
}

/* Of the first that has any: the ring, and then the lists behind it. */
static void move_share(gofer_p *to, gofer_p *from)
{
    uint32_t n;
    if ((n = share_of(gofer_runq_count(from))))
        while (n-- > 0)
            gofer_runq_push(to, gofer_runq_pop(from));
    else if ((n = share_of(gofer_list_count(&from->woken))))
        while (n-- > 0)
            gofer_runq_push(to, gofer_list_pop(&from->woken));
    else if ((n = share_of(gofer_list_count(&from->fresh))))
        while (n-- > 0)
            gofer_runq_push(to, gofer_fresh_pop_oldest(&from->fresh));
    else
        for (n = share_of(gofer_list_count(&from->backlog)); n > 0; n--)
            gofer_runq_push(to, gofer_list_pop(&from->backlog));
}

/* Moves about half of what waits on `from`, which is frozen, to `to`, the oldest; returns one to
 * run. */
static gofer_g *take_half(gofer_p *to, gofer_p *from, bool also_next)
{
    move_share(to, from);
    gofer_g *g = gofer_runq_pop(to);
    if (!g && also_next) {
        g = atomic_load_explicit(&from->next, memory_order_relaxed);
        atomic_store_explicit(&from->next, NULL, memory_order_relaxed);
    }
    return g;
}

void gofer_looks_begin(gofer_looks *looks)
{
    looks->count = 0;
    looks->procs = atomic_load_explicit(&gofer_sched.nprocs, memory_order_acquire);
    memset(looks->at, 0, (size_t)looks->procs * sizeof *looks->at);
}

/* Whether to steal from the victim now. `also_next`: of one that computes even the goroutine that
 * it would run next. */
static bool look_at(gofer_looks *looks, const gofer_p *victim, bool also_next)
{
    struct gofer_look *last = &looks->at[victim->index];
    uint32_t tick = atomic_load_explicit(&victim->tick, memory_order_relaxed);
    bool switched = tick != last->tick;
    last->tick = tick;
    if (!gofer_p_waiting(victim)) {
        last->waiting = 0;
        return also_next && !switched && gofer_p_has_work(victim);
    }
    return ++last->waiting > PATIENCE || !switched;
}

/* One look at every other processor. */
gofer_g *gofer_steal(gofer_m *m, gofer_p *p, gofer_looks *looks)
{
    static gofer_spin one_barrier_at_a_time; /* each interrupts every running thread */
    bool also_next = ++looks->count > PATIENCE;
    int n = looks->procs, start = (int)(gofer_random(m) % (uint32_t)n);
    for (int i = 0; i < n; i++) {
        gofer_p *victim = gofer_sched.ps[(start + i) % n];
        if (victim == p || !look_at(looks, victim, also_next))
            continue;
        gofer_m *owner = atomic_load_explicit(&victim->m, memory_order_relaxed);
        if (!owner || !gofer_spin_try(&one_barrier_at_a_time))
            continue;
        bool out = atomic_load_explicit(&owner->inside, memory_order_relaxed) == 0;
        gofer_g *g = NULL;
        if (gofer_freeze(owner, victim, false)) {
            g = take_half(p, victim, also_next && out);
            gofer_unfreeze(owner, victim);
        }
        gofer_spin_unlock(&one_barrier_at_a_time);
        if (g) {
            atomic_fetch_add_explicit(&gofer_sched.steals, 1, memory_order_relaxed);
            return g;
        }
    }
    return NULL;
}

/* A thread without a goroutine: finds the next one and switches to it, on the thread's own stack
 * (m->g0). */
#include "sched/internal.h"

#include "io/poller.h"
#include "time/timer.h"

#include <sched.h>

enum { GLOBAL_MOST = 128, SPIN_NANOSECONDS = 20000, COARSE = 50000 /* of coarse_now */ };

/* ---- the global queue ------------------------------------------------------------------------ */

static gofer_g *take_global(gofer_m *m, gofer_p *p)
{
    if (!gofer_list_count(&gofer_sched.global) && !gofer_list_count(&m->pinned))
        return NULL;
    gofer_spin_lock(&gofer_sched.lock);
    gofer_g *g = gofer_pinned_pop(m);
    if (!g) {
        uint32_t n = gofer_list_count(&gofer_sched.global);
        uint32_t procs = (uint32_t)atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed);
        n = n / procs + 1;
        g = gofer_list_pop(&gofer_sched.global);
        for (uint32_t i = 1; g && i < n && i < GLOBAL_MOST; i++) {
            gofer_g *more = gofer_list_pop(&gofer_sched.global);
            if (!more)
                break;
            gofer_runq_push(p, more);
        }
    }
    gofer_spin_unlock(&gofer_sched.lock);
    return g;
}

/* ---- GOFER_DEBUG=migrate --------------------------------------------------------------------- */

/* g, which ran here last, shall wake on another thread: with our processor, as its next. */
static void move_on(gofer_m *m, gofer_g *g)
{
    gofer_p *p = m->held;
    gofer_g *next = atomic_load_explicit(&p->next, memory_order_relaxed);
    if (next)
        gofer_runq_push(p, next);
    atomic_store_explicit(&p->next, g, memory_order_relaxed);
    gofer_release_p(m);
    gofer_hand_off(p);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void stop_spinning(bool *spinning)
{
    if (*spinning)
        atomic_fetch_sub_explicit(&gofer_sched.spinning, 1, memory_order_relaxed);
    *spinning = false;
}

/* Looks about for a while before it goes to sleep. */
static gofer_g *look_around(gofer_m *m, gofer_p *p, bool *spinning)
{
    if (atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed) == 1)
        return NULL;
    if (!*spinning) {
        atomic_fetch_add_explicit(&gofer_sched.spinning, 1, memory_order_relaxed);
        *spinning = true;
    }
    gofer_looks looks;
    gofer_looks_begin(&looks);
    int64_t until = gofer_nanotime() + SPIN_NANOSECONDS;
    for (;;) {
        gofer_g *g = gofer_steal(m, p, &looks);
        if (!g)
            g = take_global(m, p);
        int64_t now = gofer_nanotime();
        if (!g && gofer_timers_are_due(now)) {
            gofer_timers_run(now);
            g = gofer_pick(m, p);
        }
        if (g || now > until)
            return g;
        for (int i = 0; i < 10; i++)
            gofer_cpu_relax();
    }
}

gofer_cold void gofer_timers_catch_up(void)
{
    int64_t now = gofer_nanotime();
    gofer_m *m = gofer_m_attached();
    if (m->is_foreign || !gofer_timers_are_due(now))
        return;
    gofer_enter(&m); /* first: what fires makes goroutines ready, under a lock */
    while (gofer_timers_are_due(now))
        gofer_timers_run(now);
    gofer_leave(m);
}

/* Whether somebody brought work while we were counted as spinning, and so woke nobody: it brought
 * it before it read `spinning`, we wrote `spinning` before we look. spec/idle.pml */
static bool left_to_us(void)
{
    atomic_thread_fence(memory_order_seq_cst); /* pairs with the swap in gofer_wake_one */
    return gofer_list_count(&gofer_sched.global) ||
           (gofer_timers_next() >= 0 && atomic_load_explicit(&gofer_sched.timekeeper_deadline,
                                                             memory_order_relaxed) == INT64_MAX);
}

/* Every park reads it: it is written only where it would be wrong by much. */
static void note_time(int64_t now)
{
    if (now - atomic_load_explicit(&gofer_sched.coarse_now, memory_order_relaxed) > COARSE)
        atomic_store_explicit(&gofer_sched.coarse_now, now, memory_order_relaxed);
}

/* The next goroutine for m, which is inside and holds a processor or none. NULL: m ends. */
static gofer_g *find_runnable(gofer_m *m)
{
    while (!m->ends) {
        bool spinning = m->wake_spinning;
        m->wake_spinning = false;
        gofer_stay_if_ended(m);
        if (m->held &&
            m->held->index >= atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed))
            gofer_procs_retire(m);
        gofer_p *p = m->held;
        gofer_g *g = NULL;
        if (p) {
            int64_t now = gofer_nanotime();
            note_time(now);
            if (gofer_timers_next() >= 0)
                gofer_timers_run(now);
            g = gofer_pick(m, p);
            if (!g)
                g = take_global(m, p);
            if (!g && gofer_poller_look())
                g = gofer_pick(m, p);
            if (!g)
                g = look_around(m, p, &spinning);
        }
        bool looked = spinning;
        stop_spinning(&spinning);
        if (g) {
            if (p->kick)
                gofer_kick_timekeeper(p);
            if (gofer_p_waiting(p) || (looked && left_to_us()))
                gofer_wake_one();
            return g;
        }
        gofer_go_idle(m);
    }
    return NULL;
}

/* What m does next; NULL: it ends. */
static gofer_g *next_for(gofer_m *m)
{
    gofer_g *g = m->resume;
    m->resume = NULL;
    if (g)
        return g;
    if (!m->locked)
        return find_runnable(m);
    gofer_stay_if_ended(m);
    return gofer_wait_for_locked(m);
}

void gofer_g0_loop(gofer_m *m)
{
    while (!m->ends) {
        gofer_g *g = next_for(m);
        if (gofer_unlikely(!g))
            break;
        if (gofer_unlikely(g->home && g->home != m)) {
            gofer_send_home(m, g);
            continue;
        }
        if (gofer_unlikely(gofer_sched.migrates && g->ran_on == m && !g->home)) {
            move_on(m, g);
            continue;
        }
        g->ran_on = m;
        /* its last thread may be on its way out of it */
        for (int i = 0; atomic_load_explicit(&g->on_cpu, memory_order_acquire); i++) {
            if (i < 1000)
                gofer_cpu_relax();
            else
                sched_yield();
        }
        gofer_state_set(g, GOFER_RUNNING);
        gofer_switch_to(m, &m->g0, g);
    }
    if (m->held)
        gofer_hand_off(gofer_release_p(m));
    if (gofer_check_deadlock(0) >= 0)
        gofer_let_other_check();
}

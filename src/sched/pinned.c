/* Goroutines that may run on one thread only: go_lock_thread's, and those that a hook parked. */
#include "sched/internal.h"

/* g belongs to another thread: leaves it there, with our processor if that thread is idle. */
void gofer_send_home(gofer_m *m, gofer_g *g)
{
    gofer_m *home = g->home;
    gofer_spin_lock(&gofer_sched.lock);
    gofer_pinned_push(home, g);
    bool idle = home->idle != GOFER_NOT_IDLE;
    if (idle) {
        gofer_remove_idle_m(home);
        home->next_p = gofer_release_p(m);
        atomic_store_explicit(&home->next_p->m, NULL, memory_order_relaxed);
    }
    gofer_spin_unlock(&gofer_sched.lock);
    if (idle)
        gofer_wake_m(home);
}

/* The same where g becomes ready: its thread gets an idle processor, rather than ours later. */
void gofer_enqueue_home(gofer_g *g)
{
    gofer_m *home = g->home, *m = gofer_m_attached();
    if (!home || home == m) {
        gofer_enqueue(g, false);
        return;
    }
    gofer_state_set(g, GOFER_RUNNABLE);
    if (m->is_foreign)
        gofer_visit(m); /* cannot fail: g keeps the runtime up */
    gofer_spin_lock(&gofer_sched.lock);
    bool idle = home->idle != GOFER_NOT_IDLE;
    gofer_p *p = idle ? gofer_take_idle_p() : NULL;
    if (p) {
        gofer_remove_idle_m(home);
        home->next_p = p;
    }
    if (p || !idle)
        gofer_pinned_push(home, g);
    else
        gofer_list_push(&gofer_sched.global, g); /* whoever finds it brings a processor */
    gofer_spin_unlock(&gofer_sched.lock);
    if (p)
        gofer_wake_m(home);
    if (m->is_foreign)
        gofer_visit_end(m);
}

/* Goroutines that only m may run, but m has no processor: whoever finds them in the global queue
 * brings one (gofer_send_home). */
void gofer_ask_for_processor(gofer_m *m)
{
    gofer_g *g;
    while ((g = gofer_pinned_pop(m)))
        gofer_list_push(&gofer_sched.global, g);
}

/* ---- go_lock_thread -------------------------------------------------------------------------- */

static void sleep_locked(gofer_m *m)
{
    for (int round = 0; atomic_load_explicit(&m->wake, memory_order_acquire) == 0; round++)
        gofer_futex_wait(&m->wake, 0, gofer_check_deadlock(round));
}

/* m's goroutine is tied to it and waits: sleeps until it is ready, and returns it. */
gofer_g *gofer_wait_for_locked(gofer_m *m)
{
    gofer_spin_lock(&gofer_sched.lock);
    gofer_p *p = NULL;
    if (!gofer_list_count(&m->pinned)) {
        if (m->held)
            p = gofer_release_p(m);
        m->idle = GOFER_IDLE_LOCKED;
    } else if (!m->held) {
        m->next_p = gofer_take_idle_p();
        if (!m->next_p) {
            m->idle = GOFER_IDLE_LOCKED;
            gofer_ask_for_processor(m);
        }
    }
    bool idle = m->idle != GOFER_NOT_IDLE;
    gofer_spin_unlock(&gofer_sched.lock);
    if (p)
        gofer_hand_off(p);
    for (;; idle = true) {
        if (idle)
            sleep_locked(m);
        gofer_spin_lock(&gofer_sched.lock);
        atomic_store_explicit(&m->wake, 0, memory_order_relaxed);
        p = m->next_p;
        m->next_p = NULL;
        gofer_g *g = gofer_pinned_pop(m);
        gofer_spin_unlock(&gofer_sched.lock);
        if (p)
            gofer_hold(m, p);
        if (g)
            return g; /* else the wake-up was meant for a sleep before this one */
    }
}

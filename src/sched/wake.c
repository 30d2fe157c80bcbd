/* A processor for work, and a thread for the processor: who holds one, hands it to another thread,
 * or wakes a thread for one that is idle.
 *
 * Idle processors and threads are in lists under sched.lock. A thread that gives its processor up
 * looks at the global queue under the same lock, and whoever pushes there looks for an idle
 * processor under it: no wake-up is lost. Work on another processor's queue is that processor's own
 * to run; telling idle ones of it is a courtesy (gofer_tell_idle), with the monitor as the
 * backstop. */
#include "sched/internal.h"

#include "io/poller.h"
#include "time/timer.h"

/* ---- holding and releasing a processor ------------------------------------------------------- */

gofer_p *gofer_take_idle_p(void)
{
    gofer_p *p = gofer_sched.idle_ps;
    if (!p)
        return NULL;
    gofer_sched.idle_ps = p->idle_link;
    gofer_sched.p_takes++;
    atomic_fetch_sub_explicit(&gofer_sched.idle_p_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&gofer_sched.busy_p_count, 1, memory_order_relaxed);
    if (atomic_load_explicit(&gofer_sched.monitor_sleeps, memory_order_relaxed))
        gofer_monitor_wake();
    return p;
}

void gofer_put_idle_p(gofer_p *p)
{
    p->idle_link = gofer_sched.idle_ps;
    gofer_sched.idle_ps = p;
    atomic_fetch_add_explicit(&gofer_sched.idle_p_count, 1, memory_order_relaxed);
}

void gofer_give_back_p(gofer_p *p)
{
    p->kick = false; /* who gave it up keeps the time */
    atomic_store_explicit(&p->m, NULL, memory_order_relaxed);
    atomic_fetch_sub_explicit(&gofer_sched.busy_p_count, 1, memory_order_relaxed);
    if (p->index < atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed))
        gofer_put_idle_p(p);
    else
        p->is_resting = true;
}

void gofer_hold(gofer_m *m, gofer_p *p)
{
    gofer_spin_lock(&m->freeze_lock);
    m->held = p;
    atomic_store_explicit(&m->inside, 1, memory_order_relaxed);
    atomic_store_explicit(&m->p, p, memory_order_release);
    atomic_store_explicit(&p->m, m, memory_order_relaxed);
    gofer_spin_unlock(&m->freeze_lock);
    gofer_call_attention(m); /* p may be one too many by now */
    GOFER_TSAN_ACQUIRE(p);
}

/* Inside stays marked; without a processor the mark means nothing. */
gofer_p *gofer_release_p(gofer_m *m)
{
    gofer_p *p = m->held;
    gofer_spin_lock(&m->freeze_lock);
    m->held = NULL;
    atomic_store_explicit(&m->p, NULL, memory_order_relaxed);
    gofer_spin_unlock(&m->freeze_lock);
    return p;
}

/* ---- waking others --------------------------------------------------------------------------- */

void gofer_remove_idle_m(gofer_m *m)
{
    if (m->idle == GOFER_IDLE_LISTED) {
        gofer_m **at = &gofer_sched.idle_ms;
        while (*at != m)
            at = &(*at)->idle_link;
        *at = m->idle_link;
    }
    m->idle = GOFER_NOT_IDLE;
}

void gofer_wake_m(gofer_m *m)
{
    /* pairs with sleep_until and sleep_locked; before the look at `polls`, as there `polls` is
     * before the look at `wake`: one of the two sees the other */
    atomic_store_explicit(&m->wake, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&m->polls, memory_order_seq_cst))
        gofer_poller_break();
    else
        gofer_futex_wake(&m->wake, 1);
}

void gofer_wake_idle_threads(void)
{
    for (gofer_m *m = gofer_sched.idle_ms; m; m = m->idle_link)
        gofer_wake_m(m);
}

/* sched.lock. An idle thread, or NULL; one that polls only where no processor stays idle that it
 * could poll for. */
static gofer_m *idle_m(void)
{
    gofer_m *m = gofer_sched.idle_ms;
    if (!m || !atomic_load_explicit(&m->polls, memory_order_relaxed))
        return m;
    bool needed = atomic_load_explicit(&gofer_sched.idle_p_count, memory_order_relaxed) > 0;
    return m->idle_link || needed ? m->idle_link : m;
}

/* Lets a thread begin or go on with p, which the caller owns. `spinning`: it is already counted
 * as one that looks for work. */
static void start_thread_with(gofer_p *p, bool spinning)
{
    gofer_spin_lock(&gofer_sched.lock);
    gofer_m *m = idle_m();
    if (m) {
        gofer_remove_idle_m(m);
        m->next_p = p;
        m->wake_spinning = spinning;
    }
    gofer_spin_unlock(&gofer_sched.lock);
    if (m)
        gofer_wake_m(m);
    else
        gofer_thread_start(p, spinning);
}

void gofer_hand_off(gofer_p *p)
{
    atomic_store_explicit(&p->m, NULL, memory_order_relaxed);
    bool work = gofer_p_has_work(p);
    if (!work) {
        /* Timers under the lock too: who starts one looks for a timekeeper, then for an idle
         * processor, under it (kick_timekeeper). spec/idle.pml. Polling is work as well: who hands
         * off does not become idle, and others sleep that found the poller taken. */
        gofer_spin_lock(&gofer_sched.lock);
        work = gofer_list_count(&gofer_sched.global) != 0 || gofer_timers_next() >= 0 ||
               gofer_poller_is_unattended();
        if (!work)
            gofer_give_back_p(p);
        gofer_spin_unlock(&gofer_sched.lock);
    }
    if (work)
        start_thread_with(p, false);
}

void gofer_wake_one(void)
{
    if (atomic_load_explicit(&gofer_sched.idle_p_count, memory_order_relaxed) == 0)
        return;
    int none = 0;
    /* seq_cst: after the push that led here; pairs with the fence in left_to_us */
    if (!atomic_compare_exchange_strong_explicit(&gofer_sched.spinning, &none, 1,
                                                 memory_order_seq_cst, memory_order_seq_cst))
        return; /* somebody looks already, and wakes another when it finds something */
    gofer_spin_lock(&gofer_sched.lock);
    gofer_p *p = atomic_load_explicit(&gofer_sched.exiting, memory_order_relaxed)
                     ? NULL
                     : gofer_take_idle_p();
    /* Under the lock: who sees the next processor that becomes idle sees that nobody looks. */
    if (!p)
        atomic_fetch_sub_explicit(&gofer_sched.spinning, 1, memory_order_relaxed);
    gofer_spin_unlock(&gofer_sched.lock);
    if (p)
        start_thread_with(p, true);
}

/* sched.lock. A thread that sleeps until the goroutine tied to it is ready, or NULL. */
static gofer_m *locked_m(void)
{
    gofer_m *m = atomic_load_explicit(&gofer_sched.all_ms, memory_order_acquire);
    while (m && m->idle != GOFER_IDLE_LOCKED)
        m = m->all_link;
    return m;
}

/* Whoever wakes finds nothing to do, looks, and keeps the interval. */
void gofer_let_other_check(void)
{
    gofer_p *p = NULL;
    gofer_spin_lock(&gofer_sched.lock);
    gofer_m *m = gofer_sched.idle_ms ? gofer_sched.idle_ms : locked_m();
    if (m)
        gofer_wake_m(m);
    else if (!gofer_sched.stopping)
        p = gofer_take_idle_p();
    gofer_spin_unlock(&gofer_sched.lock);
    if (p)
        start_thread_with(p, false);
}

/* A worker that has taken it goes on: it becomes idle, and polls, or it runs something, and the
 * monitor looks meanwhile. The monitor itself calls this after its looks. */
void gofer_poller_need(void)
{
    gofer_monitor_need();
    if (!gofer_poller_is_unattended())
        return;
    gofer_spin_lock(&gofer_sched.lock);
    /* Whoever goes to sleep looks under the lock whether it shall poll. */
    gofer_p *p = gofer_poller_is_unattended() ? gofer_take_idle_p() : NULL;
    gofer_spin_unlock(&gofer_sched.lock);
    if (p)
        start_thread_with(p, false);
}

/* The timekeeper sleeps too long, or there is none: wake it, or somebody to become it. */
static void kick_timekeeper(void)
{
    gofer_spin_lock(&gofer_sched.lock);
    gofer_m *keeper = gofer_sched.timekeeper;
    if (keeper)
        gofer_wake_m(keeper);
    gofer_spin_unlock(&gofer_sched.lock);
    if (!keeper)
        gofer_wake_one();
}

void gofer_kick_timekeeper(gofer_p *p)
{
    p->kick = false;
    kick_timekeeper();
}

/* A lone ready goroutine wakes nobody: its waker usually parks next, and p runs it. Where it does
 * not the monitor sees that, and sets `eager`. */
gofer_cold void gofer_tell_idle(gofer_p *p, bool alone)
{
    if (alone) {
        int eager = atomic_load_explicit(&p->eager, memory_order_relaxed);
        if (!eager)
            return;
        /* the monitor may write it meanwhile: some wake-ups more or fewer */
        atomic_store_explicit(&p->eager, eager - 1, memory_order_relaxed);
    }
    gofer_wake_one();
}

void gofer_timekeeper_check(int64_t when)
{
    gofer_m *m = gofer_m_self();
    /* The monitor shall look although main's goroutine is the only one, and computes or is blocked
     * in foreign code. One that waits for its timer itself leaves a thread that keeps the time. */
    if (gofer_state_of(m->g) == GOFER_RUNNING)
        gofer_monitor_need();
    /* The timer is visible before the deadline is read, and sleep_idle takes the deadline back
     * before it looks at the timers: one of the two sees the other. */
    atomic_thread_fence(memory_order_seq_cst);
    if (when >= atomic_load_explicit(&gofer_sched.timekeeper_deadline, memory_order_relaxed))
        return;
    gofer_p *p = !m->is_foreign ? m->held : NULL;
    if (p && atomic_load_explicit(&m->p, memory_order_relaxed) == p) {
        p->kick = true; /* if we stop here we keep the time ourselves */
        gofer_call_attention(m);
    } else {
        kick_timekeeper();
    }
}

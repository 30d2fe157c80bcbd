/* A thread that found nothing to do: it gives its processor up and sleeps, as the timekeeper, in
 * the poller, or just until it is woken (wake.c). */
#include "sched/internal.h"

#include "io/poller.h"
#include "time/timer.h"

static int64_t earlier(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

/* Sleeps until m is woken, until the deadline, or, where it has taken the poller, until descriptors
 * became ready. */
static void sleep_until(gofer_m *m, int64_t deadline, bool polls, gofer_poll_batch *batch)
{
    atomic_store_explicit(&m->polls, polls, memory_order_seq_cst); /* see gofer_wake_m */
    while (atomic_load_explicit(&m->wake, memory_order_seq_cst) == 0 && !batch->count) {
        if (polls)
            gofer_poller_wait(batch, deadline);
        else
            gofer_futex_wait(&m->wake, 0, deadline);
        if (deadline >= 0 && gofer_nanotime() >= deadline)
            break;
    }
    if (polls) {
        atomic_store_explicit(&m->polls, false, memory_order_relaxed);
        gofer_poller_drop();
    }
}

/* Sleeps until somebody hands over a processor, or m finds one when the next timer is due, where it
 * is the timekeeper, or when descriptors became ready. Returns with a processor held, or m->ends
 * set. */
static void sleep_idle(gofer_m *m)
{
    int round = 0;
    gofer_poll_batch batch;
    for (;;) {
        int64_t recheck = gofer_check_deadlock(round);
        round = recheck < 0 ? 0 : round + 1;
        int64_t timer = gofer_timers_next();
        gofer_spin_lock(&gofer_sched.lock);
        int64_t deadline = gofer_sched.stopping ? 0 : recheck;
        /* Only where a processor is idle: else those that hold them look at the timers when they
         * schedule, and a timer that is due would only turn this loop. */
        if (timer >= 0 &&
            atomic_load_explicit(&gofer_sched.idle_p_count, memory_order_relaxed) > 0 &&
            timer < atomic_load_explicit(&gofer_sched.timekeeper_deadline, memory_order_relaxed)) {
            gofer_sched.timekeeper = m; /* an earlier one sleeps on, to no use and no harm */
            atomic_store_explicit(&gofer_sched.timekeeper_deadline, timer, memory_order_relaxed);
        }
        bool keeper = gofer_sched.timekeeper == m;
        if (keeper)
            deadline = earlier(deadline, timer);
        bool polls = gofer_poller_take(); /* under the lock: see gofer_poller_need */
        gofer_spin_unlock(&gofer_sched.lock);
        batch.count = 0;
        sleep_until(m, deadline, polls, &batch);
        gofer_spin_lock(&gofer_sched.lock);
        atomic_store_explicit(&m->wake, 0, memory_order_relaxed);
        if (gofer_sched.timekeeper == m) {
            gofer_sched.timekeeper = NULL;
            atomic_store_explicit(&gofer_sched.timekeeper_deadline, INT64_MAX,
                                  memory_order_relaxed);
            atomic_thread_fence(memory_order_seq_cst); /* pairs with gofer_timekeeper_check */
        }
        gofer_p *p = m->next_p;
        m->next_p = NULL;
        m->ends = gofer_sched.stopping; /* and a processor that it was handed goes too */
        if (!p && !m->ends &&
            (batch.count || gofer_timers_are_due(gofer_nanotime()) || gofer_list_count(&m->pinned)))
            p = gofer_take_idle_p();
        if (p || m->ends)
            gofer_remove_idle_m(m);
        gofer_spin_unlock(&gofer_sched.lock);
        if (p && !m->ends)
            gofer_hold(m, p);
        gofer_poller_deliver(&batch); /* to p's queue, or to the global one */
        if (p || m->ends)
            return;
    }
}

/* m has nothing to do: gives its processor up, unless work came meanwhile. Returns with one
 * held. */
void gofer_go_idle(gofer_m *m)
{
    gofer_spin_lock(&gofer_sched.lock);
    bool work = gofer_list_count(&gofer_sched.global) || gofer_list_count(&m->pinned);
    if (work && m->held) {
        gofer_spin_unlock(&gofer_sched.lock);
        return;
    }
    gofer_p *p = work ? gofer_take_idle_p() : NULL;
    if (!p) {
        if (m->held)
            gofer_give_back_p(gofer_release_p(m));
        gofer_ask_for_processor(m);
        m->idle = GOFER_IDLE_LISTED;
        m->idle_link = gofer_sched.idle_ms;
        gofer_sched.idle_ms = m;
    }
    gofer_spin_unlock(&gofer_sched.lock);
    if (p)
        gofer_hold(m, p);
    else
        sleep_idle(m);
}

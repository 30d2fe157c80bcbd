/* A thread without a goroutine: looking for work, and sleeping.
 *
 * Runs on the thread's own stack (m->g0). Idle processors and threads are in lists under
 * sched.lock. A thread that gives its processor up looks at the global queue under the same lock,
 * and whoever pushes there looks for an idle processor under it: no wake-up is lost. Work on
 * another processor's queue is that processor's own to run; telling idle ones of it is a courtesy
 * (gofer_tell_idle), with the monitor as the backstop. */
#include "sched/internal.h"

#include "io/poller.h"
#include "time/timer.h"

#include <sched.h>
#include <unistd.h>

enum { GLOBAL_MOST = 128, SPIN_NANOSECONDS = 20000, COARSE = 50000 /* of coarse_now */ };

/* ---- holding and releasing a processor --------------------------------------------------- */

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

/* sched.lock. p has no work and is held no more. */
static void give_back(gofer_p *p)
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

/* ---- waking others ------------------------------------------------------------------------ */

/* sched.lock. m stops being idle. */
static void remove_idle_m(gofer_m *m)
{
    if (m->idle == GOFER_IDLE_LISTED) {
        gofer_m **at = &gofer_sched.idle_ms;
        while (*at != m)
            at = &(*at)->idle_link;
        *at = m->idle_link;
    }
    m->idle = GOFER_NOT_IDLE;
}

static void wake_thread(gofer_m *m)
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
        wake_thread(m);
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
        remove_idle_m(m);
        m->next_p = p;
        m->wake_spinning = spinning;
    }
    gofer_spin_unlock(&gofer_sched.lock);
    if (m)
        wake_thread(m);
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
            give_back(p);
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
        wake_thread(keeper);
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
    if (alone && !atomic_load_explicit(&p->eager, memory_order_relaxed))
        return;
    atomic_store_explicit(&p->eager, false, memory_order_relaxed);
    gofer_wake_one();
}

void gofer_timekeeper_check(int64_t when)
{
    /* The timer is visible before the deadline is read, and sleep_idle takes the deadline back
     * before it looks at the timers: one of the two sees the other. */
    atomic_thread_fence(memory_order_seq_cst);
    if (when >= atomic_load_explicit(&gofer_sched.timekeeper_deadline, memory_order_relaxed))
        return;
    gofer_m *m = gofer_m_self();
    gofer_p *p = m && !m->is_foreign ? m->held : NULL;
    if (p && atomic_load_explicit(&m->p, memory_order_relaxed) == p) {
        p->kick = true; /* if we stop here we keep the time ourselves */
        gofer_call_attention(m);
    } else {
        kick_timekeeper();
    }
}

/* ---- the global queue --------------------------------------------------------------------- */

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

/* ---- sleeping ----------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

static bool timer_is_due(int64_t now)
{
    int64_t timer = gofer_timers_next();
    return timer >= 0 && timer <= now;
}

/* Sleeps until m is woken, until the deadline, or, where it has taken the poller, until descriptors
 * became ready. */
static void sleep_until(gofer_m *m, int64_t deadline, bool polls, gofer_poll_batch *batch)
{
    atomic_store_explicit(&m->polls, polls, memory_order_seq_cst); /* see wake_thread */
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
        int64_t recheck = gofer_check_deadlock(round++);
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
            (batch.count || timer_is_due(gofer_nanotime()) || gofer_list_count(&m->pinned)))
            p = gofer_take_idle_p();
        if (p || m->ends)
            remove_idle_m(m);
        gofer_spin_unlock(&gofer_sched.lock);
        if (p && !m->ends)
            gofer_hold(m, p);
        gofer_poller_deliver(&batch); /* to p's queue, or to the global one */
        if (p || m->ends)
            return;
    }
}

/* sched.lock. Goroutines that only m may run, but m has no processor: whoever finds them in the
 * global queue brings one (send_home). */
static void ask_for_processor(gofer_m *m)
{
    gofer_g *g;
    while ((g = gofer_pinned_pop(m)))
        gofer_list_push(&gofer_sched.global, g);
}

/* m has nothing to do: gives its processor up, unless work came meanwhile. Returns with one
 * held. */
static void go_idle(gofer_m *m)
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
            give_back(gofer_release_p(m));
        ask_for_processor(m);
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

/* ---- goroutines that may run on one thread only ------------------------------------------- */

/* g belongs to another thread: leaves it there, with our processor if that thread is idle. */
static void send_home(gofer_m *m, gofer_g *g)
{
    gofer_m *home = g->home;
    gofer_spin_lock(&gofer_sched.lock);
    gofer_pinned_push(home, g);
    bool idle = home->idle != GOFER_NOT_IDLE;
    if (idle) {
        remove_idle_m(home);
        home->next_p = gofer_release_p(m);
        atomic_store_explicit(&home->next_p->m, NULL, memory_order_relaxed);
    }
    gofer_spin_unlock(&gofer_sched.lock);
    if (idle)
        wake_thread(home);
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
        remove_idle_m(home);
        home->next_p = p;
    }
    if (p || !idle)
        gofer_pinned_push(home, g);
    else
        gofer_list_push(&gofer_sched.global, g); /* whoever finds it brings a processor */
    gofer_spin_unlock(&gofer_sched.lock);
    if (p)
        wake_thread(home);
    if (m->is_foreign)
        gofer_visit_end(m);
}

/* ---- GOFER_DEBUG=migrate ------------------------------------------------------------------- */

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

/* ---- the loop ----------------------------------------------------------------------------- */

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
    int64_t until = gofer_nanotime() + SPIN_NANOSECONDS;
    for (int round = 0;; round++) {
        gofer_g *g = gofer_steal(m, p, round > 8);
        if (!g)
            g = take_global(m, p);
        int64_t now = gofer_nanotime();
        if (!g && timer_is_due(now)) {
            gofer_timers_run(now);
            g = gofer_pick(m, p);
        }
        if (g || now > until)
            return g;
        for (int i = 0; i < 10; i++)
            gofer_cpu_relax();
    }
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
        while (atomic_load_explicit(&gofer_sched.exiting, memory_order_relaxed))
            pause();
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
        go_idle(m);
    }
    return NULL;
}

static void sleep_locked(gofer_m *m)
{
    for (int round = 0; atomic_load_explicit(&m->wake, memory_order_acquire) == 0; round++)
        gofer_futex_wait(&m->wake, 0, gofer_check_deadlock(round));
}

/* m's goroutine is tied to it and waits: sleeps until it is ready, and returns it. */
static gofer_g *wait_for_locked(gofer_m *m)
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
            ask_for_processor(m);
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

/* What m does next; NULL: it ends. */
static gofer_g *next_for(gofer_m *m)
{
    gofer_g *g = m->resume;
    m->resume = NULL;
    if (g)
        return g;
    return m->locked ? wait_for_locked(m) : find_runnable(m);
}

void gofer_g0_loop(gofer_m *m)
{
    while (!m->ends) {
        gofer_g *g = next_for(m);
        if (gofer_unlikely(!g))
            break;
        if (gofer_unlikely(g->home && g->home != m)) {
            send_home(m, g);
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
    gofer_check_deadlock(0);
}

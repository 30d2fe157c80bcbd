/* Who runs next on a processor, and the switch from goroutine to goroutine.
 *
 * Order on one processor, as Go's: `next` (made ready last), then the ring, then the backlog (who
 * yielded). What the ring has no room for goes behind it: first those that have begun; then those
 * that have not, newest first, for in a tree of goroutines few are then under way at once. Every
 * 64th pick looks first at what would otherwise wait for ever: due timers, the global queue, the
 * backlog. While some that have not begun wait the backlog is left out: one that starts others and
 * yields shall not outrun them. Each gets one in 64 of these looks. And after 64 picks of `next` in
 * a row the ring goes first, so that two goroutines that wake each other do not starve a third.
 * Where goroutines run so long that 64 picks take some ms of CPU, the monitor asks for a look at
 * what came from elsewhere, and where they take very long for all of it. */
#include "sched/internal.h"

#include "time/timer.h"

#include <sched.h>

enum { FRESH_PERIOD = 64 * GOFER_FAIR_PERIOD, STREAK_LIMIT = 64 };

struct gofer_sched gofer_sched = { .timekeeper_deadline = INT64_MAX, .max_threads = 10000 };

#ifdef GOFER_ASAN
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size);
#endif
#ifdef GOFER_TSAN
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

/* First thing in the context switched to: the one before is now safely off its stack. */
static inline void finish_switch(gofer_m *m)
{
    gofer_g *previous = m->previous;
    if (gofer_unlikely(gofer_state_of(previous) == GOFER_DEAD && !previous->is_system))
        gofer_recycle(m, previous);
    else
        /* pairs with the acquire in may_switch_to: its saved context is visible */
        atomic_store_explicit(&previous->on_cpu, 0, memory_order_release);
}

/* The same for a goroutine's first moment and for one that is resumed. Returns its thread. */
static inline gofer_m *switched(void)
{
    gofer_m *m = gofer_m_self();
#ifdef GOFER_ASAN
    __sanitizer_finish_switch_fiber(m->g->asan_fake_stack, NULL, NULL);
#endif
    GOFER_TSAN_ACQUIRE(m); /* who made it wrote it */
    GOFER_TSAN_ACQUIRE(m->held);
    *m->errno_address = m->g->saved_errno;
    if (m->exceptions) {
        m->exceptions[0] = m->g->exceptions[0];
        m->exceptions[1] = m->g->exceptions[1];
    }
    finish_switch(m);
    return m;
}

void gofer_switched(void)
{
    switched();
}

static inline void save_thread_state(gofer_m *m, gofer_g *from)
{
    from->saved_errno = *m->errno_address;
    GOFER_TSAN_RELEASE(m->errno_address); /* pairs with gofer_errno */
    if (gofer_unlikely(m->exceptions != NULL)) {
        from->exceptions[0] = m->exceptions[0];
        from->exceptions[1] = m->exceptions[1];
    }
}

static inline gofer_m *switch_to(gofer_m *m, gofer_g *from, gofer_g *to)
{
    void *context = to->sp;
    if (gofer_unlikely(!context))
        context = gofer_begin(m, to);
    save_thread_state(m, from);
    m->previous = from;
    m->g = to;
    atomic_store_explicit(&to->on_cpu, 1, memory_order_relaxed);
#ifdef GOFER_ASAN
    bool dies = gofer_state_of(from) == GOFER_DEAD && !from->is_system;
    __sanitizer_start_switch_fiber(dies ? NULL : &from->asan_fake_stack, to->stack_low,
                                   (size_t)(to->stack_high - to->stack_low));
#endif
#ifdef GOFER_TSAN
    __tsan_switch_to_fiber(to->tsan_fiber, 1 /* no sync: edges are given in park and spawn */);
#endif
    gofer_switch(&from->sp, context);
    return switched();
}

void gofer_switch_to(gofer_m *m, gofer_g *from, gofer_g *to)
{
    switch_to(m, from, to);
}

static inline bool may_switch_to(const gofer_g *g)
{
    return atomic_load_explicit(&g->on_cpu, memory_order_acquire) == 0;
}

/* Due timers, and who was made ready from elsewhere: for this thread alone, or by plain threads. */
static gofer_cold gofer_g *look_for_others(gofer_m *m)
{
    if (gofer_timers_next() >= 0)
        gofer_timers_run(gofer_nanotime());
    gofer_g *g = NULL;
    if (gofer_list_count(&m->pinned) || gofer_list_count(&gofer_sched.global)) {
        gofer_spin_lock(&gofer_sched.lock);
        g = gofer_pinned_pop(m);
        if (!g)
            g = gofer_list_pop(&gofer_sched.global);
        gofer_spin_unlock(&gofer_sched.lock);
    }
    return g;
}

/* Every so often: what the fast order would leave waiting. */
static gofer_cold gofer_g *pick_fair(gofer_m *m, gofer_p *p)
{
    uint32_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed);
    if (tick % FRESH_PERIOD == 0 && gofer_list_count(&p->fresh))
        return gofer_fresh_pop_oldest(&p->fresh);
    gofer_g *g = look_for_others(m);
    if (g)
        return g;
    if (gofer_list_count(&p->fresh) && tick % FRESH_PERIOD != GOFER_FAIR_PERIOD)
        return NULL;
    return gofer_list_pop(&p->backlog);
}

static gofer_inline gofer_g *pick(gofer_m *m, gofer_p *p, bool fair)
{
    uint32_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed) + 1;
    atomic_store_explicit(&p->tick, tick, memory_order_relaxed);
    if (gofer_unlikely(fair || tick % GOFER_FAIR_PERIOD == 0)) {
        gofer_g *g = pick_fair(m, p);
        if (g)
            return g;
    }
    gofer_g *next = atomic_load_explicit(&p->next, memory_order_relaxed);
    if (next) {
        atomic_store_explicit(&p->next, NULL, memory_order_relaxed);
        if (gofer_likely(++p->next_streak < STREAK_LIMIT))
            return next;
        p->next_streak = 0;
        if (!gofer_p_waiting(p))
            return next;
        gofer_runq_push(p, next);
    }
    p->next_streak = 0;
    gofer_g *g = gofer_runq_pop(p);
    if (gofer_likely(g != NULL))
        return g;
    if (gofer_unlikely(p->woken.head != NULL))
        return gofer_list_pop(&p->woken);
    if (gofer_unlikely(p->fresh.head != NULL))
        return gofer_list_pop(&p->fresh);
    return gofer_list_pop(&p->backlog);
}

gofer_g *gofer_pick(gofer_m *m, gofer_p *p)
{
    return pick(m, p, gofer_list_count(&m->pinned) != 0);
}

/* Something else runs now although work is left here: an idle processor may help. */
static inline void share(gofer_p *p)
{
    if (atomic_load_explicit(&gofer_sched.idle_p_count, memory_order_relaxed) > 0 &&
        gofer_p_waiting(p))
        gofer_wake_one();
}

void gofer_call_attention(gofer_m *m)
{
    /* pairs with the exchange in attend: what is to be seen was written before */
    atomic_store_explicit(&m->attention, true, memory_order_release);
}

/* Sees to what attention was called to; true: m must go to its own context. */
static gofer_cold bool attend(gofer_m *m, gofer_p *p)
{
    /* Before the looks below, in the order of all threads: what is set after it is seen next time.
     */
    atomic_exchange_explicit(&m->attention, false, memory_order_seq_cst);
    if (p->kick)
        gofer_kick_timekeeper(p);
    bool away = m->locked || gofer_list_count(&m->pinned) || gofer_sched.migrates ||
                atomic_load_explicit(&gofer_sched.cut_off, memory_order_relaxed) ||
                p->index >= atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed);
    if (away)
        gofer_call_attention(m);
    return away;
}

/* Attention was called. NULL: to the thread's own context. */
static gofer_cold gofer_g *attend_and_pick(gofer_m *m, gofer_p *p)
{
    if (attend(m, p))
        return NULL;
    uint32_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed);
    int asked = atomic_exchange_explicit(&p->asked, GOFER_ASKED_NOTHING, memory_order_relaxed);
    if (asked == GOFER_ASKED_NOTHING || tick == p->asked_tick) /* the usual order has its turn */
        return pick(m, p, false);
    if (asked == GOFER_ASKED_FOR_FAIR_PICK) {
        p->asked_tick = tick + 1;
        p->next_streak = STREAK_LIMIT;
        return pick(m, p, true);
    }
    gofer_g *g = look_for_others(m);
    if (!g)
        return pick(m, p, false);
    p->asked_tick = tick + 1;
    atomic_store_explicit(&p->tick, tick + 1, memory_order_relaxed); /* as pick */
    return g;
}

static gofer_inline gofer_g *pick_next(gofer_m *m, gofer_p *p)
{
    return gofer_likely(!atomic_load_explicit(&m->attention, memory_order_relaxed))
               ? pick(m, p, false)
               : attend_and_pick(m, p);
}

/* To `next`, which was picked; NULL: to the thread's own context. */
static gofer_inline void go_on_with(gofer_m *m, gofer_p *p, gofer_g *next)
{
    gofer_g *self = m->g, *to = &m->g0;
    if (gofer_unlikely(next == self)) {
        gofer_state_set(self, GOFER_RUNNING);
        gofer_leave(m);
        return;
    }
    if (gofer_likely(next && !next->home && may_switch_to(next))) {
        gofer_state_set(next, GOFER_RUNNING);
        share(p);
        to = next;
    } else {
        /* never wait for its context here: its thread may wait for ours */
        m->resume = next;
    }
    gofer_leave(switch_to(m, self, to));
}

static gofer_inline void schedule_away(gofer_m *m, gofer_p *p)
{
    go_on_with(m, p, pick_next(m, p));
}

void gofer_schedule_away(gofer_m *m, gofer_p *p)
{
    schedule_away(m, p);
}

/* m has no processor any more, or is frozen. */
static gofer_cold void schedule_away_parked_slow(gofer_m *m)
{
    gofer_p *p = gofer_enter_parked_slow(m);
    if (p) {
        schedule_away(m, p);
    } else {
        gofer_switch_to(m, m->g, &m->g0);
        gofer_leave(gofer_m_self());
    }
}

static gofer_inline void schedule_away_parked(void)
{
    gofer_m *m = gofer_m_self();
    gofer_p *p = gofer_mark_inside(m);
    if (gofer_likely(p != NULL))
        schedule_away(m, p);
    else
        schedule_away_parked_slow(m);
}

void gofer_schedule_away_parked(void)
{
    schedule_away_parked();
}

gofer_jumps_back void gofer_schedule_away_jumping(void)
{
    schedule_away_parked();
}

void gofer_enqueue_global(gofer_g *g)
{
    gofer_spin_lock(&gofer_sched.lock);
    gofer_list_push(&gofer_sched.global, g);
    gofer_spin_unlock(&gofer_sched.lock);
    gofer_wake_one();
}

static gofer_cold void enqueue_foreign(gofer_g *g)
{
    gofer_m *m = gofer_m_attached();
    atomic_thread_fence(memory_order_release); /* g may be new: pairs with gofer_each_goroutine */
    gofer_state_set(g, GOFER_RUNNABLE);
    gofer_visit(m); /* cannot fail: g keeps the runtime up */
    gofer_enqueue_global(g);
    gofer_visit_end(m);
}

static gofer_noinline void push_and_leave(gofer_m *m, gofer_p *p, gofer_g *g, bool front,
                                          uint32_t was)
{
    gofer_push(p, g, front);
    atomic_store_explicit(&m->inside, was, memory_order_release); /* pairs with gofer_freeze */
}

void gofer_enqueue(gofer_g *g, bool front)
{
    gofer_m *m = gofer_m_self();
    if (gofer_unlikely(!m || m->is_foreign)) {
        enqueue_foreign(g);
        return;
    }
    gofer_state_set(g, GOFER_RUNNABLE);
    /* As gofer_enter, but never waits and may be nested: timers are run inside. */
    uint32_t was = atomic_load_explicit(&m->inside, memory_order_relaxed);
    gofer_p *p = gofer_unlikely(was) ? m->held : gofer_mark_inside(m);
    if (gofer_unlikely(!p)) {
        atomic_store_explicit(&m->inside, was, memory_order_release);
        gofer_enqueue_global(g);
        return;
    }
    /* gofer_push, where there is nothing else to do */
    if (gofer_likely(front && !atomic_load_explicit(&p->next, memory_order_relaxed) &&
                     !atomic_load_explicit(&gofer_sched.idle_p_count, memory_order_relaxed))) {
        atomic_store_explicit(&p->next, g, memory_order_relaxed);
        atomic_store_explicit(&m->inside, was, memory_order_release);
        return;
    }
    push_and_leave(m, p, g, front, was);
}

/* Only others that yielded are ready. */
static inline bool only_backlog(const gofer_p *p)
{
    return p->backlog.head && !atomic_load_explicit(&p->next, memory_order_relaxed) &&
           !gofer_runq_count(p) && !p->woken.head && !p->fresh.head;
}

gofer_jumps_back void go_gosched(void)
{
    gofer_m *m = gofer_m_attached();
    gofer_p *p = gofer_enter(&m);
    if (!p) {
        sched_yield();
        return;
    }
    gofer_g *self = m->g, *next = NULL;
    gofer_state_set(self, GOFER_RUNNABLE);
    uint32_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed) + 1;
    if (gofer_likely(only_backlog(p) && tick % GOFER_FAIR_PERIOD != 0 &&
                     !atomic_load_explicit(&m->attention, memory_order_relaxed))) {
        atomic_store_explicit(&p->tick, tick, memory_order_relaxed); /* as pick */
        p->next_streak = 0;
        next = gofer_list_rotate(&p->backlog, self);
    } else {
        gofer_list_push(&p->backlog, self);
        next = pick_next(m, p);
    }
    go_on_with(m, p, next);
}

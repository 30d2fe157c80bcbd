/* Taking a processor's queue, or the processor, from a thread that did not ask for it.
 *
 * The owner marks itself inside with a plain store and then reads m->p. Who wants the processor
 * sets m->p to NULL under m->freeze_lock, makes that visible with a membarrier, and reads the
 * mark. Either it sees the owner inside and gives up, or the owner's next gofer_enter sees NULL and
 * waits for the lock. An owner that ran into NULL says so (acknowledged), which spares the
 * membarrier. spec/handoff.pml is the model. */
#include "sched/internal.h"

#include "panic/panic.h"

#include <limits.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in linux/membarrier.h, which does not come with every libc. */
enum { MEMBARRIER_PRIVATE_EXPEDITED = 1 << 3, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 1 << 4 };

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

void gofer_membarrier_register(void)
{
    if (membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED) != 0)
        atomic_store_explicit(&gofer_sched.need_fences, true, memory_order_relaxed);
}

/* In a constructor the process has one thread, and registering takes microseconds. */
__attribute__((constructor)) static void register_early(void)
{
    gofer_membarrier_register();
}

bool gofer_membarrier(void)
{
    if (atomic_load_explicit(&gofer_sched.need_fences, memory_order_relaxed))
        return false;
    bool done = membarrier(MEMBARRIER_PRIVATE_EXPEDITED) == 0;
    if (!done)
        atomic_store_explicit(&gofer_sched.need_fences, true, memory_order_relaxed);
    return done;
}

/* After this, true: what m's owner stored before its last look at m->p is visible here, or it sees
 * what was stored before the call. False: nothing is known. Without a membarrier it takes an owner
 * that fences by itself. */
static bool can_see(const gofer_m *m)
{
    if (gofer_membarrier())
        return true;
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&m->fences, memory_order_acquire);
}

static bool owner_acknowledged(gofer_m *m)
{
    /* pairs with the release in gofer_enter_slow */
    return atomic_load_explicit(&m->acknowledged, memory_order_acquire) != 0;
}

/* Freezes the owner m of p: true means that p is the caller's until gofer_unfreeze. False: it is
 * inside, or holds another processor by now. `owner_is_out`: a hint, saves waiting for it. */
bool gofer_freeze(gofer_m *m, gofer_p *p, bool owner_is_out)
{
    if (!gofer_spin_try(&m->freeze_lock))
        return false;
    if (!p || atomic_load_explicit(&m->p, memory_order_relaxed) != p) {
        gofer_spin_unlock(&m->freeze_lock);
        return false;
    }
    atomic_store_explicit(&m->p, NULL, memory_order_relaxed);
    for (int i = 0; i < (owner_is_out ? 0 : 100); i++) {
        if (owner_acknowledged(m))
            return true;
        gofer_cpu_relax();
    }
    bool sees = can_see(m);
    /* pairs with the release in gofer_leave: what the owner did inside is visible */
    if ((sees && atomic_load_explicit(&m->inside, memory_order_acquire) == 0) ||
        owner_acknowledged(m))
        return true;
    gofer_unfreeze(m, p);
    return false;
}

void gofer_unfreeze(gofer_m *m, gofer_p *p)
{
    atomic_store_explicit(&m->p, p, memory_order_release); /* pairs with gofer_enter */
    gofer_spin_unlock(&m->freeze_lock);
}

/* Waits until nobody freezes m, its caller. Returns its processor, marked inside, or NULL. */
static gofer_p *thaw(gofer_m *m)
{
    atomic_store_explicit(&m->inside, 0, memory_order_release);
    atomic_store_explicit(&m->acknowledged, 1, memory_order_release);
    gofer_spin_lock(&m->freeze_lock);
    atomic_store_explicit(&m->acknowledged, 0, memory_order_relaxed);
    gofer_p *p = atomic_load_explicit(&m->p, memory_order_relaxed);
    atomic_store_explicit(&m->inside, 1, memory_order_relaxed); /* under the lock: no Dekker */
    gofer_spin_unlock(&m->freeze_lock);
    return p;
}

static gofer_p *claim_idle_p(void)
{
    gofer_spin_lock(&gofer_sched.lock);
    gofer_p *p = gofer_take_idle_p();
    gofer_spin_unlock(&gofer_sched.lock);
    return p;
}

/* The processor was handed off while m ran foreign code: its goroutine is detached no more. */
static void attach_again(gofer_m *m)
{
    m->held = NULL;
    atomic_store_explicit(&m->is_detached, false, memory_order_relaxed);
    atomic_fetch_sub_explicit(&gofer_sched.detached, 1, memory_order_relaxed);
}

gofer_cold gofer_p *gofer_enter_slow(gofer_m **m)
{
    gofer_fork_check();
    if ((*m)->is_foreign) {
        atomic_store_explicit(&(*m)->inside, 0, memory_order_relaxed);
        return NULL;
    }
    gofer_p *p = thaw(*m);
    if (p)
        return p;
    gofer_stay_if_ended(*m);
    gofer_g *self = (*m)->g;
    p = claim_idle_p();
    if (p) {
        attach_again(*m);
        gofer_hold(*m, p);
        gofer_state_set(self, GOFER_RUNNING);
        return p;
    }
    gofer_state_set(self, GOFER_RUNNABLE);
    gofer_enqueue_global(self);
    attach_again(*m); /* only now: the deadlock check must see it in one place or the other */
    gofer_switch_to(*m, self, &(*m)->g0);
    *m = gofer_m_self();
    return (*m)->held;
}

/* For one that waits already: only whether its thread still has a processor. NULL: it must go to
 * the thread's own context. Inside. */
gofer_cold gofer_p *gofer_enter_parked_slow(gofer_m *m)
{
    gofer_fork_check();
    gofer_p *p = thaw(m);
    if (!p)
        attach_again(m);
    return p;
}

/* Under the lock: without it, NULL may be a thief's, who is about to give the processor back. */
static bool has_no_p(gofer_m *m)
{
    if (!gofer_spin_try(&m->freeze_lock))
        return false;
    bool none = atomic_load_explicit(&m->p, memory_order_relaxed) == NULL;
    gofer_spin_unlock(&m->freeze_lock);
    return none;
}

/* Until the deadline, for one thread that may be inside for a moment. */
static void freeze_for_good(gofer_m *m, int64_t deadline)
{
    for (;;) {
        gofer_p *p = atomic_load_explicit(&m->p, memory_order_relaxed);
        if (p ? gofer_freeze(m, p, false) : has_no_p(m))
            return;
        if (gofer_nanotime() > deadline)
            return;
        sched_yield();
    }
}

void gofer_freeze_world(void)
{
    gofer_m *self = gofer_m_self();
    atomic_store_explicit(&gofer_sched.exiting, true, memory_order_seq_cst);
    int64_t deadline = gofer_nanotime() + 20000000;
    for (gofer_m *m = atomic_load_explicit(&gofer_sched.all_ms, memory_order_acquire); m;
         m = m->all_link)
        if (m != self)
            freeze_for_good(m, deadline);
}

void gofer_cut_off(void)
{
    gofer_sched.ender = gofer_m_self();
    /* pairs with the acquire in gofer_stay_if_ended_slow */
    atomic_store_explicit(&gofer_sched.cut_off, 1, memory_order_release);
    gofer_call_attention_of_all();
}

void gofer_cut_off_end(void)
{
    if (!atomic_exchange_explicit(&gofer_sched.cut_off, 0, memory_order_relaxed))
        return;
    gofer_futex_wake(&gofer_sched.cut_off, INT_MAX);
    gofer_wake_one();
}

gofer_cold void gofer_stay_if_ended_slow(gofer_m *m)
{
    while (atomic_load_explicit(&gofer_sched.cut_off, memory_order_acquire)) {
        if (m == gofer_sched.ender)
            gofer_cut_off_end();
        else
            gofer_futex_wait(&gofer_sched.cut_off, 1, -1);
    }
    while (atomic_load_explicit(&gofer_sched.exiting, memory_order_relaxed))
        pause();
}

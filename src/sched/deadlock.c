/* The deadlock check: whether nothing can ever run again.
 *
 * Made by a thread that becomes idle, when no other runs a goroutine. Nothing is queued, nothing is
 * detached, no timer is left that somebody waits for: then only a foreign thread could wake
 * somebody, and thread.c says whether there is one. Such a thread does not tell that it ended, so
 * there is always an idle thread that looks again. spec/deadlock.pml is the model. */
#include "sched/internal.h"

#include "debug/dump.h"
#include "debug/options.h"
#include "io/poller.h"
#include "panic/panic.h"
#include "time/timer.h"

int64_t gofer_goroutine_count(void)
{
    int64_t n = atomic_load_explicit(&gofer_sched.created_outside, memory_order_relaxed);
    for (int i = 0; i < atomic_load_explicit(&gofer_sched.p_count, memory_order_acquire); i++)
        n += atomic_load_explicit(&gofer_sched.ps[i]->created_minus_ended, memory_order_relaxed);
    return n;
}

int go_num_goroutine(void)
{
    gofer_m *m = gofer_m_attached();
    if (!gofer_visit_running(m))
        return 0;
    int n = (int)gofer_goroutine_count();
    gofer_visit_end(m);
    return n;
}

bool gofer_all_still(void)
{
    return atomic_load_explicit(&gofer_sched.busy_p_count, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&gofer_sched.detached, memory_order_relaxed) == 0 &&
           gofer_list_count(&gofer_sched.global) == 0 && gofer_sched.pinned_count == 0 &&
           !atomic_load_explicit(&gofer_sched.exiting, memory_order_relaxed);
}

enum { STILL_ROUNDS = 5 }; /* by then nothing has moved for a third of a second */

/* GOFER_DEBUG=deadlock. While we hold the lock no processor is taken, and so no goroutine runs. */
static void report_blocked(int round)
{
    static bool reported; /* sched.lock */
    if (!gofer_debug.deadlock || round < STILL_ROUNDS)
        return;
    gofer_spin_lock(&gofer_sched.lock);
    if (!reported && gofer_all_still()) {
        reported = true;
        gofer_print("all goroutines are blocked; only foreign threads could wake them\n\n");
        gofer_dump_still();
    }
    gofer_spin_unlock(&gofer_sched.lock);
}

/* When to look again for what ends without telling us: less and less often. */
static int64_t again(int round)
{
    return round < 12 ? gofer_nanotime() + (1000000LL << (2 * round)) : -1;
}

/* The same where a timer or a descriptor can wake somebody. A goroutine that is woken runs, and its
 * thread looks when it becomes idle. A plain thread may wake and end, and nobody looks: so if there
 * is one, we do, but not so soon that who becomes idle often would mind. */
static int64_t again_after_wait(int round)
{
    return gofer_plain_threads_wait() ? again(round + 3) : -1;
}

/* Between two looks that found all still a plain thread may have made a goroutine ready and ended,
 * and the goroutine may have started another plain thread and waited again: hence p_takes, for
 * nothing runs without a processor. */
int64_t gofer_check_deadlock(int round)
{
    uint64_t wakes = atomic_load_explicit(&gofer_sched.thread_wakes, memory_order_seq_cst);
    gofer_spin_lock(&gofer_sched.lock);
    bool still = gofer_all_still();
    uint64_t takes = gofer_sched.p_takes;
    gofer_spin_unlock(&gofer_sched.lock);
    if (!still)
        return -1;
    int64_t left = gofer_goroutine_count();
    if (left == 0)
        gofer_say_quiet();
    if (left == 0 && !gofer_sched.main_gone)
        return -1;
    if (gofer_timers_can_wake() || gofer_poller_can_wake())
        return again_after_wait(round);
    bool foreign = gofer_foreign_threads();
    /* Again: a plain thread that waits for a descriptor by now was no foreign one any more. One
     * that was woken since has counted in thread_wakes. */
    if (gofer_poller_can_wake())
        return again_after_wait(round);
    if (foreign)
        report_blocked(round);
    if (foreign || wakes != atomic_load_explicit(&gofer_sched.thread_wakes, memory_order_seq_cst))
        return again(round);
    gofer_spin_lock(&gofer_sched.lock);
    still = gofer_all_still() && takes == gofer_sched.p_takes;
    gofer_spin_unlock(&gofer_sched.lock);
    if (still && !gofer_timers_can_wake())
        gofer_fatal_deadlock(left == 0);
    return -1;
}

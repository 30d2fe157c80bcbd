/* The runtime's end by go_shutdown, and plain threads that must not meet it.
 *
 * A plain thread that works on processors or threads is a visitor meanwhile. It counts itself, then
 * reads `started`; go_shutdown clears `started`, then waits until no visitor is counted: one of the
 * two sees the other. Then nothing new can come from outside, and where no goroutine is left and no
 * processor is held, nothing can come from inside either: idle threads are told to end
 * (sched.stopping). What a goroutine or a started timer needs needs no visit: they keep the runtime
 * up as long as they are there.
 *
 * gofer_life.lock is held over a whole attempt, so starting again waits for its outcome. But a
 * thread that has left its loop has the program's thread-specific destructors before it, and these
 * may call us, and so start the runtime anew: threads are joined after the release of the lock, and
 * their descriptors freed then. */
#include "sched/internal.h"

#include "debug/hog.h"
#include "io/fd.h"
#include "io/poller.h"
#include "io/raw.h"
#include "park/park.h"
#include "signal/relay.h"
#include "stack/stack.h"
#include "time/timer.h"

#include <sched.h>

struct gofer_life gofer_life = { .lock = PTHREAD_MUTEX_INITIALIZER };

void gofer_faults_uninstall(void);

/* ---- visitors ----------------------------------------------------------------------------- */

static void count_out(void)
{
    /* pairs with the acquire in no_visitors: what the visitor did is visible */
    atomic_fetch_sub_explicit(&gofer_life.visitors, 1, memory_order_release);
}

bool gofer_visit_running(gofer_m *m)
{
    if (!m->is_foreign || m->visits++ > 0)
        return true;
    /* the count before the look, in the order of all threads: pairs with close_door */
    atomic_fetch_add_explicit(&gofer_life.visitors, 1, memory_order_seq_cst);
    if (gofer_likely(atomic_load_explicit(&gofer_life.started, memory_order_seq_cst)))
        return true;
    count_out();
    m->visits = 0;
    return false;
}

int gofer_visit(gofer_m *m)
{
    gofer_fork_check();
    while (!gofer_visit_running(m)) {
        int error = gofer_start(); /* waits where a shutdown is going on */
        if (error)
            return error;
    }
    return 0;
}

void gofer_visit_end(gofer_m *m)
{
    if (m->is_foreign && --m->visits == 0)
        count_out();
}

/* ---- is it time? -------------------------------------------------------------------------- */

static void close_door(void)
{
    atomic_store_explicit(&gofer_life.started, false, memory_order_seq_cst);
    while (atomic_load_explicit(&gofer_life.visitors, memory_order_seq_cst) > 0)
        sched_yield();
}

/* Behind the closed door: from now on idle threads end, unless something goes on. */
static bool stop_if_quiet(void)
{
    if (gofer_timers_can_wake() || gofer_fds_are_open())
        return false;
    gofer_spin_lock(&gofer_sched.lock);
    bool quiet = gofer_all_still() && gofer_goroutine_count() == 0;
    gofer_sched.stopping = quiet;
    if (quiet)
        gofer_wake_idle_threads();
    gofer_spin_unlock(&gofer_sched.lock);
    return quiet;
}

void gofer_say_quiet(void)
{
    /* release: pairs with the acquire in go_shutdown; who waits looks again */
    atomic_fetch_add_explicit(&gofer_life.changes, 1, memory_order_release);
    gofer_futex_wake(&gofer_life.changes, INT32_MAX);
}

/* ---- the end ------------------------------------------------------------------------------ */

static bool threads_left(void)
{
    gofer_spin_lock(&gofer_sched.lock);
    bool left = gofer_sched.thread_count > 0;
    gofer_spin_unlock(&gofer_sched.lock);
    return left;
}

/* Threads that use nothing of the runtime's any more but their descriptors. */
struct ended {
    gofer_m *all;  /* linked by all_link */
    gofer_m *last; /* joins the one that ended before it, and so on. NULL: all are detached */
};

static struct ended wait_for_threads(void)
{
    for (;;) {
        uint32_t seen = atomic_load_explicit(&gofer_life.changes, memory_order_acquire);
        if (!threads_left())
            break;
        gofer_futex_wait(&gofer_life.changes, seen, -1);
    }
    GOFER_TSAN_ACQUIRE(&gofer_sched.thread_count); /* released by each that ended */
    struct ended ended = { atomic_load_explicit(&gofer_sched.all_ms, memory_order_acquire),
                           gofer_sched.last_ended };
    atomic_store_explicit(&gofer_sched.all_ms, NULL, memory_order_relaxed);
    gofer_sched.last_ended = NULL;
    return ended;
}

static void join_threads(struct ended ended)
{
    if (ended.last)
        pthread_join(ended.last->thread, NULL);
    GOFER_TSAN_IGNORE_BEGIN();
    while (ended.all) {
        gofer_m *next = ended.all->all_link;
        free(ended.all);
        ended.all = next;
    }
    GOFER_TSAN_IGNORE_END();
    atomic_fetch_sub_explicit(&gofer_life.joining, 1, memory_order_relaxed);
    gofer_say_quiet();
}

static void free_all(void)
{
    gofer_timers_free();
    gofer_raw_free();
    gofer_poller_free();
    GOFER_TSAN_IGNORE_BEGIN();
    gofer_fds_free();
    gofer_procs_free();
    gofer_slabs_free_all();
    gofer_stacks_free_all();
    GOFER_TSAN_IGNORE_END();
    atomic_store_explicit(&gofer_sched.created_outside, 0, memory_order_relaxed);
    atomic_store_explicit(&gofer_sched.hand_offs, 0, memory_order_relaxed);
    atomic_store_explicit(&gofer_sched.steals, 0, memory_order_relaxed);
    gofer_sched.stopping = false;
}

/* The runtime does not run: whether no other call still joins its threads. One of these that calls
 * us, in a destructor, does not wait for itself. */
static bool is_down(void)
{
    return gofer_thread_ends ||
           atomic_load_explicit(&gofer_life.joining, memory_order_relaxed) == 0;
}

/* gofer_life.lock. Where ended->all is not NULL the caller joins the threads after its release. */
static bool try_to_end(struct ended *ended)
{
    if (!atomic_load_explicit(&gofer_life.started, memory_order_relaxed))
        return is_down();
    if (gofer_sched.main_owns_process)
        return false;
    close_door();
    if (!stop_if_quiet()) {
        atomic_store_explicit(&gofer_life.started, true, memory_order_seq_cst);
        return false;
    }
    gofer_monitor_stop();
    *ended = wait_for_threads();
    atomic_fetch_add_explicit(&gofer_life.joining, ended->all != NULL, memory_order_relaxed);
    gofer_hog_end();
    gofer_signals_end(); /* before the handlers that were there before it */
    gofer_faults_uninstall();
    free_all();
    return is_down();
}

static int fail(int error)
{
    *gofer_errno() = error;
    return -1;
}

/* Who waits for ever does nothing else: the deadlock check need not wait for it. */
static void wait_for_change(gofer_m *m, uint32_t seen, int64_t deadline)
{
    if (deadline < 0)
        gofer_state_set(&m->g0, GOFER_WAITING);
    gofer_futex_wait(&gofer_life.changes, seen, deadline);
    gofer_state_set(&m->g0, GOFER_RUNNING);
}

int go_shutdown(go_duration timeout)
{
    gofer_m *m = gofer_m_attached();
    if (!m->is_foreign)
        return fail(EDEADLK);
    gofer_fork_check();
    int64_t now = gofer_nanotime();
    int64_t deadline = timeout < 0 ? -1 : timeout > INT64_MAX - now ? INT64_MAX : now + timeout;
    for (;;) {
        uint32_t seen = atomic_load_explicit(&gofer_life.changes, memory_order_acquire);
        struct ended ended = { 0 };
        pthread_mutex_lock(&gofer_life.lock);
        bool down = try_to_end(&ended);
        pthread_mutex_unlock(&gofer_life.lock);
        if (ended.all) {
            join_threads(ended);
            continue; /* a destructor may have started the runtime anew */
        }
        if (down) {
            GOFER_TSAN_ACQUIRE(&gofer_life.changes); /* what goroutines did came before */
            return 0;
        }
        if (gofer_sched.main_owns_process || (deadline >= 0 && gofer_nanotime() >= deadline))
            return fail(EBUSY);
        wait_for_change(m, seen, deadline);
    }
}

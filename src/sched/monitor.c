/* The monitor: takes processors from goroutines that stay in foreign code.
 *
 * A thread of its own that holds no processor. It looks at threads that have been outside the
 * runtime since its last look. One that the kernel calls asleep is blocked: its processor goes to
 * another thread now if work waits. (The kernel is asked where the CPU clock stood still, else now
 * and then.) One that burned 10 ms of CPU is a hog: hand off too, but wait longer the more hogs run
 * already, or a crowd of computing goroutines becomes a crowd of threads. It looks every 50 µs for
 * 10 ms after it met a blocked one: a program that blocks will block again. Then the period
 * grows, to 2 ms while something runs and to 4 ms, and where nothing runs at all the monitor
 * sleeps until a processor is taken up.
 *
 * Where goroutines run long between two picks, it asks for what the picks themselves do every so
 * often: schedule.c. */
#include "sched/internal.h"

#include "base/own_thread.h"
#include "debug/hog.h"
#include "debug/options.h"
#include "io/poller.h"
#include "panic/panic.h"
#include "stack/stack.h"
#include "sync/sync.h"
#include "time/timer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    PERIOD_LEAST = 50000,        /* nanoseconds */
    PERIOD_MOST = 4000000,       /* while nothing runs: what begins then is seen in time */
    PERIOD_BUSY = 2000000,       /* the most while some processor is busy */
    EAGER_LOOKS = 200,           /* at the least period, after something was done */
    EAGER_WAKES = 32,            /* of lone ready goroutines, after one was left waiting */
    SLOW_TURNS = 1000000,        /* of CPU without a fair pick: ask for a look at what came */
    VERY_SLOW_TURNS = 100000000, /* ... for all of one: it changes the order, which is Go's else */
    PERIOD_REFRESH = 1000000000, /* of looks at affinity and quota, as Go's */
    HOG = 10000000,
    ASK_PERIOD = 200000, /* of a running thread, whether it sleeps: asking costs some µs */
    STILL_LOOKS = 20,    /* how often a blocked thread is seen before its processor is taken
                            although nothing waits */
    IDLE_LOOKS = 10,
    TRIM_PERIOD = 1000000000,
    POLL_LATE = 10000000, /* where nobody looked for so long, the monitor does: as Go */
    UNWATCH_PERIOD = 10000000,
    MONITOR_STACK = 128 * 1024
};

_Atomic uint32_t gofer_trim_epoch;
static int64_t trimmed_at;
static _Atomic uint32_t wake_word;
static _Atomic uint32_t stop; /* futex of naps; set under sched.lock: go_shutdown */
static bool some_turn_slowly; /* some processor, at the last look */
static int hogs;              /* detached goroutines that were computing when they were detached */
extern _Atomic pid_t gofer_monitor_tid;

static int64_t cpu_time(const gofer_m *m)
{
    struct timespec t;
    if (clock_gettime(m->cpu_clock, &t) != 0)
        return 0; /* it has ended meanwhile */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum sleep { AWAKE, ASLEEP, UNKNOWN };

/* What the kernel says of the thread; UNKNOWN: no descriptor is left to ask it. */
static enum sleep sleep_of(const gofer_m *m)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)m->tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return UNKNOWN;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return UNKNOWN;
    text[n] = 0;
    const char *state = strrchr(text, ')');
    return state && (state[2] == 'S' || state[2] == 'D') ? ASLEEP : AWAKE;
}

static bool work_waits(const gofer_p *p, int64_t now)
{
    int64_t timer = gofer_timers_next();
    return gofer_p_has_work(p) || gofer_list_count(&gofer_sched.global) ||
           (timer >= 0 && timer <= now);
}

/* The CPU time that p's goroutines have had since fewer than GOFER_FAIR_PERIOD picks: in so long a
 * fair pick did not come by itself. */
static int64_t time_without_fair_pick(gofer_m *m, const gofer_p *p, uint32_t tick, int64_t cpu)
{
    if (m->seen_p != p || tick - m->turns_tick >= GOFER_FAIR_PERIOD) {
        m->turns_tick = tick;
        m->turns_cpu = cpu;
    }
    return cpu - m->turns_cpu;
}

static void ask_for(enum gofer_ask what, gofer_m *m, gofer_p *p)
{
    /* relaxed: the call's release and the exchange in attend order it */
    atomic_store_explicit(&p->asked, what, memory_order_relaxed);
    gofer_call_attention(m);
}

/* m stays out: gives its processor to another thread. */
static bool take(gofer_m *m, gofer_p *p, bool hog)
{
    if (!gofer_freeze(m, p, true))
        return false;
    atomic_fetch_add_explicit(&gofer_sched.detached, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&gofer_sched.hand_offs, 1, memory_order_relaxed);
    atomic_store_explicit(&m->is_detached, true, memory_order_relaxed);
    gofer_state_leaves_running(m->g, GOFER_DETACHED); /* or it waits, on its way to gofer_park */
    m->is_hog = hog;
    hogs += hog;
    gofer_unfreeze(m, NULL);
    gofer_hand_off(p);
    return true;
}

static void forget_hog(gofer_m *m)
{
    hogs -= m->is_hog;
    m->is_hog = false;
}

/* One look at one thread. Returns whether something was done after which there will soon be more.
 */
static bool look_at(gofer_m *m, int64_t now)
{
    if (atomic_load_explicit(&m->gone, memory_order_acquire)) {
        forget_hog(m);
        return false;
    }
    gofer_p *p = atomic_load_explicit(&m->p, memory_order_acquire);
    if (!p) {
        /* not by its goroutine's state: that may end, and its stack go, as we look */
        if (!atomic_load_explicit(&m->is_detached, memory_order_relaxed))
            forget_hog(m);
        return false;
    }
    forget_hog(m);
    uint32_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed);
    int64_t cpu = cpu_time(m);
    bool waits = work_waits(p, now);
    int64_t unfair = time_without_fair_pick(m, p, tick, cpu);
    some_turn_slowly |= unfair >= SLOW_TURNS;
    if (unfair >= SLOW_TURNS && waits)
        ask_for(unfair < VERY_SLOW_TURNS ? GOFER_ASKED_TO_LOOK : GOFER_ASKED_FOR_FAIR_PICK, m, p);
    bool seen_before = m->seen_p == p && m->seen_tick == tick;
    int64_t last_cpu = m->seen_cpu;
    m->seen_cpu = cpu;
    if (!seen_before || atomic_load_explicit(&m->inside, memory_order_relaxed)) {
        m->seen_p = p;
        if (!seen_before) {
            m->seen_tick = tick;
            m->tick_cpu = cpu;
            m->hog_told = false;
        }
        m->still = 0;
        return false;
    }
    bool still = cpu == last_cpu;
    /* Who blocks often and briefly, as a client of a server nearby, has run at each look. */
    bool ask = still || (waits && now - m->asked_at >= ASK_PERIOD);
    enum sleep sleep = ask ? sleep_of(m) : AWAKE;
    if (ask)
        m->asked_at = now;
    if (waits && sleep == ASLEEP)
        return take(m, p, false);
    if (still && sleep != AWAKE)
        return ++m->still >= STILL_LOOKS && take(m, p, false);
    m->still = 0;
    if (gofer_unlikely(gofer_debug.hog) && !m->hog_told && cpu - m->tick_cpu >= HOG) {
        m->hog_told = true;
        gofer_hog_seen(m, cpu - m->tick_cpu);
    }
    if (!waits)
        return false;
    int procs = atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed);
    /* nobody steals from a processor beyond GOMAXPROCS: its work goes when it is taken */
    if (p->index < procs &&
        atomic_load_explicit(&gofer_sched.idle_p_count, memory_order_relaxed) > 0) {
        atomic_store_explicit(&p->eager, EAGER_WAKES, memory_order_relaxed);
        gofer_wake_one();
        return false; /* the next ones are told without us */
    }
    int64_t limit = HOG + (int64_t)HOG * hogs / procs;
    if (cpu - m->tick_cpu >= limit)
        take(m, p, true);
    return false; /* the next one will be due in as long */
}

static bool everything_idle(void)
{
    return atomic_load_explicit(&gofer_sched.busy_p_count, memory_order_relaxed) == 0;
}

static void next_trim_epoch(int64_t now)
{
    trimmed_at = now;
    atomic_fetch_add_explicit(&gofer_trim_epoch, 1, memory_order_relaxed);
}

static void sleep_until_needed(void)
{
    /* a stack at a time: who has something to do again shall not wait for the lock */
    while (everything_idle() && gofer_stacks_trim())
        ;
    next_trim_epoch(gofer_nanotime());
    atomic_store_explicit(&wake_word, 0, memory_order_relaxed);
    gofer_spin_lock(&gofer_sched.lock);
    bool sleeps = everything_idle() && !stop;
    atomic_store_explicit(&gofer_sched.monitor_sleeps, sleeps, memory_order_relaxed);
    gofer_spin_unlock(&gofer_sched.lock);
    while (sleeps && atomic_load_explicit(&wake_word, memory_order_acquire) == 0)
        gofer_futex_wait(&wake_word, 0, -1);
}

/* sched.lock */
void gofer_monitor_wake(void)
{
    atomic_store_explicit(&gofer_sched.monitor_sleeps, false, memory_order_relaxed);
    atomic_store_explicit(&wake_word, 1, memory_order_release);
    gofer_futex_wake(&wake_word, 1);
}

/* Where nobody else looks at the timers in time, until the next one at most. */
static void nap(int64_t period)
{
    int64_t now = gofer_nanotime(), timer = gofer_timers_next();
    if (some_turn_slowly && timer > now + PERIOD_LEAST && timer < now + period &&
        atomic_load_explicit(&gofer_sched.idle_p_count, memory_order_relaxed) == 0)
        period = timer - now;
    gofer_futex_wait(&stop, 0, now + period);
}

static void *monitor(void *unused)
{
    (void)unused;
    atomic_store_explicit(&gofer_monitor_tid, (pid_t)syscall(SYS_gettid), memory_order_relaxed);
    prctl(PR_SET_NAME, "gofer-monitor", 0UL, 0UL, 0UL);
    prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
    int64_t period = PERIOD_LEAST, refreshed = gofer_nanotime(), unwatched = refreshed;
    int idle = 0, eager = 0;
    uint32_t polled = 0; /* looks into the poller by then, and when they were seen to stand there */
    int64_t polled_at = refreshed;
    while (!atomic_load_explicit(&gofer_sched.exiting, memory_order_relaxed)) {
        nap(period);
        if (atomic_load_explicit(&stop, memory_order_relaxed))
            break;
        int64_t now = gofer_nanotime();
        atomic_store_explicit(&gofer_sched.coarse_now, now, memory_order_relaxed);
        if (now - refreshed >= PERIOD_REFRESH) {
            gofer_procs_refresh();
            refreshed = now;
        }
        if (now - trimmed_at > TRIM_PERIOD)
            next_trim_epoch(now);
        if (now - unwatched >= UNWATCH_PERIOD) {
            gofer_mutexes_unwatch();
            unwatched = now;
        }
        bool acted = false;
        /* Who runs what one look brought looks again soon: a batch of them takes a millisecond or
         * two. To look earlier than it would only make it stop and wake for less. */
        if (gofer_poller_looks() == polled) {
            if (now - polled_at >= POLL_LATE)
                gofer_poller_look();
            gofer_poller_need(); /* who became idle meanwhile found it taken */
        }
        if (gofer_poller_looks() != polled) {
            polled = gofer_poller_looks();
            polled_at = now;
        }
        some_turn_slowly = false;
        for (gofer_m *m = atomic_load_explicit(&gofer_sched.all_ms, memory_order_acquire); m;
             m = m->all_link)
            acted |= look_at(m, now);
        idle = everything_idle() ? idle + 1 : 0;
        if (idle > IDLE_LOOKS && period >= PERIOD_MOST) {
            sleep_until_needed();
            period = PERIOD_LEAST;
            idle = eager = 0;
            continue;
        }
        eager = acted ? EAGER_LOOKS : eager - (eager > 0);
        int64_t most = idle == 0 ? PERIOD_BUSY : PERIOD_MOST;
        period = eager > 0 ? PERIOD_LEAST : period * 2 > most ? most : period * 2;
    }
    if (!atomic_load_explicit(&stop, memory_order_relaxed))
        pthread_detach(pthread_self()); /* the process ends: nobody will join it */
    return NULL;
}

static pthread_t monitor_thread;
static _Atomic int started; /* 1: somebody has started it, or does */

static void start_monitor(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of the program's runs there */
    int error = gofer_own_thread(&monitor_thread, MONITOR_STACK, monitor, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        gofer_fatal("runtime: cannot start the monitor thread: %s", strerror(error));
}

/* Nobody can start one meanwhile: no goroutine is left, and the door is closed. */
void gofer_monitor_stop(void)
{
    if (atomic_load_explicit(&started, memory_order_relaxed) == 0)
        return;
    gofer_spin_lock(&gofer_sched.lock);
    atomic_store_explicit(&stop, 1, memory_order_relaxed);
    gofer_monitor_wake();
    gofer_spin_unlock(&gofer_sched.lock);
    gofer_futex_wake(&stop, 1);
    pthread_join(monitor_thread, NULL);
    atomic_store_explicit(&stop, 0, memory_order_relaxed);
    atomic_store_explicit(&gofer_monitor_tid, 0, memory_order_relaxed);
    atomic_store_explicit(&started, 0, memory_order_relaxed);
    hogs = 0;
}

void gofer_monitor_need(void)
{
    int none = 0;
    if (atomic_load_explicit(&started, memory_order_relaxed) == 0 &&
        atomic_compare_exchange_strong_explicit(&started, &none, 1, memory_order_relaxed,
                                                memory_order_relaxed))
        start_monitor();
}

/* ---- go_blocking -------------------------------------------------------------------------- */

void go_blocking_begin(void)
{
    gofer_m *m = gofer_m_attached();
    if (m->is_foreign || m->g->blocking_depth++ > 0)
        return;
    gofer_p *p = gofer_enter(&m);
    if (!gofer_p_has_work(p) && !gofer_list_count(&gofer_sched.global)) {
        gofer_leave(m);
        return;
    }
    gofer_state_set(m->g, GOFER_DETACHED);
    atomic_store_explicit(&m->is_detached, true, memory_order_relaxed);
    atomic_fetch_add_explicit(&gofer_sched.detached, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&gofer_sched.hand_offs, 1, memory_order_relaxed);
    gofer_spin_lock(&m->freeze_lock);
    atomic_store_explicit(&m->p, NULL, memory_order_relaxed);
    gofer_spin_unlock(&m->freeze_lock);
    gofer_leave(m);
    gofer_hand_off(p);
}

void go_blocking_end(void)
{
    gofer_m *m = gofer_m_attached();
    if (m->is_foreign || m->g->blocking_depth == 0 || --m->g->blocking_depth > 0)
        return;
    gofer_enter(&m);
    gofer_leave(gofer_m_self());
}

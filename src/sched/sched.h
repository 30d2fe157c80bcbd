/* Goroutines, threads, processors: what they are. docs/architecture.md tells the protocols.
 *
 * g: a goroutine. m: a thread of the operating system. p: a processor, the right to run
 * goroutines together with what that needs (run queue, caches); GOMAXPROCS of them exist.
 *
 * Who may touch a p: the thread that holds it, while it is "inside" (between gofer_enter and
 * gofer_leave); or whoever froze that thread (gofer_freeze) for as long as it is frozen. So all of
 * a p's fields are plain. Fields that others peek at without that right are atomics, read relaxed
 * and taken as hints only. */
#ifndef GOFER_SRC_SCHED_H
#define GOFER_SRC_SCHED_H

#include "arch/arch.h"
#include "base/base.h"
#include "base/pool.h"
#include "gofer/panic.h"
#include "gofer/runtime.h"
#include "stack/stack.h"

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <time.h>

typedef struct gofer_g gofer_g;
typedef struct gofer_m gofer_m;
typedef struct gofer_p gofer_p;

/* A goroutine's states. The table of transitions is in src/sched/state.h, the only file that
 * assigns one. */
enum gofer_state {
    GOFER_DEAD = 0, /* in a cache of free goroutines */
    GOFER_RUNNABLE, /* in one run queue, or on its way there */
    GOFER_RUNNING,  /* on a thread that holds a p */
    GOFER_WAITING,  /* parked; somebody who found it in a wait queue will make it ready */
    GOFER_DETACHED, /* on a thread whose p was handed off: foreign code runs */
};

/* Why a goroutine waits. The texts are Go's: src/park/reason.c. */
enum gofer_reason {
    GOFER_WAIT_NONE = 0,
    GOFER_WAIT_CHAN_RECV,
    GOFER_WAIT_CHAN_SEND,
    GOFER_WAIT_CHAN_RECV_NIL,
    GOFER_WAIT_CHAN_SEND_NIL,
    GOFER_WAIT_SELECT,
    GOFER_WAIT_SELECT_NO_CASES,
    GOFER_WAIT_SLEEP,
    GOFER_WAIT_MUTEX,
    GOFER_WAIT_RWMUTEX_LOCK,
    GOFER_WAIT_RWMUTEX_RLOCK,
    GOFER_WAIT_WAITGROUP,
    GOFER_WAIT_COND,
    GOFER_WAIT_SEMACQUIRE,
    GOFER_WAIT_IO,  /* for a descriptor */
    GOFER_WAIT_RUN, /* inside go_run */
    GOFER_WAIT_REASONS
};
const char *gofer_reason_text(enum gofer_reason reason);

struct gofer_panic; /* src/panic */
struct gofer_local; /* src/sched/local.c */

/* The head of a gofer_call: all of one that has no arguments but words. */
typedef struct gofer_first {
    void (*fn)(void);
    gofer_call *kept;  /* with arguments: the call, until it gets its stack; from gofer_calls */
    size_t stack_size; /* 0: nobody writes it */
    uint64_t integer[GOFER_WORDS];
} gofer_first;
_Static_assert(offsetof(gofer_first, stack_size) == offsetof(gofer_call, stack_size) &&
                   offsetof(gofer_first, integer) == offsetof(gofer_call, integer),
               "gofer_replay takes one for a gofer_call");

/* A goroutine's descriptor. A plain thread that calls in has one too (is_thread), so that
 * everything that waits is a gofer_g. */
struct gofer_g {
    /* The first two lines have all that a park, a wake-up and a switch touch. */
    void *sp;      /* its context while it does not run; NULL: it gets a stack when it first runs */
    gofer_g *link; /* the next one in whichever list holds it */
    gofer_g *newer; /* in a processor's list `fresh`: the one before it, where there is one */
    /* 1 from before its thread switches to it until after its context was saved: who takes it
     * from a queue may switch to it only when this is 0 (acquire; pairs with gofer_switched). */
    _Atomic uint32_t on_cpu;
    _Atomic uint8_t state;  /* enum gofer_state */
    _Atomic uint8_t reason; /* enum gofer_reason; meaningful while waiting */
    bool is_thread;         /* stands for a plain thread */
    bool is_system;         /* a thread's own context (m->g0), never in a queue */
    int saved_errno;
    _Atomic uint32_t wake; /* is_thread: futex of gofer_park */
    gofer_m *home;         /* the only thread it may run on; NULL: any */
    void *exceptions[2];   /* C++: what __cxa_get_globals points at, while it does not run */

    gofer_defer *defers;           /* deferred calls and frame marks, newest first; own use only */
    struct gofer_running *running; /* innermost deferred call in progress; see src/panic */
    char *stack_low, *stack_high;  /* its stack, NULL until it has one; a guard page lies below */
    int64_t waiting_since;         /* coarse time of the last park */
    struct gofer_panic *panics;    /* panics and Goexits in progress, newest first; own use only */
    uint32_t lock_depth;           /* go_lock_os_thread calls not undone */
    uint32_t blocking_depth;       /* go_blocking_begin calls not undone */
    uint32_t held;                 /* why hooks may not park it: see src/hook/service.h; own use */
    bool sticky;
    bool panic_on_fault; /* go_set_panic_on_fault */
    bool unstarted;      /* its first instruction is yet to come */
    bool own_stack;      /* a mapping of its own, not from the pool */

    uint64_t id;
    gofer_first first; /* what it runs */
    uint64_t creator;  /* where it came from, with the next two */
    const gofer_site *site;
    const char *name;
    _Atomic uint32_t selected;     /* select: claimed by the first waker */
    void *woken_by;                /* select: the waiter that was served; written by the claimant */
    struct gofer_run *run;         /* the go_run that waits for it: see src/sched/run.c */
    const gofer_site *defers_site; /* of the newest: see src/panic/unwind.h */
    struct gofer_local *locals;
    gofer_m *ran_on; /* GOFER_DEBUG=migrate: the thread it ran on last */
#ifdef GOFER_ASAN
    void *asan_fake_stack;
#endif
    void *tsan_fiber;
};

/* What the monitor asks for where goroutines run long; see pick in schedule.c. */
enum gofer_ask { GOFER_ASKED_NOTHING, GOFER_ASKED_TO_LOOK, GOFER_ASKED_FOR_FAIR_PICK };

enum {
    GOFER_RUNQ_SIZE = 256, /* a power of two */
    GOFER_MAX_PROCS = 1024,
    GOFER_FAIR_PERIOD = 64 /* picks */
};

/* A queue of goroutines through their links. */
typedef struct gofer_list {
    gofer_g *head, *tail;
    _Atomic uint32_t count; /* written by whoever may touch the list; others peek */
} gofer_list;

struct gofer_p {
    int index;
    _Atomic uint32_t tick;                 /* goroutines started or resumed so far */
    _Atomic(gofer_g *) next;               /* made ready last, runs first: Go's runnext */
    uint32_t next_streak;                  /* how often in a row `next` was chosen */
    _Atomic uint32_t runq_head, runq_tail; /* free-running; the queue is runq[head..tail) */
    _Atomic int eager;   /* for so many lone ready goroutines wakes a thief: one was left waiting */
    bool kick;           /* an earlier timer was started than the timekeeper waits for */
    _Atomic int asked;   /* enum gofer_ask: of the next pick, by the monitor */
    uint32_t asked_tick; /* the pick's that did it last */
    gofer_list woken;    /* behind runq: of what it had no room for, those that have begun */
    gofer_list fresh;    /* behind these: those that have not */
    gofer_list backlog;  /* behind these: who yielded */
    uint64_t id_next, id_end;
    _Atomic int64_t created_minus_ended;
    gofer_p *idle_link;   /* sched.lock: the list of idle processors */
    bool is_resting;      /* sched.lock: beyond GOMAXPROCS, nobody holds it */
    _Atomic(gofer_m *) m; /* who holds it: a hint for thieves */
    gofer_g *runq[GOFER_RUNQ_SIZE];
    gofer_cache gs, calls, stacks; /* in front of gofer_gs, gofer_calls, gofer_stacks */
} __attribute__((aligned(GOFER_CACHE_LINE)));

/* How an idle thread waits for a processor. */
enum gofer_idle {
    GOFER_NOT_IDLE = 0,
    GOFER_IDLE_LISTED, /* in sched.idle_ms */
    GOFER_IDLE_LOCKED, /* for the goroutine that is tied to it */
};

struct gofer_m {
    /* The owner's: written by this thread alone. */
    gofer_g *g;              /* who runs here */
    gofer_g *previous;       /* who ran before the switch in progress */
    _Atomic uint32_t inside; /* 1 between gofer_enter and gofer_leave */
    /* The processor held. NULL: none, or somebody is freezing this thread. Written by the owner
     * while inside, and by who holds freeze_lock. */
    _Atomic(gofer_p *) p;
    int *errno_address;
    void **exceptions;     /* C++: __cxa_get_globals of this thread, or NULL */
    gofer_g g0;            /* the thread's own context: idles here */
    gofer_p *held;         /* what p is when nobody freezes; right while inside */
    gofer_g *resume;       /* for g0: switch to this one next */
    gofer_g *locked;       /* the goroutine tied to this thread */
    uint32_t sticky_count; /* sticky goroutines that live on this thread: it must not end */
    bool ends;             /* for g0: its goroutine ended while tied to it */
    /* Something is out of the ordinary at the next scheduling point: it is tied to a goroutine,
     * others that only it may run wait, it started a timer, its processor may be one too many, or
     * it just got it; or main has returned. Set by anybody after the thing itself; see
     * attend in schedule.c. */
    _Atomic bool attention;
    bool is_foreign; /* a plain thread; g == &g0, never holds a p */
    bool is_ignored; /* go_thread_ignore: it wakes nobody */
    bool is_main_thread;
    uint32_t visits; /* is_foreign: see src/sched/shutdown.c */
    uint32_t random;
    /* src/sync/readers.h; its goroutines use it in turn, which TSan does not see: so it is atomic
     */
    _Atomic(struct gofer_reader_row *) readers;

    gofer_spin freeze_lock __attribute__((aligned(GOFER_CACHE_LINE))); /* see gofer_freeze */
    _Atomic uint32_t acknowledged; /* the owner waits in gofer_enter_slow: it is outside */
    _Atomic bool fences;           /* it fences at each gofer_enter by now: see need_fences */
    _Atomic bool is_detached;      /* its goroutine runs on although its processor was handed off */

    /* sched.lock */
    gofer_m *idle_link;
    gofer_p *next_p;       /* handed to an idle thread with its wake-up */
    _Atomic uint32_t wake; /* futex */
    gofer_list pinned;     /* ready goroutines that only this thread may run */
    enum gofer_idle idle;
    _Atomic bool polls; /* its owner's: sleeps in the poller, not on `wake`; see gofer_wake_m */
    bool wake_spinning; /* woken to look for work, and counted so */

    /* the monitor's notes */
    gofer_p *seen_p;
    uint32_t seen_tick, turns_tick;
    int64_t turns_cpu, seen_cpu, tick_cpu, asked_at;
    uint32_t still;
    bool is_hog;
    bool hog_told; /* GOFER_DEBUG=hog was told of what it runs */

    clockid_t cpu_clock; /* of the thread; may be asked after its end, unlike its pthread_t */
    pid_t tid;
    pthread_t thread;
    gofer_m *all_link;     /* all threads ever made; never freed while the runtime runs */
    _Atomic uint32_t gone; /* the thread has ended */
    void *alternate_stack;
    struct gofer_text *print_to; /* where gofer_print goes; NULL: standard error */
    void *tsan_fiber;
    const void *stack_bottom; /* of the thread itself, for ASan */
    size_t stack_size;
} __attribute__((aligned(GOFER_CACHE_LINE)));

extern struct gofer_sched {
    gofer_spin lock;       /* guards what follows up to the next comment of this kind */
    gofer_list global;     /* runnable goroutines of no processor */
    uint32_t pinned_count; /* over all threads' pinned lists */
    gofer_p *idle_ps;
    gofer_m *idle_ms;
    int thread_count;    /* threads that run goroutines */
    gofer_m *last_ended; /* the thread that ended last: nobody has joined it yet */
    bool stopping;       /* go_shutdown: no goroutine is left, idle threads end */
    gofer_m *timekeeper; /* the idle thread that sleeps until the next timer */
    uint64_t p_takes;    /* times an idle processor was taken so far: see check_deadlock */

    /* Peeked at by everybody; written under the lock, `spinning` by anyone. */
    _Atomic int idle_p_count __attribute__((aligned(GOFER_CACHE_LINE)));
    _Atomic int busy_p_count;            /* held, or on the way from one holder to the next */
    _Atomic int spinning;                /* threads that look for work */
    _Atomic int detached;                /* goroutines that run on a thread without a processor */
    _Atomic int64_t timekeeper_deadline; /* when it wakes; INT64_MAX: there is none */

    /* Read by everybody, seldom written. */
    _Atomic int nprocs __attribute__((aligned(GOFER_CACHE_LINE)));
    _Atomic int p_count;      /* entries of ps, never fewer than nprocs */
    _Atomic bool exiting;     /* a fatal error: no goroutine resumes */
    _Atomic uint32_t cut_off; /* futex: main has returned; see gofer_cut_off */
    _Atomic bool monitor_sleeps;
    bool forked;              /* the child of a fork: the runtime is not there */
    bool migrates;            /* GOFER_DEBUG=migrate: every resume changes the thread */
    _Atomic bool need_fences; /* no membarrier here: gofer_enter fences instead; never taken back */
    bool main_owns_process;   /* the library's own main: go_main's end is the process's */
    bool main_gone;           /* main's goroutine called Goexit */
    bool all_sticky;          /* GOFER_STICKY=1 */
    int max_threads;
    gofer_g *main_g;
    gofer_m *ender; /* cut_off: main's thread */
    gofer_m *_Atomic all_ms;
    _Atomic uint64_t thread_wakes; /* plain threads made ready so far: the deadlock check's
                                      proof that none was while it looked */
    _Atomic int64_t coarse_now;    /* when somebody last looked at the clock */
    _Atomic uint64_t id_next;
    _Atomic int64_t created_outside; /* goroutines made minus ended without a processor */
    gofer_p *ps[GOFER_MAX_PROCS];

    /* Written now and then, and not to disturb what is read above. */
    sigset_t signal_mask; /* of the thread that started the runtime; all its threads begin so */
    _Atomic uint64_t hand_offs, steals; /* so far; for go_metrics_read */
} gofer_sched;

/* Counts on about once a second while goroutines run, and when all is idle: what lay unused since
 * it last did may be given up. By the monitor; relaxed, a hint. */
extern _Atomic uint32_t gofer_trim_epoch;

/* ---- inside and outside ------------------------------------------------------------------ */

/* Slow path: waits while the thread is frozen; where its processor was handed off, queues the
 * goroutine for another (it may go on on another thread). Returns the processor, marked inside,
 * and updates *m. */
gofer_p *gofer_enter_slow(gofer_m **m);

/* Marks the calling thread inside the runtime, so that its processor stays its own. *m is the
 * caller's gofer_m_self(); NULL result: a plain thread. Pairs with the membarrier in gofer_freeze:
 * either it sees the mark, or we see p == NULL. */
/* In the membarrier's place, where the kernel has none. */
static inline void gofer_fence_inside(gofer_m *m)
{
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store_explicit(&m->fences, true, memory_order_release); /* pairs with can_see */
}

static inline gofer_p *gofer_mark_inside(gofer_m *m)
{
    atomic_store_explicit(&m->inside, 1, memory_order_relaxed);
    gofer_compiler_barrier();
    if (gofer_unlikely(atomic_load_explicit(&gofer_sched.need_fences, memory_order_relaxed)))
        gofer_fence_inside(m);
    /* acquire: pairs with the release with which a freezer gives the processor back */
    return atomic_load_explicit(&m->p, memory_order_acquire);
}

static inline gofer_p *gofer_enter(gofer_m **m)
{
    gofer_p *p = gofer_mark_inside(*m);
    if (gofer_unlikely(!p)) {
        gofer_m *now = *m; /* a copy: the caller's stays in a register */
        p = gofer_enter_slow(&now);
        *m = now;
    }
    return p;
}

static inline void gofer_leave(gofer_m *m)
{
    atomic_store_explicit(&m->inside, 0, memory_order_release); /* pairs with gofer_freeze */
}

/* ---- the doors that park and the rest of the library use ---------------------------------- */

/* Switches away from the current goroutine, which is WAITING or in a queue; returns when it runs
 * again. Inside on entry, outside on return. */
void gofer_schedule_away(gofer_m *m, gofer_p *p);

/* The same for one that waits already, whether or not its thread still has a processor. Outside on
 * entry. */
void gofer_schedule_away_parked(void);
void gofer_schedule_away_jumping(void); /* which gofer_jumps_back: for callers that do so too */

/* Puts a goroutine that just became ready in a queue and sees to it that somebody runs it.
 * `front`: it runs next on this processor, else behind the others. From any thread. */
void gofer_enqueue(gofer_g *g, bool front);

/* The same, behind the others, for one that is likely to have a home elsewhere. */
void gofer_enqueue_home(gofer_g *g);

/* Ends the calling goroutine after its deferred calls ran. */
_Noreturn void gofer_goroutine_end(void);

/* The calling thread's descriptor, made at its first call; fatal without memory. */
gofer_m *gofer_attach(void);
static inline gofer_m *gofer_m_attached(void)
{
    gofer_m *m = gofer_m_self();
    return gofer_likely(m != NULL) ? m : gofer_attach();
}

/* Whether the plain thread m wakes nobody: the deadlock check need not wait for it. */
void gofer_thread_set_ignored(gofer_m *m, bool ignored);

/* The calling thread's sleeps end on time, as those of the runtime's threads do; or late by what
 * the program's may. A program that it starts begins with the same. */
void gofer_sleepers_on_time(bool on_time);

/* A timer was started for `when`, by a thread that is attached: sees to it that somebody wakes in
 * time. */
void gofer_timekeeper_check(int64_t when);

/* A random number of the thread's own generator. Not instrumented: goroutines of one thread share
 * it, one after the other. */
GOFER_UNSEEN static inline uint32_t gofer_random(gofer_m *m)
{
    uint32_t x = m->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return m->random = x;
}

/* True: what every thread of the process stored before is visible after, and what it loads from now
 * on sees what was stored before the call. Takes microseconds. False: the kernel has none, or a
 * filter refuses it by now, for good. */
bool gofer_membarrier(void);

/* For dumps and the end of the process: no goroutine starts or resumes from now on, and those
 * that run stop at their next call into the runtime, for good. */
void gofer_freeze_world(void);

/* Main has returned and exits: as in Go no other goroutine resumes. Those that run stop at their
 * next switch. But an exit handler may wait, for one of them or for a time: then all go on, as
 * after exit(). */
void gofer_cut_off(void);
void gofer_cut_off_end(void);

/* For looks at all goroutines while the program goes on: none is resumed, and none that runs gets
 * into the runtime, until gofer_start_world, which takes the result. The caller's thread stays the
 * same meanwhile. NULL: the runtime does not run. src/sched/world.c */
gofer_m *gofer_stop_world(void);
void gofer_start_world(gofer_m *m);

/* Calls fn for each goroutine that is not dead, in no order, without locks: for dumps of a frozen
 * world. */
void gofer_each_goroutine(void (*fn)(gofer_g *g, void *context), void *context);

/* In the child of a fork: a fatal error. src/sched/fork.c */
void gofer_fork_fail(void);
static inline void gofer_fork_check(void)
{
    if (gofer_unlikely(gofer_sched.forked))
        gofer_fork_fail();
}

/* Starts the runtime if it does not run; 0, or an errno. */
int gofer_start(void);

/* For a plain thread that touches processors or threads: the same, and keeps the runtime up until
 * gofer_visit_end. Visits nest; of a goroutine's thread they mean nothing. src/sched/shutdown.c */
int gofer_visit(gofer_m *m);
void gofer_visit_end(gofer_m *m);

#endif

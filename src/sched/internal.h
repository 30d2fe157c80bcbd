/* What the files of src/sched tell each other and nobody else. */
#ifndef GOFER_SRC_SCHED_INTERNAL_H
#define GOFER_SRC_SCHED_INTERNAL_H

#include "sched/queue.h"
#include "sched/sched.h"
#include "sched/state.h"

/* schedule.c */
void gofer_switch_to(gofer_m *m, gofer_g *from, gofer_g *to); /* inside; returns when `from` runs */
gofer_g *gofer_pick(gofer_m *m, gofer_p *p); /* the next goroutine of p, or NULL; inside */
void gofer_enqueue_global(gofer_g *g);

/* loop.c */
void gofer_g0_loop(gofer_m *m); /* returns only where the thread shall end */

/* idle.c: m has nothing to do: gives its processor up, unless work came meanwhile. Returns with one
 * held, or m->ends set. */
void gofer_go_idle(gofer_m *m);

/* wake.c */
gofer_p *gofer_take_idle_p(void);        /* sched.lock; NULL: none */
void gofer_put_idle_p(gofer_p *p);       /* sched.lock; it was not counted as busy */
void gofer_give_back_p(gofer_p *p);      /* sched.lock. p has no work and is held no more */
void gofer_hold(gofer_m *m, gofer_p *p); /* m, the caller, holds p from now on; marks inside */
gofer_p *gofer_release_p(gofer_m *m);    /* and no longer */
void gofer_hand_off(gofer_p *p); /* gives a processor that the caller owns to another thread */
void gofer_wake_one(void);       /* lets an idle processor look for work, if there is one */
void gofer_tell_idle(gofer_p *p, bool alone); /* p got a goroutine; `alone`: the only one */
void gofer_kick_timekeeper(gofer_p *p);       /* p->kick was set */
void gofer_remove_idle_m(gofer_m *m);         /* sched.lock. m stops being idle */
void gofer_wake_m(gofer_m *m);                /* which sleeps, or is about to */
void gofer_wake_idle_threads(void);           /* sched.lock. For sched.stopping */
void gofer_let_other_check(void); /* the caller ends, and is to look for a deadlock again */

/* pinned.c */
void gofer_send_home(gofer_m *m, gofer_g *g); /* m found g, which another thread shall run */
void gofer_ask_for_processor(gofer_m *m);     /* sched.lock. For m's goroutines */
gofer_g *gofer_wait_for_locked(gofer_m *m);   /* sleeps until m's own goroutine is ready */

/* deadlock.c */
int64_t gofer_goroutine_count(void); /* exact when nothing runs */
bool gofer_all_still(void);          /* sched.lock. Nothing runs and nothing is about to */
/* Called by a thread that just went idle, without locks; fatal where all is asleep. `round`: how
 * often it was called in this idleness. Returns when to look again, or -1: a plain thread that
 * keeps the report quiet may end, or stop waiting, without telling us. */
int64_t gofer_check_deadlock(int round);

/* steal.c: what a thread that looks for work has seen of the other processors. */
typedef struct gofer_looks {
    int count, procs;
    struct gofer_look {
        uint32_t tick;    /* at the last look */
        uint32_t waiting; /* in how many looks in a row something waited */
    } at[GOFER_MAX_PROCS];
} gofer_looks;

/* A goroutine for p from another processor, with more behind it in p's queue; NULL: none yet. */
gofer_g *gofer_steal(gofer_m *m, gofer_p *p, gofer_looks *looks);
void gofer_looks_begin(gofer_looks *looks);

/* freeze.c */
/* gofer_enter_slow for one that waits already, and so may not be queued to get a processor. NULL:
 * there is none. Inside either way. */
gofer_p *gofer_enter_parked_slow(gofer_m *m);
bool gofer_freeze(gofer_m *m, gofer_p *p, bool owner_is_out);
void gofer_unfreeze(gofer_m *m, gofer_p *p); /* p NULL: it was handed off */
void gofer_membarrier_register(void);
gofer_cold void gofer_stay_if_ended_slow(gofer_m *m);
/* On m's own context, or inside without a processor: stays here while no goroutine may resume. */
static inline void gofer_stay_if_ended(gofer_m *m)
{
    if (gofer_unlikely(atomic_load_explicit(&gofer_sched.exiting, memory_order_relaxed) ||
                       atomic_load_explicit(&gofer_sched.cut_off, memory_order_relaxed)))
        gofer_stay_if_ended_slow(m);
}

/* thread.c */
void gofer_threads_begin(void);                     /* before the first thread is started */
void gofer_thread_start(gofer_p *p, bool spinning); /* a new thread that begins with p */
int gofer_thread_need(void);      /* starts the first thread, if there is none; 0, or an errno */
gofer_m *gofer_m_new(void);       /* NULL: no memory */
void gofer_attach_as(gofer_m *m); /* of the calling plain thread, which had none */
void gofer_m_bind(gofer_m *m);    /* the calling thread is m from now on */
void gofer_m_bind_worker(gofer_m *m); /* the same for one that runs goroutines */
bool gofer_foreign_threads(void);     /* whether a thread exists that could wake somebody */
bool gofer_plain_threads_wait(void);  /* whether one may wait for a timer or a descriptor */
/* The calling thread was the runtime's and has left its loop: go_shutdown joins it. */
extern __thread bool gofer_thread_ends __attribute__((tls_model("initial-exec")));

/* shutdown.c: what keeps the runtime from ending under a plain thread's feet */
extern struct gofer_life {
    pthread_mutex_t lock;     /* one starts or ends the runtime at a time */
    _Atomic bool started;     /* written under the lock */
    _Atomic int visitors;     /* plain threads that work on processors or threads */
    _Atomic int joining;      /* calls of go_shutdown that join threads; rises under the lock */
    _Atomic uint32_t changes; /* futex: go_shutdown shall look again */
} gofer_life;
bool gofer_visit_running(gofer_m *m); /* only where it runs */
void gofer_say_quiet(void);           /* no goroutine is left, or a thread has ended */

/* fork.c */
void gofer_fork_prepare(void);

/* slab.c: descriptors of goroutines, and the calls of those that have no stack yet */
#ifdef GOFER_TSAN
enum { GOFER_G_ROOM = 4096 }; /* a page, for gofer_tsan_forget */
#else
enum { GOFER_G_ROOM = (sizeof(gofer_g) + GOFER_CACHE_LINE - 1) & ~(size_t)(GOFER_CACHE_LINE - 1) };
#endif
enum { GOFER_CALL_ROOM = 384 };
extern gofer_pool gofer_gs, gofer_calls;
void gofer_slabs_free_all(void); /* no goroutine is left */

/* spawn.c */
void *gofer_begin(gofer_m *m, gofer_g *g);  /* gives g its stack; returns its context. Inside */
void gofer_recycle(gofer_m *m, gofer_g *g); /* g ended, its stack is no longer in use */
void gofer_switched(void);                  /* schedule.c: the first call in a new context */
/* A goroutine that runs the captured call, which has no stack part, once it is enqueued. NULL: no
 * memory. */
gofer_g *gofer_try_spawn(const gofer_call *call, const go_options *options);
void gofer_run_finish(gofer_g *g); /* run.c: g, which a go_run waits for, ends */

/* monitor.c */
void gofer_monitor_need(void); /* starts the monitor at its first call */
void gofer_monitor_wake(void); /* a processor became busy */
void gofer_monitor_stop(void); /* sched.stopping is set; returns when its thread has ended */

/* procs.c */
int gofer_cpu_count(void);
int gofer_procs_at_start(void); /* GOMAXPROCS, if the runtime started now */
void gofer_procs_start(void);
void gofer_procs_refresh(void);      /* the machine may have changed what it gives */
void gofer_procs_free(void);         /* nobody holds one, and no thread is left */
void gofer_procs_retire(gofer_m *m); /* m gives up a processor beyond GOMAXPROCS; outside after */
void gofer_call_attention_of_all(void);

/* local.c */
void gofer_locals_free(gofer_g *g);

/* Puts g in p's queue: `front`: next, else behind the others. The caller is inside with p. */
static inline void gofer_push(gofer_p *p, gofer_g *g, bool front)
{
    gofer_state_set(g, GOFER_RUNNABLE);
    gofer_g *behind = g; /* who goes to the queue's end */
    if (front) {
        behind = atomic_load_explicit(&p->next, memory_order_relaxed);
        atomic_store_explicit(&p->next, g, memory_order_relaxed);
    }
    if (behind)
        gofer_runq_push(p, behind);
    if (gofer_unlikely(atomic_load_explicit(&gofer_sched.idle_p_count, memory_order_relaxed) > 0)) {
        bool alone = !behind || (!front && gofer_p_waiting(p) == 1 &&
                                 !atomic_load_explicit(&p->next, memory_order_relaxed));
        gofer_tell_idle(p, alone);
    }
}

#endif

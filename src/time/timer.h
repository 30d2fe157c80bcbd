/* Timers: something to call at a time.
 *
 * Each processor has a heap, guarded by a spin lock of its own, that any thread may lock. Whoever
 * looks for work runs what is due, and so does a goroutine that looks at a timer's channel. fire
 * runs under the heap's lock, so that a timer that was stopped is neither running nor will run: it
 * must be short, may take channel locks, call gofer_ready_last and spawn, and must not start or
 * stop timers, but for gofer_timer_end. */
#ifndef GOFER_SRC_TIMER_H
#define GOFER_SRC_TIMER_H

#include "park/cancel.h"
#include "sched/sched.h"

typedef struct gofer_timer {
    int64_t when;      /* heap->lock: monotonic nanoseconds */
    int64_t period;    /* heap->lock: > 0: it fires again, so much later */
    uint64_t sequence; /* heap->lock: ties run in the order of starting */
    void (*fire)(struct gofer_timer *self, int64_t due); /* due: for when it was set */
    struct gofer_timer_heap *heap; /* where it is or was last; set by start, kept by reset */
    size_t slot;                   /* heap->lock: its place + 1; 0: not in the heap */
    bool wakes;                    /* somebody waits for it: keeps the deadlock report quiet */
    /* Where that changes while the timer runs: asked instead, under the heap's lock. */
    bool (*waited_for)(struct gofer_timer *self);
    /* Takes back what firing left for somebody, under the heap's lock; true: there was something.
     * NULL: nothing can be taken back. */
    bool (*withdraw)(struct gofer_timer *self);
    void (*drop)(struct gofer_timer *self); /* frees it in go_shutdown; NULL: nothing to free */
} gofer_timer;

/* Starts a timer that was not started before; fire and wakes must be set. False: no memory. */
bool gofer_timer_start(gofer_timer *timer, int64_t when);

/* Stops it. True: it will not fire, or what it left was withdrawn. False: it has fired, and fire
 * has returned. */
bool gofer_timer_stop(gofer_timer *timer);

/* Stops one that was started once and starts it again, all under its heap's lock: two that reset or
 * stop it at a time come one after the other. 1 and 0: as stop; -1: no memory, it is stopped. */
int gofer_timer_reset(gofer_timer *timer, int64_t when, int64_t period);

/* From fire, for a timer with a period itself: it ends. */
void gofer_timer_end(gofer_timer *timer);

/* The time d from now; where that is past the end of time, the end. */
int64_t gofer_time_after(go_duration d);

/* Runs what is due in every heap that is due, or the first of it: the rest stays due. Returns the
 * time of the next timer, or -1. */
int64_t gofer_timers_run(int64_t now);

/* The earliest timer of all; -1: none. A hint. */
int64_t gofer_timers_next(void);
static inline bool gofer_timers_are_due(int64_t now)
{
    int64_t next = gofer_timers_next();
    return next >= 0 && next <= now;
}

/* For a goroutine that looks at a timer's channel: runs all that is due by now, in all heaps, or
 * waits until others have. No lock is held. Does nothing on a plain thread. src/sched/loop.c. */
void gofer_timers_catch_up(void);

/* How many run. */
uint64_t gofer_timers_count(void);

/* Whether somebody waits for a timer. Under no lock; exact when nothing runs. */
bool gofer_timers_can_wake(void);

/* go_sleep that the source, which may be NULL, cuts short: 0; or -1 and errno: its error, or
 * ENOMEM. src/time/sleep.c. */
int gofer_sleep_cancellable(go_duration d, gofer_cancel *source);

/* For go_shutdown: drops the timers, which nobody waits for, and the heaps' memory. */
void gofer_timers_free(void);

#endif

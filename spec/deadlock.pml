/* The deadlock report: gofer_check_deadlock and gofer_all_still of deadlock.c, gofer_foreign_threads of thread.c,
 * against plain threads (park_thread and wake_thread of park.c).
 *
 * A goroutine waits for a value from plain thread 1, which first waits in a wait group for plain
 * thread 2, which is done and ends. The worker takes what is queued, else checks. The report never
 * comes while anything can still move, and it does come when nothing can. Left out: timers, detached
 * goroutines (counted before their processor is given back, uncounted after it is regained), new
 * threads, weak memory. Mutations, which must make the check fail: -DWAITS_EARLY marks a thread as
 * waiting when it says that it will (it may not), -DNO_WAKES leaves the counter of woken threads
 * out, -DONE_LOOK looks at the queues only before it looks at the threads. */

mtype = { RUNNING, RUNNABLE, WAITING };
mtype state = RUNNING;         /* thread 1's */
bit wake = 0, queued = 0;      /* its futex; it is in the wait group's queue */
bit lock = 0, count = 1;       /* the wait group's */
bit ended = 0;                 /* thread 2's */
byte thread_wakes = 0;
bit global = 0, goroutine_waits = 1;
bit stuck = 0, reported = 0;   /* thread 1 waits for ever */

active proctype thread_1()
{
    if
    :: count == 0 -> goto go_on
    :: else
    fi;
    wake = 0; /* gofer_prepare_park */
#ifdef WAITS_EARLY
    state = WAITING;
#endif
    atomic { !lock -> lock = 1 };
    if
    :: count == 0 -> lock = 0; state = RUNNING; goto go_on /* gofer_cancel_park */
    :: else
    fi;
    queued = 1;
    lock = 0;
    atomic { if :: state == RUNNING -> state = WAITING :: else fi }; /* park_thread */
    wake;
    state = RUNNING;
go_on:
    atomic { if :: goroutine_waits -> goroutine_waits = 0 :: else fi };
    global = 1; /* go_send */
    stuck = 1;  /* has nothing else to wake, and waits */
    state = WAITING
}

active proctype thread_2()
{
    bit waiter;
    atomic { !lock -> lock = 1 };
    count = 0;
    waiter = queued;
    queued = 0;
    lock = 0;
    if
    :: waiter -> state = RUNNABLE; thread_wakes++; wake = 1 /* wake_thread */
    :: else
    fi;
    ended = 1
}

inline check()
{
    wakes = thread_wakes;
    if
    :: global -> goto looked
    :: else
    fi;
    if
    :: state != WAITING -> goto looked
    :: else
    fi;
    if
    :: !ended -> goto looked
    :: else
    fi;
#ifndef NO_WAKES
    if
    :: wakes != thread_wakes -> goto looked
    :: else
    fi;
#endif
#ifndef ONE_LOOK
    if
    :: global -> goto looked
    :: else
    fi;
#endif
    reported = 1;
    assert(stuck && ended && !global)
}

active proctype worker()
{
    byte wakes, looks = 0;
    bit settled;
    do
    :: atomic { global -> global = 0 } /* runs it; it waits again */
    :: !global && looks < 4 -> looks++; settled = (stuck && state == WAITING && ended && !global); check(); break
looked:
        assert(!settled); /* nothing can move: the report must come */
    :: looks == 4 && !global && stuck && state == WAITING && ended -> looks = 0 /* looks again when all is over */
    od
}

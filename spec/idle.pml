/* Going idle against those who bring work: find_runnable (loop.c), gofer_go_idle and sleep_idle
 * (idle.c), gofer_wake_one, start_thread_with, gofer_hand_off, kick_timekeeper and
 * gofer_timekeeper_check (wake.c).
 *
 * Two processors. One is held by worker 0, which looks for work and is counted as spinning; the
 * other's goroutine blocks in foreign code, and the monitor hands it off. Worker 1 sleeps and keeps
 * the time for a first timer. A plain thread starts a second, later timer; and either
 * another one pushes to the global queue, or the hand-off takes place. A goroutine that computes for ever may be stolen by whoever spins.
 *
 * When nothing moves any more, nothing may be left: a pushed goroutine or a due timer would be lost,
 * but where both processors compute. The second timer's store sits in a store buffer until a fence or
 * a locked instruction; all other stores are seen in order. Left out: the monitor as the backstop,
 * kick flags of processors, threads being started (a sleeping one stands for it). Mutations, which
 * must make the check fail: -DTIMERS_OUTSIDE (hand_off looks at timers before it takes the lock),
 * -DNO_FENCE (in gofer_timekeeper_check), -DNO_LOOK (a spinner that found work does not look at
 * what was left to it), -DLATE_DECREMENT (gofer_wake_one stops
 * counting itself after the lock), -DNO_SECOND_LOOK (go_idle does not look under the lock). */

#define NOBODY 2
#define NEVER 3

bit lock = 0, global = 0, stealable = 1;
byte idle_ps = 0, spinning = 1, computing = 0;
bit first = 1, second = 0, second_buffer = 0; /* timers pending */
byte keeper = 1, deadline = 1;                /* NOBODY and NEVER: there is none */
bit idle[2], wake[2], next_p[2], wake_spinning[2];

inline take_lock() { atomic { !lock -> lock = 1 } }
inline free_lock() { lock = 0 }
#define TIMER (first -> 1 : (second -> 2 : NEVER))

inline wake_one()
{
    if
    :: idle_ps > 0 ->
        if
        :: atomic { spinning == 0 -> spinning = 1 };
            take_lock();
            if
            :: idle_ps > 0 -> idle_ps--; m = (idle[0] -> 0 : (idle[1] -> 1 : NOBODY))
            :: else ->
                m = NEVER;
#ifndef LATE_DECREMENT
                spinning--
#endif
            fi;
            free_lock();
#ifdef LATE_DECREMENT
            if
            :: m == NEVER -> spinning--
            :: else
            fi;
#endif
            if
            :: m != NEVER ->
                take_lock();
                m = (idle[0] -> 0 : (idle[1] -> 1 : NOBODY));
                assert(m != NOBODY);
                idle[m] = 0;
                next_p[m] = 1;
                wake_spinning[m] = 1;
                free_lock();
                wake[m] = 1
            :: else
            fi
        :: spinning > 0
        fi
    :: else
    fi
}

proctype worker(bit self; bit holds)
{
    bit has_p = holds, spins = holds, found;
    byte m, timer;
    if
    :: !holds -> goto sleeping
    :: else
    fi;
find_runnable:
    spins = spins || wake_spinning[self];
    wake_spinning[self] = 0;
    first = 0; /* gofer_timers_run */
    second = 0;
    if
    :: global -> take_lock(); global = 0; free_lock() /* and runs it, which is soon over */
    :: else
    fi;
    if
    :: !spins -> spinning++; spins = 1
    :: else
    fi;
    if
    :: atomic { stealable -> stealable = 0 }; found = 1
    :: found = 0
    fi;
    spinning--;
    spins = 0;
    if
    :: found ->
#ifndef NO_LOOK
        if
        :: global || (TIMER != NEVER && deadline == NEVER) -> wake_one() /* left_to_us */
        :: else
        fi;
#endif
        computing++;
        goto end
    :: else
    fi;
    /* go_idle */
    take_lock();
#ifndef NO_SECOND_LOOK
    if
    :: global -> free_lock(); goto find_runnable
    :: else
    fi;
#endif
    idle_ps++;
    idle[self] = 1;
    free_lock();
    has_p = 0;
sleep_idle:
    timer = TIMER;
    take_lock();
    if
    :: timer != NEVER && idle_ps > 0 && timer < deadline -> keeper = self; deadline = timer
    :: else
    fi;
    free_lock();
sleeping:
end_asleep:
    if
    :: wake[self]
    :: keeper == self && TIMER != NEVER /* it is due */
    fi;
    take_lock();
    wake[self] = 0;
    if
    :: keeper == self -> keeper = NOBODY; deadline = NEVER
    :: else
    fi;
    has_p = next_p[self];
    next_p[self] = 0;
    if
    :: !has_p && TIMER != NEVER && idle_ps > 0 -> idle_ps--; has_p = 1
    :: else
    fi;
    if
    :: has_p -> idle[self] = 0
    :: else
    fi;
    free_lock();
    if
    :: has_p -> goto find_runnable
    :: else -> goto sleep_idle
    fi;
end:
    skip
}

/* gofer_enqueue_global from a plain thread */
proctype pusher()
{
    byte m;
    take_lock();
    global = 1;
    free_lock();
    wake_one()
}

inline drain() { atomic { if :: second_buffer -> second = 1; second_buffer = 0 :: else fi } }

proctype store_buffer()
{
end:
    do
    :: atomic { second_buffer -> second = 1; second_buffer = 0 }
    od
}

/* gofer_timer_start from a plain thread, with gofer_timekeeper_check */
proctype sleeper()
{
    byte m;
    second_buffer = 1;
#ifndef NO_FENCE
    drain();
#endif
    if
    :: deadline < 2 -> goto done /* somebody wakes before that */
    :: else
    fi;
    drain(); /* the lock's swap */
    take_lock();
    m = keeper;
    if
    :: m != NOBODY -> wake[m] = 1
    :: else
    fi;
    free_lock();
    if
    :: m == NOBODY -> wake_one()
    :: else
    fi;
done:
    skip
}

proctype hand_off()
{
    bit work;
    byte m;
#ifdef TIMERS_OUTSIDE
    work = (TIMER != NEVER);
#endif
    take_lock();
#ifndef TIMERS_OUTSIDE
    work = (TIMER != NEVER);
#endif
    work = work || global;
    if
    :: !work -> idle_ps++; free_lock(); goto done
    :: else
    fi;
    free_lock();
    take_lock();
    m = (idle[0] -> 0 : (idle[1] -> 1 : NOBODY));
    if
    :: m != NOBODY -> idle[m] = 0; next_p[m] = 1
    :: else -> computing++ /* a new thread takes it, and the model has no more for it */
    fi;
    free_lock();
    if
    :: m != NOBODY -> wake[m] = 1
    :: else
    fi;
done:
    skip
}

active proctype checker()
{
    timeout;
    assert(computing == 2 || idle_ps == 0 || (!global && TIMER == NEVER));
    assert(spinning == 0)
}

init {
    atomic {
        idle[1] = 1;
        run worker(0, 1);
        run worker(1, 0);
        run sleeper();
        if /* both at once are a hundred times the states */
        :: run pusher()
        :: run hand_off()
        fi;
        run store_buffer()
    }
}

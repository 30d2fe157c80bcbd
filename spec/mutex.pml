/* go_mutex: mutex.c with the paths in gofer/sync.h, by three goroutines that count themselves out
 * in the critical section; the last one out frees it. Each may once be cancelled while it waits,
 * and then locks without. -DREUSE: two use the mutex, the last one out makes another of the same
 * memory, and uses that with the third, while the first may still be in its unlock.
 *
 * At most one is in the section, nobody waits for ever (an invalid end state), and no access
 * comes after the free.
 *
 * Unlock's plain store of 0 goes to a buffer, one a goroutine. It reaches the word at any later
 * moment (the process memory), at its goroutine's next locked operation or fence, and at a
 * membarrier of another. The look at `watched` that follows in the program may come as early as
 * the loads before it, as on ARM; a membarrier undoes that. All else is done in order: it lies
 * between locked operations. Taking the lot's lock drains nothing, as on ARM; freeing it does. The look at
 * `watched` before the store is left out, and either way is open at any time: it spares time and
 * orders nothing. The process lot is the other mutexes of the lot, whose waiters start a watch and
 * whose unlocks end it, CHANGES times. Left to chance: whether a waiter has waited 1 ms, and
 * whether the lot has other queues. Left out: spinning, and life without a membarrier.
 *
 * Mutations, which must make the check fail: -DNO_RECHECK queues without looking whether the mutex
 * is free, -DREADY_EARLY frees the lot and wakes before the word is written, -DHAND_FREE hands over
 * without LOCKED, -DNO_MEMBARRIER starts a watch without one, -DEND_IN_USE ends it though somebody
 * waits, -DNO_SECOND_LOOK unlocks without looking for a watch, -DNO_LOCK then looks for a queue
 * without the lot's lock, -DNO_RESTORE does not set WAITERS again for those that wait on, -DTOUCH does
 * so without looking whether the mutex has a queue, -DSWAP_BLIND frees a watched mutex with a swap in the compare-and-swap's place. */

#define N 3
#define NOBODY N
#ifndef CHANGES
#define CHANGES 2
#endif
bit locked = 0, waiters = 0, starving = 0; /* the word: written in one step */
bit buffered[N];                           /* its plain store has not reached the word yet */
byte looked[N]; /* its look at `watched` that came early: 1 + what it saw; 0: none */
bit lock = 0, watched = 0;
byte length = 0, queue[N]; /* queue[0..length): who waits, first in, first out */
bit claimed[N], woken[N], handed[N];
byte inside = 0;
bit freed = 0;
#ifdef REUSE
byte left = 2;
bit second = 0;
#else
byte left = N;
#endif

inline set_word(l, w, s)
{
    assert(!freed);
    locked = l;
    waiters = w;
    starving = s
}

inline drain(who)
{
    if
    :: buffered[who] -> buffered[who] = 0; set_word(0, 0, 0)
    :: else
    fi
}

inline membarrier()
{
    atomic {
#ifndef NO_MEMBARRIER
        drain(0);
        drain(1);
        drain(2);
        looked[0] = 0;
        looked[1] = 0;
        looked[2] = 0
#else
        skip
#endif
    }
}

inline take_lock() { atomic { !lock -> lock = 1 } }
inline free_lock() { atomic { drain(me); lock = 0 } }

/* The swaps of lock, and of unlock. */
inline try_lock()
{
    atomic {
        drain(me);
        assert(!freed);
        if
        :: !locked && !starving -> locked = 1; mine = 1
        :: else
        fi
    }
}

inline push(front)
{
    atomic {
        assert(!freed);
        if
        :: front -> queue[2] = queue[1]; queue[1] = queue[0]; queue[0] = me
        :: else -> queue[length] = me
        fi;
        length++
    }
}

inline pop(who)
{
    who = queue[0];
    queue[0] = queue[1];
    queue[1] = queue[2];
    queue[2] = 0;
    length--
}

/* me, wherever it is in the queue, if it is. */
inline remove()
{
    atomic {
        assert(!freed);
        if
        :: length > 0 && queue[0] == me -> pop(other)
        :: length > 1 && queue[1] == me -> queue[1] = queue[2]; queue[2] = 0; length--
        :: length > 2 && queue[2] == me -> queue[2] = 0; length--
        :: else
        fi;
        other = 0
    }
}

/* The queue's head that was not cancelled. */
inline claim(who)
{
    atomic {
        assert(!freed);
        who = NOBODY;
        do
        :: length > 0 ->
            pop(who);
            if
            :: claimed[who] -> who = NOBODY
            :: else -> claimed[who] = 1; break
            fi
        :: else -> break
        od
    }
}

inline ready(who)
{
    atomic {
        drain(me);
        if
        :: who != NOBODY -> woken[who] = 1
        :: else
        fi;
        who = 0
    }
}

inline take_or_queue()
{
    take_lock();
    claimed[me] = 0;
    if
    :: !watched -> watched = 1; membarrier()
    :: else
    fi;
    atomic {
        drain(me);
        assert(!freed);
        if
#ifndef NO_RECHECK
        :: !locked && !starving -> locked = 1; mine = 1
        :: locked || starving ->
#else
        :: true ->
#endif
            waiters = 1;
            if
            :: again -> starving = 1
            :: true
            fi
        fi
    };
    if
    :: !mine -> push(again)
    :: else
    fi;
    free_lock()
}

inline withdraw()
{
    take_lock();
    remove();
    atomic {
        assert(!freed);
        if
        :: length == 0 -> drain(me); set_word(locked, 0, 0)
        :: else
        fi
    };
    free_lock()
}

/* Also where the swap below finds LOCKED alone at once. */
inline pass_on()
{
    bit hands;
    take_lock();
    claim(other);
    atomic {
        assert(!freed && locked);
        hands = starving && other != NOBODY;
        if
        :: hands -> handed[other] = 1
        :: else
        fi
    };
#ifdef READY_EARLY
    free_lock();
    ready(other);
#endif
    atomic {
#ifdef HAND_FREE
        set_word(0, length > 0, 0);
#else
        if
        :: set_word(hands, length > 0, 0)
        :: hands && length > 0 -> set_word(1, 1, 1)
        fi;
#endif
        hands = 0
    };
#ifndef READY_EARLY
    free_lock();
    ready(other)
#endif
}

inline unlock_slow()
{
    atomic {
        assert(!freed);
        if
#ifdef SWAP_BLIND
        :: true -> set_word(0, 0, 0); goto unlocked
#else
        :: locked && !waiters && !starving -> locked = 0; goto unlocked
        :: else
#endif
        fi
    };
    pass_on()
}

/* gofer_mutex_unlocked */
inline look_for_queue()
{
#ifdef NO_LOCK
    if
    :: length == 0 -> goto unlocked
    :: else
    fi;
#endif
    take_lock();
    other = NOBODY;
    if
#ifndef TOUCH
    :: length == 0
    :: length > 0 ->
#else
    :: true ->
#endif
        claim(other);
#ifndef NO_RESTORE
        atomic {
            drain(me);
            assert(!freed);
            if
            :: length > 0 -> waiters = 1
            :: else
            fi
        }
#endif
    fi;
    free_lock();
    ready(other)
}

inline look_early()
{
    if
    :: looked[me] = 1 + watched
    :: true
    fi
}

proctype goroutine(byte me)
{
    bit again = 0, mine = 0, last = 0, cancellable = 1;
    byte other;
#ifdef REUSE
    if
    :: me == 2 -> second
    :: else
    fi;
#endif
lock_it:
    atomic {
        drain(me);
        assert(!freed);
        if
        :: !locked && !waiters && !starving -> locked = 1; mine = 1
        :: else
        fi
    };
    do
    :: mine -> break
    :: else ->
        take_or_queue();
        if
        :: mine -> break
        :: else
        fi;
        /* gofer_park_cancellable */
        if
        :: atomic { woken[me] -> woken[me] = 0 }
        :: atomic { cancellable && !claimed[me] -> claimed[me] = 1; cancellable = 0 };
            withdraw();
            again = 0;
            goto lock_it
        fi;
        if
        :: handed[me] -> handed[me] = 0; break
        :: else
        fi;
        try_lock();
        again = 1
    od;
    atomic { again = 0; mine = 0; inside++ };
    atomic { assert(inside == 1); left--; last = (left == 0); inside-- };
    look_early();
    if
    :: atomic { locked && !waiters && !starving -> assert(!freed) };
        buffered[me] = 1;
#ifndef NO_SECOND_LOOK
        atomic {
            if
            :: looked[me] == 1 || (looked[me] == 0 && !watched) -> looked[me] = 0; goto unlocked
            :: else -> looked[me] = 0
            fi
        };
        look_for_queue()
#endif
    :: looked[me] = 0; unlock_slow()
    fi;
unlocked:
#ifdef REUSE
    atomic {
        if
        :: last && !second ->
            drain(me);
            assert(length == 0);
            set_word(0, 0, 0);
            second = 1;
            last = 0;
            left = 2;
            goto lock_it
        :: else
        fi
    };
#endif
    atomic {
        if
        :: last -> drain(me); assert(length == 0); freed = 1
        :: else
        fi
    }
}

active proctype memory()
{
end:
    do
    :: atomic { buffered[0] -> drain(0) }
    :: atomic { buffered[1] -> drain(1) }
    :: atomic { buffered[2] -> drain(2) }
    od
}

active proctype lot()
{
    byte changes = 0;
end:
    do
    :: atomic { changes < CHANGES && !lock && !watched -> changes++; lock = 1; watched = 1 };
        membarrier();
        lock = 0
#ifdef END_IN_USE
    :: atomic { changes < CHANGES && !lock && watched -> changes++; watched = 0 }
#else
    :: atomic { changes < CHANGES && !lock && watched && length == 0 -> changes++; watched = 0 }
#endif
    od
}

init { atomic { run goroutine(0); run goroutine(1); run goroutine(2) } }

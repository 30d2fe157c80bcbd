/* go_mutex: go_mutex_lock, lock_slow, take_or_queue, go_mutex_unlock, unlock_slow of mutex.c, by
 * three goroutines that count themselves out in the critical section; the last one frees it.
 *
 * At most one is in the section, nobody waits for ever (an invalid end state), and no access
 * comes after the free. Whether a waiter has waited 1 ms is left to chance. Left out: spinning
 * (try_lock's first attempts) and weak memory: one word and one lock carry everything. Mutations,
 * which must make the check fail: -DNO_RECHECK queues without looking whether the mutex is free,
 * -DREADY_EARLY wakes before the lock is released, -DHAND_FREE hands over without LOCKED. */

#define N 3
bit locked = 0, waiters = 0, starving = 0; /* the word: written in one step */
bit lock = 0;
byte head = 0, length = 0, queue[N]; /* queue[0..length): who waits, first in, first out */
bit woken[N], handed[N];
byte inside = 0, left = N;
bit freed = 0;

inline take_lock() { atomic { !lock -> assert(!freed); lock = 1 } }
inline free_lock() { atomic { assert(!freed); lock = 0 } }

inline push(front)
{
    atomic {
        if
        :: front -> queue[2] = queue[1]; queue[1] = queue[0]; queue[0] = me
        :: else -> queue[length] = me
        fi;
        length++
    }
}

inline pop(who)
{
    atomic { who = queue[0]; queue[0] = queue[1]; queue[1] = queue[2]; queue[2] = 0; length-- }
}

proctype goroutine(byte me)
{
    bit again = 0, mine = 0, last, old_starving;
    byte other;
    atomic { /* the fast compare-and-swap */
        assert(!freed);
        if
        :: !locked && !waiters && !starving -> locked = 1; mine = 1
        :: else
        fi
    };
    do
    :: mine -> break
    :: else ->
        /* take_or_queue */
        take_lock();
        atomic {
            if
#ifndef NO_RECHECK
            :: !locked && !starving -> locked = 1; mine = 1
#endif
            :: else ->
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
        free_lock();
        if
        :: mine -> break
        :: else
        fi;
        atomic { woken[me] -> woken[me] = 0 }; /* gofer_park */
        if
        :: handed[me] -> break
        :: else
        fi;
        atomic { /* try_lock */
            assert(!freed);
            if
            :: !locked && !starving -> locked = 1; mine = 1
            :: else
            fi
        };
        again = 1
    od;
    inside++;
    assert(inside == 1);
    left--;
    last = (left == 0);
    inside--;
    atomic { /* the fast compare-and-swap */
        assert(!freed);
        if
        :: locked && !waiters && !starving -> locked = 0; goto unlocked
        :: else
        fi
    };
    take_lock();
    assert(length > 0);
    pop(other);
    old_starving = starving;
    if
    :: old_starving -> handed[other] = 1
    :: else
    fi;
#ifdef READY_EARLY
    woken[other] = 1;
#endif
    atomic {
        assert(!freed);
        waiters = (length > 0);
#ifndef HAND_FREE
        locked = old_starving;
#else
        locked = 0;
#endif
        if
        :: starving = 0
        :: old_starving && waiters -> starving = 1
        fi
    };
    free_lock();
#ifndef READY_EARLY
    woken[other] = 1;
#endif
unlocked:
    if
    :: last -> freed = 1
    :: else
    fi
}

init { atomic { run goroutine(0); run goroutine(1); run goroutine(2) } }

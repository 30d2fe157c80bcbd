/* go_waitgroup: go_waitgroup_add of -1 twice, wake_all, and go_waitgroup_wait by one goroutine that
 * frees the group as soon as it returns, as with a group on its stack.
 *
 * The wait returns (else: an invalid end state), only after both were done, and no access comes
 * after the free. Left out: several waiters, adding while somebody waits (misuse), weak memory: the
 * word is changed by read-modify-writes alone. Mutations, which must make the check fail:
 * -DNO_LOCK wakes without waiting for the waiter to be queued, -DREADY_EARLY wakes before the lock
 * is released, -DCOUNT_ALONE decides to wait without looking at the count again. */

byte count = 2, waiting = 0; /* the word */
bit lock = 0, queued = 0, woken = 0, freed = 0;
byte done = 0;

inline take_lock() { atomic { !lock -> assert(!freed); lock = 1 } }
inline free_lock() { atomic { assert(!freed); lock = 0 } }

active [2] proctype doer()
{
    bit wakes, waiter;
    done++;
    atomic { assert(!freed); count--; wakes = (count == 0 && waiting > 0) };
    if
    :: wakes ->
#ifndef NO_LOCK
        take_lock();
#endif
        waiter = queued;
        queued = 0;
#ifdef READY_EARLY
        woken = waiter;
#endif
        atomic { assert(!freed); count = 0; waiting = 0 };
#ifndef NO_LOCK
        free_lock();
#endif
#ifndef READY_EARLY
        if
        :: waiter -> woken = 1
        :: else
        fi
#endif
    :: else
    fi
}

active proctype waiter()
{
    if
    :: count == 0 -> goto returned
    :: else
    fi;
    take_lock();
#ifdef COUNT_ALONE
    waiting++;
#else
    atomic { /* the loop around the compare-and-swap */
        if
        :: count == 0 -> lock = 0; goto returned
        :: else -> waiting++
        fi
    };
#endif
    queued = 1;
    free_lock();
    woken; /* gofer_park */
returned:
    assert(done == 2);
    freed = 1
}

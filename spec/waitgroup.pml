/* go_waitgroup: go_waitgroup_add of -1 twice, wake_all, and go_waitgroup_wait by two goroutines, of which the
 * second has a context that may end at any time. Who returns last frees the group.
 *
 * The waits return (else: an invalid end state), the first only after both were done, and no access comes after
 * the free. Left out: the look of an only waiter for a reuse too early, adding while somebody waits (misuse),
 * weak memory: the word is changed by read-modify-writes alone, but for its last store. Mutations, which must make
 * the check fail: -DNO_LOCK wakes without waiting for the waiter to be queued, -DREADY_EARLY wakes before the lock
 * is released, -DCOUNT_ALONE decides to wait without looking at the count again, -DNO_STAY lets a cancelled wait
 * return though it is about to be woken, -DFREE_EARLY frees when the first wait has returned that saw the zero. */

byte count = 2, waiting = 0; /* the word */
bit lock = 0, freed = 0;
bit queued[2], woken[2], claimed[2];
byte done = 0, returned = 0;

inline take_lock() { atomic { !lock -> assert(!freed); lock = 1 } }
inline free_lock() { atomic { assert(!freed); lock = 0 } }

/* gofer_waiters_pop, gofer_waiter_claim */
inline pop(i)
{
    atomic {
        if
        :: queued[i] && !claimed[i] -> claimed[i] = 1; wakes[i] = 1
        :: else
        fi;
        queued[i] = 0
    }
}

/* gofer_batch_ready */
inline ready(i)
{
    if
    :: wakes[i] -> woken[i] = 1
    :: else
    fi
}

active [2] proctype doer()
{
    bit wakes[2], some;
    done++;
    atomic { assert(!freed); count--; some = (count == 0 && waiting > 0) };
    if
    :: some ->
#ifndef NO_LOCK
        take_lock();
#endif
        pop(0);
        pop(1);
#ifdef READY_EARLY
        ready(0);
        ready(1);
#endif
        atomic { assert(!freed); count = 0; waiting = 0 };
#ifndef NO_LOCK
        free_lock();
#endif
#ifndef READY_EARLY
        ready(0);
        ready(1)
#endif
    :: else
    fi
}

active [2] proctype waiter()
{
    byte me = _pid - 2;
    atomic {
        assert(!freed);
        if
        :: count == 0 && waiting == 0 -> goto saw_zero
        :: else
        fi
    };
    take_lock();
#ifdef COUNT_ALONE
    waiting++;
#else
    atomic { /* the loop around the compare-and-swap */
        if
        :: count == 0 && waiting == 0 -> assert(!freed); lock = 0; goto saw_zero
        :: else -> waiting++
        fi
    };
#endif
    queued[me] = 1;
    free_lock();
    if /* gofer_park_cancellable */
    :: woken[me] -> goto saw_zero
    :: atomic { me == 1 && !claimed[me] -> claimed[me] = 1 }
    fi;
    take_lock(); /* withdraw */
    if
    :: !queued[me] -> free_lock(); goto saw_zero
    :: else
    fi;
    atomic { /* uncount */
        if
        :: count > 0 -> waiting--; queued[me] = 0; assert(!freed); lock = 0; goto out
        :: else
        fi
    };
#ifndef NO_STAY
    claimed[me] = 0; /* claimable no more: whoever pops it wakes it */
#endif
    free_lock();
#ifndef NO_STAY
    woken[me];
#endif
saw_zero:
    assert(done == 2);
#ifdef FREE_EARLY
    freed = 1;
#endif
out:
    atomic {
        returned++;
        if
        :: returned == 2 -> freed = 1
        :: else
        fi
    }
}

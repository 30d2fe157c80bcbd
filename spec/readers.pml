/* The table of sync/readers.h with rwmutex.c: threads that take and give back read locks of one
 * mutex, by the table and by the count, and a writer, which at last frees the mutex.
 *
 * A writer never meets a reader, no right runlock is called wrong, nobody waits for ever (an
 * invalid end state), and no access to the mutex comes after the free.
 *
 * A hold belongs to no thread: a thread gives back any that there is. A thread's plain stores, to
 * its slot and to `leaving`, go to a buffer, first in, first out; they reach the memory at any later
 * moment, at the thread's next locked operation, and at a membarrier of another. All is released and
 * acquired, so other orders than these cannot be seen on ARM either. TABLE is set by chance, CHANGES
 * times. Left out: the queues (a reader that meets WRITER gives up), cancellation, a second writer:
 * who gathers in its place is a thread whose hold is in another's slot.
 *
 * Mutations, which must make the check fail: -DNO_MEMBARRIER gathers without one, -DNO_WAIT without
 * waiting for those who are leaving, -DNO_SECOND_LOOK fills a slot without looking for TABLE after
 * that, -DNO_LOCK then takes it back without the mutex's lock, -DLOOK_EARLY looks for TABLE before
 * it says `leaving`, -DLOOK_LATE looks at the mutex when it has left, -DSHOW_EARLY takes
 * WRITER back before the holds are counted, -DWAKE_ALL wakes the writer at any reader's end, -DLEAVE_LOCKED
 * ends a hold that was another slot's before it frees the lock. */

#define N 2
#ifndef ENTRIES
#define ENTRIES 3
#endif
#ifndef CHANGES
#define CHANGES 2
#endif
#ifndef WRITES
#define WRITES 2
#endif

bit writer = 0, table = 0; /* with `count` one word */
byte count = 0;
bit lock = 0, pending = 0, woken = 0, freed = 0;
bit slot[N], leaving[N];
byte readers = 0; /* holds that nobody has begun to give back */
byte entries = ENTRIES, changes = CHANGES, busy = 0;
bit writing = 0;

/* The stores of a thread on their way to the memory. */
mtype = { NONE, FILL, EMPTY, SAY, SAID }; /* the slot; `leaving` */
typedef stores { mtype at[4]; byte length };
stores buffer[N];

inline drain_one(who)
{
    if
    :: buffer[who].at[0] == FILL -> slot[who] = 1
    :: buffer[who].at[0] == EMPTY -> slot[who] = 0
    :: buffer[who].at[0] == SAY -> leaving[who] = 1
    :: buffer[who].at[0] == SAID -> leaving[who] = 0
    fi;
    buffer[who].at[0] = buffer[who].at[1];
    buffer[who].at[1] = buffer[who].at[2];
    buffer[who].at[2] = buffer[who].at[3];
    buffer[who].at[3] = 0;
    buffer[who].length--
}

inline drain(who)
{
    do
    :: buffer[who].length > 0 -> drain_one(who)
    :: else -> break
    od
}

inline store(what)
{
    atomic {
        buffer[me].length < 4 -> buffer[me].at[buffer[me].length] = what;
        buffer[me].length++
    }
}

/* Its own last store if that is on the way, or the memory. */
inline see_slot()
{
    sees = slot[me];
    step = 0;
    do
    :: step < buffer[me].length ->
        sees = (buffer[me].at[step] == FILL -> 1 : (buffer[me].at[step] == EMPTY -> 0 : sees));
        step++
    :: else -> break
    od;
    step = 0
}

inline membarrier()
{
#ifndef NO_MEMBARRIER
    atomic { drain(0); drain(1) }
#else
    skip
#endif
}

inline take_lock() { atomic { !lock -> assert(!freed); lock = 1 } }
inline free_lock() { atomic { assert(!freed); if :: me < N -> drain(me) :: else fi; lock = 0 } }

inline collect(who)
{
#ifndef NO_WAIT
    !leaving[who];
#endif
    if
    :: slot[who] -> slot[who] = 0; found++
    :: else
    fi
}

/* `lock` is held. */
inline gather()
{
    atomic {
        if :: me < N -> drain(me) :: else fi;
        assert(!freed);
        if
        :: writer -> gathered = 0
        :: else -> gathered = 1; writer = 1; had = table; table = 0
        fi
    };
    if
    :: gathered && had ->
#ifdef SHOW_EARLY
        writer = 0;
#endif
        found = 0;
        membarrier();
        collect(0);
        collect(1);
        atomic { count = count + found; found = 0; writer = 1 }
    :: else
    fi;
    had = 0
}

inline enter()
{
    atomic {
        assert(!freed);
        see_slot();
        goes = table && !sees;
        sees = 0
    };
    if
    :: goes ->
        goes = 0;
        store(FILL);
#ifdef NO_SECOND_LOOK
        atomic { readers++; entered = 1 };
#else
        atomic {
            assert(!freed);
            if
            :: table -> readers++; entered = 1
            :: else
            fi
        };
#endif
        if
        :: entered
        :: else ->
#ifndef NO_LOCK
            take_lock();
#endif
            atomic {
                drain(me);
                if
                :: slot[me]
                :: else -> readers++; entered = 1
                fi
            };
            if
            :: !entered -> slot[me] = 0
            :: else
            fi;
#ifndef NO_LOCK
            free_lock();
#endif
        fi
    :: else -> goes = 0
    fi;
    atomic {
        if
        :: entered
        :: !entered && !writer -> drain(me); assert(!freed); count++; readers++;
            if
            :: changes > 0 -> changes--; table = 1
            :: true
            fi
        :: else
        fi;
        entered = 0
    }
}

inline by_table()
{
#ifdef LOOK_EARLY
    atomic { assert(!freed); goes = table };
    store(SAY);
    atomic { see_slot(); goes = goes && sees; sees = 0 };
#else
    store(SAY);
    atomic { assert(!freed); see_slot(); goes = table && sees; sees = 0 };
#endif
    if :: goes -> store(EMPTY) :: else fi;
    store(SAID)
#ifdef LOOK_LATE
    ;
    if :: goes -> assert(!freed) :: else fi
#endif
}

inline runlock_slow()
{
    take_lock();
    atomic {
        assert(!freed);
        if
        :: writer ->
            assert(count > 0);
            drain(me);
            count--;
#ifdef WAKE_ALL
            wakes = pending;
#else
            wakes = pending && count == 0;
#endif
            if :: wakes -> pending = 0 :: else fi;
            left = 1
        :: else
        fi
    };
    free_lock();
    if :: wakes -> wakes = 0; woken = 1 :: else fi
}

inline runlock_elsewhere()
{
    take_lock();
    gather();
    if
    :: gathered ->
        atomic { drain(me); assert(count > 0); writer = 0 };
#ifdef LEAVE_LOCKED
        atomic { count--; left = 1 }
#endif
    :: else
    fi;
    gathered = 0;
    free_lock()
}

inline leave()
{
    do
    :: left -> left = 0; break
    :: else ->
        atomic { assert(!freed); goes = table };
        if
        :: goes -> by_table(); left = goes; goes = 0
        :: else
        fi;
        if
        :: left
        :: else ->
            if
            :: atomic { writer -> assert(!freed) }; runlock_slow()
            :: atomic { !writer && count > 0 -> drain(me); assert(!freed); count--; left = 1 }
            :: atomic { !writer && count == 0 -> assert(!freed); assert(table) };
                runlock_elsewhere()
            fi
        fi
    od
}

active [N] proctype thread()
{
    byte me = _pid, found = 0, step = 0;
    bit goes = 0, sees = 0, entered = 0, left = 0, wakes = 0, gathered = 0, had = 0;
    do
    :: atomic { entries > 0 -> entries--; busy++ }; enter(); busy--
    :: atomic { readers > 0 -> readers-- }; leave()
    :: atomic { entries == 0 && busy == 0 && readers == 0 -> break }
    od
}

active proctype writes()
{
    byte me = N, found = 0, rounds = 0;
    bit gathered = 0, had = 0, tries, last;
    do
    :: atomic {
            (entries == 0 && busy == 0) || rounds < WRITES ->
            last = entries == 0 && busy == 0;
            rounds = (last -> rounds : rounds + 1);
            tries = 0;
            if
            :: !last -> tries = 1
            :: true
            fi
        };
        if
        :: atomic { !writer && !table && count == 0 -> writer = 1 } /* the usual swap */
        :: take_lock();
            gather();
            assert(gathered); /* a thread gathers under the lock alone */
            gathered = 0;
            if
            :: count == 0 -> free_lock()
            :: count > 0 && tries -> writer = 0; free_lock(); goto next
            :: count > 0 && !tries -> pending = 1; free_lock(); atomic { woken -> woken = 0 }
            fi
        fi;
        atomic { writing = 1; assert(readers == 0 && count == 0) };
        atomic { assert(readers == 0); writing = 0 };
        if
        :: last -> freed = 1; break
        :: else -> writer = 0
        fi;
next:
        skip
    od
}

active proctype memory()
{
end:
    do
    :: atomic { buffer[0].length > 0 -> drain_one(0) }
    :: atomic { buffer[1].length > 0 -> drain_one(1) }
    od
}

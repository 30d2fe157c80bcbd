/* Stealing, and the end of the world: the owner of a processor pushes to its queue and runs from
 * it inside; a thief freezes it (gofer_freeze), takes half (take_half) and gives it back
 * (gofer_unfreeze); the ender freezes it for good (freeze_for_good).
 *
 * No goroutine is lost or run twice, the queue is whole, and nothing runs once the ender has
 * returned. Left out: store buffers and acknowledgement, which handoff.pml has; here stores are
 * seen in order. Mutations: -DNO_FREEZE takes without freezing; -DPEEK lets the ender take a NULL that
 * is the thief's for a thread without a processor; both must make the check fail. */

#define N 4
#define NONE 0
#define P 1

byte p = P;
bit freeze_lock = 0, inside = 0;
byte head = 0, tail = 0;
byte runq[N]; /* runq[head..tail): numbers of goroutines from 1 on */
byte ran[N + 1];  /* how often each ran */
byte pushed = 0;
bit world_frozen = 0;
bit owner_done = 0, thief_done = 0;

/* gofer_enter: where p is NULL, gofer_enter_slow waits for the lock. */
inline enter()
{
    inside = 1;
    if
    :: p == NONE ->
        inside = 0;
        if
        :: atomic { freeze_lock == 0 -> freeze_lock = 1 }
        :: world_frozen -> goto stopped /* for good */
        fi;
        inside = 1;
        freeze_lock = 0
    :: else
    fi
}

/* gofer_runq_pop, in its two steps, and the run */
inline pop()
{
    if
    :: head != tail -> at = head; head = at + 1; ran[runq[at]]++; assert(ran[runq[at]] == 1)
    :: else
    fi
}

active proctype owner()
{
    byte at;
    do
    :: pushed < N ->
        enter();
        assert(!world_frozen);
        pushed++;
        at = tail;
        runq[at] = pushed;
        tail = at + 1;
        inside = 0
    :: head != tail || pushed < N ->
        enter();
        assert(!world_frozen);
        pop();
        inside = 0
    :: pushed == N && head == tail -> break
    od;
    owner_done = 1;
stopped:
    skip
}

active proctype thief()
{
    byte n, at, tries = 0;
    do
    :: tries < 2 ->
        tries++;
        if
        :: atomic { freeze_lock == 0 -> freeze_lock = 1 };
            p = NONE;
#ifdef NO_FREEZE
            if
            :: true ->
#else
            if
            :: inside == 0 ->
#endif
                n = tail - head;
                n = n - n / 2;
                do
                :: n > 0 && head != tail -> pop(); n--
                :: else -> break
                od
            :: else
            fi;
            p = P;
            freeze_lock = 0
        :: freeze_lock -> skip /* a try-lock gives up */
        fi
    :: else -> break
    od;
    thief_done = 1
}

active proctype ender()
{
    byte seen;
again:
    seen = p;
    if
    :: seen == NONE ->
#ifdef PEEK
        goto frozen
#else
        goto again /* has_no_p: the lock is taken, or p is back; this owner never gives p up */
#endif
    :: else
    fi;
    if
    :: atomic { freeze_lock == 0 && p == P -> freeze_lock = 1; p = NONE };
        if
        :: inside == 0 -> goto frozen /* and keeps the lock */
        :: else -> p = P; freeze_lock = 0; goto again
        fi
    :: owner_done && thief_done -> goto end_unfrozen
    fi;
frozen:
    world_frozen = 1;
end_unfrozen:
    skip
}

/* Each goroutine that was pushed ran once. */
active proctype checker()
{
    byte i = 1;
    if
    :: owner_done && thief_done ->
        do
        :: i <= N ->
            assert(ran[i] == 1);
            i++
        :: else -> break
        od
    :: world_frozen
    fi
}

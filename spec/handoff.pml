/* The freeze protocol of src/sched/freeze.c: an owner that marks itself inside with plain stores,
 * and others that take its processor away for a moment (a thief) or for good (the monitor).
 *
 * Stores are buffered: the owner's mark becomes visible late (a store buffer of one entry), unless a
 * membarrier drains it, as on x86. The critical section is the processor's data: at most one may be
 * in it. Mutations: -DNO_MEMBARRIER leaves the barrier out, -DNO_LOCK lets enter_slow go on without
 * waiting for the freeze lock; both must make the check fail. */

#define NONE 0
#define P 1

byte p = P;              /* m->p */
bit freeze_lock = 0;
bit acknowledged = 0;
bit inside_memory = 0;   /* m->inside as others see it */
bit inside_buffer = 0;   /* the owner's latest store */
bit buffered = 0;        /* it is still in the store buffer */
byte in_section = 0;     /* who touches the processor's data */
bit handed_off = 0;
byte rounds = 0;

inline store_inside(value) { inside_buffer = value; buffered = 1 }
inline drain() { atomic { if :: buffered -> inside_memory = inside_buffer; buffered = 0 :: else fi } }

/* The CPU may write the buffer back at any time. */
active proctype store_buffer()
{
end:
    do
    :: atomic { buffered -> inside_memory = inside_buffer; buffered = 0 }
    od
}

active proctype owner()
{
    byte seen;
    do
    :: rounds < 3 ->
        rounds++;
        store_inside(1);
        seen = p;
        if
        :: seen == NONE ->
            /* gofer_enter_slow: leave, say so, wait for the lock (its swap drains the buffer) */
            store_inside(0);
            drain();
            acknowledged = 1;
#ifndef NO_LOCK
            atomic { freeze_lock == 0 -> freeze_lock = 1 };
#endif
            acknowledged = 0;
            seen = p;
#ifdef NO_LOCK
            seen = P;
#endif
            if
            :: seen != NONE -> store_inside(1); drain()
            :: else
            fi;
            freeze_lock = 0
        :: else
        fi;
        if
        :: seen == NONE -> assert(handed_off); break
        :: else ->
            in_section++;
            assert(in_section == 1);
            in_section--;
            store_inside(0)
        fi
    :: else -> break
    od
}

/* take: 0 a thief, which gives the processor back; 1 the monitor, which keeps it */
proctype freezer(bit take)
{
    bit frozen = 0;
    if
    :: atomic { freeze_lock == 0 -> freeze_lock = 1 };
        if
        :: p == P ->
            p = NONE;
            if
            :: acknowledged -> frozen = 1
            :: true ->
#ifndef NO_MEMBARRIER
                drain();
#endif
                frozen = (inside_memory == 0 || acknowledged)
            fi;
            if
            :: frozen ->
                in_section++;
                assert(in_section == 1);
                in_section--;
                if
                :: take -> handed_off = 1
                :: else -> p = P
                fi
            :: else -> p = P
            fi
        :: else
        fi;
        freeze_lock = 0
    :: true /* the lock is taken: a try-lock gives up */
    fi
}

init {
    run freezer(0);
    run freezer(0);
    run freezer(1)
}

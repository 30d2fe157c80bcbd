/* A select that receives from two channels with a timeout: wait, unqueue_all and fire_timeout of
 * select.c, claim, take_waiter and go_close of chan.c, gofer_timer_stop and run_heap of timer.c.
 *
 * In channel 0's queue the select comes first and a plain receiver waits behind it. A sender serves
 * channel 0, or it is closed; a sender serves channel 1. Exactly one claims the select; who lost
 * goes on to the next waiter, so no value is lost or passed twice; nobody touches the select's
 * records or the timer, which lie on its stack, after it returned, and the select touches no
 * neighbour's. Left out: trying before waiting (under all locks), the order of the locks, weak
 * memory. Mutations, which must make the check fail: -DNO_CLAIM serves without the claim,
 * -DLOSER_STOPS gives up with the claim, -DSTILL_QUEUED leaves what a close took marked as queued,
 * -DNO_STOP looks at the timer's slot without the heap's lock. */

bit chan_lock[2], heap_lock = 0;
bit queued[2];                /* the select's records: queued[i] in channel i */
bit plain_queued = 1, plain_ready = 0, plain_gone = 0;
bit linked = 0;               /* channel 0's record has the plain receiver's for a neighbour */
bit selected = 0, ready = 0;  /* g->selected; gofer_ready */
bit timer_pending = 1;
bit returned = 0, closed = 0;
byte claims = 0, passed = 0, received = 0;
bit by_sender = 0;            /* who claimed passed a value */

inline acquire(l) { atomic { !l -> l = 1 } }

inline claim(won)
{
    assert(!returned);
#ifdef NO_CLAIM
    won = 1;
    claims++;
#else
    atomic { won = !selected; selected = 1; claims = claims + won };
#endif
    assert(claims <= 1)
}

proctype sender(bit c)
{
    bit won = 0, plain = 0;
    acquire(chan_lock[c]);
    if
    :: c == 0 && closed -> chan_lock[c] = 0; goto done
    :: else
    fi;
    if
    :: queued[c] -> assert(!returned); queued[c] = 0; linked = (c == 1 && linked); claim(won)
    :: else
    fi;
    if
    :: won -> by_sender = 1; passed++
#ifdef LOSER_STOPS
    :: !won && claims == 0 && c == 0 && plain_queued ->
#else
    :: !won && c == 0 && plain_queued ->
#endif
        plain_queued = 0; plain = 1; passed++; received++
    :: else
    fi;
    /* an attempt that came to nothing found no waiter at all */
    assert(c == 1 || won || plain || !plain_queued);
    chan_lock[c] = 0;
    if
    :: won -> ready = 1
    :: plain -> plain_ready = 1
    :: else
    fi;
done:
    skip
}

/* go_close: the plain receiver is woken before the select, as if it came first in the chain. */
proctype closer()
{
    bit won = 0, plain;
    acquire(chan_lock[0]);
    closed = 1;
    if
    :: queued[0] ->
        assert(!returned);
        queued[0] = 0;
        claim(won);
#ifdef STILL_QUEUED
        queued[0] = won;
#endif
        linked = (won && plain_queued)
    :: else
    fi;
    plain = plain_queued;
    plain_queued = 0;
    chan_lock[0] = 0;
    if
    :: plain -> plain_ready = 1
    :: else
    fi;
    if
    :: won -> ready = 1
    :: else
    fi
}

proctype plain_receiver()
{
end:
    plain_ready;
    plain_gone = 1
}

/* run_heap, when the timer is due */
proctype timers()
{
    bit won = 0;
    acquire(heap_lock);
    if
    :: timer_pending ->
        timer_pending = 0; /* take_out */
        claim(won);        /* fire_timeout: looks into the timer */
        if
        :: won -> ready = 1
        :: else
        fi
    :: else
    fi;
    heap_lock = 0
}

proctype selecting()
{
    ready; /* gofer_park */
    /* gofer_timer_stop */
#ifdef NO_STOP
    timer_pending = 0;
#else
    acquire(heap_lock);
    timer_pending = 0;
    heap_lock = 0;
#endif
    /* unqueue_all */
    acquire(chan_lock[0]);
    acquire(chan_lock[1]);
    if
    :: queued[0] -> assert(!(linked && plain_gone)); queued[0] = 0; linked = 0
    :: else
    fi;
    queued[1] = 0;
    chan_lock[1] = 0;
    chan_lock[0] = 0;
    received = received + by_sender;
    returned = 1;
    assert(claims == 1)
}

active proctype checker()
{
    timeout;
    assert(returned && received == passed)
}

init {
    atomic {
        queued[0] = 1;
        queued[1] = 1;
        linked = 1;
        if
        :: run sender(0)
        :: run closer()
        fi;
        run sender(1);
        run timers();
        run selecting();
        run plain_receiver()
    }
}

/* Park and ready: a goroutine that makes itself findable, then switches away, while a waker on
 * another thread may take it and a third thread may pick it up before its context is saved.
 *
 * At most one thread runs on its stack at any time, and the wake-up is not lost. The mutation
 * -DNO_ON_CPU lets a thread switch to it without looking at on_cpu; the check must then fail. */

bit findable = 0;
bit on_cpu = 1;    /* the goroutine runs on thread A at first */
bit queued = 0;    /* it is in a run queue */
byte on_stack = 1; /* threads that run on its stack */
bit resumed = 0;

active proctype thread_a()
{
    findable = 1;      /* gofer_prepare_park, and in the wait queue */
    /* gofer_park: pick the next goroutine; it may be itself */
    if
    :: atomic { queued -> queued = 0 }; resumed = 1; goto end /* next == self: no switch */
    :: true
    fi;
    on_stack--;        /* the switch: off its stack */
    on_cpu = 0;        /* finish_switch, by the next context */
end:
    skip
}

active proctype waker()
{
    atomic { findable -> findable = 0 };
    queued = 1         /* gofer_ready */
}

active proctype thread_b()
{
    do
    :: atomic { queued -> queued = 0 };
#ifndef NO_ON_CPU
        on_cpu == 0;   /* waits on its own stack */
#endif
        on_stack++;
        assert(on_stack == 1);
        on_cpu = 1;
        resumed = 1;
        break
    :: resumed -> break
    od
}

ltl woken { <> resumed }

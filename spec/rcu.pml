/* sync/rcu.h: threads that walk lists without a lock, and one that takes a node out and frees it, and
 * puts another in its place, again and again.
 *
 * No walk meets a freed node, and nobody waits for ever (an invalid end state). A thread's counts of
 * its walks are plain stores: they go to a buffer, first in, first out, and reach the memory at any
 * later moment, or at a membarrier of another. Left out: the versions of map.c, and that many nodes
 * share one membarrier.
 *
 * Mutations, which must make the check fail: -DNO_MEMBARRIER frees without one, -DNO_WAIT without
 * waiting for walks, -DLOOK_EARLY takes a link before the walk is counted, -DLEAVE_EARLY counts the
 * end before the last look, -DNO_UNLINK frees what is still in a list. */

#define N 2
#ifndef WALKS
#define WALKS 2
#endif
#ifndef FREES
#define FREES 2
#endif

#define NODES 4
byte listed = 1; /* which node the link leads to */
bit freed[NODES];
byte walks[N];  /* as the memory has them */
byte coming[N]; /* counts on their way there */

inline drain(who) { d_step { walks[who] = walks[who] + coming[who]; coming[who] = 0 } }

inline count() { atomic { coming[me] = coming[me] + 1 } }

inline membarrier()
{
#ifndef NO_MEMBARRIER
    atomic { drain(0); drain(1) }
#else
    skip
#endif
}

proctype store_buffer(byte who)
{
end:
    do
    :: atomic { coming[who] > 0 -> walks[who] = walks[who] + 1; coming[who] = coming[who] - 1 }
    od
}

proctype reader(byte me)
{
    byte rounds = 0, node = 0;
    do
    :: rounds < WALKS ->
#ifdef LOOK_EARLY
        node = listed;
#endif
        count();
#ifndef LOOK_EARLY
        node = listed;
#endif
#ifdef LEAVE_EARLY
        count();
#endif
        assert(!freed[node]);
#ifndef LEAVE_EARLY
        count();
#endif
        atomic { rounds++; node = 0 }
    :: else -> break
    od
}

inline wait_for(who)
{
#ifndef NO_WAIT
    atomic {
        seen = walks[who];
        if
        :: seen % 2 == 1 -> walks[who] != seen
        :: else
        fi;
        seen = 0
    }
#else
    skip
#endif
}

active proctype deleter()
{
    byte old = 1, seen = 0, rounds = 0;
    run store_buffer(0);
    run store_buffer(1);
    run reader(0);
    run reader(1);
    do
    :: rounds < FREES ->
#ifndef NO_UNLINK
        listed = old + 1;
#endif
        membarrier();
        wait_for(0);
        wait_for(1);
        atomic { freed[old] = 1; old++; rounds++ }
    :: else -> break
    od
}

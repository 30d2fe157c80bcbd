/* State Threads: threads of one thread, with condition variables and mutexes. */
#include "peer.h"
#include <st.h>

enum { STACK = 64 * 1024 };

static void *yielder(void *n)
{
    for (long i = 0; i < (long)n; i++)
        st_usleep(0);
    return NULL;
}

static st_thread_t start(void *(*fn)(void *), void *arg)
{
    st_thread_t t = st_thread_create(fn, arg, 1, STACK);
    check(t != NULL);
    return t;
}

static long run_yield(void)
{
    long n = times(1000000);
    st_init();
    st_thread_t a = start(yielder, (void *)n), b = start(yielder, (void *)n);
    st_thread_join(a, NULL);
    st_thread_join(b, NULL);
    return 2 * n;
}

static void *nothing(void *arg)
{
    return arg;
}

static long run_spawn_finish(void)
{
    enum { AT_ONCE = 1000 };
    static st_thread_t threads[AT_ONCE];
    long rounds = times(1000);
    st_init();
    for (long i = 0; i < rounds; i++) {
        for (int j = 0; j < AT_ONCE; j++)
            threads[j] = start(nothing, NULL);
        for (int j = 0; j < AT_ONCE; j++)
            st_thread_join(threads[j], NULL);
    }
    return rounds * AT_ONCE;
}

static long run_spawn_join(void)
{
    long n = times(500000);
    st_init();
    for (long i = 0; i < n; i++)
        st_thread_join(start(nothing, NULL), NULL);
    return n;
}

static st_cond_t cond;
static long turn, turns;

static void *turner(void *self)
{
    for (long i = 0; i < turns; i++) {
        while (turn != (long)self)
            st_cond_wait(cond);
        turn = !turn;
        st_cond_signal(cond);
    }
    return NULL;
}

static long run_cond_signal(void)
{
    turns = times(500000);
    st_init();
    cond = st_cond_new();
    st_thread_t a = start(turner, (void *)0), b = start(turner, (void *)1);
    st_thread_join(a, NULL);
    st_thread_join(b, NULL);
    return 2 * turns;
}

static long run_mutex_uncontended(void)
{
    long n = times(10000000);
    st_init();
    st_mutex_t m = st_mutex_new();
    for (long i = 0; i < n; i++) {
        st_mutex_lock(m);
        st_mutex_unlock(m);
    }
    return n;
}

static const struct peer_row rows[] = {
    { "yield", run_yield },
    { "spawn_finish", run_spawn_finish },
    { "spawn_join", run_spawn_join },
    { "cond_signal", run_cond_signal },
    { "mutex_uncontended", run_mutex_uncontended },
};
PEER_MAIN(rows)

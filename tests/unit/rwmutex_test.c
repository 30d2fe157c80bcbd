/* Read locks of a go_rwmutex that is read so often that readers use the table of sync/readers.h. */
#include "unit.h"

#include "sync/readers.h"

#include <pthread.h>

enum { TABLE = 4, READS = 1 << 17, TRIES = 20000, HOLDS = 1000, THREADS = GOFER_READER_ROWS + 20 };

static go_rwmutex rw;

/* Holds that are counted, not in the table. */
static long counted(void)
{
    return (long)(rw.state >> 32);
}

static void read_often(void)
{
    for (int i = 0; i < READS; i++) {
        go_rwmutex_rlock(&rw);
        go_rwmutex_runlock(&rw);
    }
    CHECK(rw.state, TABLE);
}

static void check_free(void)
{
    CHECK(go_rwmutex_trylock(&rw), 1);
    CHECK(rw.state, 1);
    go_rwmutex_unlock(&rw);
    CHECK(rw.state, 0);
}

static void writer_counts_the_holds(void)
{
    read_often();
    go_rwmutex_rlock(&rw);
    CHECK(counted(), 0);
    CHECK(go_rwmutex_trylock(&rw), 0);
    CHECK(counted(), 1);
    CHECK(rw.state & TABLE, 0);
    go_rwmutex_runlock(&rw);
    check_free();
}

static void two_holds_of_one_thread(void)
{
    read_often();
    go_rwmutex_rlock(&rw);
    CHECK(go_rwmutex_tryrlock(&rw), 1);
    CHECK(counted(), 1);
    go_rwmutex_runlock(&rw);
    CHECK(go_rwmutex_trylock(&rw), 0);
    go_rwmutex_runlock(&rw);
    check_free();
}

static void *rlock(void *unused)
{
    (void)unused;
    go_rwmutex_rlock(&rw);
    return NULL;
}

static void *runlock(void *unused)
{
    (void)unused;
    go_rwmutex_runlock(&rw);
    return NULL;
}

static void in_thread(void *(*fn)(void *))
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, fn, NULL), 0);
    CHECK(pthread_join(thread, NULL), 0);
}

static void hold_ends_on_another_thread(void)
{
    read_often();
    go_rwmutex_rlock(&rw);
    CHECK(counted(), 0);
    in_thread(runlock);
    check_free();
}

static void hold_outlives_its_thread(void)
{
    read_often();
    in_thread(rlock);
    in_thread(rlock); /* has the row of the one before */
    CHECK(go_rwmutex_trylock(&rw), 0);
    CHECK(counted(), 2);
    go_rwmutex_runlock(&rw);
    go_rwmutex_runlock(&rw);
    check_free();
    read_often();
    in_thread(rlock);
    go_rwmutex_runlock(&rw);
    check_free();
}

static pthread_barrier_t all;

static void *rlock_among_many(void *unused)
{
    (void)unused;
    go_rwmutex_rlock(&rw);
    pthread_barrier_wait(&all);
    pthread_barrier_wait(&all);
    go_rwmutex_runlock(&rw);
    return NULL;
}

static void more_threads_than_rows(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&all, NULL, THREADS + 1);
    read_often();
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, rlock_among_many, NULL), 0);
    pthread_barrier_wait(&all);
    CHECK(go_rwmutex_trylock(&rw), 0);
    CHECK(counted(), THREADS);
    pthread_barrier_wait(&all);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL), 0);
    check_free();
    pthread_barrier_destroy(&all);
}

/* More than a thread has slots: some holds lie there, some are counted. */
static void many_mutexes(void)
{
    static go_rwmutex many[64];
    for (int i = 0; i < 64; i++) {
        many[i].state = TABLE;
        go_rwmutex_rlock(&many[i]);
    }
    for (int i = 0; i < 64; i++) {
        CHECK(go_rwmutex_trylock(&many[i]), 0);
        go_rwmutex_runlock(&many[i]);
        CHECK(go_rwmutex_trylock(&many[i]), 1);
    }
}

static int wrote;

static void write_once(void)
{
    go_rwmutex_lock(&rw);
    wrote = 1;
    go_rwmutex_unlock(&rw);
}

static void writer_waits_for_readers_and_stops_new_ones(void)
{
    read_often();
    go_waitgroup wg = { 0 };
    go_rwmutex_rlock(&rw);
    go_waitgroup_go(&wg, write_once);
    while (!(__atomic_load_n(&rw.state, __ATOMIC_RELAXED) & 1))
        go_gosched();
    CHECK(go_rwmutex_tryrlock(&rw), 0);
    CHECK(wrote, 0);
    go_rwmutex_runlock(&rw);
    go_waitgroup_wait(&wg);
    CHECK(wrote, 1);
    check_free();
}

static int tried;

/* Each moves the holds from the table to the count, and gives up. */
static void *try_to_write(void *unused)
{
    (void)unused;
    for (int i = 0; i < TRIES; i++) {
        uint64_t state = __atomic_load_n(&rw.state, __ATOMIC_RELAXED);
        __atomic_compare_exchange_n(&rw.state, &state, state | TABLE, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED);
        CHECK(go_rwmutex_trylock(&rw), 0);
    }
    __atomic_store_n(&tried, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void one_that_only_tries_to_write_stops_no_reader(void)
{
    pthread_t thread;
    go_rwmutex_rlock(&rw);
    CHECK(pthread_create(&thread, NULL, try_to_write, NULL), 0);
    while (!__atomic_load_n(&tried, __ATOMIC_RELAXED)) {
        for (int i = 0; i < HOLDS; i++)
            CHECK(go_rwmutex_tryrlock(&rw), 1);
        for (int i = 0; i < HOLDS; i++) /* waits while the other moves holds */
            go_rwmutex_runlock(&rw);
    }
    pthread_join(thread, NULL);
    go_rwmutex_runlock(&rw);
    check_free();
}

/* The kernel begins to refuse it, as a filter does that comes late. The last: it stays so. */
static void table_ends_with_the_membarrier(void)
{
    read_often();
    go_rwmutex_rlock(&rw);
    atomic_store_explicit(&gofer_sched.need_fences, true, memory_order_relaxed);
    CHECK(go_rwmutex_trylock(&rw), 0);
    CHECK(counted(), 1);
    go_rwmutex_runlock(&rw);
    for (int i = 0; i < READS; i++) {
        go_rwmutex_rlock(&rw);
        CHECK(counted(), 1);
        CHECK(rw.state & TABLE, 0);
        go_rwmutex_runlock(&rw);
    }
    check_free();
}

int go_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    if (!gofer_readers_may_use_table())
        return 0; /* no membarrier here */
    writer_counts_the_holds();
    two_holds_of_one_thread();
    hold_ends_on_another_thread();
    hold_outlives_its_thread();
    more_threads_than_rows();
    many_mutexes();
    writer_waits_for_readers_and_stops_new_ones();
    one_that_only_tries_to_write_stops_no_reader();
    table_ends_with_the_membarrier();
    return 0;
}

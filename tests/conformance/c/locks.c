/* Mutexes, conditions, wait groups, once: what waits for whom, in which order, and wrong uses. */
#include "case.h"

static go_mutex mutex;
static go_rwmutex rw;
static go_waitgroup wg;

static void say(const char *text)
{
    puts(text);
}

static void print_recovered(const char *who)
{
    const go_panic_value *v = go_recover();
    printf("%s: %s\n", who, v ? v->text : "nil");
}

static void yields(int n)
{
    while (n-- > 0)
        go_gosched();
}

/* ---- mutex -------------------------------------------------------------------------------- */

static void unlocker(void)
{
    puts("unlock");
    go_mutex_unlock(&mutex);
}

CASE(mutex_unlock_by_another)
{
    go_mutex_lock(&mutex);
    go(unlocker);
    go_mutex_lock(&mutex);
    puts("locked again");
    return 0;
}

static void lock_and_say(int id)
{
    go_mutex_lock(&mutex);
    printf("%d\n", id);
    go_mutex_unlock(&mutex);
    go_waitgroup_done(&wg);
}

CASE(mutex_blocked_lockers_fifo)
{
    go_waitgroup_add(&wg, 4);
    go_mutex_lock(&mutex);
    for (int i = 0; i < 4; i++) {
        go(lock_and_say, i);
        go_gosched();
    }
    go_mutex_unlock(&mutex);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(mutex_newcomer_may_be_faster)
{
    go_waitgroup_add(&wg, 1);
    go_mutex_lock(&mutex);
    go(lock_and_say, 1);
    go_gosched();
    go_mutex_unlock(&mutex);
    printf("%d\n", go_mutex_trylock(&mutex));
    go_mutex_unlock(&mutex);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(mutex_unlocked_twice)
{
    go_mutex_lock(&mutex);
    go_mutex_unlock(&mutex);
    go_mutex_unlock(&mutex);
    return 0;
}

static void unlock_with_recover(void)
{
    go_defer(print_recovered, "recovered");
    go_mutex_unlock(&mutex);
}

CASE(mutex_unlock_unlocked_is_not_recoverable)
{
    unlock_with_recover();
    return 0;
}

CASE(mutex_unlock_deferred_on_panic)
{
    {
        go_defer(printf, "%s\n", "end");
        go_defer(go_mutex_unlock, &mutex);
        go_mutex_lock(&mutex);
    }
    printf("%d\n", go_mutex_trylock(&mutex));
    return 0;
}

/* ---- reader/writer mutex ------------------------------------------------------------------ */

static void try_both(void)
{
    int read = go_rwmutex_tryrlock(&rw), write = go_rwmutex_trylock(&rw);
    printf("%d %d\n", read, write);
}

CASE(rwmutex_readers_share)
{
    go_rwmutex_rlock(&rw);
    go_rwmutex_rlock(&rw);
    try_both();
    for (int i = 0; i < 3; i++)
        go_rwmutex_runlock(&rw);
    printf("%d\n", go_rwmutex_trylock(&rw));
    return 0;
}

CASE(rwmutex_writer_excludes)
{
    go_rwmutex_lock(&rw);
    try_both();
    go_rwmutex_unlock(&rw);
    try_both();
    return 0;
}

static void writer(const char *name)
{
    go_rwmutex_lock(&rw);
    puts(name);
    go_rwmutex_unlock(&rw);
    go_waitgroup_done(&wg);
}

static void reader(const char *name)
{
    go_rwmutex_rlock(&rw);
    puts(name);
    go_rwmutex_runlock(&rw);
    go_waitgroup_done(&wg);
}

CASE(rwmutex_waiting_writer_stops_readers)
{
    go_waitgroup_add(&wg, 2);
    go_rwmutex_rlock(&rw);
    go(writer, "writer");
    go_gosched();
    printf("%d\n", go_rwmutex_tryrlock(&rw));
    go(reader, "reader");
    yields(2);
    puts("leave");
    go_rwmutex_runlock(&rw);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(rwmutex_unlock_lets_readers_in_first)
{
    go_waitgroup_add(&wg, 4);
    go_rwmutex_lock(&rw);
    go(reader, "reader 1");
    go_gosched();
    go(writer, "writer 1");
    go_gosched();
    go(reader, "reader 2");
    go_gosched();
    go(writer, "writer 2");
    go_gosched();
    go_rwmutex_unlock(&rw);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(rwmutex_last_reader_wakes_writer)
{
    go_waitgroup_add(&wg, 1);
    go_rwmutex_rlock(&rw);
    go_rwmutex_rlock(&rw);
    go(writer, "writer");
    go_gosched();
    go_rwmutex_runlock(&rw);
    yields(2);
    puts("last");
    go_rwmutex_runlock(&rw);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(rwmutex_unlock_unlocked)
{
    go_rwmutex_unlock(&rw);
    return 0;
}

CASE(rwmutex_runlock_unlocked)
{
    go_rwmutex_runlock(&rw);
    return 0;
}

CASE(rwmutex_unlock_of_reader)
{
    go_rwmutex_rlock(&rw);
    go_rwmutex_unlock(&rw);
    return 0;
}

CASE(rwmutex_runlock_of_writer)
{
    go_rwmutex_lock(&rw);
    go_rwmutex_runlock(&rw);
    return 0;
}

CASE(rwmutex_unlocked_twice)
{
    go_rwmutex_lock(&rw);
    go_rwmutex_unlock(&rw);
    go_rwmutex_unlock(&rw);
    return 0;
}

CASE(rwmutex_runlocked_twice)
{
    go_rwmutex_rlock(&rw);
    go_rwmutex_runlock(&rw);
    go_rwmutex_runlock(&rw);
    return 0;
}

CASE(deadlock_rwmutex_lock)
{
    go_rwmutex_rlock(&rw);
    go_rwmutex_lock(&rw);
    return 0;
}

CASE(deadlock_rwmutex_rlock)
{
    go_rwmutex_lock(&rw);
    go_rwmutex_rlock(&rw);
    return 0;
}

CASE(deadlock_rwmutex_recursive_rlock)
{
    go_rwmutex_rlock(&rw);
    go(writer, "writer");
    go_gosched();
    go_rwmutex_rlock(&rw);
    return 0;
}

CASE(deadlock_rwmutex_second_writer)
{
    go_waitgroup_add(&wg, 2);
    go_rwmutex_rlock(&rw);
    go(writer, "writer");
    go_gosched();
    go(writer, "writer");
    go_waitgroup_wait(&wg);
    return 0;
}

static void rw_unlocker(void)
{
    puts("unlock");
    go_rwmutex_unlock(&rw);
}

CASE(rwmutex_unlock_by_another)
{
    go_rwmutex_lock(&rw);
    go(rw_unlocker);
    go_rwmutex_rlock(&rw);
    puts("read locked");
    return 0;
}

CASE(rwmutex_rlocker)
{
    go_locker l = go_rwmutex_rlocker(&rw);
    l.lock(l.object);
    try_both();
    go_rwmutex_runlock(&rw);
    l.unlock(l.object);
    printf("%d\n", go_rwmutex_trylock(&rw));
    return 0;
}

/* ---- condition ---------------------------------------------------------------------------- */

static go_cond cond = { .locker = GO_LOCKER_MUTEX(&mutex) };
static int ready_to_go;

static void waits(int id)
{
    go_mutex_lock(&mutex);
    go_cond_wait(&cond);
    printf("%d\n", id);
    go_mutex_unlock(&mutex);
    go_waitgroup_done(&wg);
}

static void start_waiters(int n)
{
    go_waitgroup_add(&wg, n);
    for (int i = 0; i < n; i++) {
        go(waits, i);
        go_gosched();
    }
}

CASE(cond_signal_fifo)
{
    start_waiters(4);
    for (int i = 0; i < 4; i++) {
        go_cond_signal(&cond);
        yields(2);
        puts("next");
    }
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(cond_signals_at_once)
{
    start_waiters(4);
    go_cond_signal(&cond);
    go_cond_signal(&cond);
    go_cond_signal(&cond);
    yields(3);
    puts("the last");
    go_cond_signal(&cond);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(cond_broadcast)
{
    start_waiters(4);
    go_cond_broadcast(&cond);
    go_waitgroup_wait(&wg);
    puts("all");
    return 0;
}

CASE(cond_signal_is_not_kept)
{
    go_cond_signal(&cond);
    go_cond_broadcast(&cond);
    go_mutex_lock(&mutex);
    go_cond_wait(&cond);
    return 0;
}

CASE(cond_wait_unlocks_and_locks)
{
    start_waiters(1);
    printf("%d\n", go_mutex_trylock(&mutex));
    go_cond_signal(&cond);
    yields(2);
    puts("still locked");
    go_mutex_unlock(&mutex);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(cond_wait_without_lock)
{
    go_cond_wait(&cond);
    return 0;
}

static void use_copy(void (*use)(go_cond *), const char *name)
{
    go_recoverable();
    go_cond copy = { 0 };
    go_cond_signal(&cond);
    memcpy(&copy, &cond, sizeof copy);
    go_defer(print_recovered, name);
    use(&copy);
}

CASE(cond_copied)
{
    use_copy(go_cond_signal, "signal");
    use_copy(go_cond_broadcast, "broadcast");
    use_copy(go_cond_wait, "wait");
    return 0;
}

CASE(cond_copied_uncaught)
{
    go_cond copy;
    go_cond_broadcast(&cond);
    memcpy(&copy, &cond, sizeof copy);
    go_cond_signal(&copy);
    return 0;
}

static go_cond read_cond = { .locker = GO_LOCKER_RWMUTEX_READ(&rw) };

static void waits_as_reader(int id)
{
    go_rwmutex_rlock(&rw);
    while (!ready_to_go)
        go_cond_wait(&read_cond);
    printf("reader %d\n", id);
    go_rwmutex_runlock(&rw);
    go_waitgroup_done(&wg);
}

CASE(cond_with_rlocker)
{
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++) {
        go(waits_as_reader, i);
        go_gosched();
    }
    go_rwmutex_lock(&rw);
    ready_to_go = 1;
    go_rwmutex_unlock(&rw);
    go_cond_broadcast(&read_cond);
    go_waitgroup_wait(&wg);
    return 0;
}

static int queue[2], queued;

static void produce(void)
{
    for (int i = 0; i < 6; i++) {
        go_mutex_lock(&mutex);
        while (queued == 2)
            go_cond_wait(&cond);
        queue[queued++] = i;
        go_cond_broadcast(&cond);
        go_mutex_unlock(&mutex);
    }
}

CASE(cond_bounded_queue)
{
    int sum = 0;
    go(produce);
    for (int i = 0; i < 6; i++) {
        go_mutex_lock(&mutex);
        while (queued == 0)
            go_cond_wait(&cond);
        sum += queue[--queued];
        go_cond_broadcast(&cond);
        go_mutex_unlock(&mutex);
    }
    printf("%d\n", sum);
    return 0;
}

CASE(deadlock_cond)
{
    start_waiters(2);
    go_cond_signal(&cond);
    go_waitgroup_wait(&wg);
    return 0;
}

/* ---- wait group --------------------------------------------------------------------------- */

static void work(int id, const char *text)
{
    printf("%d %s\n", id, text);
}

CASE(waitgroup_go)
{
    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&wg, work, i, "done");
    go_waitgroup_wait(&wg);
    puts("end");
    return 0;
}

static void nested(int depth)
{
    if (depth > 0)
        go_waitgroup_go(&wg, nested, depth - 1);
    printf("depth %d\n", depth);
}

CASE(waitgroup_go_nested)
{
    go_waitgroup_go(&wg, nested, 3);
    go_waitgroup_wait(&wg);
    return 0;
}

static void fails(void)
{
    go_panic("boom");
}

CASE(waitgroup_go_panic)
{
    go_waitgroup_go(&wg, fails);
    go_waitgroup_wait(&wg);
    puts("not reached");
    return 0;
}

static void fails_and_recovers(void)
{
    go_recoverable();
    go_defer(print_recovered, "recovered");
    go_panic("boom");
}

CASE(waitgroup_go_recovered)
{
    go_waitgroup_go(&wg, fails_and_recovers);
    go_waitgroup_wait(&wg);
    puts("end");
    return 0;
}

static void exits(void)
{
    go_defer(say, "deferred");
    go_goexit();
}

CASE(waitgroup_go_goexit)
{
    go_waitgroup_go(&wg, exits);
    go_waitgroup_wait(&wg);
    puts("end");
    return 0;
}

static void waits_for_group(int id)
{
    go_waitgroup_wait(&wg);
    printf("%d\n", id);
}

CASE(waitgroup_reused_too_early)
{
    go_waitgroup_add(&wg, 1);
    go(waits_for_group, 1);
    go_gosched();
    go_waitgroup_done(&wg);
    go_waitgroup_add(&wg, 1);
    go_gosched();
    puts("not reached");
    return 0;
}

CASE(waitgroup_used_again)
{
    for (int i = 0; i < 3; i++) {
        go_waitgroup_go(&wg, work, i, "round");
        go_waitgroup_wait(&wg);
    }
    return 0;
}

CASE(waitgroup_zero)
{
    go_waitgroup_wait(&wg);
    go_waitgroup_add(&wg, 2);
    go_waitgroup_add(&wg, -2);
    go_waitgroup_wait(&wg);
    puts("end");
    return 0;
}

CASE(waitgroup_several_waiters)
{
    go_waitgroup_add(&wg, 1);
    for (int i = 0; i < 4; i++) {
        go(waits_for_group, i);
        go_gosched();
    }
    go_waitgroup_done(&wg);
    yields(5);
    return 0;
}

static void done_too_often(void)
{
    go_recoverable();
    go_defer(print_recovered, "recovered");
    go_waitgroup_done(&wg);
}

CASE(waitgroup_done_too_often_recovered)
{
    done_too_often();
    return 0;
}

static void waits_and_says(void)
{
    go_waitgroup_wait(&wg);
}

CASE(deadlock_waitgroup_several)
{
    go_waitgroup_add(&wg, 1);
    go(waits_and_says);
    go(waits_and_says);
    go_waitgroup_wait(&wg);
    return 0;
}

/* ---- once --------------------------------------------------------------------------------- */

static go_once once;

static void count(void *n)
{
    printf("run %d\n", ++*(int *)n);
}

static void do_again(void *unused)
{
    (void)unused;
    go_once_do(&once, do_again, NULL);
}

CASE(deadlock_once_recursive)
{
    go_once_do(&once, do_again, NULL);
    return 0;
}

static void exit_in_once(void *unused)
{
    (void)unused;
    go_defer(say, "deferred");
    go_goexit();
}

static void do_exit(void)
{
    go_defer(go_waitgroup_done, &wg);
    go_once_do(&once, exit_in_once, NULL);
    puts("not reached");
}

CASE(once_goexit_counts_as_done)
{
    int n = 0;
    go_waitgroup_add(&wg, 1);
    go(do_exit);
    go_waitgroup_wait(&wg);
    go_once_do(&once, count, &n);
    printf("%d\n", n);
    return 0;
}

static void slow(void *unused)
{
    (void)unused;
    puts("begin");
    yields(5);
    puts("end");
}

static void second_caller(void)
{
    go_once_do(&once, slow, NULL);
    puts("second");
    go_waitgroup_done(&wg);
}

CASE(once_others_wait_for_the_first)
{
    go_waitgroup_add(&wg, 1);
    go(second_caller);
    go_once_do(&once, slow, NULL);
    puts("first");
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(once_as_go_and_defer)
{
    static int n;
    {
        go_defer(go_once_do, &once, count, &n);
        puts("block");
    }
    go_waitgroup_go(&wg, go_once_do, &once, count, &n);
    go_waitgroup_wait(&wg);
    printf("%d\n", n);
    return 0;
}

CASE(once_func)
{
    int n = 0;
    go_once_func f = { .fn = count, .arg = &n };
    go_once_func_call(&f);
    go_once_func_call(&f);
    printf("%d\n", n);
    return 0;
}

static void panics(void *text)
{
    puts("run");
    go_panic("%s", (const char *)text);
}

static void panics_with_error(void *unused)
{
    (void)unused;
    go_panic_error(3, "an error");
}

static void exits_func(void *unused)
{
    (void)unused;
    go_goexit();
}

static go_once_func failing = { .fn = panics, .arg = "boom" };
static go_once_func failing_error = { .fn = panics_with_error };
static go_once_func exiting = { .fn = exits_func };

static void call_recovered(go_once_func *f, const char *who)
{
    go_recoverable();
    go_defer(print_recovered, who);
    go_once_func_call(f);
    puts("not reached");
}

CASE(once_func_panics_each_time)
{
    call_recovered(&failing, "first");
    call_recovered(&failing, "second");
    call_recovered(&failing, "third");
    go_once_func_destroy(&failing);
    return 0;
}

CASE(once_func_panic_error)
{
    call_recovered(&failing_error, "first");
    go_once_func_call(&failing_error);
    return 0;
}

CASE(once_func_panic_uncaught)
{
    go_once_func_call(&failing);
    return 0;
}

CASE(once_func_second_panic_uncaught)
{
    call_recovered(&failing, "first");
    go_once_func_call(&failing);
    return 0;
}

static void call_exiting(void)
{
    go_defer(go_waitgroup_done, &wg);
    call_recovered(&exiting, "first");
}

CASE(once_func_goexit)
{
    go_waitgroup_add(&wg, 1);
    go(call_exiting);
    go_waitgroup_wait(&wg);
    call_recovered(&exiting, "second");
    return 0;
}

static void *make_value(void *arg)
{
    puts("make");
    return arg;
}

static void *make_nothing(void *arg)
{
    (void)arg;
    go_panic("no value");
}

CASE(once_value)
{
    go_once_value v = { .fn = make_value, .arg = "value" };
    puts(go_once_value_get(&v));
    puts(go_once_value_get(&v));
    return 0;
}

static void get_recovered(go_once_value *v, const char *who)
{
    go_recoverable();
    go_defer(print_recovered, who);
    go_once_value_get(v);
    puts("not reached");
}

CASE(once_value_panics_each_time)
{
    go_once_value v = { .fn = make_nothing };
    get_recovered(&v, "first");
    get_recovered(&v, "second");
    go_once_value_destroy(&v);
    return 0;
}

/* Semaphores, groups of goroutines that fail, shared calls. The Go twins are in ../go-xsync. */
#include "case.h"

static go_waitgroup wg;

static void print_recovered(const char *who)
{
    const go_panic_value *v = go_recover();
    printf("%s: %.*s\n", who, v ? (int)strcspn(v->text, "\n") : 3, v ? v->text : "nil");
}

static void yields(int n)
{
    while (n-- > 0)
        go_gosched();
}

/* ---- semaphore ---------------------------------------------------------------------------- */

static go_semaphore semaphore = GO_SEMAPHORE(3);

static void try_acquire(int64_t n)
{
    printf("%d: %d\n", (int)n, go_semaphore_try_acquire(&semaphore, n));
}

CASE(semaphore_try_acquire)
{
    try_acquire(2);
    try_acquire(2);
    try_acquire(1);
    try_acquire(0);
    go_semaphore_release(&semaphore, 2);
    try_acquire(3);
    try_acquire(2);
    return 0;
}

static void acquire(int id, int64_t n)
{
    go_semaphore_acquire(&semaphore, n);
    printf("%d got %d\n", id, (int)n);
    go_waitgroup_done(&wg);
}

static void start_acquire(int id, int64_t n)
{
    go_waitgroup_add(&wg, 1);
    go(acquire, id, n);
    go_gosched();
}

CASE(semaphore_fifo)
{
    go_semaphore_acquire(&semaphore, 3);
    for (int i = 0; i < 3; i++)
        start_acquire(i, 1);
    for (int i = 0; i < 3; i++) {
        go_semaphore_release(&semaphore, 1);
        yields(2);
        puts("next");
    }
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(semaphore_large_is_not_overtaken)
{
    go_semaphore_acquire(&semaphore, 2);
    start_acquire(1, 2);
    try_acquire(1);
    start_acquire(2, 1);
    puts("release");
    go_semaphore_release(&semaphore, 1);
    yields(3);
    puts("release");
    go_semaphore_release(&semaphore, 1);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(semaphore_release_wakes_several)
{
    go_semaphore_acquire(&semaphore, 3);
    start_acquire(1, 1);
    start_acquire(2, 1);
    start_acquire(3, 2);
    go_semaphore_release(&semaphore, 3);
    yields(3);
    puts("more");
    go_semaphore_release(&semaphore, 1);
    go_waitgroup_wait(&wg);
    return 0;
}

static void release_recovered(int64_t n)
{
    go_recoverable();
    go_defer(print_recovered, "release");
    go_semaphore_release(&semaphore, n);
}

CASE(semaphore_released_more_than_held)
{
    release_recovered(1);
    try_acquire(4);
    try_acquire(1);
    return 0;
}

CASE(semaphore_released_more_uncaught)
{
    go_semaphore_acquire(&semaphore, 2);
    go_semaphore_release(&semaphore, 3);
    return 0;
}

static void acquire_recovered(int64_t n)
{
    go_recoverable();
    go_defer(print_recovered, "acquire");
    go_semaphore_acquire(&semaphore, n);
}

static void try_acquire_recovered(int64_t n)
{
    go_recoverable();
    go_defer(print_recovered, "try_acquire");
    go_semaphore_try_acquire(&semaphore, n);
}

CASE(semaphore_negative)
{
    acquire_recovered(-1);
    try_acquire_recovered(-1);
    release_recovered(-1);
    try_acquire(3);
    return 0;
}

static void init_recovered(void)
{
    go_recoverable();
    go_defer(print_recovered, "new");
    go_semaphore s;
    go_semaphore_init(&s, -1);
}

CASE(semaphore_negative_size)
{
    init_recovered();
    return 0;
}

CASE(semaphore_zero_weight)
{
    go_semaphore_acquire(&semaphore, 3);
    go_semaphore_acquire(&semaphore, 0);
    puts("got nothing");
    start_acquire(1, 1);
    try_acquire(0);
    go_semaphore_release(&semaphore, 1);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(deadlock_semaphore)
{
    go_semaphore_acquire(&semaphore, 2);
    go_semaphore_acquire(&semaphore, 2);
    return 0;
}

CASE(deadlock_semaphore_beyond_size)
{
    go_semaphore_acquire(&semaphore, 4);
    return 0;
}

CASE(semaphore_beyond_size_stops_nobody)
{
    start_acquire(1, 4);
    try_acquire(3);
    return 0;
}

/* ---- group -------------------------------------------------------------------------------- */

static go_errgroup group;
static int running, most;

static int work(int id, int error)
{
    printf("work %d\n", id);
    return error;
}

CASE(errgroup_all_succeed)
{
    for (int i = 0; i < 3; i++)
        go_errgroup_go(&group, work, i, 0);
    printf("%d\n", go_errgroup_wait(&group));
    return 0;
}

CASE(errgroup_first_error)
{
    for (int i = 0; i < 4; i++) {
        go_errgroup_go(&group, work, i, i ? i * 10 : 0);
        go_gosched();
    }
    printf("%d\n", go_errgroup_wait(&group));
    printf("%d\n", go_errgroup_wait(&group));
    return 0;
}

CASE(errgroup_empty)
{
    printf("%d\n", go_errgroup_wait(&group));
    return 0;
}

static int count(void)
{
    running++;
    most = running > most ? running : most;
    yields(3);
    running--;
    return 0;
}

CASE(errgroup_limit)
{
    go_errgroup_set_limit(&group, 2);
    for (int i = 0; i < 8; i++)
        go_errgroup_go(&group, count);
    go_errgroup_wait(&group);
    printf("%d %d\n", running, most);
    return 0;
}

CASE(errgroup_no_limit)
{
    go_errgroup_set_limit(&group, 2);
    go_errgroup_set_limit(&group, -1);
    for (int i = 0; i < 8; i++)
        go_errgroup_go(&group, count);
    go_errgroup_wait(&group);
    printf("%d %d\n", running, most);
    return 0;
}

static void try_work(int id)
{
    printf("%d\n", go_errgroup_try_go(&group, work, id, 0));
}

CASE(errgroup_try_go)
{
    try_work(0);
    go_errgroup_wait(&group);
    go_errgroup_set_limit(&group, 1);
    try_work(1);
    try_work(2);
    yields(2);
    try_work(3);
    go_errgroup_wait(&group);
    return 0;
}

CASE(errgroup_limit_zero)
{
    go_errgroup_set_limit(&group, 0);
    try_work(1);
    printf("%d\n", go_errgroup_wait(&group));
    return 0;
}

CASE(deadlock_errgroup_limit_zero)
{
    go_errgroup_set_limit(&group, 0);
    go_errgroup_go(&group, work, 1, 0);
    return 0;
}

static void set_limit_recovered(int n)
{
    go_recoverable();
    go_defer(print_recovered, "limit");
    go_errgroup_set_limit(&group, n);
}

static int receive(void)
{
    go_recv(go_chan_make(int, 0));
    return 0;
}

CASE(errgroup_limit_while_active)
{
    go_errgroup_set_limit(&group, 3);
    go_errgroup_go(&group, receive);
    go_errgroup_go(&group, receive);
    set_limit_recovered(4);
    set_limit_recovered(-1);
    return 0;
}

CASE(errgroup_limit_while_active_uncaught)
{
    go_errgroup_set_limit(&group, 3);
    go_errgroup_go(&group, receive);
    go_errgroup_set_limit(&group, 2);
    return 0;
}

CASE(errgroup_limit_again)
{
    for (int i = 1; i < 4; i++) {
        most = 0;
        go_errgroup_set_limit(&group, i);
        for (int j = 0; j < 6; j++)
            go_errgroup_go(&group, count);
        go_errgroup_wait(&group);
        printf("%d\n", most);
    }
    return 0;
}

static int fails(void)
{
    go_panic("boom");
    return 0;
}

CASE(errgroup_panic_ends_the_process)
{
    go_errgroup_go(&group, fails);
    go_errgroup_wait(&group);
    return 0;
}

static int exits(void)
{
    go_goexit();
    return 1;
}

CASE(errgroup_goexit_is_no_error)
{
    go_errgroup_set_limit(&group, 1);
    go_errgroup_go(&group, exits);
    go_errgroup_go(&group, exits);
    printf("%d\n", go_errgroup_wait(&group));
    return 0;
}

static go_chan(go_unit) cancelled;

static void close_cancelled(void *c, int error)
{
    printf("cancelled by %d\n", error);
    go_close(c);
}

static int wait_for_cancel(int id)
{
    go_recv(cancelled);
    printf("%d stops\n", id);
    return id;
}

CASE(errgroup_error_cancels)
{
    cancelled = go_chan_make(go_unit, 0);
    group.cancel = close_cancelled;
    group.cancel_arg = cancelled;
    go_errgroup_go(&group, wait_for_cancel, 1);
    go_errgroup_go(&group, work, 2, 7);
    printf("%d\n", go_errgroup_wait(&group));
    return 0;
}

CASE(errgroup_wait_cancels)
{
    cancelled = go_chan_make(go_unit, 0);
    group.cancel = close_cancelled;
    group.cancel_arg = cancelled;
    go_errgroup_go(&group, work, 1, 0);
    printf("%d\n", go_errgroup_wait(&group));
    go_recv(cancelled);
    return 0;
}

static int nothing(void)
{
    return 0;
}

CASE(deadlock_errgroup_wait)
{
    go_errgroup_go(&group, nothing);
    go_errgroup_go(&group, receive);
    go_errgroup_wait(&group);
    return 0;
}

/* ---- shared calls ------------------------------------------------------------------------- */

static go_singleflight flights;
static int calls;

static int lookup(void *arg, void **value)
{
    printf("call %d\n", ++calls);
    yields(5);
    *value = arg;
    return 0;
}

static int lookup_fails(void *arg, void **value)
{
    (void)arg;
    (void)value;
    yields(5);
    return 5;
}

static int lookup_panics(void *arg, void **value)
{
    (void)arg;
    (void)value;
    yields(5);
    go_panic("boom");
}

static int lookup_exits(void *arg, void **value)
{
    (void)arg;
    (void)value;
    yields(5);
    go_goexit();
}

static void look(const char *key, int (*fn)(void *, void **), char *value)
{
    void *got = "none";
    int shared = -1;
    int error = go_singleflight_do(&flights, key, fn, value, &got, &shared);
    if (error)
        got = "none";
    printf("%s %d %d\n", (char *)got, error, shared);
}

CASE(singleflight_do)
{
    look("a", lookup, "one");
    look("a", lookup, "two");
    return 0;
}

CASE(singleflight_error)
{
    look("a", lookup_fails, "one");
    return 0;
}

static void start_three(int (*fn)(void *, void **))
{
    for (int i = 0; i < 3; i++) {
        go_waitgroup_go(&wg, look, "a", fn, "value");
        go_gosched();
    }
}

CASE(singleflight_shared)
{
    start_three(lookup);
    go_waitgroup_wait(&wg);
    printf("%d\n", calls);
    return 0;
}

CASE(singleflight_error_shared)
{
    start_three(lookup_fails);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(singleflight_keys_are_apart)
{
    go_waitgroup_go(&wg, look, "a", lookup, "one");
    go_gosched();
    go_waitgroup_go(&wg, look, "b", lookup, "two");
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(singleflight_forget)
{
    go_waitgroup_go(&wg, look, "a", lookup, "one");
    go_gosched();
    go_singleflight_forget(&flights, "a");
    go_singleflight_forget(&flights, "b");
    go_waitgroup_go(&wg, look, "a", lookup, "two");
    go_gosched();
    go_waitgroup_go(&wg, look, "a", lookup, "three");
    go_waitgroup_wait(&wg);
    return 0;
}

static void print_result(go_chan(go_singleflight_result) c)
{
    go_singleflight_result result = go_recv(c);
    printf("%s %d %d\n", (char *)result.value, result.error, result.shared);
}

CASE(singleflight_do_chan)
{
    print_result(go_singleflight_do_chan(&flights, "a", lookup, "one"));
    go_chan(go_singleflight_result) c[3];
    for (int i = 0; i < 3; i++)
        c[i] = go_singleflight_do_chan(&flights, "a", lookup, "two");
    for (int i = 0; i < 3; i++)
        print_result(c[i]);
    return 0;
}

static void look_recovered(void)
{
    go_recoverable();
    go_defer(print_recovered, "recovered");
    look("a", lookup_panics, "value");
}

CASE(singleflight_panic_to_each)
{
    for (int i = 0; i < 3; i++) {
        go_waitgroup_go(&wg, look_recovered);
        go_gosched();
    }
    go_waitgroup_wait(&wg);
    look("a", lookup, "after");
    return 0;
}

static void say(const char *text)
{
    puts(text);
}

static void look_exits(void)
{
    go_defer(say, "deferred");
    look("a", lookup_exits, "value");
    puts("not reached");
}

CASE(singleflight_goexit_to_each)
{
    for (int i = 0; i < 3; i++) {
        go_waitgroup_go(&wg, look_exits);
        go_gosched();
    }
    go_waitgroup_wait(&wg);
    look("a", lookup, "after");
    return 0;
}

CASE(singleflight_do_chan_panic)
{
    go_recv(go_singleflight_do_chan(&flights, "a", lookup_panics, NULL));
    return 0;
}

static int look_again(void *arg, void **value)
{
    return go_singleflight_do(&flights, "a", look_again, arg, value, NULL);
}

CASE(deadlock_singleflight_recursive)
{
    go_singleflight_do(&flights, "a", look_again, NULL, NULL, NULL);
    return 0;
}

/* Timers and tickers: what stop and reset report and withdraw. */
#include "unit.h"

#include <pthread.h>

static void pass(go_duration d)
{
    go_select(go_case_after(d));
}

static void signal_on(void *c)
{
    go_signal(c);
}

static void never(void *arg)
{
    (void)arg;
    CHECK(1, 0);
}

static go_chan(int64_t) chan_of(go_timer *t)
{
    return go_timer_chan(t);
}

static void check_nothing_comes(go_timer *t)
{
    CHECK(go_try_recv(chan_of(t), NULL), GO_WOULD_BLOCK);
    CHECK(go_select(go_case_recv(chan_of(t), NULL), go_case_default), 1);
}

static void stop_and_reset(void)
{
    go_timer *t = go_timer_new(GO_HOUR);
    CHECK(go_timer_stop(t), 1);
    CHECK(go_timer_stop(t), 0);
    CHECK(go_timer_reset(t, GO_HOUR), 0);
    CHECK(go_timer_reset(t, GO_MILLISECOND), 1);
    int64_t before = go_now();
    CHECK(go_recv(chan_of(t)) > before - GO_MINUTE, 1);
    CHECK(go_timer_stop(t), 0);
    CHECK(go_timer_reset(t, -GO_SECOND), 0);
    CHECK(go_recv(chan_of(t)) > 0, 1);
    CHECK(go_timer_reset(t, INT64_MAX), 0);
    CHECK(go_timer_reset(t, INT64_MIN), 1);
    CHECK(go_recv(chan_of(t)) > 0, 1);
    go_timer_free(t);
    go_timer_free(NULL);
}

/* With one processor the timers fire in order: what came before the one received has fired. */
static void unreceived_value_is_withdrawn(void)
{
    int procs = go_gomaxprocs(1);
    go_timer *first = go_timer_new(0);
    pass(GO_MILLISECOND);
    CHECK(go_len(go_timer_chan(first)), 0);
    CHECK(go_cap(go_timer_chan(first)), 0);
    CHECK(go_timer_stop(first), 1);
    check_nothing_comes(first);
    CHECK(go_timer_stop(first), 0);
    go_timer_reset(first, 0);
    pass(GO_MILLISECOND);
    CHECK(go_timer_reset(first, GO_HOUR), 1);
    check_nothing_comes(first);
    CHECK(go_timer_reset(first, 0), 1);
    pass(GO_MILLISECOND);
    CHECK(go_recv(chan_of(first)) > 0, 1);
    go_timer_free(first);
    go_gomaxprocs(procs);
}

static void channel_outlives_the_timer(void)
{
    go_timer *t = go_timer_new(GO_HOUR);
    go_chan(int64_t) c = go_timer_chan(t);
    go_chan_ref(c);
    go_timer_free(t);
    CHECK(go_try_recv(c, NULL), GO_WOULD_BLOCK);
    go_chan_unref(c);
}

static go_timer *self_freeing;
static void free_own_timer(void *c)
{
    go_timer_free(self_freeing);
    go_signal(c);
}

static void functions(void)
{
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    go_timer *t = go_after_func(GO_MILLISECOND, signal_on, c);
    CHECK(go_timer_chan(t) == NULL, 1);
    go_recv(c);
    CHECK(go_timer_stop(t), 0);
    CHECK(go_timer_reset(t, 0), 0);
    go_recv(c);
    CHECK(go_timer_reset(t, GO_HOUR), 0);
    CHECK(go_timer_stop(t), 1);
    CHECK(go_timer_stop(t), 0);
    go_timer_free(t);
    self_freeing = go_after_func(GO_HOUR, free_own_timer, c);
    CHECK(go_timer_reset(self_freeing, 0), 1);
    go_recv(c);
    go_timer_free(go_after_func(GO_HOUR, never, NULL));
    go_chan_unref(c);
}

static void ticks(void)
{
    go_ticker *t = go_ticker_new(GO_MILLISECOND);
    go_chan(int64_t) c = go_ticker_chan(t);
    int64_t last = 0;
    for (int i = 0; i < 5; i++) {
        int64_t now = go_recv(c);
        CHECK(now > last, 1);
        last = now;
    }
    go_ticker_stop(t);
    CHECK(go_try_recv(c, NULL), GO_WOULD_BLOCK);
    pass(3 * GO_MILLISECOND);
    CHECK(go_try_recv(c, NULL), GO_WOULD_BLOCK);
    CHECK(go_ticker_reset(t, GO_HOUR), 0);
    CHECK(go_ticker_reset(t, 2 * GO_MILLISECOND), 0);
    CHECK(go_recv(c) > last, 1);
    CHECK(go_recv(c) > last, 1);
    CHECK(go_ticker_reset(t, INT64_MAX), 0);
    CHECK(go_try_recv(c, NULL), GO_WOULD_BLOCK);
    CHECK(go_len(c) + go_cap(c), 0);
    go_ticker_free(t);
    go_ticker_free(NULL);
    go_ticker_stop(NULL);
}

/* One tick waits for a slow receiver, and few are on their way; the others are not made up for. */
/* Although no scheduler looked at the timers since they expired. */
static void expired_is_seen_at_once(void)
{
    for (int i = 0; i < 200; i++) {
        go_chan(int64_t) c[4];
        for (int k = 0; k < 4; k++)
            c[k] = go_after(k % 2 ? -GO_SECOND : 0);
        CHECK(go_try_recv(c[0], NULL), GO_DONE);
        CHECK(go_select(go_case_recv(c[1], NULL), go_case_default), 0);
        CHECK(go_try_recv(c[1], NULL), GO_WOULD_BLOCK);
        CHECK(go_recv_ctx(NULL, c[2], NULL), 1);
        CHECK(go_recv(c[3]) > 0, 1);
        for (int k = 0; k < 4; k++)
            go_chan_unref(c[k]);
    }
}

/* More than are fired in one look, and the one that is looked at is the last. */
static void expired_is_seen_behind_many(void)
{
    enum { MANY = 300 };
    go_chan(int64_t) c[MANY];
    for (int i = 0; i < MANY; i++)
        c[i] = go_after(0);
    for (int i = MANY; i-- > 0;) {
        CHECK(go_try_recv(c[i], NULL), GO_DONE);
        go_chan_unref(c[i]);
    }
}

static void check_between(int64_t value, int64_t least, int64_t most)
{
    CHECK(value >= least, 1);
    CHECK(value <= most, 1);
}

/* What is sent is the time for which the timer was set, however late somebody looks. */
static void value_is_when_it_was_due(void)
{
    int64_t before = go_now();
    go_timer *t = go_timer_new(GO_MILLISECOND);
    int64_t after = go_now();
    pass(2 * GO_MILLISECOND);
    check_between(go_recv(chan_of(t)), before + GO_MILLISECOND, after + GO_MILLISECOND);
    before = go_now();
    go_timer_reset(t, -GO_HOUR);
    after = go_now();
    check_between(go_recv(chan_of(t)), before, after);
    go_timer_free(t);
    before = go_now();
    go_ticker *ticker = go_ticker_new(GO_MILLISECOND);
    after = go_now();
    pass(3 * GO_MILLISECOND);
    int64_t first = go_recv(go_ticker_chan(ticker));
    check_between(first, before + GO_MILLISECOND, after + GO_MILLISECOND);
    CHECK((go_recv(go_ticker_chan(ticker)) - first) % GO_MILLISECOND, 0);
    go_ticker_free(ticker);
}

static void slow_receiver_loses_ticks(void)
{
    go_ticker *t = go_ticker_new(100 * GO_MICROSECOND);
    go_sleep(50 * GO_MILLISECOND);
    int64_t noted = go_now(), value = 0;
    for (int i = 0; i < 2 + go_gomaxprocs(0); i++)
        value = go_recv(go_ticker_chan(t));
    CHECK(value >= noted, 1);
    go_ticker_free(t);
}

static void tick(void)
{
    CHECK(go_tick(0) == NULL, 1);
    CHECK(go_tick(-1) == NULL, 1);
    go_chan(int64_t) c = go_tick(GO_MILLISECOND);
    go_recv(c);
    go_recv(c);
    CHECK(go_cap(c), 0);
    go_chan_unref(c);
    go_sleep(2 * GO_MILLISECOND); /* under ASan: the ticker that ends by itself is not leaked */
}

static char order[8];
static go_mutex order_lock;
static go_waitgroup ordered;
static void append(void *letter)
{
    go_mutex_lock(&order_lock);
    order[strlen(order)] = *(const char *)letter;
    go_mutex_unlock(&order_lock);
    go_waitgroup_done(&ordered);
}

static go_timer *timers[4];
static int64_t earliest[4], latest[4]; /* when each is due */

static void set(int i, int64_t d)
{
    earliest[i] = go_now() + d;
    if (timers[i])
        CHECK(go_timer_reset(timers[i], d), 1);
    else
        timers[i] = go_after_func(d, append, (void *)&"abcd"[i]);
    latest[i] = go_now() + d;
}

/* What a reset has put off fires by its new time, also where all are due by the time of the look;
 * of two for the same time the one set last is last. */
static void reset_timers_keep_the_order(void)
{
    int procs = go_gomaxprocs(1);
    go_waitgroup_add(&ordered, 4);
    for (int i = 0; i < 4; i++)
        set(i, (100 + i) * GO_MILLISECOND);
    set(0, GO_HOUR);
    set(2, 102 * GO_MILLISECOND);
    set(0, 105 * GO_MILLISECOND);
    set(1, 107 * GO_MILLISECOND);
    for (int64_t until = go_now() + 110 * GO_MILLISECOND; go_now() < until;)
        ; /* all are due now */
    go_waitgroup_wait(&ordered);
    CHECK(strlen(order), 4);
    for (int i = 1; i < 4; i++) { /* "cdab" where the machine was not held up meanwhile */
        int before = order[i - 1] - 'a', after = order[i] - 'a';
        CHECK(earliest[before] <= latest[after], 1);
    }
    for (int i = 0; i < 4; i++)
        go_timer_free(timers[i]);
    go_gomaxprocs(procs);
}

static char recovered[100]; /* a copy: the panic's text is gone with the deferred call */
static void note_recovered(void)
{
    const go_panic_value *v = go_recover();
    snprintf(recovered, sizeof recovered, "%s", v ? v->text : "none");
}

static void new_ticker(go_duration d)
{
    go_recoverable();
    go_defer(note_recovered);
    go_ticker_free(go_ticker_new(d));
}

static void reset_ticker(go_ticker *t, go_duration d)
{
    go_recoverable();
    go_defer(note_recovered);
    go_ticker_reset(t, d);
}

static void stop_timer(void)
{
    go_recoverable();
    go_defer(note_recovered);
    go_timer_stop(NULL);
}

static void reset_timer(void)
{
    go_recoverable();
    go_defer(note_recovered);
    go_timer_reset(NULL, 1);
}

static void panics(void)
{
    new_ticker(0);
    CHECK_TEXT(recovered, "non-positive interval for NewTicker");
    new_ticker(GO_HOUR);
    CHECK_TEXT(recovered, "none");
    reset_ticker(NULL, -1);
    CHECK_TEXT(recovered, "non-positive interval for Ticker.Reset");
    reset_ticker(NULL, 1);
    CHECK_TEXT(recovered, "time: Reset called on uninitialized Ticker");
    stop_timer();
    CHECK_TEXT(recovered, "time: Stop called on uninitialized Timer");
    reset_timer();
    CHECK_TEXT(recovered, "time: Reset called on uninitialized Timer");
}

static void *in_a_thread(void *arg)
{
    (void)arg;
    stop_and_reset();
    channel_outlives_the_timer();
    functions();
    ticks();
    value_is_when_it_was_due();
    return NULL;
}

static int all(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    stop_and_reset();
    reset_timers_keep_the_order();
    unreceived_value_is_withdrawn();
    channel_outlives_the_timer();
    functions();
    ticks();
    expired_is_seen_at_once();
    expired_is_seen_behind_many();
    value_is_when_it_was_due();
    slow_receiver_loses_ticks();
    tick();
    panics();
    return 0;
}

/* Pending timers, which nobody waits for, do not hold up a shutdown; what is left can be used. */
static void shutdown_with_timers(void)
{
    go_timer *t = go_timer_new(GO_HOUR);
    go_ticker *ticker = go_ticker_new(GO_MILLISECOND);
    go_chan(int64_t) c = go_tick(GO_MILLISECOND);
    CHECK(go_shutdown(GO_MINUTE), 0);
    CHECK(go_timer_stop(t), 0);
    CHECK(go_timer_reset(t, GO_MILLISECOND), 0);
    CHECK(go_recv(chan_of(t)) > 0, 1);
    CHECK(go_ticker_reset(ticker, GO_MILLISECOND), 0);
    CHECK(go_recv(go_ticker_chan(ticker)) > 0, 1);
    go_timer_free(t);
    go_ticker_free(ticker);
    go_chan_unref(c);
    CHECK(go_shutdown(GO_MINUTE), 0);
}

int main(int argc, char **argv)
{
    CHECK(go_run(all, argc, argv), 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, in_a_thread, NULL), 0);
    pthread_join(thread, NULL);
    shutdown_with_timers();
    return 0;
}

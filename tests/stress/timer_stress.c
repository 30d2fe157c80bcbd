/* Timers that are started, stopped, reset and fired by many goroutines and plain threads at once.
 * Every start is accounted for: it fires once, or one stop or reset reports it as active; never
 * both, never neither. And what stop returned from sends no more. */
#include "stress.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WORKERS = 4, RESETS = 20, MOST_AT_ONCE = 1000000 };

typedef go_chan(go_unit) signals;
typedef go_chan(int64_t) times;

static unsigned seed_of(long round, unsigned worker)
{
    return stress_seed + (unsigned)round * 2654435761u + worker * 40503u + 1;
}

static go_duration short_time(unsigned *random)
{
    return stress_random(random) % 4 ? (go_duration)(stress_random(random) % 50) * GO_MICROSECOND
                                     : 0;
}

/* ---- many stop and reset one timer -------------------------------------------------------- */

struct shared {
    go_timer *timer;
    long round;
    _Atomic long starts, ends; /* relaxed: read after all have been waited for */
    go_waitgroup workers, receiver;
    signals quit;
};

static void add(_Atomic long *counter, long n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void receive_all(struct shared *s)
{
    while (go_select(go_case_recv(go_timer_chan(s->timer), NULL), go_case_recv(s->quit, NULL)) == 0)
        add(&s->ends, 1);
    go_waitgroup_done(&s->receiver);
}

static void count_end(void *arg)
{
    struct shared *s = arg;
    add(&s->ends, 1);
    go_waitgroup_done(&s->receiver);
}

/* A function's start is waited for: counted before, taken back by who reports it as active. */
static void ended_active(struct shared *s, int active)
{
    STRESS_CHECK(active == 0 || active == 1, 1);
    add(&s->ends, active);
    if (active && !go_timer_chan(s->timer))
        go_waitgroup_done(&s->receiver);
}

static void stop_and_reset(struct shared *s, unsigned worker)
{
    unsigned random = seed_of(s->round, worker);
    for (int i = 0; i < RESETS; i++) {
        stress_pause(&random);
        if (stress_random(&random) % 3 == 0) {
            ended_active(s, go_timer_stop(s->timer));
            continue;
        }
        if (!go_timer_chan(s->timer))
            go_waitgroup_add(&s->receiver, 1);
        add(&s->starts, 1);
        ended_active(s, go_timer_reset(s->timer, short_time(&random)));
    }
    go_waitgroup_done(&s->workers);
}

struct thread_arg {
    struct shared *shared;
    unsigned worker;
};

static void *thread_main(void *arg)
{
    struct thread_arg *self = arg;
    stop_and_reset(self->shared, self->worker);
    return NULL;
}

static void work_on(struct shared *s, unsigned threads)
{
    pthread_t thread[WORKERS];
    struct thread_arg args[WORKERS];
    go_waitgroup_add(&s->workers, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++) {
        if (i >= threads) {
            go(stop_and_reset, s, i);
            continue;
        }
        args[i] = (struct thread_arg){ s, i };
        STRESS_CHECK(pthread_create(&thread[i], NULL, thread_main, &args[i]), 0);
    }
    go_waitgroup_wait(&s->workers);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    ended_active(s, go_timer_stop(s->timer));
}

static void by_channel(long round, unsigned threads)
{
    struct shared s = { .round = round, .starts = 1, .quit = go_chan_make(go_unit, 0) };
    s.timer = go_timer_new(0);
    go_waitgroup_add(&s.receiver, 1);
    go(receive_all, &s);
    work_on(&s, threads);
    go_close(s.quit);
    go_waitgroup_wait(&s.receiver);
    STRESS_CHECK(s.ends, s.starts);
    STRESS_CHECK(go_try_recv(go_timer_chan(s.timer), NULL), GO_WOULD_BLOCK);
    go_timer_free(s.timer);
    go_chan_unref(s.quit);
}

static void by_function(long round, unsigned threads)
{
    struct shared *s = calloc(1, sizeof *s);
    s->round = round;
    s->starts = 1;
    go_waitgroup_add(&s->receiver, 1);
    s->timer = go_after_func(GO_HOUR, count_end, s);
    work_on(s, threads);
    go_waitgroup_wait(&s->receiver);
    STRESS_CHECK(s->ends, s->starts);
    go_timer_free(s->timer);
    free(s);
}

/* ---- one stops, nobody else --------------------------------------------------------------- */

/* Nobody receives: it is active, whether it has fired or not, and stays silent. */
static void unreceived(unsigned *random)
{
    go_timer *t = go_timer_new(short_time(random));
    stress_pause(random);
    STRESS_CHECK(go_timer_stop(t), 1);
    STRESS_CHECK(go_try_recv(go_timer_chan(t), NULL), GO_WOULD_BLOCK);
    STRESS_CHECK(go_timer_reset(t, short_time(random)), 0);
    stress_pause(random);
    STRESS_CHECK(go_timer_reset(t, GO_HOUR), 1);
    STRESS_CHECK(go_try_recv(go_timer_chan(t), NULL), GO_WOULD_BLOCK);
    go_timer_free(t);
}

/* Who received may free at once. */
static void freed_by_receiver(unsigned *random)
{
    go_timer *t = go_timer_new(short_time(random));
    stress_pause(random);
    go_recv(go_timer_chan(t));
    go_timer_free(t);
    times c = go_after(short_time(random));
    go_recv(c);
    go_chan_unref(c);
    go_chan_unref(go_after(short_time(random)));
}

static void ticker(unsigned *random)
{
    go_ticker *t = go_ticker_new(GO_MICROSECOND + short_time(random));
    times c = go_ticker_chan(t);
    int64_t last = 0;
    for (unsigned i = stress_random(random) % 4; i > 0; i--) {
        int64_t now = go_recv(c);
        STRESS_CHECK(now > last, 1);
        last = now;
    }
    if (stress_random(random) % 2)
        go_ticker_reset(t, GO_MICROSECOND + short_time(random));
    stress_pause(random);
    go_ticker_stop(t);
    STRESS_CHECK(go_try_recv(c, NULL), GO_WOULD_BLOCK);
    go_ticker_free(t);
    c = go_tick(GO_MICROSECOND + short_time(random));
    go_recv(c);
    go_chan_unref(c);
}

/* ---- a crowd ------------------------------------------------------------------------------ */

static void must_not_run(void *arg)
{
    (void)arg;
    STRESS_CHECK(1, 0);
}

static void crowd(size_t n, unsigned *random)
{
    go_timer **timers = calloc(n, sizeof *timers);
    for (size_t i = 0; i < n; i++) {
        timers[i] = go_after_func(GO_HOUR + short_time(random), must_not_run, NULL);
        STRESS_CHECK(timers[i] != NULL, 1);
    }
    for (size_t i = n; i-- > 0;) { /* in random order */
        size_t other = stress_random(random) % (i + 1);
        go_timer *t = timers[other];
        timers[other] = timers[i];
        STRESS_CHECK(go_timer_stop(t), 1);
        go_timer_free(t);
    }
    free(timers);
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 200);
    unsigned random = stress_seed;
    for (long i = 0; i < stress_rounds; i++) {
        by_channel(i, (unsigned)(i % 3));
        by_function(i, (unsigned)(i % 3));
        for (int j = 0; j < 10; j++) {
            unreceived(&random);
            freed_by_receiver(&random);
            ticker(&random);
        }
    }
    crowd(stress_rounds < MOST_AT_ONCE / 500 ? (size_t)stress_rounds * 500 : MOST_AT_ONCE, &random);
    puts("ok");
    return 0;
}

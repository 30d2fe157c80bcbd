/* Timers and sleeping. */
#include "bench.h"
#include <stdatomic.h>

static go_waitgroup wg;

static void do_nothing(void *arg)
{
    (void)arg;
}

static long timer_add_stop(void)
{
    long n = times(2000000);
    for (long i = 0; i < n; i++) {
        go_timer *t = go_after_func(GO_HOUR, do_nothing, NULL);
        go_timer_stop(t);
        go_timer_free(t);
    }
    return n;
}

/* Among 100,000 others that are pending. */
static long timer_reset(void)
{
    enum { OTHERS = 100000 };
    static go_timer *timers[OTHERS];
    long n = times(2000000), others = times(OTHERS);
    stop_clock();
    for (long i = 0; i < others; i++)
        timers[i] = go_after_func(GO_HOUR + i * GO_MILLISECOND, do_nothing, NULL);
    start_clock();
    for (long i = 0; i < n; i++)
        go_timer_reset(timers[i % others], GO_HOUR + i * GO_MICROSECOND);
    return n;
}

static void done(void *arg)
{
    (void)arg;
    go_waitgroup_done(&wg);
}

static long timer_fire(void)
{
    enum { TIMERS = 1000 };
    static go_timer *timers[TIMERS];
    long rounds = times(500);
    for (long i = 0; i < rounds; i++) {
        go_waitgroup_add(&wg, TIMERS);
        for (int j = 0; j < TIMERS; j++)
            timers[j] = go_after_func(0, done, NULL);
        go_waitgroup_wait(&wg);
        for (int j = 0; j < TIMERS; j++)
            go_timer_free(timers[j]);
    }
    return rounds * TIMERS;
}

/* A microsecond apart: as fast as ticks come through. */
static long ticker(void)
{
    long n = times(2000);
    go_ticker *t = go_ticker_new(GO_MICROSECOND);
    for (long i = 0; i < n; i++)
        go_recv(go_ticker_chan(t));
    go_ticker_free(t);
    return n;
}

static atomic_llong late, latest;

static void sleeper(go_duration d)
{
    int64_t start = go_now();
    go_sleep(d);
    long long lateness = go_now() - start - d;
    atomic_fetch_add_explicit(&late, lateness, memory_order_relaxed);
    long long seen = atomic_load_explicit(&latest, memory_order_relaxed);
    while (lateness > seen &&
           !atomic_compare_exchange_weak_explicit(&latest, &seen, lateness, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
    go_waitgroup_done(&wg);
}

static long sleep_all(void)
{
    long n = times(100000);
    go_waitgroup_add(&wg, (int)n);
    for (long i = 0; i < n; i++)
        go(sleeper, (i * 7919 % 1000 + 1) * GO_MILLISECOND);
    go_waitgroup_wait(&wg);
    return n;
}

static double sleep_lateness(void)
{
    long n = sleep_all();
    return (double)late / (double)n / 1e3;
}

static double sleep_lateness_worst(void)
{
    sleep_all();
    return (double)latest / 1e3;
}

static const struct row rows[] = {
    { "timer_add_stop", "make a timer and stop it", timer_add_stop },
    { "timer_reset", "set a timer anew among 100,000", timer_reset },
    { "timer_fire", "a thousand timers are due at once: one fires", timer_fire },
    { "ticker", "one tick of a ticker that ticks each microsecond", ticker },
    { "sleep_lateness", "100,000 goroutines sleep 1 to 1,000 ms: how late they wake on average",
      NULL, "us", sleep_lateness },
    { "sleep_lateness_worst", "100,000 goroutines sleep 1 to 1,000 ms: how late the latest wakes",
      NULL, "us", sleep_lateness_worst },
    { 0 },
};
const struct table time_table = { "Time", rows };

/* Timers, tickers and durations: what stop and reset report, what is received after, the texts. */
#include "case.h"

static void signal_on(void *c)
{
    go_signal(c);
}

static void never(void *text)
{
    puts(text);
}

static void try_receive(go_chan(int64_t) c)
{
    puts(go_try_recv(c, NULL) == GO_DONE ? "a value" : "nothing");
}

static void print_recovered(const char *who)
{
    const go_panic_value *v = go_recover();
    printf("%s: %s\n", who, v ? v->text : "nil");
}

CASE(timer_stop_reports_whether_it_was_active)
{
    go_timer *t = go_timer_new(GO_HOUR);
    printf("%d", go_timer_stop(t));
    printf(" %d\n", go_timer_stop(t));
    go_timer_free(t);
    return 0;
}

CASE(timer_reset_reports_whether_it_was_active)
{
    go_timer *t = go_timer_new(GO_HOUR);
    printf("%d", go_timer_reset(t, GO_HOUR));
    printf(" %d", go_timer_stop(t));
    printf(" %d", go_timer_reset(t, GO_MILLISECOND));
    go_recv(go_timer_chan(t));
    printf(" %d\n", go_timer_reset(t, GO_HOUR));
    go_timer_free(t);
    return 0;
}

CASE(timer_stop_after_the_value_was_received)
{
    go_timer *t = go_timer_new(GO_MILLISECOND);
    go_recv(go_timer_chan(t));
    printf("%d\n", go_timer_stop(t));
    try_receive(go_timer_chan(t));
    go_timer_free(t);
    return 0;
}

CASE(timer_stop_withdraws_what_nobody_received)
{
    go_timer *t = go_timer_new(GO_MILLISECOND);
    go_sleep(20 * GO_MILLISECOND);
    printf("%d\n", go_timer_stop(t));
    try_receive(go_timer_chan(t));
    go_timer_free(t);
    return 0;
}

CASE(timer_reset_withdraws_what_nobody_received)
{
    go_timer *t = go_timer_new(GO_MILLISECOND);
    go_sleep(20 * GO_MILLISECOND);
    printf("%d\n", go_timer_reset(t, GO_HOUR));
    try_receive(go_timer_chan(t));
    go_timer_free(t);
    return 0;
}

CASE(timer_expired_before_the_receive)
{
    go_timer *t = go_timer_new(GO_MILLISECOND);
    go_sleep(20 * GO_MILLISECOND);
    go_recv(go_timer_chan(t));
    try_receive(go_timer_chan(t));
    go_timer_free(t);
    return 0;
}

CASE(timer_expired_is_seen_without_waiting)
{
    for (int i = 0; i < 100; i++) {
        go_chan(int64_t) tried = go_after(0), selected = go_after(-GO_HOUR);
        if (go_try_recv(tried, NULL) != GO_DONE)
            puts("nothing");
        if (go_select(go_case_recv(selected, NULL), go_case_default) != 0)
            puts("not ready");
        go_chan_unref(tried);
        go_chan_unref(selected);
    }
    puts("all");
    return 0;
}

CASE(timer_channel_looks_unbuffered)
{
    go_timer *t = go_timer_new(GO_MILLISECOND);
    go_ticker *ticker = go_ticker_new(GO_MILLISECOND);
    go_chan(int64_t) c = go_after(GO_MILLISECOND);
    go_sleep(20 * GO_MILLISECOND);
    printf("%zu %zu\n", go_len(go_timer_chan(t)), go_cap(go_timer_chan(t)));
    printf("%zu %zu\n", go_len(go_ticker_chan(ticker)), go_cap(go_ticker_chan(ticker)));
    printf("%zu %zu\n", go_len(c), go_cap(c));
    go_timer_free(t);
    go_ticker_free(ticker);
    go_chan_unref(c);
    return 0;
}

CASE(timer_of_no_duration_expires_at_once)
{
    go_timer *zero = go_timer_new(0), *negative = go_timer_new(-GO_HOUR);
    go_recv(go_timer_chan(zero));
    go_recv(go_timer_chan(negative));
    puts("both");
    go_timer_free(zero);
    go_timer_free(negative);
    return 0;
}

CASE(timer_of_the_longest_duration_does_not_expire)
{
    go_timer *t = go_timer_new(INT64_MAX);
    go_sleep(5 * GO_MILLISECOND);
    try_receive(go_timer_chan(t));
    printf("%d\n", go_timer_stop(t));
    go_timer_free(t);
    return 0;
}

CASE(timers_expire_in_order)
{
    go_timer *late = go_timer_new(40 * GO_MILLISECOND), *early = go_timer_new(GO_MILLISECOND);
    for (int i = 0; i < 2; i++)
        printf("%d\n", go_select(go_case_recv(go_timer_chan(late), NULL),
                                 go_case_recv(go_timer_chan(early), NULL)));
    go_timer_free(late);
    go_timer_free(early);
    return 0;
}

CASE(deadlock_despite_stopped_timer)
{
    go_timer *t = go_timer_new(GO_HOUR);
    go_timer_stop(t);
    go_recv(go_timer_chan(t));
    return 0;
}

CASE(deadlock_despite_pending_new_timer)
{
    go_timer *t = go_timer_new(GO_HOUR);
    go_recv(go_chan_make(int, 0));
    go_timer_stop(t);
    return 0;
}

CASE(deadlock_despite_ticker_nobody_waits_for)
{
    go_ticker *t = go_ticker_new(GO_MILLISECOND);
    go_recv(go_chan_make(int, 0));
    go_ticker_stop(t);
    return 0;
}

CASE(deadlock_despite_stopped_ticker)
{
    go_ticker *t = go_ticker_new(GO_MILLISECOND);
    go_recv(go_ticker_chan(t));
    go_ticker_stop(t);
    go_recv(go_ticker_chan(t));
    return 0;
}

CASE(quiet_while_a_function_is_pending)
{
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    go_timer *t = go_after_func(20 * GO_MILLISECOND, signal_on, c);
    go_recv(c);
    puts("signalled");
    go_timer_free(t);
    return 0;
}

CASE(after_func_stop_keeps_it_from_running)
{
    go_timer *t = go_after_func(5 * GO_MILLISECOND, never, "ran");
    printf("%d", go_timer_stop(t));
    printf(" %d\n", go_timer_stop(t));
    go_sleep(20 * GO_MILLISECOND);
    go_timer_free(t);
    return 0;
}

CASE(after_func_stop_after_it_started)
{
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    go_timer *t = go_after_func(0, signal_on, c);
    go_sleep(20 * GO_MILLISECOND); /* it started, and waits for us */
    printf("%d\n", go_timer_stop(t));
    go_recv(c);
    go_timer_free(t);
    return 0;
}

CASE(after_func_reset_runs_it_again)
{
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    go_timer *t = go_after_func(0, signal_on, c);
    for (int i = 0; i < 3; i++) {
        go_recv(c);
        printf("%d\n", go_timer_reset(t, GO_MILLISECOND));
    }
    go_recv(c);
    go_timer_free(t);
    return 0;
}

CASE(after_func_timer_has_no_channel)
{
    go_timer *t = go_after_func(GO_HOUR, never, "ran");
    puts(go_timer_chan(t) ? "a channel" : "nil");
    go_timer_free(t);
    return 0;
}

static void panics(void *text)
{
    go_panic("%s", (const char *)text);
}

CASE(after_func_panics)
{
    go_after_func(0, panics, "in a function");
    go_sleep(GO_MINUTE);
    return 0;
}

CASE(ticker_ticks_until_stopped)
{
    go_ticker *t = go_ticker_new(2 * GO_MILLISECOND);
    for (int i = 0; i < 3; i++)
        go_recv(go_ticker_chan(t));
    go_ticker_stop(t);
    go_ticker_stop(t);
    go_sleep(10 * GO_MILLISECOND);
    try_receive(go_ticker_chan(t));
    go_ticker_free(t);
    return 0;
}

CASE(ticker_stop_withdraws_what_nobody_received)
{
    go_ticker *t = go_ticker_new(GO_MILLISECOND);
    go_sleep(20 * GO_MILLISECOND);
    go_ticker_stop(t);
    try_receive(go_ticker_chan(t));
    go_ticker_free(t);
    return 0;
}

CASE(ticker_reset_withdraws_what_nobody_received)
{
    go_ticker *t = go_ticker_new(GO_MILLISECOND);
    go_sleep(20 * GO_MILLISECOND);
    go_ticker_reset(t, GO_HOUR);
    try_receive(go_ticker_chan(t));
    go_ticker_free(t);
    return 0;
}

CASE(ticker_reset_starts_a_stopped_one)
{
    go_ticker *t = go_ticker_new(GO_HOUR);
    go_ticker_stop(t);
    go_ticker_reset(t, GO_MILLISECOND);
    go_recv(go_ticker_chan(t));
    go_recv(go_ticker_chan(t));
    puts("ticks");
    go_ticker_free(t);
    return 0;
}

CASE(ticker_drops_ticks_for_a_slow_receiver)
{
    go_ticker *t = go_ticker_new(GO_MILLISECOND);
    go_sleep(100 * GO_MILLISECOND);
    int64_t slept = go_now(), value = 0;
    for (int i = 0; i < 10; i++)
        value = go_recv(go_ticker_chan(t));
    puts(value > slept ? "of now" : "of then");
    go_ticker_free(t);
    return 0;
}

static void new_ticker(go_duration d)
{
    go_recoverable();
    go_defer(print_recovered, "NewTicker");
    go_ticker_free(go_ticker_new(d));
}

CASE(ticker_of_no_duration)
{
    new_ticker(0);
    new_ticker(-GO_SECOND);
    new_ticker(GO_SECOND);
    return 0;
}

CASE(ticker_of_no_duration_unrecovered)
{
    go_ticker_new(0);
    return 0;
}

static void reset_ticker(go_ticker *t, go_duration d)
{
    go_recoverable();
    go_defer(print_recovered, "Reset");
    go_ticker_reset(t, d);
}

CASE(ticker_reset_to_no_duration)
{
    go_ticker *t = go_ticker_new(GO_HOUR);
    reset_ticker(t, 0);
    reset_ticker(t, -1);
    reset_ticker(NULL, GO_SECOND);
    go_ticker_free(t);
    return 0;
}

static void use_uninitialized(int resets)
{
    go_recoverable();
    go_defer(print_recovered, resets ? "Reset" : "Stop");
    if (resets)
        go_timer_reset(NULL, GO_SECOND);
    else
        go_timer_stop(NULL);
}

CASE(timer_uninitialized)
{
    use_uninitialized(0);
    use_uninitialized(1);
    return 0;
}

CASE(tick_of_no_duration_is_nil)
{
    puts(go_tick(0) ? "a channel" : "nil");
    puts(go_tick(-1) ? "a channel" : "nil");
    return 0;
}

CASE(tick_ticks)
{
    go_chan(int64_t) c = go_tick(GO_MILLISECOND);
    for (int i = 0; i < 3; i++)
        go_recv(c);
    puts("ticks");
    go_chan_unref(c);
    return 0;
}

CASE(deadlock_on_nil_tick)
{
    go_recv(go_tick(0));
    return 0;
}

CASE(duration_texts)
{
    static const go_duration list[] = { 0,          1,           1100,         2200000,
                                        1500000000, -3300000000, 245000000000, 3723500000000,
                                        INT64_MAX,  INT64_MIN };
    char text[GO_DURATION_ROOM];
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        puts(go_duration_string(list[i], text, sizeof text));
    return 0;
}

CASE(duration_parse)
{
    static const char *const list[] = { "0",          "1h15m30.918s",
                                        "-1.5h",      "1\xc2\xb5s",
                                        "1\xce\xbcs", ".5s",
                                        "5.s",        "-9223372036854775808ns" };
    go_duration d;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (go_duration_parse(list[i], &d) == 0)
            printf("%lld\n", (long long)d);
    return 0;
}

CASE(duration_parse_errors)
{
    static const char *const list[] = { "",         "3",        "-",
                                        ".s",       "1d",       "1h ",
                                        "3000000h", "\x85\"\\", "9223372036854775808ns" };
    go_duration d;
    char error[200];
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (go_duration_parse(list[i], &d) != 0)
            puts(go_duration_parse_error(list[i], error, sizeof error));
    return 0;
}

CASE(duration_round_and_truncate)
{
    static const go_duration list[] = { 1499, 1500, -1499, -1500, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        printf("%lld %lld %lld\n", (long long)go_duration_round(list[i], 1000),
               (long long)go_duration_truncate(list[i], 1000),
               (long long)go_duration_round(list[i], 0));
    return 0;
}

CASE(duration_units)
{
    go_duration d = 5400 * GO_SECOND + 1999999;
    printf("%.9f %.9f %.9f\n", go_duration_hours(d), go_duration_minutes(d),
           go_duration_seconds(d));
    printf("%lld %lld %lld\n", (long long)go_duration_milliseconds(d),
           (long long)go_duration_microseconds(d), (long long)go_duration_abs(-d));
    return 0;
}

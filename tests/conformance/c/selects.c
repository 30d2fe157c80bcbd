/* Select with many and with few cases, closing under it, and the channel's corners. */
#include "case.h"

#include <stdlib.h>

static void print_recovered(const char *who)
{
    const go_panic_value *v = go_recover();
    printf("%s: %s\n", who, v ? v->text : "nil");
}

static go_case receive_case(go_chan(int) c, int *value)
{
    return (go_case){ .kind = GO_CASE_RECV, .chan = c, .value = value, .size = sizeof *value };
}

static void send_to(go_chan(int) c, int v)
{
    go_send(c, v);
}

/* n cases, of which number `ready` gets a value: at once, or while the select waits. */
static void select_among(size_t n, size_t ready, int waits)
{
    go_case *cases = calloc(n, sizeof *cases);
    int value = 0;
    for (size_t i = 0; i < n; i++)
        cases[i] = receive_case(go_chan_make(int, 1), &value);
    if (waits)
        go(send_to, (go_chan(int))cases[ready].chan, 7);
    else
        send_to(cases[ready].chan, 7);
    printf("%d", go_select_array(cases, n));
    printf(" %d\n", value);
    free(cases);
}

CASE(select_most_cases)
{
    select_among(65536, 40000, 0);
    return 0;
}

CASE(select_most_cases_waits)
{
    select_among(65536, 65535, 1);
    return 0;
}

CASE(select_hundred_cases)
{
    for (size_t i = 0; i < 100; i += 33)
        select_among(100, i, i % 2);
    return 0;
}

static void too_many(go_case *cases)
{
    go_recoverable();
    go_defer(print_recovered, "65,537 cases");
    go_select_array(cases, 65537);
}

CASE(select_too_many_cases)
{
    go_case *cases = calloc(65537, sizeof *cases);
    for (int i = 0; i < 65537; i++)
        cases[i] = receive_case(NULL, NULL);
    too_many(cases);
    free(cases);
    return 0;
}

static void two_defaults(void)
{
    go_recoverable();
    go_defer(print_recovered, "two defaults");
    go_select_array((go_case[]){ go_case_default, go_case_default }, 2);
}

CASE(select_two_defaults)
{
    two_defaults();
    return 0;
}

CASE(select_array_with_default)
{
    int value;
    go_chan(int) c = go_chan_make(int, 1);
    go_case cases[] = { receive_case(NULL, &value), receive_case(c, &value), go_case_default };
    printf("%d\n", go_select_array(cases, 3));
    go_send(c, 5);
    printf("%d", go_select_array(cases, 3));
    printf(" %d\n", value);
    return 0;
}

CASE(select_chooses_each_of_the_ready)
{
    enum { N = 5 };
    go_chan(int) c[N];
    int seen[N] = { 0 }, all = 1;
    for (int i = 0; i < N; i++) {
        c[i] = go_chan_make(int, 0);
        go_close(c[i]);
    }
    for (int i = 0; i < 2000; i++)
        seen[go_select(go_case_recv(c[0], NULL), go_case_recv(c[1], NULL), go_case_recv(c[2], NULL),
                       go_case_recv(c[3], NULL), go_case_recv(c[4], NULL))]++;
    for (int i = 0; i < N; i++)
        all = all && seen[i] > 200;
    puts(all ? "each" : "not each");
    return 0;
}

CASE(select_same_channel_twice)
{
    go_chan(int) c = go_chan_make(int, 2);
    int first = 0, second = 0;
    go_send(c, 1);
    go_send(c, 2);
    for (int i = 0; i < 2; i++)
        go_select(go_case_recv(c, &first), go_case_recv(c, &second));
    printf("%d\n", first + second > 0 && go_len(c) == 0);
    return 0;
}

CASE(select_send_full_default)
{
    go_chan(int) c = go_chan_make(int, 2);
    int sent = 0;
    while (go_select(go_case_send(c, sent), go_case_default) == 0)
        sent++;
    printf("%d %zu\n", sent, go_len(c));
    return 0;
}

static void send_and_close(go_chan(int) c, int from)
{
    for (int i = 0; i < 3; i++)
        go_send(c, from + i);
    go_close(c);
}

CASE(select_until_both_closed)
{
    go_chan(int) a = go_chan_make(int, 0), b = go_chan_make(int, 0);
    int v, ok, sum = 0;
    go(send_and_close, a, 1);
    go(send_and_close, b, 100);
    while (a || b) {
        switch (go_select(go_case_recv_ok(a, &v, &ok), go_case_recv_ok(b, &v, &ok))) {
        case 0:
            if (!ok)
                a = NULL;
            break;
        case 1:
            if (!ok)
                b = NULL;
            break;
        }
        sum += v;
    }
    printf("%d\n", sum);
    return 0;
}

static void waits_for_two(go_chan(int) a, go_chan(int) b, go_waitgroup *wg)
{
    int v = 9, ok = 9;
    int index = go_select(go_case_recv_ok(a, &v, &ok), go_case_recv_ok(b, &v, &ok));
    printf("%d %d %d\n", index, v, ok);
    go_waitgroup_done(wg);
}

CASE(close_wakes_waiting_select)
{
    go_chan(int) a = go_chan_make(int, 0), b = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        go(waits_for_two, a, b, &wg);
    go_gosched();
    go_close(b);
    go_waitgroup_wait(&wg);
    return 0;
}

static void select_sends(go_chan(int) a, go_chan(int) b, go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_recoverable();
    go_defer(print_recovered, "waiting select");
    go_select(go_case_send(a, 1), go_case_send(b, 2));
    puts("not reached");
}

CASE(close_panics_waiting_select)
{
    go_chan(int) a = go_chan_make(int, 0), b = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(select_sends, a, b, &wg);
    go_gosched();
    go_close(a);
    go_waitgroup_wait(&wg);
    return 0;
}

static void select_one(go_chan(int) c, const char *name, go_waitgroup *wg)
{
    int v = 0;
    go_chan(int) none = NULL;
    go_select(go_case_recv(c, &v), go_case_recv(none, NULL));
    printf("%s %d\n", name, v);
    go_waitgroup_done(wg);
}

static void plain_one(go_chan(int) c, const char *name, go_waitgroup *wg)
{
    printf("%s %d\n", name, go_recv(c));
    go_waitgroup_done(wg);
}

CASE(select_and_receivers_fifo)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 4);
    for (int i = 0; i < 4; i++) {
        if (i % 2)
            go(plain_one, c, i == 1 ? "plain 1" : "plain 3", &wg);
        else
            go(select_one, c, i == 0 ? "select 0" : "select 2", &wg);
        go_gosched();
    }
    for (int i = 0; i < 4; i++) {
        go_send(c, i);
        go_gosched();
    }
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(select_timeout_of_nothing)
{
    go_chan(int) none = NULL;
    printf("%d\n", go_select(go_case_recv(none, NULL), go_case_after(0)));
    printf("%d\n", go_select(go_case_recv(none, NULL), go_case_after(-1)));
    return 0;
}

CASE(select_timeout_that_is_over_is_one_of_the_ready)
{
    go_chan(int) c = go_chan_make(int, 1);
    int chosen[4] = { 0 }, missing = 4;
    while (missing) {
        go_try_send(c, 1);
        int i = go_select(go_case_recv(c, NULL), go_case_after(0), go_case_recv(c, NULL),
                          go_case_after(-1));
        missing -= !chosen[i]++;
    }
    puts("each");
    return 0;
}

CASE(select_ready_before_timeout)
{
    go_chan(int) c = go_chan_make(int, 0);
    int v = 0;
    go(send_to, c, 3);
    printf("%d", go_select(go_case_after(GO_HOUR), go_case_recv(c, &v)));
    printf(" %d\n", v);
    return 0;
}

CASE(select_large_elements)
{
    struct block {
        char bytes[4096];
    } in, out = { "" };
    go_chan(struct block) c = go_chan_make(struct block, 1);
    memset(&in, 'z', sizeof in);
    go_case cases[] = { { .kind = GO_CASE_SEND, .chan = c, .value = &in, .size = sizeof in },
                        { .kind = GO_CASE_RECV, .chan = c, .value = &out, .size = sizeof out } };
    printf("%d", go_select_array(cases, 2));
    printf(" %d", go_select_array(cases, 2));
    printf(" %c%c\n", out.bytes[0], out.bytes[4095]);
    return 0;
}

static void rethrow(go_chan(int) c)
{
    go_recoverable();
    go_defer(print_recovered, "close");
    go_close(c);
}

CASE(close_panics_recovered)
{
    go_chan(int) c = go_chan_make(int, 0);
    rethrow(c);
    rethrow(c);
    rethrow(NULL);
    return 0;
}

CASE(close_keeps_the_buffer)
{
    go_chan(int) c = go_chan_make(int, 4);
    send_and_close(c, 5);
    printf("%zu %zu\n", go_len(c), go_cap(c));
    go_range (v, c)
        printf("%d\n", v);
    printf("%zu %zu\n", go_len(c), go_cap(c));
    return 0;
}

CASE(chan_large_capacity_of_nothing)
{
    go_chan(go_unit) c = go_chan_make(go_unit, INT64_C(1) << 40);
    go_signal(c);
    printf("%zu %llu\n", go_len(c), (unsigned long long)go_cap(c));
    return 0;
}

static void signal_twice(go_chan(go_unit) c)
{
    go_signal(c);
    puts("first taken");
    go_signal(c);
    go_close(c);
}

CASE(chan_zero_size_unbuffered)
{
    go_chan(go_unit) c = go_chan_make(go_unit, 0);
    go(signal_twice, c);
    go_recv(c);
    puts("first");
    go_recv(c);
    printf("%d\n", go_recv_ok(c, NULL));
    return 0;
}

static int twice(int i)
{
    return 2 * i;
}

CASE(chan_of_functions)
{
    typedef int (*function)(int);
    go_chan(function) c = go_chan_make(function, 1);
    go_send(c, twice);
    printf("%d\n", go_recv(c)(21));
    return 0;
}

CASE(chan_of_arrays)
{
    struct row {
        short cells[7];
    };
    go_chan(struct row) c = go_chan_make(struct row, 3);
    struct row r = { { 1, 2, 3, 4, 5, 6, 7 } };
    for (int i = 0; i < 3; i++) {
        go_send(c, r);
        r.cells[6] = (short)(r.cells[6] * 2);
    }
    for (int i = 0; i < 3; i++)
        printf("%d\n", go_recv(c).cells[6]);
    return 0;
}

CASE(chan_nonblocking)
{
    go_chan(int) c = go_chan_make(int, 1), none = NULL;
    int v = 0, status;
    printf("%d\n", go_try_recv(c, &v));
    printf("%d\n", go_try_send(c, 4));
    printf("%d\n", go_try_send(c, 5));
    status = go_try_recv(c, &v);
    printf("%d %d\n", status, v);
    go_close(c);
    status = go_try_recv(c, &v);
    printf("%d %d\n", status, v);
    printf("%d %d\n", go_try_recv(none, &v), go_try_send(none, 1));
    return 0;
}

CASE(chan_buffer_takes_waiting_sender)
{
    go_chan(int) c = go_chan_make(int, 2);
    for (int i = 0; i < 4; i++) {
        go(send_to, c, i);
        go_gosched();
    }
    for (int i = 0; i < 4; i++) {
        printf("%zu ", go_len(c));
        printf("%d\n", go_recv(c));
    }
    return 0;
}

/* Channels and select. */
#include "case.h"

static void send_range(go_chan(int) c, int from, int to)
{
    for (int i = from; i < to; i++)
        go_send(c, i);
    go_close(c);
}

CASE(chan_len_cap)
{
    go_chan(int) c = go_chan_make(int, 3), none = NULL;
    go_send(c, 1);
    printf("%zu %zu %zu %zu\n", go_len(c), go_cap(c), go_len(none), go_cap(none));
    return 0;
}

CASE(chan_closed_drains_then_zero)
{
    go_chan(int) c = go_chan_make(int, 3);
    go_send(c, 1);
    go_send(c, 2);
    go_close(c);
    for (int i = 0; i < 4; i++) {
        int v = 9;
        int ok = go_recv_ok(c, &v);
        printf("%d %d\n", v, ok);
    }
    return 0;
}

static go_chan(int) named(go_chan(int) c, const char *name)
{
    printf("%s ", name);
    return c;
}

static int value_of(const char *name)
{
    printf("%s ", name);
    return 1;
}

CASE(chan_operands_in_order)
{
    go_chan(int) c = go_chan_make(int, 2);
    go_send(named(c, "channel"), value_of("value"));
    printf("%d\n", go_try_send(named(c, "channel"), value_of("value")));
    return 0;
}

CASE(chan_range_evaluates_its_channel_once)
{
    go_chan(int) c = go_chan_make(int, 6), inner = NULL;
    send_range(c, 0, 6);
    go_range (v, named(c, "outer")) {
        if (v == 1)
            continue;
        if (v == 4)
            break;
        inner = go_chan_make(int, 2);
        send_range(inner, 10 * v, 10 * v + 2);
        go_range (w, named(inner, "inner")) {
            inner = NULL;
            if (w == 21)
                break;
            printf("%d ", w);
        }
    }
    printf("%d\n", go_recv(c));
    return 0;
}

CASE(chan_range)
{
    go_chan(int) c = go_chan_make(int, 0);
    go(send_range, c, 0, 5);
    go_range (v, c)
        printf("%d\n", v);
    return 0;
}

static void send_one(go_chan(int) c, int v)
{
    go_send(c, v);
}

CASE(chan_waiting_senders_fifo)
{
    go_chan(int) c = go_chan_make(int, 2);
    for (int i = 0; i < 6; i++) {
        go(send_one, c, i);
        go_gosched();
    }
    for (int i = 0; i < 6; i++)
        printf("%d\n", go_recv(c));
    return 0;
}

static void receive_as(go_chan(int) c, const char *name, go_waitgroup *wg)
{
    printf("%s %d\n", name, go_recv(c));
    go_waitgroup_done(wg);
}

CASE(chan_waiting_receivers_fifo)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    const char *names[] = { "a", "b", "c" };
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++) {
        go(receive_as, c, names[i], &wg);
        go_gosched();
    }
    for (int i = 0; i < 3; i++) {
        go_send(c, i);
        go_gosched();
    }
    go_waitgroup_wait(&wg);
    return 0;
}

static void receive_closed(go_chan(int) c, go_waitgroup *wg)
{
    int v = 5;
    int ok = go_recv_ok(c, &v);
    printf("%d %d\n", v, ok);
    go_waitgroup_done(wg);
}

CASE(chan_close_wakes_receivers)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        go(receive_closed, c, &wg);
    go_gosched();
    go_close(c);
    go_waitgroup_wait(&wg);
    return 0;
}

CASE(chan_close_panics_waiting_sender)
{
    go_chan(int) c = go_chan_make(int, 0);
    go(send_one, c, 1);
    go_gosched();
    go_close(c);
    go_recv(go_chan_make(int, 0));
    return 0;
}

struct large {
    int first;
    char bytes[4096];
    int last;
};

static void send_large(go_chan(struct large) c)
{
    struct large v = { .first = 1, .last = 2 };
    memset(v.bytes, 'x', sizeof v.bytes);
    go_send(c, v);
    v.first = 3;
    go_send(c, v);
}

CASE(chan_large_elements)
{
    go_chan(struct large) c = go_chan_make(struct large, 1);
    go(send_large, c);
    for (int i = 0; i < 2; i++) {
        struct large v = go_recv(c);
        printf("%d %c %c %d\n", v.first, v.bytes[0], v.bytes[4095], v.last);
    }
    return 0;
}

CASE(chan_zero_size)
{
    go_chan(go_unit) c = go_chan_make(go_unit, 3);
    go_signal(c);
    go_signal(c);
    printf("%zu %zu\n", go_len(c), go_cap(c));
    go_recv(c);
    go_close(c);
    int a = go_recv_ok(c, NULL), b = go_recv_ok(c, NULL);
    printf("%d %d\n", a, b);
    return 0;
}

static void print_channel(go_chan(int) inner)
{
    go_send(inner, 17);
}

CASE(chan_of_chan)
{
    go_chan(go_chan(int)) outer = go_chan_make(go_chan(int), 1);
    go_chan(int) inner = go_chan_make(int, 1);
    go_send(outer, inner);
    print_channel(go_recv(outer));
    printf("%d\n", go_recv(inner));
    return 0;
}

CASE(select_default)
{
    go_chan(int) c = go_chan_make(int, 1);
    int v = 0;
    switch (go_select(go_case_recv(c, &v), go_case_default)) {
    case 0:
        puts("received");
        break;
    default:
        puts("default");
    }
    go_send(c, 3);
    switch (go_select(go_case_recv(c, &v), go_case_default)) {
    case 0:
        printf("received %d\n", v);
        break;
    default:
        puts("default");
    }
    return 0;
}

CASE(select_closed_always_ready)
{
    go_chan(int) c = go_chan_make(int, 0);
    int v = 9, ok = 9;
    go_close(c);
    go_select(go_case_recv_ok(c, &v, &ok));
    printf("%d %d\n", v, ok);
    return 0;
}

CASE(select_send_on_closed)
{
    go_chan(int) c = go_chan_make(int, 0), other = go_chan_make(int, 0);
    go_close(c);
    go_select(go_case_send(c, 1), go_case_recv(other, NULL));
    return 0;
}

CASE(select_nil_with_default)
{
    go_chan(int) c = NULL;
    printf("%s\n", go_select(go_case_recv(c, NULL), go_case_send(c, 1), go_case_default) == 2
                       ? "default"
                       : "ready");
    return 0;
}

CASE(select_fair)
{
    go_chan(int) a = go_chan_make(int, 1), b = go_chan_make(int, 1);
    int counts[2] = { 0, 0 };
    for (int i = 0; i < 10000; i++) {
        if (go_len(a) == 0)
            go_send(a, i);
        if (go_len(b) == 0)
            go_send(b, i);
        counts[go_select(go_case_recv(a, NULL), go_case_recv(b, NULL))]++;
    }
    puts(counts[0] > 4000 && counts[1] > 4000 ? "fair" : "unfair");
    return 0;
}

CASE(select_same_channel_does_not_pair)
{
    go_chan(int) c = go_chan_make(int, 0);
    int v;
    puts(go_select(go_case_send(c, 1), go_case_recv(c, &v), go_case_default) == 2 ? "default"
                                                                                  : "paired");
    return 0;
}

static void select_sender(go_chan(int) c, go_chan(int) d, go_waitgroup *wg)
{
    for (int i = 0; i < 5; i++)
        go_select(go_case_send(c, i), go_case_send(d, i + 100));
    go_waitgroup_done(wg);
}

CASE(select_blocks_then_serves)
{
    go_chan(int) c = go_chan_make(int, 0), d = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(select_sender, c, d, &wg);
    int sum = 0;
    for (int i = 0; i < 5; i++)
        sum += i & 1 ? go_recv(c) : go_recv(d) - 100;
    go_waitgroup_wait(&wg);
    printf("%d\n", sum);
    return 0;
}

CASE(select_timeout)
{
    go_chan(int) c = go_chan_make(int, 0);
    puts(go_select(go_case_recv(c, NULL), go_case_after(GO_MILLISECOND)) == 1 ? "timeout"
                                                                              : "value");
    return 0;
}

static int trace(int i)
{
    printf("operand %d\n", i);
    return i;
}

static go_chan(int) traced(go_chan(int) c, int i)
{
    trace(i);
    return c;
}

CASE(select_evaluates_in_order)
{
    go_chan(int) c = go_chan_make(int, 1);
    go_select(go_case_send(traced(NULL, 1), trace(2)), go_case_send(traced(NULL, 3), trace(4)),
              go_case_send(traced(c, 5), trace(6)));
    printf("%d\n", go_recv(c));
    return 0;
}

static void generate(go_chan(int) c)
{
    for (int i = 2;; i++)
        go_send(c, i);
}

static void filter(go_chan(int) in, go_chan(int) out, int prime)
{
    for (;;) {
        int i = go_recv(in);
        if (i % prime != 0)
            go_send(out, i);
    }
}

CASE(sieve)
{
    go_chan(int) c = go_chan_make(int, 0);
    go(generate, c);
    for (int i = 0; i < 30; i++) {
        int prime = go_recv(c);
        printf("%d\n", prime);
        go_chan(int) next = go_chan_make(int, 0);
        go(filter, c, next, prime);
        c = next;
    }
    return 0;
}

static void square(go_chan(int) jobs, go_chan(int) results)
{
    go_range (job, jobs)
        go_send(results, job * job);
}

CASE(worker_pool)
{
    go_chan(int) jobs = go_chan_make(int, 10), results = go_chan_make(int, 10);
    for (int i = 0; i < 4; i++)
        go(square, jobs, results);
    go(send_range, jobs, 0, 100);
    int sum = 0;
    for (int i = 0; i < 100; i++)
        sum += go_recv(results);
    printf("%d\n", sum);
    return 0;
}

static void increment(go_mutex *m, int *n, go_waitgroup *wg)
{
    for (int i = 0; i < 1000; i++) {
        go_mutex_lock(m);
        ++*n;
        go_mutex_unlock(m);
    }
    go_waitgroup_done(wg);
}

CASE(mutex_excludes)
{
    go_mutex m = { 0 };
    go_waitgroup wg = { 0 };
    int n = 0;
    go_waitgroup_add(&wg, 10);
    for (int i = 0; i < 10; i++)
        go(increment, &m, &n, &wg);
    go_waitgroup_wait(&wg);
    printf("%d\n", n);
    return 0;
}

CASE(mutex_trylock)
{
    go_mutex m = { 0 };
    int a = go_mutex_trylock(&m), b = go_mutex_trylock(&m);
    go_mutex_unlock(&m);
    int c = go_mutex_trylock(&m);
    printf("%d %d %d\n", a, b, c);
    return 0;
}

static void once_body(void *n)
{
    ++*(int *)n;
}

static void once_caller(go_once *once, int *n, go_waitgroup *wg)
{
    go_once_do(once, once_body, n);
    go_waitgroup_done(wg);
}

CASE(once_runs_once)
{
    go_once once = { 0 };
    go_waitgroup wg = { 0 };
    int n = 0;
    go_waitgroup_add(&wg, 20);
    for (int i = 0; i < 20; i++)
        go(once_caller, &once, &n, &wg);
    go_waitgroup_wait(&wg);
    printf("%d\n", n);
    return 0;
}

static void once_panics(void *unused)
{
    (void)unused;
    go_panic("in once");
}

static void print_value(void)
{
    const go_panic_value *v = go_recover();
    printf("%s\n", v ? v->text : "nil");
}

static void once_recovered(go_once *once)
{
    go_recoverable();
    go_defer(print_value);
    go_once_do(once, once_panics, NULL);
}

CASE(once_panic_counts_as_done)
{
    go_once once = { 0 };
    once_recovered(&once);
    once_recovered(&once);
    return 0;
}

static void sleeper(go_chan(int) c, int ms)
{
    go_sleep(ms * GO_MILLISECOND);
    go_send(c, ms);
}

CASE(sleep_order)
{
    go_chan(int) c = go_chan_make(int, 0);
    go(sleeper, c, 90);
    go(sleeper, c, 30);
    go(sleeper, c, 60);
    for (int i = 0; i < 3; i++)
        printf("%d\n", go_recv(c));
    return 0;
}

static void pass_on(go_chan(int) in, go_chan(int) out)
{
    go_send(out, go_recv(in) + 1);
}

CASE(daisy_chain)
{
    go_chan(int) first = go_chan_make(int, 0), c = first;
    for (int i = 0; i < 10000; i++) {
        go_chan(int) next = go_chan_make(int, 0);
        go(pass_on, c, next);
        c = next;
    }
    go_send(first, 0);
    printf("%d\n", go_recv(c));
    return 0;
}

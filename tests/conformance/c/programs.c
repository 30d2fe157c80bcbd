/* Whole small programs: what goroutines and channels are for. */
#include "case.h"

#include <stdlib.h>

/* ---- numbers as lists, deep recursion on main's goroutine ------------------------------------ */

struct number {
    struct number *less;
};

static struct number *one_more(struct number *n)
{
    struct number *more = malloc(sizeof *more);
    more->less = n;
    return more;
}

__attribute__((noinline)) static struct number *plus(struct number *a, struct number *b)
{
    return b ? one_more(plus(a, b->less)) : a;
}

__attribute__((noinline)) static struct number *times(struct number *a, struct number *b)
{
    return b ? plus(times(a, b->less), a) : NULL;
}

__attribute__((noinline)) static struct number *factorial(struct number *n)
{
    return n ? times(n, factorial(n->less)) : one_more(NULL);
}

__attribute__((noinline)) static int count(const struct number *n)
{
    int rest = n ? count(n->less) : 0;
    return n ? rest + 1 : 0;
}

CASE(deep_recursion_of_main)
{
    struct number *n = NULL;
    for (int i = 0; i <= 9; i++) {
        printf("%d! = %d\n", i, count(factorial(n)));
        n = one_more(n);
    }
    return 0;
}

__attribute__((noinline)) static int depth(int n)
{
    volatile int here = n;
    return here ? depth(n - 1) + 1 : 0;
}

static void deep(go_chan(int) c)
{
    go_send(c, depth(100000));
}

CASE(deep_recursion_of_a_goroutine)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_with(&(go_options){ .stack = (size_t)64 << 20 }, deep, c);
    printf("%d\n", go_recv(c));
    return 0;
}

/* ---- power series: a stream of coefficients for each ----------------------------------------- */

static void ones(go_chan(long) out)
{
    for (;;)
        go_send(out, 1);
}

static void split(go_chan(long) in, go_chan(long) a, go_chan(long) b)
{
    for (;;) {
        long v = go_recv(in);
        go_send(a, v);
        go_send(b, v);
    }
}

static void add_series(go_chan(long) a, go_chan(long) b, go_chan(long) out)
{
    for (;;) {
        long v = go_recv(a);
        go_send(out, v + go_recv(b));
    }
}

/* The series of n times the coefficient of each power n. */
static void derive(go_chan(long) in, go_chan(long) out)
{
    go_recv(in);
    for (long n = 1;; n++)
        go_send(out, n * go_recv(in));
}

static void multiply(go_chan(long) a, go_chan(long) b, go_chan(long) out)
{
    long as[20], bs[20];
    for (int n = 0; n < 20; n++) {
        long sum = 0;
        as[n] = go_recv(a);
        bs[n] = go_recv(b);
        for (int i = 0; i <= n; i++)
            sum += as[i] * bs[n - i];
        go_send(out, sum);
    }
}

static void print_ten(const char *name, go_chan(long) series)
{
    printf("%s:", name);
    for (int i = 0; i < 10; i++)
        printf(" %ld", go_recv(series));
    printf("\n");
}

#define SERIES() go_chan_make(long, 0)

static go_chan(long) new_ones(void)
{
    go_chan(long) c = SERIES();
    go(ones, c);
    return c;
}

CASE(power_series)
{
    go_chan(long) sum = SERIES(), product = SERIES(), derivative = SERIES(), cube = SERIES();
    go_chan(long) a = SERIES(), b = SERIES(), square = SERIES();
    go(add_series, new_ones(), new_ones(), sum);
    print_ten("sum", sum);
    go(multiply, new_ones(), new_ones(), product);
    print_ten("product", product);
    go(derive, new_ones(), derivative);
    print_ten("derivative", derivative);
    go(split, new_ones(), a, b);
    go(multiply, a, b, square);
    go(multiply, square, new_ones(), cube);
    print_ten("cube", cube);
    return 0;
}

/* ---- streams --------------------------------------------------------------------------------- */

static void multiples(go_chan(int) out, int of)
{
    for (int i = 1;; i++)
        go_send(out, i * of);
}

static void merge(go_chan(int) a, go_chan(int) b, go_chan(int) out)
{
    int x = go_recv(a), y = go_recv(b);
    for (;;) {
        int least = x < y ? x : y;
        go_send(out, least);
        if (x == least)
            x = go_recv(a);
        if (y == least)
            y = go_recv(b);
    }
}

CASE(merged_streams)
{
    go_chan(int) c[5];
    for (int i = 0; i < 5; i++)
        c[i] = go_chan_make(int, i);
    go(multiples, c[0], 2);
    go(multiples, c[1], 3);
    go(multiples, c[2], 5);
    go(merge, c[0], c[1], c[3]);
    go(merge, c[3], c[2], c[4]);
    for (int i = 0; i < 25; i++)
        printf("%d\n", go_recv(c[4]));
    return 0;
}

static void send_up_to(go_chan(int) out, int n)
{
    for (int i = 0; i < n; i++)
        go_send(out, i);
    go_close(out);
}

static void pass_through(go_chan(int) in, go_chan(int) out, go_waitgroup *wg)
{
    go_range (v, in)
        go_send(out, v);
    go_waitgroup_done(wg);
}

static void close_after(go_waitgroup *wg, go_chan(int) c)
{
    go_waitgroup_wait(wg);
    go_close(c);
}

CASE(fan_out_fan_in)
{
    go_chan(int) in = go_chan_make(int, 0), out = go_chan_make(int, 3);
    go_waitgroup wg = { 0 };
    int seen[1000] = { 0 }, once = 1;
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go(pass_through, in, out, &wg);
    go(send_up_to, in, 1000);
    go(close_after, &wg, out);
    go_range (v, out)
        seen[v]++;
    for (int i = 0; i < 1000; i++)
        once = once && seen[i] == 1;
    puts(once ? "each once" : "lost or twice");
    return 0;
}

/* Both sides choose between two channels: nothing is lost, nothing comes twice. */
static void choose_send(go_chan(int) a, go_chan(int) b, go_waitgroup *wg)
{
    for (int i = 0; i < 1000; i++)
        go_select(go_case_send(a, i), go_case_send(b, i));
    go_waitgroup_done(wg);
}

static void close_both(go_waitgroup *wg, go_chan(int) a, go_chan(int) b)
{
    go_waitgroup_wait(wg);
    go_close(a);
    go_close(b);
}

CASE(select_on_both_sides)
{
    go_chan(int) a = go_chan_make(int, 0), b = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    long sum = 0;
    int v, ok = 1, received = 0;
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        go(choose_send, a, b, &wg);
    go(close_both, &wg, a, b);
    for (;;) {
        go_select(go_case_recv_ok(a, &v, &ok), go_case_recv_ok(b, &v, &ok));
        if (!ok)
            break;
        sum += v;
        received++;
    }
    printf("%d %ld\n", received, sum);
    return 0;
}

/* ---- sorting, counting, asking --------------------------------------------------------------- */

static void sort(int *v, int n, go_chan(go_unit) done)
{
    go_defer(go_signal, done);
    if (n < 2)
        return;
    int pivot = v[n / 2], i = 0, j = n - 1;
    while (i <= j) {
        while (v[i] < pivot)
            i++;
        while (v[j] > pivot)
            j--;
        if (i <= j) {
            int t = v[i];
            v[i++] = v[j];
            v[j--] = t;
        }
    }
    go_chan(go_unit) halves = go_chan_make(go_unit, 2);
    go(sort, v, j + 1, halves);
    go(sort, v + i, n - i, halves);
    go_recv(halves);
    go_recv(halves);
}

CASE(parallel_quicksort)
{
    int v[500], sorted = 1;
    unsigned next = 1;
    for (int i = 0; i < 500; i++) {
        next = next * 1103515245 + 12345;
        v[i] = (int)(next >> 16 & 0x7fff);
    }
    go_chan(go_unit) done = go_chan_make(go_unit, 1);
    go(sort, v, 500, done);
    go_recv(done);
    for (int i = 1; i < 500; i++)
        sorted = sorted && v[i - 1] <= v[i];
    printf("%d %d %d\n", sorted, v[0], v[499]);
    return 0;
}

struct request {
    int a, b;
    go_chan(int) reply;
};

static void adder(go_chan(struct request) requests)
{
    go_range (r, requests)
        go_send(r.reply, r.a + r.b);
    puts("the server has ended");
}

static void ask(go_chan(struct request) requests, int i, go_waitgroup *wg, int *wrong)
{
    struct request r = { i, 2 * i, go_chan_make(int, 0) };
    go_send(requests, r);
    __atomic_fetch_add(wrong, go_recv(r.reply) != 3 * i, __ATOMIC_RELAXED);
    go_waitgroup_done(wg);
}

CASE(requests_carry_their_reply_channel)
{
    go_chan(struct request) requests = go_chan_make(struct request, 0);
    go_waitgroup wg = { 0 };
    int wrong = 0;
    go(adder, requests);
    go_waitgroup_add(&wg, 100);
    for (int i = 0; i < 100; i++)
        go(ask, requests, i, &wg, &wrong);
    go_waitgroup_wait(&wg);
    go_close(requests);
    go_gosched();
    printf("%d wrong\n", wrong);
    return 0;
}

static go_mutex counting;
static int at_once, most_at_once; /* under counting */

static void count_at_once(int change)
{
    go_mutex_lock(&counting);
    at_once += change;
    if (at_once > most_at_once)
        most_at_once = at_once;
    go_mutex_unlock(&counting);
}

static void limited(go_chan(go_unit) places, go_waitgroup *wg)
{
    go_signal(places);
    count_at_once(1);
    for (int i = 0; i < 3; i++)
        go_gosched();
    count_at_once(-1);
    go_recv(places);
    go_waitgroup_done(wg);
}

CASE(buffered_channel_as_semaphore)
{
    go_chan(go_unit) places = go_chan_make(go_unit, 3);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 50);
    for (int i = 0; i < 50; i++)
        go(limited, places, &wg);
    go_waitgroup_wait(&wg);
    printf("%d at once\n", most_at_once);
    return 0;
}

static void hold_lock(go_mutex *m, int *inside, go_waitgroup *wg)
{
    go_mutex_lock(m);
    if (++*inside != 1)
        puts("two inside");
    go_gosched();
    --*inside;
    go_mutex_unlock(m);
    go_waitgroup_done(wg);
}

CASE(mutex_held_across_yields)
{
    go_mutex m = { 0 };
    go_waitgroup wg = { 0 };
    int inside = 0;
    go_waitgroup_add(&wg, 100);
    for (int i = 0; i < 100; i++)
        go(hold_lock, &m, &inside, &wg);
    go_waitgroup_wait(&wg);
    printf("%d inside\n", inside);
    return 0;
}

static void barrier_member(go_chan(int) arrive, go_chan(int) leave, int i, go_waitgroup *wg)
{
    for (int round = 0; round < 3; round++) {
        go_send(arrive, i);
        go_recv(leave);
    }
    go_waitgroup_done(wg);
}

CASE(barrier_of_two_channels)
{
    enum { N = 4 };
    go_chan(int) arrive = go_chan_make(int, 0), leave = go_chan_make(int, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, N);
    for (int i = 0; i < N; i++)
        go(barrier_member, arrive, leave, i, &wg);
    for (int round = 0; round < 3; round++) {
        int sum = 0;
        for (int i = 0; i < N; i++)
            sum += go_recv(arrive);
        printf("round %d: %d\n", round, sum);
        for (int i = 0; i < N; i++)
            go_send(leave, 0);
    }
    go_waitgroup_wait(&wg);
    return 0;
}

static void ping(go_chan(int) in, go_chan(int) out, int rounds)
{
    for (int i = 0; i < rounds; i++)
        go_send(out, go_recv(in) + 1);
}

CASE(ping_pong)
{
    go_chan(int) a = go_chan_make(int, 0), b = go_chan_make(int, 0);
    int v = 0;
    go(ping, a, b, 10000);
    for (int i = 0; i < 10000; i++) {
        go_send(a, v);
        v = go_recv(b) + 1;
    }
    printf("%d\n", v);
    return 0;
}

static void spawn_tree(int levels, go_waitgroup *wg, int *leaves)
{
    if (levels == 0) {
        __atomic_fetch_add(leaves, 1, __ATOMIC_RELAXED);
    } else {
        go_waitgroup_add(wg, 2);
        go(spawn_tree, levels - 1, wg, leaves);
        go(spawn_tree, levels - 1, wg, leaves);
    }
    go_waitgroup_done(wg);
}

CASE(goroutines_start_goroutines)
{
    go_waitgroup wg = { 0 };
    int leaves = 0;
    go_waitgroup_add(&wg, 1);
    go(spawn_tree, 12, &wg, &leaves);
    go_waitgroup_wait(&wg);
    printf("%d\n", leaves);
    return 0;
}

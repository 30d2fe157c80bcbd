/* Channels, one by one and as programs use them. */
#include "bench.h"

static go_waitgroup wg;

static void echo(go_chan(long) in, go_chan(long) out)
{
    go_range (v, in)
        go_send(out, v);
    go_close(out);
}

static long hop(void)
{
    long n = times(500000);
    go_chan(long) there = go_chan_make(long, 0), back = go_chan_make(long, 0);
    go(echo, there, back);
    for (long i = 0; i < n; i++) {
        go_send(there, i);
        check(go_recv(back) == i);
    }
    go_close(there);
    check(!go_recv_ok(back, NULL));
    go_chan_unref(there);
    go_chan_unref(back);
    return 2 * n;
}

static void producer(go_chan(long) c, long n)
{
    for (long i = 0; i < n; i++)
        go_send(c, i);
    go_close(c);
}

static long through(long n, int room)
{
    go_chan(long) c = go_chan_make(long, room);
    long sum = 0;
    go(producer, c, n);
    go_range (v, c)
        sum += v;
    go_chan_unref(c);
    check(sum == n * (n - 1) / 2);
    return n;
}

static long oneway(void)
{
    return through(times(1000000), 0);
}

static long buffered1(void)
{
    return through(times(1000000), 1);
}

static long buffered10(void)
{
    return through(times(2000000), 10);
}

static long buffered128(void)
{
    return through(times(4000000), 128);
}

enum { MANY = 100 };

static void sender(go_chan(long) c, long n)
{
    for (long i = 0; i < n; i++)
        go_send(c, 1);
    go_waitgroup_done(&wg);
}

static void receiver(go_chan(long) c, go_chan(long) total)
{
    long sum = 0;
    go_range (v, c)
        sum += v;
    go_send(total, sum);
}

static long fan_in(void)
{
    long n = times(10000);
    go_chan(long) c = go_chan_make(long, 0), total = go_chan_make(long, 0);
    go(receiver, c, total);
    go_waitgroup_add(&wg, MANY);
    for (int i = 0; i < MANY; i++)
        go(sender, c, n);
    go_waitgroup_wait(&wg);
    go_close(c);
    check(go_recv(total) == MANY * n);
    go_chan_unref(c);
    go_chan_unref(total);
    return MANY * n;
}

static long fan_out(void)
{
    long n = times(1000000), sum = 0;
    go_chan(long) c = go_chan_make(long, 0), total = go_chan_make(long, 0);
    for (int i = 0; i < MANY; i++)
        go(receiver, c, total);
    go_waitgroup_add(&wg, 1);
    sender(c, n);
    go_close(c);
    for (int i = 0; i < MANY; i++)
        sum += go_recv(total);
    check(sum == n);
    go_chan_unref(c);
    go_chan_unref(total);
    return n;
}

static void plus_one(go_chan(long) in, go_chan(long) out)
{
    go_range (v, in)
        go_send(out, v + 1);
    go_close(out);
    go_chan_unref(in);
}

/* A chain of goroutines, each adding one, from the channel that is returned to *end. */
static go_chan(long) chain(long length, go_chan(long) *end)
{
    go_chan(long) first = go_chan_make(long, 0), last = first;
    for (long i = 0; i < length; i++) {
        go_chan(long) next = go_chan_make(long, 0);
        go(plus_one, last, next);
        last = next;
    }
    *end = last;
    return first;
}

/* One value goes round and round. */
static long ring(long size, long laps)
{
    stop_clock();
    go_chan(long) end, start = chain(size, &end);
    start_clock();
    long v = 0;
    for (long i = 0; i < laps; i++) {
        go_send(start, v);
        v = go_recv(end);
    }
    check(v == size * laps);
    stop_clock();
    go_close(start);
    check(!go_recv_ok(end, NULL));
    go_chan_unref(end);
    start_clock();
    return size * laps;
}

static long ring_1000(void)
{
    return ring(times(1000), times(1000));
}

static long ring_100000(void)
{
    return ring(times(100000), times(10));
}

static long pipeline10(void)
{
    long n = times(100000), sum = 0;
    go_chan(long) end, start = chain(10, &end);
    go(producer, start, n);
    go_range (v, end)
        sum += v;
    check(sum == n * (n - 1) / 2 + 10 * n);
    go_chan_unref(end);
    return n;
}

static void worker(go_chan(long) jobs, go_chan(long) results)
{
    go_range (steps, jobs)
        go_send(results, (long)(work(steps) & 1));
}

static void feeder(go_chan(long) jobs, long n, long steps)
{
    for (long i = 0; i < n; i++)
        go_send(jobs, steps);
    go_close(jobs);
}

static long worker_pool(long n, long steps)
{
    go_chan(long) jobs = go_chan_make(long, 64), results = go_chan_make(long, 64);
    for (int i = 0; i < 8; i++)
        go(worker, jobs, results);
    go(feeder, jobs, n, steps);
    for (long i = 0; i < n; i++)
        go_recv(results);
    return n;
}

enum { STEPS_A_MICROSECOND = 600 }; /* about: what counts is that they are as many in Go */

static long worker_pool_1us(void)
{
    return worker_pool(times(200000), STEPS_A_MICROSECOND);
}

static long worker_pool_10us(void)
{
    return worker_pool(times(20000), 10 * STEPS_A_MICROSECOND);
}

static long worker_pool_100us(void)
{
    return worker_pool(times(2000), 100 * STEPS_A_MICROSECOND);
}

static void numbers(go_chan(int) c)
{
    for (int i = 2;; i++)
        go_send(c, i);
}

static void filter(go_chan(int) in, go_chan(int) out, int prime)
{
    for (;;) {
        int i = go_recv(in);
        if (i % prime)
            go_send(out, i);
    }
}

static long sieve(void)
{
    long primes = times(2000);
    go_chan(int) c = go_chan_make(int, 0);
    go(numbers, c);
    for (long i = 0; i < primes; i++) {
        int prime = go_recv(c);
        go_chan(int) next = go_chan_make(int, 0);
        go(filter, c, next, prime);
        c = next;
    }
    return primes;
}

static const struct row rows[] = {
    { "hop", "ping-pong over two unbuffered channels: one way", hop },
    { "oneway", "one goroutine sends to another, unbuffered: one value", oneway },
    { "buffered1", "through a channel with room for 1: one value", buffered1 },
    { "buffered10", "through a channel with room for 10: one value", buffered10 },
    { "buffered128", "through a channel with room for 128: one value", buffered128 },
    { "fan_in", "100 goroutines send to one, unbuffered: one value", fan_in },
    { "fan_out", "one goroutine sends to 100, unbuffered: one value", fan_out },
    { "ring_1000", "a value goes round a ring of 1,000 goroutines: one hop", ring_1000 },
    { "ring_100000", "a value goes round a ring of 100,000 goroutines: one hop", ring_100000 },
    { "pipeline10", "a value goes through ten stages", pipeline10 },
    { "worker_pool_1us", "8 workers, jobs of about 1 µs: one job", worker_pool_1us },
    { "worker_pool_10us", "8 workers, jobs of about 10 µs: one job", worker_pool_10us },
    { "worker_pool_100us", "8 workers, jobs of about 100 µs: one job", worker_pool_100us },
    { "sieve", "2,000 primes through a growing chain of filters: one prime", sieve },
    { 0 },
};
const struct table chan_table = { "Channels", rows };

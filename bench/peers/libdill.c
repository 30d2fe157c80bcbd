/* libdill: coroutines of one thread, unbuffered channels. */
#include "peer.h"
#include <libdill.h>

static coroutine void yielder(long n)
{
    for (long i = 0; i < n; i++)
        yield();
}

static long run_yield(void)
{
    long n = times(1000000);
    int both = bundle();
    bundle_go(both, yielder(n));
    bundle_go(both, yielder(n));
    bundle_wait(both, -1);
    hclose(both);
    return 2 * n;
}

static coroutine void echo(int in, int out)
{
    long v;
    while (chrecv(in, &v, sizeof v, -1) == 0)
        chsend(out, &v, sizeof v, -1);
}

static long run_hop(void)
{
    long n = times(500000);
    int there[2], back[2];
    chmake(there);
    chmake(back);
    int other = go(echo(there[1], back[0]));
    for (long i = 0; i < n; i++) {
        long v;
        chsend(there[0], &i, sizeof i, -1);
        chrecv(back[1], &v, sizeof v, -1);
        check(v == i);
    }
    hclose(other);
    return 2 * n;
}

static coroutine void producer(int c, long n)
{
    for (long i = 0; i < n; i++)
        chsend(c, &i, sizeof i, -1);
    chdone(c);
}

static long run_oneway(void)
{
    long n = times(1000000), sum = 0, v;
    int c[2];
    chmake(c);
    int other = go(producer(c[0], n));
    while (chrecv(c[1], &v, sizeof v, -1) == 0)
        sum += v;
    check(sum == n * (n - 1) / 2);
    hclose(other);
    return n;
}

static coroutine void replier(int a, int b, int quit, int reply)
{
    for (;;) {
        long v;
        struct chclause clauses[] = { { CHRECV, a, &v, sizeof v },
                                      { CHRECV, b, &v, sizeof v },
                                      { CHRECV, quit, &v, sizeof v } };
        int chosen = choose(clauses, 3, -1);
        if (chosen < 0 || chosen == 2 || chsend(reply, &v, sizeof v, -1) != 0)
            return;
    }
}

static long run_select2(void)
{
    long n = times(300000);
    int a[2], b[2], quit[2], reply[2];
    chmake(a);
    chmake(b);
    chmake(quit);
    chmake(reply);
    int other = go(replier(a[1], b[1], quit[1], reply[0]));
    for (long i = 0; i < n; i++) {
        long v;
        chsend(i & 1 ? a[0] : b[0], &i, sizeof i, -1);
        chrecv(reply[1], &v, sizeof v, -1);
        check(v == i);
    }
    hclose(other);
    return n;
}

static coroutine void nothing(void)
{
}

static long run_spawn_finish(void)
{
    long rounds = times(1000);
    int all = bundle();
    for (long i = 0; i < rounds; i++) {
        for (int j = 0; j < 1000; j++)
            bundle_go(all, nothing());
        bundle_wait(all, -1);
    }
    hclose(all);
    return 1000 * rounds;
}

static coroutine void joined(int c)
{
    char word = 0;
    chsend(c, &word, sizeof word, -1);
}

static long run_spawn_join(void)
{
    long n = times(500000);
    int c[2];
    chmake(c);
    for (long i = 0; i < n; i++) {
        char word;
        int other = go(joined(c[0]));
        chrecv(c[1], &word, sizeof word, -1);
        hclose(other);
    }
    return n;
}

static coroutine void numbers(int out)
{
    for (int i = 2; chsend(out, &i, sizeof i, -1) == 0; i++)
        ;
}

static coroutine void filter(int in, int out, int prime)
{
    int i;
    while (chrecv(in, &i, sizeof i, -1) == 0) {
        if (i % prime)
            chsend(out, &i, sizeof i, -1);
    }
}

static long run_sieve(void)
{
    long primes = times(2000);
    int c[2], next[2];
    chmake(c);
    go(numbers(c[0]));
    int in = c[1];
    for (long i = 0; i < primes; i++) {
        int prime;
        chrecv(in, &prime, sizeof prime, -1);
        chmake(next);
        go(filter(in, next[0], prime));
        in = next[1];
    }
    return primes;
}

static const struct peer_row rows[] = {
    { "yield", run_yield },
    { "hop", run_hop },
    { "oneway", run_oneway },
    { "select2", run_select2 },
    { "spawn_finish", run_spawn_finish },
    { "spawn_join", run_spawn_join },
    { "sieve", run_sieve },
};
PEER_MAIN(rows)

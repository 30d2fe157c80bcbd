/* How costs grow with what there is. Without arguments it lists the series: name, unit, what is
 * counted along the axis, the sizes, what is measured. `growth NAME SIZE` prints one point.
 * growth.go has the same by the same names: whoever changes one changes the other. */
#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static go_waitgroup wg;

static void check(int right)
{
    if (!right)
        go_fatal("the benchmark's work went wrong");
}

/* So many rounds of n that about `all` operations are done, and at least one. */
static long rounds_of(long n, long all)
{
    return all / n > 0 ? all / n : 1;
}

static double each(int64_t start, long operations)
{
    return (double)(go_now() - start) / (double)operations;
}

static void *array(long n, size_t size)
{
    void *p = calloc((size_t)n, size);
    check(p != NULL);
    return p;
}

static void waits(go_chan(go_unit) gate)
{
    go_recv_ok(gate, NULL);
    go_waitgroup_done(&wg);
}

static double start_end(long n)
{
    long rounds = rounds_of(n, 300000);
    int64_t start = go_now();
    for (long r = 0; r < rounds; r++) {
        go_chan(go_unit) gate = go_chan_make(go_unit, 0);
        go_waitgroup_add(&wg, (int)n);
        for (long i = 0; i < n; i++)
            go(waits, gate);
        go_gosched();
        go_close(gate);
        go_waitgroup_wait(&wg);
        go_chan_unref(gate);
    }
    return each(start, n * rounds);
}

static void yields(long rounds, go_chan(go_unit) gate, go_waitgroup *started)
{
    go_waitgroup_done(started);
    go_recv_ok(gate, NULL);
    for (long i = 0; i < rounds; i++)
        go_gosched();
    go_waitgroup_done(&wg);
}

static double yield(long n)
{
    long rounds = rounds_of(n, 3000000) + 3;
    go_waitgroup started = { 0 };
    go_chan(go_unit) gate = go_chan_make(go_unit, 0);
    go_waitgroup_add(&wg, (int)n);
    go_waitgroup_add(&started, (int)n);
    for (long i = 0; i < n; i++)
        go(yields, rounds, gate, &started);
    go_waitgroup_wait(&started);
    int64_t start = go_now();
    go_close(gate);
    go_waitgroup_wait(&wg);
    return each(start, n * rounds);
}

static double channels(long n)
{
    long rounds = rounds_of(n, 2000000), sum = 0;
    go_chan(long) *all = array(n, sizeof *all);
    for (long i = 0; i < n; i++)
        all[i] = go_chan_make(long, 1);
    int64_t start = go_now();
    for (long r = 0; r < rounds; r++) {
        for (long i = 0; i < n; i++)
            go_send(all[i], 1);
        for (long i = 0; i < n; i++)
            sum += go_recv(all[i]);
    }
    check(sum == n * rounds);
    return each(start, n * rounds);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static double timers(long n)
{
    enum { TIMES = 1000000 };
    uint64_t state = 1;
    go_timer **all = array(n, sizeof *all);
    for (long i = 0; i < n; i++)
        all[i] = go_after_func(GO_HOUR + (go_duration)next_random(&state), do_nothing, NULL);
    int64_t start = go_now();
    for (long i = 0; i < TIMES; i++)
        go_timer_reset(all[next_random(&state) % (uint64_t)n],
                       GO_HOUR + (go_duration)next_random(&state));
    return each(start, TIMES);
}

static void done(void *arg)
{
    (void)arg;
    go_waitgroup_done(&wg);
}

static double timers_due(long n)
{
    long rounds = rounds_of(n, 300000);
    go_timer **all = array(n, sizeof *all);
    int64_t start = go_now();
    for (long r = 0; r < rounds; r++) {
        go_waitgroup_add(&wg, (int)n);
        for (long i = 0; i < n; i++)
            all[i] = go_after_func(0, done, NULL);
        go_waitgroup_wait(&wg);
        for (long i = 0; i < n; i++)
            go_timer_free(all[i]);
    }
    return each(start, n * rounds);
}

static void sender(go_chan(long) c, long n)
{
    for (long i = 0; i < n; i++)
        go_send(c, 1);
}

static void receiver(go_chan(long) c, long n)
{
    for (long i = 0; i < n; i++)
        go_recv(c);
    go_waitgroup_done(&wg);
}

static double processors(long n)
{
    long values = 2000000 / n;
    go_gomaxprocs((int)n);
    go_waitgroup_add(&wg, (int)n);
    int64_t start = go_now();
    for (long i = 0; i < n; i++) {
        go_chan(long) c = go_chan_make(long, 0);
        go(sender, c, values);
        go(receiver, c, values);
    }
    go_waitgroup_wait(&wg);
    return each(start, n * values);
}

static void in_turn(long n, long values, go_chan(long) *all)
{
    for (long i = 0; i < values; i++)
        go_send(all[i % n], i);
}

static double select_cases(long n)
{
    long values = rounds_of(n, 1000000), v;
    go_chan(long) *all = array(n, sizeof *all);
    go_case *cases = array(n, sizeof *cases);
    for (long i = 0; i < n; i++) {
        all[i] = go_chan_make(long, 0);
        cases[i] = (go_case)go_case_recv(all[i], &v);
    }
    go(in_turn, n, values, all);
    int64_t start = go_now();
    for (long i = 0; i < values; i++)
        check(go_select_array(cases, (size_t)n) == i % n && v == i);
    return each(start, values);
}

static void echo(go_conn *conn)
{
    char byte;
    while (go_conn_read(conn, &byte, 1) == 1 && go_conn_write(conn, &byte, 1) == 1)
        ;
    go_conn_unref(conn);
}

static double connections(long n)
{
    enum { TRIPS = 30000 };
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max; /* as Go does */
    setrlimit(RLIMIT_NOFILE, &limit);
    char address[GO_ADDRESS_ROOM];
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    check(listener != NULL);
    go_listener_address(listener, address, sizeof address);
    go_conn **all = array(n, sizeof *all);
    for (long i = 0; i < n; i++) {
        all[i] = go_dial("tcp", address);
        go_conn *other = go_listener_accept(listener);
        check(all[i] && other);
        go(echo, other);
    }
    int64_t start = go_now();
    for (long i = 0; i < TRIPS; i++) {
        char byte = (char)i;
        go_conn *conn = all[i % n];
        check(go_conn_write(conn, &byte, 1) == 1 && go_conn_read(conn, &byte, 1) == 1 &&
              byte == (char)i);
    }
    return each(start, TRIPS);
}

#define TO_A_MILLION "10 100 1000 10000 100000 1000000"

static const struct {
    const char *name, *axis, *sizes, *what;
    double (*at)(long size);
} series[] = {
    { "start", "goroutines at once", TO_A_MILLION, "start a goroutine that waits, and end it",
      start_end },
    { "yield", "goroutines", TO_A_MILLION, "a yield, all goroutines in turn", yield },
    { "channels", "channels", TO_A_MILLION, "send to a buffer and receive, all channels in turn",
      channels },
    { "timers", "pending timers", TO_A_MILLION, "set one of the timers anew", timers },
    { "timers_due", "timers due at once", TO_A_MILLION, "make a timer that is due, and run it",
      timers_due },
    { "processors", "processors (`GOMAXPROCS`)", "1 2 4 8 16 32 64",
      "a value over an unbuffered channel, a pair of goroutines for each processor", processors },
    { "select", "cases", "1 2 4 8 16 32 64 128 256 512 1024",
      "a value over one of the channels of a select, which waits (Go: `reflect.Select`)",
      select_cases },
    { "connections", "connections", "10 100 1000 9000",
      "a byte there and back over TCP, one of the connections in turn", connections },
};

int go_main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof series / sizeof *series; i++) {
        if (argc < 3)
            printf("%s\tns\t%s\t%s\t%s\n", series[i].name, series[i].axis, series[i].sizes,
                   series[i].what);
        else if (strcmp(argv[1], series[i].name) == 0)
            return printf("%.2f\n", series[i].at(atol(argv[2]))) < 0;
    }
    return argc < 3 ? 0 : 3;
}

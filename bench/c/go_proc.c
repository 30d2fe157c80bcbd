/* Go's own list of benchmarks for the scheduler, by Go's names. */
#include "bench.h"
#include <stdatomic.h>
#include <time.h>

static go_chan(go_unit) stop;

static void hog(go_waitgroup *wg)
{
    while (go_try_recv(stop, NULL) != GO_CLOSED)
        ;
    go_waitgroup_done(wg);
}

static void ponger(go_chan(long) in, go_chan(long) out, long n, int last, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++)
        go_send(out, go_recv(in));
    if (last)
        go_close(stop);
    go_waitgroup_done(wg);
}

static long ping_pong_hog(void)
{
    long n = times(500000);
    int procs = go_gomaxprocs(1);
    go_chan(long) ping = go_chan_make(long, 0), pong = go_chan_make(long, 0);
    go_waitgroup wg = { 0 };
    stop = go_chan_make(go_unit, 0);
    go_waitgroup_add(&wg, 3);
    go(hog, &wg);
    go(ponger, ping, pong, n, 1, &wg);
    go(ponger, pong, ping, n, 0, &wg);
    go_send(ping, 1);
    go_recv(stop);
    stop_clock();
    go_recv(ping);
    go_waitgroup_wait(&wg);
    go_gomaxprocs(procs);
    start_clock();
    return n;
}

static void starts_next(long n, go_waitgroup *wg)
{
    if (n == 0)
        go_waitgroup_done(wg);
    else
        go(starts_next, n - 1, wg);
}

static long create_by(int goroutines)
{
    long n = times(1000000) / goroutines;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, goroutines);
    for (int i = 0; i < goroutines; i++)
        go(starts_next, n, &wg);
    go_waitgroup_wait(&wg);
    return n * goroutines;
}

static long create_goroutines(void)
{
    return create_by(1);
}

static long create_goroutines_parallel(void)
{
    return create_by(go_gomaxprocs(0));
}

static void captured(long i, long n, go_waitgroup *wg)
{
    check(i < n);
    go_waitgroup_done(wg);
}

static long create_goroutines_capture(void)
{
    enum { AT_ONCE = 4 };
    long n = times(300000);
    for (long i = 0; i < n; i++) {
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, AT_ONCE);
        for (int j = 0; j < AT_ONCE; j++)
            go(captured, j, AT_ONCE, &wg);
        go_waitgroup_wait(&wg);
    }
    return n;
}

static void ends(go_waitgroup *wg)
{
    go_waitgroup_done(wg);
}

static long create_goroutines_single(void)
{
    long n = times(500000);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, (int)n);
    for (long i = 0; i < n; i++)
        go(ends, &wg);
    go_waitgroup_wait(&wg);
    return n;
}

static void spin(go_duration d)
{
    int64_t end = go_now() + d;
    while (go_now() < end)
        ;
}

static void sleep_in_kernel(go_duration d)
{
    struct timespec t = { 0, d };
    nanosleep(&t, NULL);
}

static void waker(go_chan(go_unit) to, go_chan(go_unit) from, long n, int first,
                  void (*pass)(go_duration), go_duration delay, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++) {
        for (int sends = first, turn = 0; turn < 2; turn++, sends = !sends) {
            pass(sends ? delay + 5 * GO_MICROSECOND : delay);
            if (sends)
                go_signal(to);
            else
                go_recv(from);
        }
    }
    go_waitgroup_done(wg);
}

static long wakeup(long n, void (*pass)(go_duration), go_duration delay)
{
    go_chan(go_unit) a = go_chan_make(go_unit, 0), b = go_chan_make(go_unit, 0);
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 2);
    go(waker, a, b, n, 1, pass, delay, &wg);
    go(waker, b, a, n, 0, pass, delay, &wg);
    go_waitgroup_wait(&wg);
    return n;
}

static long wakeup_spinning_0(void)
{
    return wakeup(times(20000), spin, 0);
}

static long wakeup_spinning_10(void)
{
    return wakeup(times(5000), spin, 10 * GO_MICROSECOND);
}

static long wakeup_spinning_100(void)
{
    return wakeup(times(500), spin, 100 * GO_MICROSECOND);
}

static long wakeup_syscall_0(void)
{
    return wakeup(times(1000), sleep_in_kernel, 0);
}

static long wakeup_syscall_100(void)
{
    return wakeup(times(500), sleep_in_kernel, 100 * GO_MICROSECOND);
}

enum { SIDE = 128, SMALL = 8 };

static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

/* Halves the longest of the three ranges; sums over k stay in one goroutine. */
static void multiply(int i0, int i1, int j0, int j1, int k0, int k1, go_chan(go_unit) up)
{
    int di = i1 - i0, dj = j1 - j0, dk = k1 - k0;
    if (dk >= SMALL && dk > di && dk > dj) {
        int middle = k0 + dk / 2;
        multiply(i0, i1, j0, j1, k0, middle, NULL);
        multiply(i0, i1, j0, j1, middle, k1, NULL);
    } else if (di >= SMALL || dj >= SMALL) {
        go_chan(go_unit) other = go_chan_make(go_unit, 1);
        if (di >= dj) {
            go(multiply, i0, i0 + di / 2, j0, j1, k0, k1, other);
            multiply(i0 + di / 2, i1, j0, j1, k0, k1, NULL);
        } else {
            go(multiply, i0, i1, j0, j0 + dj / 2, k0, k1, other);
            multiply(i0, i1, j0 + dj / 2, j1, k0, k1, NULL);
        }
        go_recv(other);
        go_chan_unref(other);
    } else {
        for (int i = i0; i < i1; i++) {
            for (int j = j0; j < j1; j++) {
                for (int k = k0; k < k1; k++)
                    c[i][j] += a[i][k] * b[k][j];
            }
        }
    }
    if (up)
        go_signal(up);
}

static long matmult(void)
{
    long n = times(20);
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++)
            a[i][j] = b[i][j] = i * SIDE + j;
    }
    for (long i = 0; i < n; i++)
        multiply(0, SIDE, 0, SIDE, 0, SIDE, NULL);
    return n * SIDE * SIDE * SIDE;
}

static const struct row rows[] = {
    { "go/PingPongHog", "ping-pong beside a goroutine that never blocks, at one processor",
      ping_pong_hog },
    { "go/CreateGoroutines", "each goroutine starts the next", create_goroutines },
    { "go/CreateGoroutinesParallel", "the same, one such chain a processor",
      create_goroutines_parallel },
    { "go/CreateGoroutinesCapture", "four goroutines with arguments, and wait: one round",
      create_goroutines_capture },
    { "go/CreateGoroutinesSingle", "one goroutine starts all", create_goroutines_single },
    { "go/WakeupParallelSpinning/0s", "two goroutines wake each other after 0 µs of spinning",
      wakeup_spinning_0 },
    { "go/WakeupParallelSpinning/10µs", "after 10 µs", wakeup_spinning_10 },
    { "go/WakeupParallelSpinning/100µs", "after 100 µs", wakeup_spinning_100 },
    { "go/WakeupParallelSyscall/0s", "after a system call of 0 µs", wakeup_syscall_0 },
    { "go/WakeupParallelSyscall/100µs", "after one of 100 µs", wakeup_syscall_100 },
    { "go/Matmult", "multiply matrices of 128 by 128, halved down to 8: one multiplication",
      matmult },
    { 0 },
};
const struct table go_proc_table = { "Go's own list: the scheduler", rows };

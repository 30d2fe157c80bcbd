/* 1,000 goroutines that block in foreign code at once, with one processor: all come to their end,
 * and others run meanwhile. Prints how long it took and asserts nothing on it. */
#include "../unit/unit.h"

#include <time.h>
#include <unistd.h>

enum { MANY = 1000 };

static go_waitgroup wg;
static int ends[2], reading;

static void reads(void)
{
    char byte;
    __atomic_fetch_add(&reading, 1, __ATOMIC_RELAXED);
    CHECK(read(ends[0], &byte, 1), 1);
    go_waitgroup_done(&wg);
}

static void naps(void)
{
    struct timespec t = { 0, 5000000 };
    nanosleep(&t, NULL);
    go_waitgroup_done(&wg);
}

static void report(const char *what, int64_t since)
{
    printf("%d %s: %.0f ms\n", MANY, what, (double)(go_now() - since) / 1e6);
}

int go_main(int argc, char **argv)
{
    static const char bytes[MANY];
    (void)argc;
    (void)argv;
    go_gomaxprocs(1);
    CHECK(pipe(ends), 0);
    int64_t start = go_now();
    go_waitgroup_add(&wg, MANY);
    for (int i = 0; i < MANY; i++)
        go(reads);
    while (__atomic_load_n(&reading, __ATOMIC_RELAXED) < MANY)
        go_gosched(); /* runs, while ever more are blocked */
    CHECK(write(ends[1], bytes, MANY), MANY);
    go_waitgroup_wait(&wg);
    report("in read() at once", start);
    start = go_now();
    go_waitgroup_add(&wg, MANY);
    for (int i = 0; i < MANY; i++)
        go(naps);
    go_waitgroup_wait(&wg);
    report("blocked for 5 ms each", start);
    return 0;
}

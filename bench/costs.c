/* What the machine charges for what docs/performance.md reckons with.
 *
 *     cc -O2 -pthread bench/costs.c -o costs && ./costs
 *
 * The best of several rounds of each: what it costs where nothing disturbs. */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 9, LINE = 64, EXPEDITED = 1 << 3, REGISTER_EXPEDITED = 1 << 4 };

static struct {
    _Alignas(LINE) _Atomic long own;
    _Alignas(LINE) _Atomic long turn;
    _Alignas(LINE) _Atomic int stop;
} lines;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set); /* refused: the figure is another, and wide */
}

/* Nanoseconds that each of n took. */
static void show(const char *what, long n, void (*run)(long n))
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now();
        run(n);
        double took = (now() - begin) / (double)n;
        best = took < best ? took : best;
    }
    printf("%-50s %8.1f ns\n", what, best);
}

static void locked(long n)
{
    for (long i = 0; i < n; i++)
        atomic_fetch_add_explicit(&lines.own, 1, memory_order_relaxed);
}

static void stored(long n)
{
    for (long i = 0; i < n; i++)
        atomic_store_explicit(&lines.own, i, memory_order_release);
}

static void touched(long n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)n * page;
    volatile char *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
    madvise((void *)(uintptr_t)memory, size, MADV_NOHUGEPAGE);
    for (long i = 0; i < n; i++)
        memory[(size_t)i * page] = 1;
    munmap((void *)(uintptr_t)memory, size);
}

static void *answer(void *cpu)
{
    pin((int)(intptr_t)cpu);
    for (long seen = 1; !atomic_load_explicit(&lines.stop, memory_order_relaxed);)
        if (atomic_load_explicit(&lines.turn, memory_order_acquire) == seen) {
            atomic_store_explicit(&lines.turn, seen + 1, memory_order_release);
            seen += 2;
        }
    return NULL;
}

static void there_and_back(long n)
{
    long turn = atomic_load_explicit(&lines.turn, memory_order_relaxed);
    for (long i = 0; i < n; i++, turn += 2) {
        atomic_store_explicit(&lines.turn, turn + 1, memory_order_release);
        while (atomic_load_explicit(&lines.turn, memory_order_acquire) != turn + 2)
            ;
    }
}

static void barriers(long n)
{
    for (long i = 0; i < n; i++)
        syscall(SYS_membarrier, EXPEDITED, 0, 0);
}

int main(void)
{
    pthread_t other;
    pin(0);
    show("locked addition on a line of one's own", 10000000, locked);
    show("release store", 10000000, stored);
    show("first touch of a page, its return included", 10000, touched);
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return 0; /* the rest takes two */
    if (pthread_create(&other, NULL, answer, (void *)(intptr_t)1) != 0)
        return 1;
    show("a cache line's way to the next core and back", 200000, there_and_back);
    if (syscall(SYS_membarrier, REGISTER_EXPEDITED, 0, 0) == 0)
        show("membarrier while the next core runs", 2000, barriers);
    atomic_store_explicit(&lines.stop, 1, memory_order_relaxed);
    pthread_join(other, NULL);
    return 0;
}

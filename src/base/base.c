/* The slow paths of base.h. */
#include "base/base.h"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

void (*gofer_spin_hopeless)(void);

enum { SPINS = 256, YIELDS = 768 };

gofer_cold void gofer_spin_pause(int round)
{
    if (round < SPINS) {
        gofer_cpu_relax();
    } else if (round < SPINS + YIELDS) {
        sched_yield();
    } else {
        static _Atomic uint32_t nobody_wakes;
        if (gofer_spin_hopeless)
            gofer_spin_hopeless();
        /* not nanosleep: where that is hooked it would park the goroutine */
        gofer_futex_wait(&nobody_wakes, 0, gofer_nanotime() + 100000);
    }
}

/* Who looks at the lock often takes its line from the holder, and then has the lock in turns with
 * it: that costs both twice the time and more. */
gofer_cold void gofer_spin_wait(gofer_spin *lock)
{
    enum { FIRST = 4, MOST = 32 };
    for (int round = 0, step = FIRST;; step = step < MOST ? 2 * step : MOST) {
        int until = round + (round < SPINS ? step : 1);
        while (round < until)
            gofer_spin_pause(round++);
        if (atomic_load_explicit(&lock->held, memory_order_relaxed) == 0 && gofer_spin_try(lock))
            return;
    }
}

int64_t gofer_nanotime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#ifdef GOFER_TSAN
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);

/* TSan's mmap clears its notes of the range, where it does not take it for a write. */
void gofer_tsan_forget(void *pages, size_t size)
{
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    void *again = mmap(pages, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    if (again == pages)
        madvise(pages, size, MADV_NOHUGEPAGE);
}
#endif

int64_t gofer_number_from(const char *variable, int64_t most)
{
    const char *text = getenv(variable);
    int64_t number = 0;
    if (!text)
        return 0;
    for (text += *text == '+'; *text >= '0' && *text <= '9' && number <= most; text++)
        number = 10 * number + (*text - '0');
    return *text || number > most ? 0 : number;
}

/* The slow paths of base.h. */
#include "base/base.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

gofer_cold void gofer_spin_wait(gofer_spin *lock)
{
    for (int round = 0;; round++) {
        if (round < 64) {
            gofer_cpu_relax();
        } else if (round < 1024) {
            sched_yield();
        } else {
            struct timespec nap = { 0, 100000 };
            nanosleep(&nap, NULL);
        }
        if (atomic_load_explicit(&lock->held, memory_order_relaxed) == 0 && gofer_spin_try(lock))
            return;
    }
}

void gofer_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline)
{
    struct timespec at = { deadline / 1000000000, deadline % 1000000000 };
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline < 0 ? NULL : &at, NULL,
            FUTEX_BITSET_MATCH_ANY);
    errno = saved;
}

void gofer_futex_wake(_Atomic uint32_t *word, int count)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    errno = saved;
}

int64_t gofer_nanotime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

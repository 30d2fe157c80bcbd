/* What every file of the library starts from: attributes, the spin lock, the futex.
 * Holds no state. */
#ifndef GOFER_SRC_BASE_H
#define GOFER_SRC_BASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define gofer_likely(x) __builtin_expect(!!(x), 1)
#define gofer_unlikely(x) __builtin_expect(!!(x), 0)
#define gofer_noinline __attribute__((noinline))
#define gofer_inline inline __attribute__((always_inline))
#define gofer_cold __attribute__((noinline, cold))
#define gofer_container(ptr, type, field) ((type *)(void *)((char *)(ptr)-offsetof(type, field)))

#if defined __SANITIZE_ADDRESS__
#define GOFER_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define GOFER_ASAN 1
#endif
#endif
#if defined __SANITIZE_THREAD__
#define GOFER_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define GOFER_TSAN 1
#endif
#endif

/* Memory that is not malloc's in which LeakSanitizer shall look for pointers. What is taken back is
 * what was given. */
#ifdef GOFER_ASAN
void __lsan_register_root_region(const void *low, size_t size);
void __lsan_unregister_root_region(const void *low, size_t size);
#define GOFER_LSAN_ROOT(low, size) __lsan_register_root_region(low, size)
#define GOFER_LSAN_NO_ROOT(low, size) __lsan_unregister_root_region(low, size)
#else
#define GOFER_LSAN_ROOT(low, size) (void)(low)
#define GOFER_LSAN_NO_ROOT(low, size) (void)(low)
#endif

/* Tells TSan of an order that the code around brings about in a way it cannot see. */
#ifdef GOFER_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define GOFER_TSAN_ACQUIRE(address) __tsan_acquire(address)
#define GOFER_TSAN_RELEASE(address) __tsan_release(address)
/* Whole pages get a new user who owes nothing to the last: TSan forgets what was done to them. An
 * order between the two instead would hide races from users. */
void gofer_tsan_forget(void *pages, size_t size);
#define GOFER_UNSEEN __attribute__((no_sanitize("thread"))) /* orders that TSan cannot see */
/* What is freed between these owes nothing to whoever used it. */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define GOFER_TSAN_IGNORE_BEGIN() AnnotateIgnoreWritesBegin(__FILE__, __LINE__)
#define GOFER_TSAN_IGNORE_END() AnnotateIgnoreWritesEnd(__FILE__, __LINE__)
#else
#define GOFER_UNSEEN
#define GOFER_TSAN_IGNORE_BEGIN() (void)0
#define GOFER_TSAN_IGNORE_END() (void)0
#define GOFER_TSAN_ACQUIRE(address) (void)(address)
#define GOFER_TSAN_RELEASE(address) (void)(address)
#endif

/* The compiler may not move memory accesses across; the CPU may. */
#define gofer_compiler_barrier() atomic_signal_fence(memory_order_seq_cst)

enum { GOFER_CACHE_LINE = 64 };

/* A lock for critical sections of a few instructions. Not fair, not recursive; never held across
 * a switch. A waiter spins, then yields its CPU, then sleeps: the holder may have been preempted.
 * All zero is unlocked. */
typedef struct gofer_spin {
    _Atomic uint32_t held;
} gofer_spin;

void gofer_spin_wait(gofer_spin *lock);

/* The pause of who waits for what another thread does in a few instructions; `round` counts up. */
void gofer_spin_pause(int round);

/* Called, if not NULL, by who waits long so: src/sched/fork.c. */
extern void (*gofer_spin_hopeless)(void);

static inline bool gofer_spin_try(gofer_spin *lock)
{
    uint32_t free_ = 0;
    /* pairs with the release in gofer_spin_unlock */
    return atomic_compare_exchange_strong_explicit(&lock->held, &free_, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static inline void gofer_spin_lock(gofer_spin *lock)
{
    if (gofer_unlikely(!gofer_spin_try(lock)))
        gofer_spin_wait(lock);
}

static inline void gofer_spin_unlock(gofer_spin *lock)
{
    atomic_store_explicit(&lock->held, 0, memory_order_release);
}

/* One pause in a spin loop. */
static inline void gofer_cpu_relax(void)
{
#if defined __x86_64__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("isb" ::: "memory");
#endif
}

/* Sleeps while *word == expected, until the monotonic time `deadline` (nanoseconds; negative:
 * none). Returns when woken, when the value differs, at the deadline, or for no reason. */
void gofer_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);
void gofer_futex_wake(_Atomic uint32_t *word, int count);

/* The monotonic clock in nanoseconds. */
int64_t gofer_nanotime(void);

/* The number that an environment variable holds, from 1 to most: as Go's GOMAXPROCS a whole decimal
 * number and nothing beside it, with a + at most. 0 for all else, and where it is not set. */
int64_t gofer_number_from(const char *variable, int64_t most);

#endif

/* The kernel's futex. errno stays as it was. Not instrumented for TSan, which takes the errno of a
 * thread for shared where goroutines use it one after the other. */
#include "base/base.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* As in linux/futex.h, which does not come with every libc. */
enum {
    FUTEX_WAKE_PRIVATE = 1 | 128,
    FUTEX_WAIT_BITSET_PRIVATE = 9 | 128,
    FUTEX_BITSET_MATCH_ANY = -1
};

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

/* errno and the version. errno's address is asked from libc each time, out of line, so that no
 * compiler keeps it over a switch. */
#undef errno
#include "base/base.h"
#include "gofer/base.h"

gofer_noinline int *gofer_errno(void)
{
    int *address = __errno_location();
    __asm__ volatile("" : "+r"(address) : : "memory");
    GOFER_TSAN_ACQUIRE(address); /* goroutines of one thread use it in turn */
    return address;
}

const char *go_version(void)
{
    return GOFER_VERSION;
}

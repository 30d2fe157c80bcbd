/* See sync.h: the rare side of orders that cost the usual side no instruction. */
#include "park/park.h"
#include "sync/sync.h"

gofer_cold void gofer_fence_others(void)
{
    static _Atomic uint32_t never; /* woken */
    if (gofer_membarrier())
        return;
    int64_t end = gofer_nanotime() + GO_MILLISECOND;
    do /* again: a signal ends the wait early */
        gofer_futex_wait(&never, 0, end);
    while (gofer_nanotime() < end);
}

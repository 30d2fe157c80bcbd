/* Why goroutines wait, in Go's words: tools read them. */
#include "sched/sched.h"

const char *gofer_reason_text(enum gofer_reason reason)
{
    static const char *const texts[GOFER_WAIT_REASONS] = {
        [GOFER_WAIT_NONE] = "",
        [GOFER_WAIT_CHAN_RECV] = "chan receive",
        [GOFER_WAIT_CHAN_SEND] = "chan send",
        [GOFER_WAIT_CHAN_RECV_NIL] = "chan receive (nil chan)",
        [GOFER_WAIT_CHAN_SEND_NIL] = "chan send (nil chan)",
        [GOFER_WAIT_SELECT] = "select",
        [GOFER_WAIT_SELECT_NO_CASES] = "select (no cases)",
        [GOFER_WAIT_SLEEP] = "sleep",
        [GOFER_WAIT_MUTEX] = "sync.Mutex.Lock",
        [GOFER_WAIT_RWMUTEX_LOCK] = "sync.RWMutex.Lock",
        [GOFER_WAIT_RWMUTEX_RLOCK] = "sync.RWMutex.RLock",
        [GOFER_WAIT_COND] = "sync.Cond.Wait",
        [GOFER_WAIT_WAITGROUP] = "sync.WaitGroup.Wait",
        [GOFER_WAIT_SEMACQUIRE] = "semacquire",
        [GOFER_WAIT_IO] = "IO wait",
        [GOFER_WAIT_RUN] = "go_run",
    };
    return texts[reason];
}

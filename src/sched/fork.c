/* The child of a fork: it has one thread, and so no runtime.
 *
 * exec and _exit work there. Whatever would start, block or wake ends it with a fatal error. What
 * only touches memory works, unless another thread held its lock when the process forked: who waits
 * for such a lock gets the fatal error too (gofer_spin_hopeless). Locks of the runtime itself that
 * others held are opened; what they guard may be half done, and only the fatal report looks at
 * it. */
#include "sched/internal.h"

#include "panic/panic.h"
#include "stack/stack.h"

gofer_cold void gofer_fork_fail(void)
{
    gofer_spin_hopeless = NULL;
    gofer_fatal("the runtime does not live on in the child of a fork; call exec or _exit there");
}

static void in_child(void)
{
    static const gofer_spin open;
    gofer_sched.forked = true;
    gofer_spin_hopeless = gofer_fork_fail;
    atomic_store_explicit(&gofer_life.started, false, memory_order_relaxed);
    gofer_sched.lock = open;
    gofer_gs.lock = gofer_calls.lock = gofer_stacks.lock = open;
    gofer_m *m = gofer_m_self();
    if (m)
        atomic_store_explicit(&m->p, NULL, memory_order_relaxed);
}

void gofer_fork_prepare(void)
{
    static bool done; /* gofer_life.lock */
    if (!done)
        done = pthread_atfork(NULL, NULL, in_child) == 0;
}

/* Where descriptors of goroutines live, and the captured calls of those that have not begun.
 *
 * Both are cells of slabs: a descriptor's address stays readable, which the dump relies on. Small
 * and side by side, so that many of them fit in a cache. */
#include "sched/internal.h"

#include "base/slab.h"

static gofer_slabs g_slabs = { .size = GOFER_G_ROOM }, call_slabs = { .size = GOFER_CALL_ROOM };

static void *make_g(size_t index)
{
    return gofer_slab_make(&g_slabs, index);
}

static void *make_call(size_t index)
{
    return gofer_slab_make(&call_slabs, index);
}

gofer_pool gofer_gs = { .make = make_g };
gofer_pool gofer_calls = { .make = make_call };

void gofer_each_goroutine(void (*fn)(gofer_g *g, void *context), void *context)
{
    for (size_t i = 0; i < gofer_gs.made; i++) {
        gofer_g *g = gofer_slab_at(&g_slabs, i);
        if (gofer_state_of(g) == GOFER_DEAD)
            continue;
        atomic_thread_fence(memory_order_acquire); /* pairs with gofer_enqueue */
        fn(g, context);
    }
}

void gofer_slabs_free_all(void)
{
    gofer_slabs_free(&g_slabs, &gofer_gs);
    gofer_slabs_free(&call_slabs, &gofer_calls);
}

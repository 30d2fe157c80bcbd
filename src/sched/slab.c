/* Where descriptors of goroutines live, and the captured calls of those that have not begun.
 *
 * Both are cells of slabs, never unmapped while the runtime runs: a descriptor's address stays
 * readable, which the dump relies on. Small and side by side, so that many of them fit in a cache.
 * All state is under the pools' locks. */
#include "sched/internal.h"

#include <sys/mman.h>

enum { SLAB_CELLS = 1024, MOST_SLABS = 1 << 14 };

struct slabs {
    char *base[MOST_SLABS];
};

static struct slabs g_slabs, call_slabs;

static void *cell(struct slabs *slabs, size_t size, size_t index)
{
    size_t slab = index / SLAB_CELLS;
    if (slab >= MOST_SLABS)
        return NULL;
    if (index % SLAB_CELLS == 0) {
        void *base = mmap(NULL, size * SLAB_CELLS, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base == MAP_FAILED)
            return NULL;
        slabs->base[slab] = base;
    }
    return slabs->base[slab] + index % SLAB_CELLS * size;
}

static void *make_g(size_t index)
{
    return cell(&g_slabs, GOFER_G_ROOM, index);
}

static void *make_call(size_t index)
{
    return cell(&call_slabs, GOFER_CALL_ROOM, index);
}

gofer_pool gofer_gs = { .make = make_g };
gofer_pool gofer_calls = { .make = make_call };

void gofer_each_goroutine(void (*fn)(gofer_g *g, void *context), void *context)
{
    for (size_t i = 0; i < gofer_gs.made; i++) {
        gofer_g *g =
            (gofer_g *)(void *)(g_slabs.base[i / SLAB_CELLS] + i % SLAB_CELLS * GOFER_G_ROOM);
        if (gofer_state_of(g) == GOFER_DEAD)
            continue;
        atomic_thread_fence(memory_order_acquire); /* pairs with gofer_enqueue */
        fn(g, context);
    }
}

static void free_slabs(struct slabs *slabs, gofer_pool *pool, size_t size)
{
    size_t made = pool->made;
    gofer_pool_free(pool);
    for (size_t i = 0; i * SLAB_CELLS < made; i++)
        munmap(slabs->base[i], size * SLAB_CELLS);
}

void gofer_slabs_free_all(void)
{
    free_slabs(&g_slabs, &gofer_gs, GOFER_G_ROOM);
    free_slabs(&call_slabs, &gofer_calls, GOFER_CALL_ROOM);
}

/* See slab.h. TSan does not see a pool's lock, and so shall not see what it guards. */
#include "base/slab.h"

#include <sys/mman.h>

void *gofer_slab_make(gofer_slabs *slabs, size_t index)
{
    size_t slab = index / GOFER_SLAB_CELLS;
    if (slab >= GOFER_MOST_SLABS)
        return NULL;
    if (index % GOFER_SLAB_CELLS == 0) {
        void *base = mmap(NULL, slabs->size * GOFER_SLAB_CELLS, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base == MAP_FAILED)
            return NULL;
        GOFER_LSAN_ROOT(base, slabs->size * GOFER_SLAB_CELLS);
        slabs->base[slab] = base;
    }
    return gofer_slab_at(slabs, index);
}

void gofer_slabs_free(gofer_slabs *slabs, gofer_pool *pool)
{
    size_t made = pool->made;
    gofer_pool_free(pool);
    for (size_t i = 0; i * GOFER_SLAB_CELLS < made; i++) {
        GOFER_LSAN_NO_ROOT(slabs->base[i], slabs->size * GOFER_SLAB_CELLS);
        munmap(slabs->base[i], slabs->size * GOFER_SLAB_CELLS);
    }
}

/* Slabs: where the things of a pool live that shall keep their addresses. Cells of one size, made
 * one after the other and never unmapped while the runtime runs, so that who kept an address may
 * look there. Written under the pool's lock; a cell that was made may be looked up without. */
#ifndef GOFER_SRC_SLAB_H
#define GOFER_SRC_SLAB_H

#include "base/pool.h"

enum { GOFER_SLAB_CELLS = 1024, GOFER_MOST_SLABS = 1 << 14 };

typedef struct gofer_slabs {
    size_t size; /* of a cell; constant */
    char *base[GOFER_MOST_SLABS];
} gofer_slabs;

/* The index-th cell, all zero, for a pool's make; NULL: no memory. */
void *gofer_slab_make(gofer_slabs *slabs, size_t index);

/* Forgets the pool's things and unmaps them. */
void gofer_slabs_free(gofer_slabs *slabs, gofer_pool *pool);

static inline void *gofer_slab_at(const gofer_slabs *slabs, size_t index)
{
    return slabs->base[index / GOFER_SLAB_CELLS] + index % GOFER_SLAB_CELLS * slabs->size;
}

#endif

/* Read-copy-update: lists that are walked without a lock while others take blocks out of them. What
 * is out of the lists is freed when every walk that may have met it is over.
 *
 * A thread counts the beginnings and ends of its walks in its row of the table of readers.h, by
 * plain stores; who frees makes their order real with a membarrier, one for many blocks, and waits
 * for the walks that it finds. So a walk is short: it neither waits, nor switches goroutines, nor
 * calls what the program brought.
 * spec/rcu.pml is the model. */
#ifndef GOFER_SRC_SYNC_RCU_H
#define GOFER_SRC_SYNC_RCU_H

#include "sync/readers.h"

/* Begins a walk; NULL: the caller must take the lock. Both for a thread without a row, as others
 * have them all, and where there is no membarrier. */
static inline gofer_reader_row *gofer_rcu_enter(void)
{
    gofer_reader_row *row = gofer_readers_may_use_table() ? gofer_reader_row_get() : NULL;
    if (gofer_unlikely(!row))
        return NULL;
    /* acquire: pairs with the release of who left last, on this thread too, so that the release to
     * come hands on that one's walk with ours */
    uint64_t walks = atomic_load_explicit(&row->walks, memory_order_acquire);
    atomic_store_explicit(&row->walks, walks + 1, memory_order_relaxed);
    gofer_compiler_barrier();
    return row;
}

static inline void gofer_rcu_leave(gofer_reader_row *row)
{
    uint64_t walks = atomic_load_explicit(&row->walks, memory_order_relaxed);
    /* pairs with the acquire of who frees */
    atomic_store_explicit(&row->walks, walks + 1, memory_order_release);
}

/* free(block), of `size` bytes, once no walk can meet it: at once or later, by the same thread. No
 * list has it any more. Not within a walk, nor under a lock that is held for a few instructions. */
void gofer_rcu_free(void *block, size_t size);

/* The row's thread ends: frees what it still has to. */
void gofer_rcu_flush(const gofer_reader_row *row);

#endif

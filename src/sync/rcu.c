/* See rcu.h. */
#include "sync/rcu.h"

#include "sync/sync.h"

/* A membarrier is a microsecond or two: shared by so many it is little for each. */
enum { BLOCKS_AT_ONCE = 256, BYTES_AT_ONCE = 1 << 16 };

/* What a row's thread has to free; its own. Atomic, since goroutines come and go on a thread: who
 * frees synchronises by `count` with who retired. */
static struct retired {
    _Atomic size_t count, bytes;
    _Atomic(void *) blocks[BLOCKS_AT_ONCE];
} retired[GOFER_READER_ROWS];

/* acquire: pairs with the release in gofer_rcu_leave */
static uint64_t walks_of(const gofer_reader_row *row)
{
    return atomic_load_explicit(&row->walks, memory_order_acquire);
}

/* Until all walks are over that had begun. */
static void wait_for_walks(void)
{
    gofer_fence_others();
    int used = gofer_reader_rows_used();
    for (const gofer_reader_row *row = gofer_reader_rows; row < gofer_reader_rows + used; row++) {
        uint64_t walks = walks_of(row);
        for (int round = 0; walks % 2 == 1 && walks_of(row) == walks; round++)
            gofer_spin_pause(round);
    }
}

static gofer_cold void free_all(struct retired *r)
{
    size_t count = atomic_load_explicit(&r->count, memory_order_acquire);
    wait_for_walks();
    for (size_t i = 0; i < count; i++)
        free(atomic_load_explicit(&r->blocks[i], memory_order_relaxed));
    atomic_store_explicit(&r->bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&r->count, 0, memory_order_release);
}

void gofer_rcu_free(void *block, size_t size)
{
    const gofer_reader_row *row = gofer_reader_row_get();
    if (gofer_unlikely(!row)) {
        wait_for_walks();
        free(block);
        return;
    }
    struct retired *r = &retired[row - gofer_reader_rows];
    size_t count = atomic_load_explicit(&r->count, memory_order_acquire);
    size += atomic_load_explicit(&r->bytes, memory_order_relaxed);
    atomic_store_explicit(&r->blocks[count++], block, memory_order_relaxed);
    atomic_store_explicit(&r->bytes, size, memory_order_relaxed);
    atomic_store_explicit(&r->count, count, memory_order_release);
    if (count == BLOCKS_AT_ONCE || size >= BYTES_AT_ONCE)
        free_all(r);
}

void gofer_rcu_flush(const gofer_reader_row *row)
{
    struct retired *r = &retired[row - gofer_reader_rows];
    if (atomic_load_explicit(&r->count, memory_order_relaxed))
        free_all(r);
}

/* See rcu.h. */
#include "sync/rcu.h"

#include "sync/sync.h"

/* A membarrier is a microsecond or two: shared by so many it is little for each. */
enum { BLOCKS_AT_ONCE = 256, BYTES_AT_ONCE = 1 << 16 };

/* What a row's thread has to free; its own. */
static struct retired {
    size_t count, bytes;
    void *blocks[BLOCKS_AT_ONCE];
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
    wait_for_walks();
    for (size_t i = 0; i < r->count; i++)
        free(r->blocks[i]);
    r->count = r->bytes = 0;
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
    r->blocks[r->count++] = block;
    r->bytes += size;
    if (r->count == BLOCKS_AT_ONCE || r->bytes >= BYTES_AT_ONCE)
        free_all(r);
}

void gofer_rcu_flush(const gofer_reader_row *row)
{
    struct retired *r = &retired[row - gofer_reader_rows];
    if (r->count)
        free_all(r);
}

/* See readers.h. */
#include "sync/readers.h"

gofer_reader_row gofer_readers[GOFER_READER_ROWS];

gofer_cold uint32_t gofer_readers_collect(go_rwmutex *rw)
{
    uint32_t count = 0;
    size_t column = gofer_reader_column(rw);
    for (int row = 0; row < GOFER_READER_ROWS; row++) {
        _Atomic(go_rwmutex *) *slot = &gofer_readers[row].slots[column];
        go_rwmutex *expected = rw;
        if (atomic_load_explicit(slot, memory_order_seq_cst) == rw &&
            atomic_compare_exchange_strong_explicit(slot, &expected, NULL, memory_order_seq_cst,
                                                    memory_order_relaxed))
            count++;
    }
    return count;
}

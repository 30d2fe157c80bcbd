/* Read locks that readers on several processors take without a word in common: a table, one for all
 * go_rwmutexes, of slots that hold the mutex that somebody reads; a line for each of ROWS threads.
 *
 * Only while a mutex is SPREAD (rwmutex.c). Who enters must look at SPREAD again after that, and
 * who takes SPREAD away collects the slots after that, all sequentially consistent: either the
 * reader sees that it is gone, or its slot is collected. A slot stands for some reader of the
 * mutex, not for who filled it: goroutines change threads. */
#ifndef GOFER_SRC_SYNC_READERS_H
#define GOFER_SRC_SYNC_READERS_H

#include "gofer/sync.h"
#include "park/park.h"

enum { GOFER_READER_ROWS = 64, GOFER_READER_COLUMNS = GOFER_CACHE_LINE / sizeof(void *) };

typedef struct gofer_reader_row {
    _Atomic(go_rwmutex *) slots[GOFER_READER_COLUMNS];
} __attribute__((aligned(GOFER_CACHE_LINE))) gofer_reader_row;

extern gofer_reader_row gofer_readers[GOFER_READER_ROWS];

static inline size_t gofer_reader_column(const go_rwmutex *rw)
{
    return ((uintptr_t)rw >> 5) * 0x9e3779b97f4a7c15u >> 61;
}

static inline _Atomic(go_rwmutex *) *gofer_reader_slot(const go_rwmutex *rw)
{
    uint32_t row = (uint32_t)gofer_m_attached()->tid % GOFER_READER_ROWS;
    return &gofer_readers[row].slots[gofer_reader_column(rw)];
}

/* Fills the thread's slot; false: it is not free. */
static inline bool gofer_reader_enter(go_rwmutex *rw)
{
    go_rwmutex *nobody = NULL;
    return atomic_compare_exchange_strong_explicit(gofer_reader_slot(rw), &nobody, rw,
                                                   memory_order_seq_cst, memory_order_relaxed);
}

/* Empties the thread's slot; false: it is not the mutex's. The mutex itself is not touched. */
static inline bool gofer_reader_leave(go_rwmutex *rw)
{
    go_rwmutex *expected = rw;
    return atomic_compare_exchange_strong_explicit(gofer_reader_slot(rw), &expected, NULL,
                                                   memory_order_seq_cst, memory_order_relaxed);
}

/* Empties all slots of the mutex; how many there were. */
uint32_t gofer_readers_collect(go_rwmutex *rw);

#endif

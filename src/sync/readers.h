/* Read locks taken and given back by plain stores: a table, one for all go_rwmutexes, with a row
 * for each thread that reads. A slot of the row holds the mutex that somebody reads. A slot stands
 * for some reader of the mutex, not for who filled it: goroutines change threads.
 *
 * Only while a mutex says TABLE (rwmutex.c). Only its thread fills a slot, and then looks at TABLE.
 * Two empty it: its thread, which says `leaving`, looks at TABLE, empties it, and takes `leaving`
 * back; and who took TABLE away, under the mutex's lock, to count the hold. That one makes the
 * orders of store and look real with a membarrier, and waits for those who still are leaving. So a
 * hold that a thread has not seen TABLE with is emptied under the lock alone.
 *
 * Lifetime: who leaves last looks at the mutex before it empties the slot.
 * spec/readers.pml is the model. */
#ifndef GOFER_SRC_SYNC_READERS_H
#define GOFER_SRC_SYNC_READERS_H

#include "gofer/sync.h"
#include "park/park.h"

enum { GOFER_READER_ROWS = 256, GOFER_READER_COLUMNS = GOFER_CACHE_LINE / sizeof(void *) };

typedef _Atomic(go_rwmutex *) gofer_reader_slot;

typedef struct gofer_reader_row {
    gofer_reader_slot slots[GOFER_READER_COLUMNS];
    gofer_reader_slot leaving;
    _Atomic uint64_t walks; /* odd: the thread is in one: rcu.h */
} __attribute__((aligned(GOFER_CACHE_LINE))) gofer_reader_row;

static inline gofer_reader_slot *gofer_reader_slot_of(gofer_reader_row *row, const go_rwmutex *rw)
{
    return &row->slots[((uintptr_t)rw >> 5) * 0x9e3779b97f4a7c15u >> 61];
}

/* The calling thread's row, or NULL: it has none yet. */
static inline gofer_reader_row *gofer_reader_row_peek(void)
{
    gofer_m *m = gofer_m_self();
    return gofer_likely(m != NULL) ? atomic_load_explicit(&m->readers, memory_order_relaxed) : NULL;
}

/* The same, but takes one; NULL: others have them all. */
gofer_reader_row *gofer_reader_row_take(void);
static inline gofer_reader_row *gofer_reader_row_get(void)
{
    gofer_reader_row *row = gofer_reader_row_peek();
    return gofer_likely(row != NULL) ? row : gofer_reader_row_take();
}

/* All rows; those past the used ones never were taken. */
extern gofer_reader_row gofer_reader_rows[GOFER_READER_ROWS];
int gofer_reader_rows_used(void);

/* The thread ends. */
void gofer_reader_row_give(gofer_m *m);

/* Where there is no membarrier, the table is not used. */
static inline bool gofer_readers_may_use_table(void)
{
    return !atomic_load_explicit(&gofer_sched.need_fences, memory_order_relaxed);
}

/* Empties all slots of the mutex; how many there were. Its lock is held and TABLE gone. */
uint32_t gofer_readers_collect(go_rwmutex *rw);

#endif

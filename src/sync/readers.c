/* See readers.h. */
#include "sync/readers.h"

#include "sync/rcu.h"
#include "sync/sync.h"

gofer_reader_row gofer_reader_rows[GOFER_READER_ROWS];
static gofer_spin rows_lock;                      /* guards the writes to what follows */
static bool row_taken[GOFER_READER_ROWS];         /* by a thread that lives */
static _Atomic int rows_used;                     /* those past them never were taken */
static _Atomic int rows_free = GOFER_READER_ROWS; /* a hint for those who find none */

gofer_cold gofer_reader_row *gofer_reader_row_take(void)
{
    if (atomic_load_explicit(&rows_free, memory_order_relaxed) == 0)
        return NULL;
    gofer_m *m = gofer_m_attached();
    gofer_spin_lock(&rows_lock);
    int i = 0;
    while (i < GOFER_READER_ROWS && row_taken[i])
        i++;
    if (i < GOFER_READER_ROWS) {
        row_taken[i] = true;
        atomic_store_explicit(&m->readers, &gofer_reader_rows[i], memory_order_relaxed);
        atomic_fetch_sub_explicit(&rows_free, 1, memory_order_relaxed);
        if (i >= atomic_load_explicit(&rows_used, memory_order_relaxed))
            atomic_store_explicit(&rows_used, i + 1, memory_order_release);
    }
    gofer_spin_unlock(&rows_lock);
    return atomic_load_explicit(&m->readers, memory_order_relaxed);
}

/* Holds may stay in it: others end them, or the row's next thread. */
void gofer_reader_row_give(gofer_m *m)
{
    gofer_reader_row *row = atomic_load_explicit(&m->readers, memory_order_relaxed);
    if (!row)
        return;
    gofer_rcu_flush(row);
    gofer_spin_lock(&rows_lock);
    row_taken[row - gofer_reader_rows] = false;
    atomic_store_explicit(&m->readers, NULL, memory_order_relaxed);
    atomic_fetch_add_explicit(&rows_free, 1, memory_order_relaxed);
    gofer_spin_unlock(&rows_lock);
}

int gofer_reader_rows_used(void)
{
    /* pairs with the release where a row is taken */
    return atomic_load_explicit(&rows_used, memory_order_acquire);
}

gofer_cold uint32_t gofer_readers_collect(go_rwmutex *rw)
{
    uint32_t count = 0;
    gofer_fence_others();
    int used = gofer_reader_rows_used();
    for (gofer_reader_row *row = gofer_reader_rows; row < gofer_reader_rows + used; row++) {
        gofer_reader_slot *slot = gofer_reader_slot_of(row, rw);
        /* acquires: pair with the releases of those who leave */
        for (int round = 0; atomic_load_explicit(&row->leaving, memory_order_acquire) == rw;
             round++)
            gofer_spin_pause(round);
        if (atomic_load_explicit(slot, memory_order_acquire) == rw) {
            atomic_store_explicit(slot, NULL, memory_order_release);
            count++;
        }
    }
    return count;
}

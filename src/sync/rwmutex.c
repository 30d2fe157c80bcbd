/* go_rwmutex. state: WRITER (a writer holds it, or `pending` waits for the readers to leave: new
 * readers queue), QUEUED (somebody is in `readers` or `writers`), TABLE, the reads since the last
 * writer in units of TICK up to OFTEN (one that met another processor's: COLLISION of them), and
 * the readers that hold it in units of READER. The queues, `pending` and QUEUED are written under
 * `lock`; so is everything while QUEUED is set, but for readers that come and go without a WRITER.
 *
 * A waiting writer stops new readers; a writer that unlocks lets all readers in that wait, and then
 * wakes the next writer to compete, or makes it the next if it has waited 1 ms. QUEUED without
 * WRITER: a writer was woken and is on its way.
 *
 * After OFTEN without a writer, TABLE lets readers use the table of readers.h instead
 * of the count; TABLE and WRITER are never set together. Who sets WRITER in TABLE's place moves
 * the holds from the table to the count, which takes microseconds; so does a reader that finds its
 * hold nowhere else. That is little for each of so many reads.
 *
 * Lifetime: the swap that frees it is the last access, or what leaves the table, or else the
 * release of `lock`, before those are made ready who were let in; nobody frees it without somebody
 * who waits to use it again. */
#include "gofer/sync.h"

#include "panic/panic.h"
#include "sync/readers.h"
#include "sync/sync.h"
#include "sync/waiters.h"

#define WRITER UINT64_C(1)
#define QUEUED UINT64_C(2)
#define TABLE UINT64_C(4)
#define TICK (UINT64_C(1) << 13)
#define COLLISION (64 * TICK)
#define OFTEN (UINT64_C(1) << 29)
#define TICKS (4 * OFTEN - TICK)
#define READER (UINT64_C(1) << 32)

/* Few instructions that lie in as few cache lines: a tenth of their time. */
#define HOT gofer_noinline __attribute__((aligned(GOFER_CACHE_LINE)))

static _Atomic uint64_t *state_of(go_rwmutex *rw)
{
    return (_Atomic uint64_t *)(void *)&rw->state;
}

static gofer_spin *lock_of(go_rwmutex *rw)
{
    return (gofer_spin *)(void *)&rw->lock;
}

static uint64_t load_state(go_rwmutex *rw)
{
    return atomic_load_explicit(state_of(rw), memory_order_relaxed);
}

/* acq_rel: an acquire pairs with the releases of those who held it before, a release with the
 * acquires of those who will. On failure *state is what stands there. */
static bool change(go_rwmutex *rw, uint64_t *state, uint64_t wanted)
{
    return atomic_compare_exchange_weak_explicit(state_of(rw), state, wanted, memory_order_acq_rel,
                                                 memory_order_relaxed);
}

/* No queue and no pending writer: `lock` is held. */
static void fix_queued(go_rwmutex *rw)
{
    if (!rw->readers && !rw->writers)
        atomic_fetch_and_explicit(state_of(rw), ~QUEUED, memory_order_relaxed);
}

/* ---- passing on --------------------------------------------------------------------------- */

/* The writer that is or would have been the owner gives up; `lock` is held and WRITER set, so that
 * nobody else writes the state. Lets the waiting readers in, and with them or after them the next
 * writer. False: there is nobody, and WRITER is still set. */
static bool pass_on(go_rwmutex *rw, struct gofer_sync_batch *batch)
{
    uint64_t state = load_state(rw) & ~(WRITER | QUEUED);
    struct gofer_sync_waiter *waiter, *head = rw->writers;
    bool starves = head && gofer_nanotime() - head->since > GOFER_STARVING_AFTER;
    while ((waiter = gofer_waiters_claim(&rw->readers))) {
        gofer_batch_add(batch, waiter);
        state += READER;
    }
    if (starves && state >= READER) {
        rw->pending = gofer_waiters_pop(&rw->writers); /* not claimed: it goes on waiting */
        state |= WRITER;
    } else if ((waiter = gofer_waiters_claim(&rw->writers))) {
        waiter->handed = starves;
        state |= starves ? WRITER : 0;
        gofer_batch_add(batch, waiter);
    }
    if (!batch->first && !rw->pending) {
        fix_queued(rw);
        return false;
    }
    if (rw->writers)
        state |= QUEUED;
    atomic_store_explicit(state_of(rw), state, memory_order_release);
    return true;
}

/* ---- readers ------------------------------------------------------------------------------ */

/* No longer TABLE: if who took it away came by already, the hold is counted, and ours. */
static gofer_cold bool rlock_late(go_rwmutex *rw, gofer_reader_slot *slot)
{
    gofer_spin_lock(lock_of(rw));
    bool counted = atomic_load_explicit(slot, memory_order_relaxed) != rw;
    if (!counted)
        atomic_store_explicit(slot, NULL, memory_order_release);
    gofer_spin_unlock(lock_of(rw));
    return counted;
}

/* By the table. False: no slot is free, or a writer has come. acquire: pairs with the releases
 * of those who left by the slot, and of those who held the mutex before TABLE was set. */
static gofer_inline bool rlock_by_table(go_rwmutex *rw)
{
    gofer_reader_row *row = gofer_reader_row_peek();
    if (gofer_unlikely(!row))
        return false;
    gofer_reader_slot *slot = gofer_reader_slot_of(row, rw);
    if (gofer_unlikely(atomic_load_explicit(slot, memory_order_acquire) != NULL))
        return false;
    atomic_store_explicit(slot, rw, memory_order_release);
    gofer_compiler_barrier();
    if (gofer_likely(atomic_load_explicit(state_of(rw), memory_order_acquire) & TABLE))
        return true;
    return rlock_late(rw, slot);
}

/* Comes here after a swap that failed, or where there is more to do. */
static gofer_noinline bool try_rlock_contended(go_rwmutex *rw)
{
    uint64_t state = load_state(rw);
    if (state & TABLE && gofer_reader_row_get() && rlock_by_table(rw))
        return true;
    state = load_state(rw);
    while (!(state & WRITER)) {
        uint64_t wanted = state + READER + (state & TABLE ? 0 : COLLISION);
        if (state & OFTEN)
            wanted = ((state + READER) & ~TICKS) |
                     (!(state & QUEUED) && gofer_readers_may_use_table() ? TABLE : 0);
        if (change(rw, &state, wanted))
            return true;
    }
    return false;
}

/* The usual case without TABLE in few instructions. */
static inline bool try_rlock(go_rwmutex *rw)
{
    uint64_t state = load_state(rw);
    return (gofer_likely(!(state & (WRITER | TABLE | OFTEN))) &&
            change(rw, &state, state + READER + TICK)) ||
           try_rlock_contended(rw);
}

static gofer_cold void withdraw_reader(go_rwmutex *rw, struct gofer_sync_waiter *waiter)
{
    gofer_spin_lock(lock_of(rw));
    gofer_waiters_remove(&rw->readers, waiter);
    fix_queued(rw);
    gofer_spin_unlock(lock_of(rw));
}

static gofer_cold int rlock_slow(go_rwmutex *rw, gofer_cancel *source)
{
    struct gofer_sync_waiter waiter = { .g = gofer_self() };
    gofer_waiter_prepare(&waiter, source, GOFER_WAIT_RWMUTEX_RLOCK);
    gofer_spin_lock(lock_of(rw));
    uint64_t state = load_state(rw);
    while (!change(rw, &state, state & WRITER ? state | QUEUED : state + READER))
        ;
    if (state & WRITER)
        gofer_waiters_push(&rw->readers, &waiter);
    gofer_spin_unlock(lock_of(rw));
    if (!(state & WRITER)) {
        gofer_cancel_park(waiter.g);
        return 0;
    }
    int error = gofer_park_cancellable(waiter.g, source);
    if (error)
        withdraw_reader(rw, &waiter);
    return error;
}

/* Under `lock` a WRITER is a writer: who moves holds to the count sets it for a moment only. */
static gofer_cold bool try_rlock_locked(go_rwmutex *rw)
{
    gofer_spin_lock(lock_of(rw));
    uint64_t state = load_state(rw);
    while (!(state & WRITER) && !change(rw, &state, state + READER))
        ;
    gofer_spin_unlock(lock_of(rw));
    return !(state & WRITER);
}

int go_rwmutex_tryrlock(go_rwmutex *rw)
{
    return try_rlock(rw) || try_rlock_locked(rw);
}

gofer_noinline void gofer_rwmutex_rlock_slow(go_rwmutex *rw)
{
    if (!try_rlock_contended(rw))
        rlock_slow(rw, NULL);
}

HOT void gofer_rwmutex_rlock_by_table(go_rwmutex *rw)
{
    if (!rlock_by_table(rw))
        gofer_rwmutex_rlock_slow(rw);
}

/* As in the header. */
void go_rwmutex_rlock(go_rwmutex *rw)
{
    uint64_t state = load_state(rw);
    if (state & TABLE)
        gofer_rwmutex_rlock_by_table(rw);
    else if (state & (WRITER | OFTEN) || !change(rw, &state, state + READER + TICK))
        gofer_rwmutex_rlock_slow(rw);
}

int gofer_rwmutex_rlock_cancellable(go_rwmutex *rw, gofer_cancel *source)
{
    int error = gofer_cancel_error(source);
    if (!error && !try_rlock(rw))
        error = rlock_slow(rw, source);
    return error ? gofer_cancelled(error) : 0;
}

/* `lock` is held: sets WRITER in TABLE's place, so that nobody else writes the state, and counts
 * those who read by the table. *state is then the state but for WRITER. False: a writer has it
 * already. */
static bool gather(go_rwmutex *rw, uint64_t *state)
{
    uint64_t rest;
    *state = load_state(rw);
    do {
        if (*state & WRITER)
            return false;
        rest = *state & ~(TABLE | TICKS);
    } while (!change(rw, state, rest | WRITER));
    if (*state & TABLE) {
        rest += gofer_readers_collect(rw) * READER;
        atomic_store_explicit(state_of(rw), rest | WRITER, memory_order_release);
    }
    *state = rest;
    return true;
}

static _Noreturn gofer_cold void fail_runlock(void)
{
    gofer_fatal_misuse("sync: RUnlock of unlocked RWMutex");
}

/* A writer waits: the last reader wakes it. False: none does any more. */
static gofer_cold bool runlock_slow(go_rwmutex *rw)
{
    struct gofer_sync_waiter *writer = NULL;
    gofer_spin_lock(lock_of(rw));
    uint64_t state = load_state(rw);
    if (!(state & WRITER) || state < READER) {
        gofer_spin_unlock(lock_of(rw));
        if (state & WRITER)
            fail_runlock();
        return false;
    }
    /* A pending writer that was cancelled is about to pass on. */
    if (state < 2 * READER && rw->pending && gofer_waiter_claim(rw->pending)) {
        writer = rw->pending;
        writer->handed = true;
        rw->pending = NULL;
    }
    atomic_fetch_sub_explicit(state_of(rw), READER, memory_order_acq_rel);
    gofer_spin_unlock(lock_of(rw));
    if (writer)
        gofer_ready(writer->g);
    return true;
}

/* Leaves the thread's slot. False: it is not the mutex's, or a writer has come. */
static gofer_inline bool runlock_by_table(go_rwmutex *rw)
{
    gofer_reader_row *row = gofer_reader_row_peek();
    if (gofer_unlikely(!row))
        return false;
    gofer_reader_slot *slot = gofer_reader_slot_of(row, rw);
    atomic_store_explicit(&row->leaving, rw, memory_order_release);
    gofer_compiler_barrier();
    bool here = gofer_likely(atomic_load_explicit(state_of(rw), memory_order_acquire) & TABLE) &&
                gofer_likely(atomic_load_explicit(slot, memory_order_relaxed) == rw);
    /* releases: pair with the acquires in gofer_readers_collect */
    if (gofer_likely(here))
        atomic_store_explicit(slot, NULL, memory_order_release);
    atomic_store_explicit(&row->leaving, NULL, memory_order_release);
    return here;
}

/* The hold is in another thread's slot: it is counted, by us or by a writer, and then leaves. Not
 * before `lock` is free: that is no one's to touch once the hold is gone. */
static gofer_cold void runlock_elsewhere(go_rwmutex *rw)
{
    uint64_t state;
    gofer_spin_lock(lock_of(rw));
    bool gathered = gather(rw, &state);
    if (gathered)
        atomic_store_explicit(state_of(rw), state, memory_order_release);
    gofer_spin_unlock(lock_of(rw));
    if (gathered && state < READER)
        fail_runlock();
    go_rwmutex_runlock(rw);
}

gofer_noinline void gofer_rwmutex_runlock_slow(go_rwmutex *rw)
{
    uint64_t state = load_state(rw);
    for (;;) {
        if (gofer_unlikely(state & WRITER)) {
            if (runlock_slow(rw))
                return;
            state = load_state(rw);
        } else if (gofer_unlikely(state < READER)) {
            if (!(state & TABLE))
                fail_runlock();
            return runlock_elsewhere(rw);
        } else if (gofer_likely(change(rw, &state, state - READER))) {
            return;
        }
    }
}

HOT void gofer_rwmutex_runlock_by_table(go_rwmutex *rw)
{
    if (!runlock_by_table(rw))
        gofer_rwmutex_runlock_slow(rw);
}

/* As in the header. */
void go_rwmutex_runlock(go_rwmutex *rw)
{
    uint64_t state = load_state(rw);
    if (state & TABLE)
        gofer_rwmutex_runlock_by_table(rw);
    else if (state & WRITER || state < READER || !change(rw, &state, state - READER))
        gofer_rwmutex_runlock_slow(rw);
}

/* ---- writers ------------------------------------------------------------------------------ */

static gofer_cold bool try_lock_by_table(go_rwmutex *rw)
{
    uint64_t state;
    gofer_spin_lock(lock_of(rw));
    bool gathered = gather(rw, &state), taken = gathered && state < READER;
    if (gathered && !taken)
        atomic_store_explicit(state_of(rw), state, memory_order_release);
    gofer_spin_unlock(lock_of(rw));
    return taken;
}

static bool try_lock(go_rwmutex *rw)
{
    uint64_t state = load_state(rw);
    while (!(state & (WRITER | TABLE)) && state < READER)
        if (change(rw, &state, (state & ~TICKS) | WRITER))
            return true;
    return state & TABLE && try_lock_by_table(rw);
}

int go_rwmutex_trylock(go_rwmutex *rw)
{
    return try_lock(rw);
}

/* Takes it, and then true; or becomes the pending writer, or queues behind that one. */
static bool take_or_wait(go_rwmutex *rw, struct gofer_sync_waiter *waiter, bool again,
                         gofer_cancel *source)
{
    gofer_spin_lock(lock_of(rw));
    uint64_t state;
    bool gathered;
    while (!(gathered = gather(rw, &state)) && !change(rw, &state, state | QUEUED))
        ;
    bool taken = gathered && state < READER;
    if (!taken)
        gofer_waiter_prepare(waiter, source, gathered ? GOFER_WAIT_RWMUTEX_LOCK : GOFER_WAIT_MUTEX);
    if (!taken && gathered)
        rw->pending = waiter;
    else if (!taken && again)
        gofer_waiters_push_front(&rw->writers, waiter);
    else if (!taken)
        gofer_waiters_push(&rw->writers, waiter);
    gofer_spin_unlock(lock_of(rw));
    return taken;
}

/* The waiter was cancelled. Where new readers waited behind it, they go on. */
static gofer_cold void withdraw_writer(go_rwmutex *rw, struct gofer_sync_waiter *waiter)
{
    struct gofer_sync_batch batch = { 0 };
    gofer_spin_lock(lock_of(rw));
    if (rw->pending == waiter) {
        rw->pending = NULL;
        if (!pass_on(rw, &batch))
            atomic_fetch_and_explicit(state_of(rw), ~WRITER, memory_order_release);
    } else {
        gofer_waiters_remove(&rw->writers, waiter);
        fix_queued(rw);
    }
    gofer_spin_unlock(lock_of(rw));
    gofer_batch_ready(&batch);
}

static gofer_cold int lock_slow(go_rwmutex *rw, gofer_cancel *source)
{
    struct gofer_sync_waiter waiter = { .g = gofer_self(), .since = gofer_nanotime() };
    for (bool again = false; !take_or_wait(rw, &waiter, again, source); again = true) {
        int error = gofer_park_cancellable(waiter.g, source);
        if (gofer_unlikely(error)) {
            withdraw_writer(rw, &waiter);
            return error;
        }
        if (waiter.handed)
            return 0;
    }
    return 0;
}

void go_rwmutex_lock(go_rwmutex *rw)
{
    if (gofer_unlikely(!try_lock(rw)))
        lock_slow(rw, NULL);
}

int gofer_rwmutex_lock_cancellable(go_rwmutex *rw, gofer_cancel *source)
{
    int error = gofer_cancel_error(source);
    if (!error && !try_lock(rw))
        error = lock_slow(rw, source);
    return error ? gofer_cancelled(error) : 0;
}

/* False: nobody waits any more, and it is still held. */
static gofer_cold bool unlock_slow(go_rwmutex *rw)
{
    struct gofer_sync_batch batch = { 0 };
    gofer_spin_lock(lock_of(rw));
    if (!(load_state(rw) & WRITER) || rw->pending) {
        gofer_spin_unlock(lock_of(rw));
        gofer_fatal_misuse("sync: Unlock of unlocked RWMutex");
    }
    bool passed = pass_on(rw, &batch);
    gofer_spin_unlock(lock_of(rw));
    gofer_batch_ready(&batch);
    return passed;
}

void go_rwmutex_unlock(go_rwmutex *rw)
{
    uint64_t state;
    do {
        state = WRITER;
        if (gofer_likely(atomic_compare_exchange_strong_explicit(
                state_of(rw), &state, 0, memory_order_release, memory_order_relaxed)))
            return;
    } while (!unlock_slow(rw));
}

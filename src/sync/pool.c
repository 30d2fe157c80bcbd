/* go_pool: a part for each of the first PARTS processors. `own` is touched only by who may touch
 * that processor (between gofer_enter and gofer_leave), without a lock; the rest is guarded by the
 * part's lock, and anybody may take from it. Nobody makes or destroys an item with a lock held or
 * inside.
 *
 * `least` is the lowest count since the part's epoch began: so many items lay unused. When the
 * monitor has begun a new one, the next put destroys half of them, but no more than TRIM at a time.
 */
#include "gofer/pool.h"

#include "sched/sched.h"

enum { PARTS = 128, FIRST_ITEMS = 16, TRIM = 16 };

typedef struct part {
    void *own;
    gofer_spin lock;
    uint32_t epoch;
    _Atomic uint32_t count; /* peeked at without the lock */
    uint32_t least, room;
    void **items; /* used last at the end */
} __attribute__((aligned(GOFER_CACHE_LINE))) part;

typedef struct pool_table {
    _Atomic uint32_t used; /* parts from here on never had an item */
    part parts[PARTS];
} pool_table;

static pool_table *table_of(const go_pool *pool)
{
    /* pairs with the release in make_table */
    return atomic_load_explicit((_Atomic(pool_table *) *)(void *)&pool->parts,
                                memory_order_acquire);
}

static gofer_cold pool_table *make_table(go_pool *pool)
{
    pool_table *made = aligned_alloc(GOFER_CACHE_LINE, sizeof *made), *there = NULL;
    if (!made)
        return NULL;
    memset(made, 0, sizeof *made);
    if (atomic_compare_exchange_strong_explicit((_Atomic(pool_table *) *)(void *)&pool->parts,
                                                &there, made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    free(made);
    return there;
}

static uint32_t count_of(const part *x)
{
    return atomic_load_explicit(&x->count, memory_order_relaxed);
}

/* The lock is held. */
static void set_count(part *x, uint32_t count)
{
    atomic_store_explicit(&x->count, count, memory_order_relaxed);
    if (count < x->least)
        x->least = count;
}

/* ---- own ---------------------------------------------------------------------------------- */

/* Exchanges the slot of the caller's processor, if it is as `full` says. False: it is not, or there
 * is none. *index: which part to go to then. */
#ifdef GOFER_TSAN
/* TSan cannot see who may touch a processor: without the slots there. */
static bool exchange_own(pool_table *t, void **item, bool full, uint32_t *index)
{
    (void)t, (void)item, (void)full;
    *index = gofer_random(gofer_m_attached()) % 4;
    return false;
}
#else
/* A fork's child has no processor, and uses the pool on. */
static gofer_cold gofer_p *enter_slow(gofer_m **m)
{
    if (!gofer_sched.forked)
        return gofer_enter_slow(m);
    gofer_leave(*m);
    return NULL;
}

static inline bool exchange_own(pool_table *t, void **item, bool full, uint32_t *index)
{
    gofer_m *m = gofer_m_attached();
    gofer_p *p = gofer_mark_inside(m);
    bool done = false;
    *index = 0;
    if (gofer_unlikely(!p) && !(p = enter_slow(&m)))
        return false;
    if (gofer_likely(p->index < PARTS)) {
        part *x = &t->parts[p->index];
        done = (x->own != NULL) == full;
        if (done && full) {
            *item = x->own;
            x->own = NULL;
        } else if (done) {
            x->own = *item;
        }
        *index = (uint32_t)p->index;
    }
    gofer_leave(m);
    return done;
}
#endif

/* ---- shared ------------------------------------------------------------------------------- */

static void *pop(part *x)
{
    void *item = NULL;
    if (!count_of(x))
        return NULL;
    gofer_spin_lock(&x->lock);
    uint32_t count = count_of(x);
    if (count) {
        item = x->items[count - 1];
        set_count(x, count - 1);
    }
    gofer_spin_unlock(&x->lock);
    return item;
}

/* From the part itself, else from another. */
static void *take_any(pool_table *t, uint32_t index)
{
    uint32_t used = atomic_load_explicit(&t->used, memory_order_relaxed);
    void *item = pop(&t->parts[index]);
    for (uint32_t i = 0; !item && i < used; i++)
        item = pop(&t->parts[(index + i) % used]);
    return item;
}

void *go_pool_get(go_pool *pool)
{
    pool_table *t = table_of(pool);
    void *item = NULL;
    uint32_t index;
    if (gofer_likely(t != NULL)) {
        if (gofer_likely(exchange_own(t, &item, true, &index)))
            return item;
        item = take_any(t, index);
    }
    return item || !pool->create ? item : pool->create();
}

/* The lock is held. False: no memory. */
static bool push(part *x, void *item)
{
    uint32_t count = count_of(x);
    if (count == x->room) {
        uint32_t room = x->room ? x->room * 2 : FIRST_ITEMS;
        void **items = realloc(x->items, room * sizeof *items);
        if (!items)
            return false;
        x->items = items;
        x->room = room;
    }
    x->items[count] = item;
    set_count(x, count + 1);
    return true;
}

/* The lock is held: takes out what lay unused for an epoch. */
static uint32_t trim(part *x, void **surplus)
{
    /* A hint: nothing hangs on when it is seen. */
    uint32_t epoch = atomic_load_explicit(&gofer_trim_epoch, memory_order_relaxed);
    if (gofer_likely(x->epoch == epoch))
        return 0;
    uint32_t count = count_of(x), n = (x->least + 1) / 2;
    n = n < TRIM ? n : TRIM;
    if (n) {
        memcpy(surplus, x->items, n * sizeof *surplus);
        memmove(x->items, x->items + n, (count - n) * sizeof *surplus);
        set_count(x, count - n);
    }
    x->least = count - n;
    x->epoch = epoch;
    return n;
}

static void give_to(go_pool *pool, pool_table *t, uint32_t index, void *item)
{
    void *surplus[TRIM + 1];
    part *x = &t->parts[index];
    uint32_t used = atomic_load_explicit(&t->used, memory_order_relaxed);
    while (used <= index &&
           !atomic_compare_exchange_weak_explicit(&t->used, &used, index + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
    gofer_spin_lock(&x->lock);
    uint32_t n = pool->destroy ? trim(x, surplus) : 0;
    if (!push(x, item))
        surplus[n++] = item;
    gofer_spin_unlock(&x->lock);
    while (pool->destroy && n > 0)
        pool->destroy(surplus[--n]);
}

void go_pool_put(go_pool *pool, void *item)
{
    pool_table *t = table_of(pool);
    uint32_t index;
    if (!item)
        return;
    if (gofer_unlikely(!t) && !(t = make_table(pool))) {
        if (pool->destroy)
            pool->destroy(item);
        return;
    }
    if (!exchange_own(t, &item, false, &index))
        give_to(pool, t, index, item);
}

void go_pool_drain(go_pool *pool)
{
    pool_table *t = table_of(pool);
    pool->parts = NULL;
    for (int i = 0; t && i < PARTS; i++) {
        part *x = &t->parts[i];
        for (uint32_t j = 0; pool->destroy && j < count_of(x); j++)
            pool->destroy(x->items[j]);
        if (pool->destroy && x->own)
            pool->destroy(x->own);
        free(x->items);
    }
    free(t);
}

/* The timer heaps: see timer.h. Four children a node, ordered by (when, sequence), of which the
 * slots hold copies: sifting touches no timer but those that move. A timer that was set to a later
 * time keeps its slot, as many are set anew again and again and never fire: the copies are out of
 * date then, and are brought up to date when it is the first. */
#include "time/timer.h"

/* FIRE_MOST: of a heap in one look, about what runs until the next. More would not fit into a
 * processor's ring, and the heap's lock is held meanwhile. */
enum { ARITY = 4, FIRST_CAPACITY = 64, FIRE_MOST = 64 };

typedef struct slot {
    int64_t when; /* at most the timer's */
    uint64_t sequence;
    gofer_timer *timer;
} slot;

struct gofer_timer_heap {
    gofer_spin lock; /* guards all but the peeks at next and wakers */
    slot *slots;
    size_t count, capacity;
    uint64_t sequence;
    _Atomic int64_t next;    /* when of the first slot; 0: none. Peeked at by everybody */
    _Atomic uint64_t wakers; /* timers that somebody waits for */
} __attribute__((aligned(GOFER_CACHE_LINE)));

/* One for each processor; threads without one use the first. Never shrinks, so an index that was
 * once in use stays watched. */
static struct gofer_timer_heap heaps[GOFER_MAX_PROCS];
static _Atomic int heap_count; /* heaps that were ever used */

static bool before(const slot *a, const slot *b)
{
    return a->when != b->when ? a->when < b->when : a->sequence < b->sequence;
}

static void put(struct gofer_timer_heap *heap, size_t at, const slot *s)
{
    heap->slots[at] = *s;
    s->timer->slot = at + 1;
}

static void sift_up(struct gofer_timer_heap *heap, size_t at, slot s)
{
    while (at > 0) {
        size_t parent = (at - 1) / ARITY;
        if (!before(&s, &heap->slots[parent]))
            break;
        put(heap, at, &heap->slots[parent]);
        at = parent;
    }
    put(heap, at, &s);
}

static void sift_down(struct gofer_timer_heap *heap, size_t at, slot s)
{
    for (;;) {
        size_t child = at * ARITY + 1, end = child + ARITY;
        if (child >= heap->count)
            break;
        if (end > heap->count)
            end = heap->count;
        size_t least = child;
        for (size_t i = child + 1; i < end; i++)
            if (before(&heap->slots[i], &heap->slots[least]))
                least = i;
        if (!before(&heap->slots[least], &s))
            break;
        put(heap, at, &heap->slots[least]);
        at = least;
    }
    put(heap, at, &s);
}

/* After what was due has fired, not before: who sees no timer due sees what those left. Release:
 * pairs with the acquire in gofer_timers_next. */
static void publish_next(struct gofer_timer_heap *heap)
{
    atomic_store_explicit(&heap->next, heap->count ? heap->slots[0].when : 0, memory_order_release);
}

/* Under the heap's lock; others read it. */
static void count_waker(struct gofer_timer_heap *heap, const gofer_timer *timer, int change)
{
    if (timer->wakes)
        atomic_store_explicit(&heap->wakers,
                              atomic_load_explicit(&heap->wakers, memory_order_relaxed) +
                                  (uint64_t)change,
                              memory_order_relaxed);
}

static void take_out(struct gofer_timer_heap *heap, gofer_timer *timer)
{
    size_t at = timer->slot - 1;
    slot last = heap->slots[--heap->count];
    timer->slot = 0;
    if (last.timer != timer) {
        if (at > 0 && before(&last, &heap->slots[(at - 1) / ARITY]))
            sift_up(heap, at, last);
        else
            sift_down(heap, at, last);
    }
    count_waker(heap, timer, -1);
}

static bool make_room(struct gofer_timer_heap *heap)
{
    if (heap->count < heap->capacity)
        return true;
    size_t capacity = heap->capacity ? heap->capacity * 2 : FIRST_CAPACITY;
    slot *slots = realloc(heap->slots, capacity * sizeof *slots);
    if (!slots)
        return false;
    heap->slots = slots;
    heap->capacity = capacity;
    return true;
}

static struct gofer_timer_heap *heap_here(void)
{
    gofer_m *m = gofer_m_self();
    gofer_p *p = m ? atomic_load_explicit(&m->p, memory_order_relaxed) : NULL;
    int index = p ? p->index : 0;
    int count = atomic_load_explicit(&heap_count, memory_order_relaxed);
    while (count <= index &&
           !atomic_compare_exchange_weak_explicit(&heap_count, &count, index + 1,
                                                  memory_order_release, memory_order_relaxed))
        ;
    return &heaps[index];
}

int64_t gofer_time_after(go_duration d)
{
    int64_t now = gofer_nanotime();
    return d > INT64_MAX - now ? INT64_MAX : now + d;
}

static void set_time(struct gofer_timer_heap *heap, gofer_timer *timer, int64_t when)
{
    timer->when = when;
    timer->sequence = heap->sequence++;
}

static slot slot_of(gofer_timer *timer)
{
    return (slot){ .when = timer->when, .sequence = timer->sequence, .timer = timer };
}

static bool put_in(struct gofer_timer_heap *heap, gofer_timer *timer, int64_t when)
{
    if (gofer_unlikely(!make_room(heap)))
        return false;
    set_time(heap, timer, when);
    count_waker(heap, timer, 1);
    sift_up(heap, heap->count++, slot_of(timer));
    publish_next(heap);
    return true;
}

static int64_t at_least_1(int64_t when)
{
    return when < 1 ? 1 : when;
}

static bool start_timer(gofer_timer *timer, int64_t when)
{
    struct gofer_timer_heap *heap = heap_here();
    when = at_least_1(when);
    gofer_spin_lock(&heap->lock);
    timer->heap = heap;
    bool started = put_in(heap, timer, when);
    gofer_spin_unlock(&heap->lock);
    if (gofer_likely(started))
        gofer_timekeeper_check(when);
    return started;
}

bool gofer_timer_start(gofer_timer *timer, int64_t when)
{
    gofer_m *m = gofer_m_attached();
    if (gofer_likely(!m->is_foreign))
        return start_timer(timer, when);
    if (gofer_visit(m) != 0)
        return false; /* nobody would keep the time */
    bool started = start_timer(timer, when);
    gofer_visit_end(m);
    return started;
}

/* Takes back what firing left; true: there was something. */
static bool withdraw(gofer_timer *timer)
{
    return timer->withdraw && timer->withdraw(timer);
}

bool gofer_timer_stop(gofer_timer *timer)
{
    struct gofer_timer_heap *heap = timer->heap;
    gofer_spin_lock(&heap->lock);
    bool active = timer->slot != 0;
    if (active) {
        take_out(heap, timer);
        publish_next(heap);
    }
    active |= withdraw(timer);
    gofer_spin_unlock(&heap->lock);
    return active;
}

static int reset_timer(gofer_timer *timer, int64_t when, int64_t period)
{
    struct gofer_timer_heap *heap = timer->heap;
    when = at_least_1(when);
    gofer_spin_lock(&heap->lock);
    bool active = timer->slot != 0, started = true, earlier = true;
    if (active) {
        earlier = when < heap->slots[timer->slot - 1].when;
        set_time(heap, timer, when);
        if (earlier) {
            sift_up(heap, timer->slot - 1, slot_of(timer));
            publish_next(heap);
        }
    } else {
        started = put_in(heap, timer, when);
    }
    timer->period = period;
    active |= withdraw(timer);
    gofer_spin_unlock(&heap->lock);
    if (gofer_unlikely(!started))
        return -1;
    if (earlier)
        gofer_timekeeper_check(when);
    return active;
}

int gofer_timer_reset(gofer_timer *timer, int64_t when, int64_t period)
{
    gofer_m *m = gofer_m_attached();
    if (gofer_likely(!m->is_foreign))
        return reset_timer(timer, when, period);
    if (gofer_visit(m) != 0)
        return -1;
    int active = reset_timer(timer, when, period);
    gofer_visit_end(m);
    return active;
}

void gofer_timer_end(gofer_timer *timer)
{
    take_out(timer->heap, timer);
}

/* The first time after now that is a whole number of periods after the last. */
static int64_t next_time(const gofer_timer *timer, int64_t now)
{
    int64_t periods = 1 + (now - timer->when) / timer->period, further, when;
    if (__builtin_mul_overflow(timer->period, periods, &further) ||
        __builtin_add_overflow(timer->when, further, &when))
        return INT64_MAX;
    return when;
}

/* The first slot again, by the time to which its timer was set meanwhile. */
static void update_first(struct gofer_timer_heap *heap)
{
    sift_down(heap, 0, slot_of(heap->slots[0].timer));
}

/* A timer without a period may be gone once its fire was called. */
static void fire_first(struct gofer_timer_heap *heap, int64_t now)
{
    gofer_timer *timer = heap->slots[0].timer;
    int64_t due = timer->when;
    if (timer->period > 0) {
        set_time(heap, timer, next_time(timer, now));
        update_first(heap);
    } else {
        take_out(heap, timer);
    }
    timer->fire(timer, due);
}

/* Fires what is due, earliest first; many at once not all in one look. */
static void run_heap(struct gofer_timer_heap *heap, int64_t now)
{
    gofer_spin_lock(&heap->lock);
    for (int fired = 0; fired < FIRE_MOST && heap->count && heap->slots[0].when <= now;) {
        if (heap->slots[0].sequence != heap->slots[0].timer->sequence) {
            update_first(heap);
        } else {
            fire_first(heap, now);
            fired++;
        }
    }
    publish_next(heap);
    gofer_spin_unlock(&heap->lock);
}

int64_t gofer_timers_run(int64_t now)
{
    int count = atomic_load_explicit(&heap_count, memory_order_acquire);
    for (int i = 0; i < count; i++) {
        int64_t next = atomic_load_explicit(&heaps[i].next, memory_order_relaxed);
        if (next > 0 && next <= now)
            run_heap(&heaps[i], now);
    }
    return gofer_timers_next();
}

int64_t gofer_timers_next(void)
{
    int64_t first = -1;
    int count = atomic_load_explicit(&heap_count, memory_order_acquire);
    for (int i = 0; i < count; i++) {
        int64_t next = atomic_load_explicit(&heaps[i].next, memory_order_acquire);
        if (next > 0 && (first < 0 || next < first))
            first = next;
    }
    return first;
}

uint64_t gofer_timers_count(void)
{
    uint64_t n = 0;
    int count = atomic_load_explicit(&heap_count, memory_order_acquire);
    for (int i = 0; i < count; i++) {
        gofer_spin_lock(&heaps[i].lock);
        n += heaps[i].count;
        gofer_spin_unlock(&heaps[i].lock);
    }
    return n;
}

static bool is_waited_for(gofer_timer *timer)
{
    return timer->waited_for && timer->waited_for(timer);
}

static bool some_waited_for(struct gofer_timer_heap *heap)
{
    bool found = false;
    gofer_spin_lock(&heap->lock);
    for (size_t i = 0; i < heap->count && !found; i++)
        found = is_waited_for(heap->slots[i].timer);
    gofer_spin_unlock(&heap->lock);
    return found;
}

bool gofer_timers_can_wake(void)
{
    int count = atomic_load_explicit(&heap_count, memory_order_acquire);
    for (int i = 0; i < count; i++)
        if (atomic_load_explicit(&heaps[i].wakers, memory_order_relaxed) ||
            (atomic_load_explicit(&heaps[i].next, memory_order_relaxed) &&
             some_waited_for(&heaps[i])))
            return true;
    return false;
}

void gofer_timers_free(void)
{
    int count = atomic_load_explicit(&heap_count, memory_order_acquire);
    for (int i = 0; i < count; i++) {
        struct gofer_timer_heap *heap = &heaps[i];
        gofer_spin_lock(&heap->lock);
        while (heap->count) {
            gofer_timer *timer = heap->slots[0].timer;
            take_out(heap, timer);
            if (timer->drop)
                timer->drop(timer);
        }
        publish_next(heap);
        free(heap->slots);
        heap->slots = NULL;
        heap->capacity = 0;
        gofer_spin_unlock(&heap->lock);
    }
}

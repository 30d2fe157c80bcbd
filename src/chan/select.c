/* Select over channels and a timeout.
 *
 * All channels are locked in the order of their addresses, so two selects cannot deadlock; then
 * the cases are tried in random order, and the first that is ready runs. Where the locks are more
 * than FEW_LOCKS, those cases that look ready without a lock are tried before, each under its own;
 * few locks, that others want too, are sooner had together. If none is ready, a waiter is put in
 * each channel's queue before the locks are released. Whoever can serve one of them claims the
 * goroutine (g->selected, one compare-and-swap) and tells by which waiter (g->woken_by); the
 * timeout claims it the same way. Awake again, the select takes its other waiters back, and the
 * references to their channels: see chan.h. */
#include "gofer/select.h"

#include "chan/chan.h"
#include "panic/panic.h"
#include "park/cancel.h"
#include "time/timer.h"

#include <stdio.h>

enum { FEW_LOCKS = 4, ON_STACK = 64, MOST_CASES = 65536 };

/* A select in progress. Arrays have room for all cases. */
struct select {
    go_case *cases;
    uint32_t count;     /* cases that name a channel */
    uint32_t due;       /* cases of a timeout that is over already */
    uint32_t *order;    /* indices of these, shuffled: who is tried when */
    gofer_chan **locks; /* their channels, sorted by address */
    gofer_waiter *waiters;
    bool timers;      /* some channel is a timer's */
    int with_default; /* index of the default, or -1 */
    int with_timeout; /* index of the earliest go_case_after, of those due any, or -1 */
};

struct timeout {
    gofer_timer timer;
    gofer_g *g;
};

/* A place below n; what is left of the random number serves the next few calls. */
static uint32_t random_below(gofer_m *m, uint32_t *random, uint32_t n)
{
    if (n > 8)
        *random = gofer_random(m);
    uint64_t product = (uint64_t)*random * n;
    *random = (uint32_t)product;
    return (uint32_t)(product >> 32);
}

/* ---- setting up --------------------------------------------------------------------------- */

static void note_after(struct select *s, int index)
{
    if (s->with_timeout < 0 || s->cases[index].after < s->cases[s->with_timeout].after)
        s->with_timeout = index;
}

/* Of those that are due each has the same chance. */
static gofer_cold void note_due(struct select *s, int index, gofer_m *m)
{
    uint32_t random = gofer_random(m);
    if (random_below(m, &random, ++s->due) == 0)
        s->with_timeout = index;
}

/* How many cases come before the first that is due, in a random order of all. */
static gofer_cold uint32_t before_due(const struct select *s, gofer_m *m)
{
    uint32_t before = 0;
    for (; before < s->count; before++) {
        uint32_t random = gofer_random(m);
        if (random_below(m, &random, s->count - before + s->due) < s->due)
            break;
    }
    return before;
}

static void sort_in(struct select *s, uint32_t n, gofer_chan *c)
{
    while (n > 0 && s->locks[n - 1] > c) {
        s->locks[n] = s->locks[n - 1];
        n--;
    }
    s->locks[n] = c;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t) * (gofer_chan *const *)a;
    uintptr_t right = (uintptr_t) * (gofer_chan *const *)b;
    return left < right ? -1 : left > right;
}

/* Looks at each case once: what names a channel goes into a random place of the order. Returns how
 * many are to be tried: all, or those that come before one that is due. */
static gofer_inline uint32_t set_up(struct select *s, size_t n)
{
    gofer_m *m = gofer_m_attached();
    uint32_t random = gofer_random(m);
    bool in_order = true; /* as channels that were made one after the other often are */
    for (size_t i = 0; i < n; i++) {
        go_case *one = &s->cases[i];
        if (one->kind == GO_CASE_DEFAULT) {
            if (s->with_default >= 0)
                gofer_panic_text("select: multiple default cases");
            s->with_default = (int)i;
        } else if (one->kind == GO_CASE_AFTER) {
            if (gofer_unlikely(one->after <= 0))
                note_due(s, (int)i, m);
            else if (!s->due)
                note_after(s, (int)i);
        } else if (one->kind != GO_CASE_SEND && one->kind != GO_CASE_RECV) {
            gofer_panic_text("select: a case of unknown kind");
        } else if (one->chan) {
            if (gofer_unlikely(((const gofer_chan *)one->chan)->element != one->size))
                gofer_chan_check(one->chan, one->size, "go_select");
            if (gofer_unlikely(((const gofer_chan *)one->chan)->hides_buffer))
                s->timers = true;
            uint32_t at = random_below(m, &random, s->count + 1);
            s->order[s->count] = s->order[at];
            s->order[at] = (uint32_t)i;
            if (n <= ON_STACK) {
                sort_in(s, s->count, one->chan);
            } else {
                s->locks[s->count] = one->chan;
                in_order &= s->count == 0 || s->locks[s->count - 1] <= s->locks[s->count];
            }
            s->count++;
        }
    }
    if (!in_order)
        qsort(s->locks, s->count, sizeof *s->locks, by_address);
    uint32_t tried = gofer_unlikely(s->due) ? before_due(s, m) : s->count;
    if (gofer_unlikely(s->timers))
        gofer_timers_catch_up(); /* may change the thread: m is no longer good */
    return tried;
}

static gofer_inline void lock_all(const struct select *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (i == 0 || s->locks[i] != s->locks[i - 1])
            gofer_spin_lock(&s->locks[i]->lock);
}

static gofer_inline void unlock_all(const struct select *s)
{
    for (uint32_t i = s->count; i-- > 0;)
        if (i == 0 || s->locks[i] != s->locks[i - 1])
            gofer_spin_unlock(&s->locks[i]->lock);
}

/* ---- one look ----------------------------------------------------------------------------- */

/* The channel's lock is held. */
static inline enum gofer_attempt attempt(const go_case *one, gofer_g **ready)
{
    if (one->kind == GO_CASE_SEND)
        return gofer_chan_can_send(one->chan)
                   ? gofer_chan_attempt_send(one->chan, one->value, ready)
                   : GOFER_BLOCKS;
    return gofer_chan_can_recv(one->chan) ? gofer_chan_attempt_recv(one->chan, one->value, ready)
                                          : GOFER_BLOCKS;
}

/* Whether to try it: GOFER_PASSED; GOFER_IS_CLOSED, and no lock is needed. */
static inline enum gofer_attempt peek(const go_case *one)
{
    if (one->kind == GO_CASE_SEND)
        return gofer_chan_send_would_block(one->chan) ? GOFER_BLOCKS : GOFER_PASSED;
    return gofer_chan_peek_recv(one->chan);
}

/* No lock is held. */
static inline enum gofer_attempt attempt_alone(const go_case *one, gofer_g **ready)
{
    gofer_chan *c = one->chan;
    enum gofer_attempt outcome = peek(one);
    if (outcome == GOFER_PASSED) {
        gofer_spin_lock(&c->lock);
        outcome = attempt(one, ready);
        gofer_spin_unlock(&c->lock);
    } else if (outcome == GOFER_IS_CLOSED) {
        gofer_chan_attempt_recv(c, one->value, ready);
    }
    return outcome;
}

/* What the user sees of a case that ran. */
static int result(const struct select *s, int index, bool passed)
{
    const go_case *one = &s->cases[index];
    if (one->kind == GO_CASE_RECV && one->ok)
        *one->ok = passed;
    if (gofer_unlikely(one->kind == GO_CASE_SEND && !passed))
        gofer_panic_runtime("send on closed channel");
    return one->named ? one->name : index;
}

/* The first ready case in the random order runs; -1: none is ready. All locks are held or none. */
static gofer_inline int try_all(const struct select *s, uint32_t tried, bool locked, bool *passed,
                                gofer_g **ready)
{
    *ready = NULL;
    for (uint32_t i = 0; i < tried; i++) {
        const go_case *one = &s->cases[s->order[i]];
        enum gofer_attempt outcome = locked ? attempt(one, ready) : attempt_alone(one, ready);
        if (outcome != GOFER_BLOCKS) {
            *passed = outcome == GOFER_PASSED;
            return (int)s->order[i];
        }
    }
    return -1;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static gofer_waitq *queue_of(const go_case *one)
{
    gofer_chan *c = one->chan;
    return one->kind == GO_CASE_SEND ? &c->sendq : &c->recvq;
}

static void fire_timeout(gofer_timer *timer, int64_t due)
{
    gofer_g *g = gofer_container(timer, struct timeout, timer)->g;
    (void)due;
    if (gofer_claim(g, NULL))
        gofer_ready_last(g);
}

/* All locks are held. */
static void queue_all(const struct select *s, gofer_g *self)
{
    for (uint32_t i = 0; i < s->count; i++) {
        go_case *one = &s->cases[s->order[i]];
        gofer_waiter *waiter = &s->waiters[i];
        waiter->g = self;
        waiter->value = one->value;
        waiter->chan = one->chan;
        waiter->index = s->order[i];
        waiter->claimable = true;
        waiter->success = false;
        waiter->chan->references++;
        gofer_waitq_push(queue_of(one), waiter);
    }
}

/* All but the one that was served. */
static void unqueue_all(const struct select *s, const gofer_waiter *served)
{
    for (uint32_t i = 0; i < s->count; i++) {
        gofer_waiter *waiter = &s->waiters[i];
        gofer_chan *c = waiter->chan;
        if (waiter == served)
            continue;
        gofer_spin_lock(&c->lock);
        gofer_waitq_remove(queue_of(&s->cases[waiter->index]), waiter);
        bool last = c->references == 1;
        c->references -= !last;
        gofer_spin_unlock(&c->lock);
        if (gofer_unlikely(last))
            gofer_chan_release(c);
    }
}

static int64_t deadline_of(const struct select *s)
{
    int64_t now = gofer_nanotime(), after = s->cases[s->with_timeout].after;
    return after > INT64_MAX - now ? INT64_MAX : now + after;
}

/* The locks are held, no case is ready: waits until one was served. */
static int wait(const struct select *s)
{
    struct timeout timeout = { .timer = { .fire = fire_timeout, .wakes = true } };
    gofer_g *self = timeout.g = gofer_self();
    gofer_prepare_claim(self);
    gofer_prepare_park(self, GOFER_WAIT_SELECT);
    queue_all(s, self);
    unlock_all(s);
    bool timed = s->with_timeout >= 0;
    if (timed && gofer_unlikely(!gofer_timer_start(&timeout.timer, deadline_of(s)))) {
        timed = false; /* no memory: better too early than never */
        fire_timeout(&timeout.timer, 0);
    }
    gofer_park(self);
    if (timed)
        gofer_timer_stop(&timeout.timer);
    gofer_waiter *by = self->woken_by;
    bool success = by && by->success;
    int index = by ? (int)by->index : s->with_timeout;
    unqueue_all(s, by);
    return result(s, index, success);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static gofer_inline int run(struct select *s, size_t n)
{
    bool passed = false;
    gofer_g *ready = NULL;
    uint32_t tried = set_up(s, n);
    int index = -1;
    if (tried == 1 || tried > FEW_LOCKS)
        index = try_all(s, tried, false, &passed, &ready);
    bool waits = s->with_default < 0 && !s->due;
    if (index < 0 && tried == 1 && !waits) { /* one channel alone needs no lock for an answer */
        gofer_settle();
        index = try_all(s, tried, false, &passed, &ready);
    }
    if (index < 0 && (waits || tried > 1)) {
        lock_all(s);
        index = try_all(s, tried, true, &passed, &ready);
        if (index < 0 && waits)
            return wait(s);
        unlock_all(s);
    }
    if (ready)
        gofer_ready(ready);
    if (index < 0)
        index = s->due ? s->with_timeout : s->with_default;
    return result(s, index, passed);
}

static gofer_noinline int run_many(struct select *s, size_t n)
{
    return run(s, n);
}

/* More cases than fit on the stack. The arrays go with the frame's end, or with a panic. */
static gofer_cold int run_allocated(struct select *s, size_t n)
{
    size_t size = n * (sizeof *s->order + sizeof *s->locks + sizeof *s->waiters);
    char *memory = malloc(size);
    if (!memory)
        gofer_fatal("go_select_array: out of memory for %zu cases", n);
    s->waiters = (gofer_waiter *)(void *)memory;
    s->locks = (gofer_chan **)(void *)(memory + n * sizeof *s->waiters);
    s->order = (uint32_t *)(void *)(memory + n * (sizeof *s->waiters + sizeof *s->locks));
    go_defer(free, memory);
    return run_many(s, n);
}

static gofer_cold void select_nothing(void)
{
    gofer_g *self = gofer_self();
    for (;;) {
        gofer_prepare_park(self, GOFER_WAIT_SELECT_NO_CASES);
        gofer_park(self);
    }
}

static int run_small(struct select *s, size_t n)
{
    gofer_waiter waiters[4];
    gofer_chan *locks[4];
    uint32_t order[4];
    s->waiters = waiters;
    s->locks = locks;
    s->order = order;
    /* *s is go_select_array's, which returns at once: the arrays are not used again. */
    return run(s, n); // NOLINT(clang-analyzer-core.StackAddressEscape)
}

static gofer_noinline int run_medium(struct select *s, size_t n)
{
    gofer_waiter waiters[ON_STACK];
    gofer_chan *locks[ON_STACK];
    uint32_t order[ON_STACK];
    s->waiters = waiters;
    s->locks = locks;
    s->order = order;
    return run_many(s, n);
}

int go_select_array(go_case *cases, size_t n)
{
    struct select s = { .cases = cases, .with_default = -1, .with_timeout = -1 };
    if (n == 0)
        select_nothing();
    if (n > MOST_CASES)
        gofer_panic_text("select: too many cases");
    if (n <= 4)
        return run_small(&s, n);
    return n <= ON_STACK ? run_medium(&s, n) : run_allocated(&s, n);
}

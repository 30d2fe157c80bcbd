/* Making goroutines and ending them.
 *
 * A new goroutine is a descriptor and the captured call that it runs. It gets a stack when a
 * thread is about to switch to it for the first time (gofer_begin): the call moves there, and its
 * first instructions replay it. Where the call has many arguments, or the stack is to be of another
 * size, it gets the stack at once. */
#include "sched/internal.h"

#include "panic/panic.h"
#include "stack/stack.h"

enum { ID_BATCH = 256 }; /* numbers that a processor takes at a time from the shared counter */

#ifdef GOFER_TSAN
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
#endif
#ifdef GOFER_ASAN
void __asan_unpoison_memory_region(void const volatile *address, size_t size);
#endif

/* ---- starting ----------------------------------------------------------------------------- */

/* A number for g; more for p, where it has one. Main's goroutine needs no monitor; with a second
 * one there is somebody to hold up. */
static gofer_cold void give_shared_id(gofer_g *g, gofer_p *p)
{
    uint64_t batch = p ? ID_BATCH : 1;
    g->id = atomic_fetch_add_explicit(&gofer_sched.id_next, batch, memory_order_relaxed);
    if (p || g->id > 1)
        gofer_monitor_need();
    if (p) {
        p->id_next = g->id + 1;
        p->id_end = g->id + batch;
    }
}

static gofer_inline void give_id(gofer_g *g, gofer_p *p)
{
    if (gofer_unlikely(!p || p->id_next == p->id_end))
        give_shared_id(g, p);
    else
        g->id = p->id_next++;
}

static void count_goroutine(gofer_p *p, int64_t change)
{
    if (!p) {
        atomic_fetch_add_explicit(&gofer_sched.created_outside, change, memory_order_relaxed);
        return;
    }
    int64_t n = atomic_load_explicit(&p->created_minus_ended, memory_order_relaxed);
    atomic_store_explicit(&p->created_minus_ended, n + change, memory_order_relaxed);
}

enum { HEAD = offsetof(gofer_call, vector) };

/* The bytes of vector registers that matter, by the slots that the arguments would have on the
 * stack. */
static inline size_t vectors_of(const gofer_call *call)
{
    size_t most = sizeof call->vector;
    return call->stack_size < most / GOFER_VECTORS_A_SLOT ? call->stack_size * GOFER_VECTORS_A_SLOT
                                                          : most;
}

/* A call that is kept ends after the vector registers that matter, and its stack part follows. */
static inline void *stack_of(const gofer_call *kept)
{
    return (char *)(uintptr_t)kept->vector + vectors_of(kept);
}

/* Three words, one at a time: the stub has just written them so, and what reads two at once would
 * wait for both. */
static inline void copy_three(uint64_t *to, const volatile uint64_t *from)
{
    uint64_t a = from[0], b = from[1], c = from[2];
    to[0] = a;
    to[1] = b;
    to[2] = c;
}

/* To a kept call, all that the replay looks at. */
static inline void keep(gofer_call *to, const gofer_call *call, const void *stack)
{
    to->fn = call->fn;
    to->stack_size = call->stack_size;
    copy_three(to->integer, call->integer);
    copy_three(to->integer + 3, call->integer + 3);
    copy_three(to->integer + 6, call->integer + 6);
    gofer_copy_pairs(to->vector, call->vector, vectors_of(call));
    gofer_copy_pairs(stack_of(to), stack, call->stack_size);
}

/* A new goroutine's first frame. */
static void goroutine_main(void *argument)
{
    const gofer_call *call = argument;
    gofer_switched();
    gofer_m *m = gofer_m_self();
    gofer_g *self = m->g;
    self->unstarted = false;
    GOFER_TSAN_ACQUIRE(self);
    if (gofer_unlikely(self->sticky)) {
        self->home = m;
        m->sticky_count++;
    }
    gofer_leave(m);
    gofer_replay(call, call->stack_size ? stack_of(call) : NULL);
    gofer_goroutine_end();
}

/* Room for a kept call at the top of g's stack, from which it is replayed. */
static inline gofer_call *call_at_top(gofer_g *g, const gofer_call *call)
{
    size_t size = sizeof *call + call->stack_size; /* the replay reads all vector registers */
    gofer_call *at = (gofer_call *)((uintptr_t)(g->stack_high - size) & ~(uintptr_t)15);
    g->sp = gofer_context_make(at, goroutine_main, at);
    return at;
}

/* Where nothing is kept: the call is in the descriptor. */
static inline void *first_context(gofer_g *g)
{
    return gofer_context_make(g->stack_high, goroutine_main, &g->first);
}

static gofer_inline bool give_stack(gofer_g *g, gofer_cache *cache, size_t own_size)
{
    g->own_stack = own_size != 0;
    if (gofer_unlikely(own_size)) {
        g->stack_high = gofer_stack_map(own_size, &g->stack_low);
    } else {
        g->stack_high = gofer_cache_get(cache, &gofer_stacks);
        g->stack_low = gofer_stack_low(g->stack_high);
    }
    return g->stack_high != NULL;
}

static gofer_cold _Noreturn void fail_stack(void)
{
    gofer_fatal("runtime: cannot allocate memory for a goroutine's stack");
}

/* With a call that was kept, or no stack in the cache. */
static gofer_noinline void *begin_slow(gofer_m *m, gofer_g *g)
{
    gofer_call *call = g->first.kept;
    if (gofer_unlikely(!give_stack(g, &m->held->stacks, 0)))
        fail_stack();
    if (!call)
        return first_context(g);
    gofer_copy_pairs(call_at_top(g, call), call, HEAD + vectors_of(call) + call->stack_size);
    g->first.kept = NULL;
    gofer_cache_put(&m->held->calls, &gofer_calls, call);
    return g->sp;
}

void *gofer_begin(gofer_m *m, gofer_g *g)
{
    gofer_cache *stacks = &m->held->stacks;
    if (gofer_unlikely(g->first.kept || !stacks->count))
        return begin_slow(m, g);
    give_stack(g, stacks, 0);
    return first_context(g);
}

/* Keeps the call until g begins. False: it does not fit, or there is no memory. */
static inline bool keep_call(gofer_g *g, gofer_cache *cache, const gofer_call *call,
                             const void *stack)
{
    if (gofer_unlikely(HEAD + vectors_of(call) + call->stack_size > GOFER_CALL_ROOM))
        return false;
    gofer_call *kept = gofer_cache_get(cache, &gofer_calls);
    if (gofer_unlikely(!kept))
        return false;
    keep(kept, call, stack);
    g->first.kept = kept;
    return true;
}

/* A call with more than words, or a stack of its own size; false: no memory. */
static gofer_noinline bool keep_first_call(gofer_g *g, gofer_p *p, const gofer_call *call,
                                           const void *stack, size_t own_size)
{
    if (!own_size && keep_call(g, p ? &p->calls : NULL, call, stack))
        return true;
    if (!give_stack(g, p ? &p->stacks : NULL, own_size))
        return false;
    keep(call_at_top(g, call), call, stack);
    return true;
}

/* Gives g what it needs to run the call; false: no memory. */
static gofer_inline bool set_first_call(gofer_g *g, gofer_p *p, const gofer_call *call,
                                        const void *stack, size_t own_size)
{
    g->sp = NULL;
    g->first.fn = call->fn;
    g->first.kept = NULL;
    copy_three(g->first.integer, call->integer);
    copy_three(g->first.integer + 3, call->integer + 3);
    return gofer_likely(!own_size && !call->stack_size) ||
           keep_first_call(g, p, call, stack, own_size);
}

/* What a reused descriptor still has from before. */
static void clear(gofer_g *g)
{
    g->saved_errno = 0;
    g->defers = NULL;
    g->panics = NULL;
    g->running = NULL;
    g->home = NULL;
    g->exceptions[0] = g->exceptions[1] = NULL;
    g->stack_low = g->stack_high = NULL;
    g->run = NULL;
    g->lock_depth = g->blocking_depth = g->held = 0;
    g->panic_on_fault = false;
    g->unstarted = true;
#ifdef GOFER_ASAN
    g->asan_fake_stack = NULL;
#endif
}

static inline void set_origin(gofer_g *g, const gofer_m *m, const gofer_site *site,
                              const go_options *options)
{
    g->site = site;
    g->creator = m->g->id;
    g->name = options ? options->name : NULL;
    g->sticky = (options && options->sticky) || gofer_sched.all_sticky;
}

/* Inside, where p is not NULL. NULL: no memory. */
static gofer_inline gofer_g *create(gofer_m *m, gofer_p *p, const gofer_call *call,
                                    const void *stack, const gofer_site *site,
                                    const go_options *options)
{
    size_t own_size = options && options->stack > gofer_stack_size ? options->stack : 0;
    gofer_g *g = gofer_cache_get(p ? &p->gs : NULL, &gofer_gs);
    if (gofer_unlikely(!g))
        return NULL;
    clear(g);
    if (gofer_unlikely(!set_first_call(g, p, call, stack, own_size))) {
        gofer_cache_put(p ? &p->gs : NULL, &gofer_gs, g);
        return NULL;
    }
    give_id(g, p);
    count_goroutine(p, 1);
    set_origin(g, m, site, options);
#ifdef GOFER_TSAN
    g->tsan_fiber = __tsan_create_fiber(0); /* here: what comes before it is what its creator did */
#endif
    GOFER_TSAN_RELEASE(g);
    return g;
}

gofer_g *gofer_try_spawn(const gofer_call *call, const go_options *options)
{
    gofer_m *m = gofer_m_attached();
    /* timers are run inside */
    bool nested = atomic_load_explicit(&m->inside, memory_order_relaxed);
    gofer_p *p = nested ? m->held : gofer_enter(&m);
    gofer_g *g = create(m, p, call, NULL, NULL, options);
    if (p && !nested)
        gofer_leave(m);
    return g;
}

static gofer_cold void start_first(gofer_m *m)
{
    int error = gofer_visit(m);
    if (error)
        gofer_fatal("runtime: cannot start: %s", strerror(error));
}

void gofer_deliver_spawn(gofer_call *call, const void *stack)
{
    gofer_spawn_record *record = gofer_container(call, gofer_spawn_record, call);
    gofer_m *m = gofer_m_attached();
    if (gofer_unlikely(m->is_foreign))
        start_first(m);
    if (gofer_unlikely(!call->fn))
        gofer_fatal("go of nil func value");
    gofer_p *p = gofer_enter(&m);
    gofer_g *g = create(m, p, call, stack, record->site, record->options);
    if (gofer_unlikely(!g))
        fail_stack();
    if (gofer_unlikely(!p)) {
        gofer_enqueue(g, true);
        gofer_visit_end(m);
        return;
    }
    gofer_push(p, g, true);
    gofer_leave(m);
}

void go_spawn_with(const go_options *options, void (*fn)(void *), void *arg)
{
    gofer_spawn_record record = { .options = options };
    record.call.fn = (void (*)(void))fn;
    record.call.integer[0] = (uint64_t)(uintptr_t)arg;
    gofer_deliver_spawn(&record.call, NULL);
}

void go_spawn(void (*fn)(void *), void *arg)
{
    go_spawn_with(NULL, fn, arg);
}

/* ---- ending ------------------------------------------------------------------------------- */

/* The last access to g before it is put back. */
static inline void forget(gofer_g *g)
{
    atomic_store_explicit(&g->on_cpu, 0, memory_order_relaxed);
#ifdef GOFER_TSAN
    gofer_tsan_forget(g, GOFER_G_ROOM);
#endif
}

static gofer_noinline void recycle_slow(gofer_p *p, gofer_g *g)
{
    if (gofer_unlikely(g->own_stack))
        gofer_stack_unmap(g->stack_low, g->stack_high);
    else
        gofer_cache_put(p ? &p->stacks : NULL, &gofer_stacks, g->stack_high);
    forget(g);
    gofer_cache_put(p ? &p->gs : NULL, &gofer_gs, g);
}

void gofer_recycle(gofer_m *m, gofer_g *g)
{
    gofer_p *p = m->held;
#ifdef GOFER_TSAN
    __tsan_destroy_fiber(g->tsan_fiber);
    if (!g->own_stack)
        gofer_stack_renew(g->stack_high);
#endif
#ifdef GOFER_ASAN
    __asan_unpoison_memory_region(g->stack_low, (size_t)(g->stack_high - g->stack_low));
#endif
    if (gofer_unlikely(g->own_stack || !gofer_cache_has_room(p ? &p->stacks : NULL) ||
                       !gofer_cache_has_room(&p->gs))) {
        recycle_slow(p, g);
        return;
    }
    gofer_cache_put(&p->stacks, &gofer_stacks, g->stack_high);
    forget(g);
    gofer_cache_put(&p->gs, &gofer_gs, g);
}

_Noreturn void gofer_goroutine_end(void)
{
    gofer_m *m = gofer_m_self();
    gofer_check_ended(m->g, __builtin_frame_address(0));
    if (gofer_unlikely(m->g->locals != NULL)) {
        gofer_locals_free(m->g);
        m = gofer_m_self();
    }
    GOFER_TSAN_RELEASE(&gofer_life.changes); /* pairs with go_shutdown */
    gofer_p *p = gofer_enter(&m);
    gofer_g *self = m->g;
    if (self == gofer_sched.main_g)
        gofer_sched.main_gone = true;
    if (gofer_unlikely(self->run != NULL))
        gofer_run_finish(self);
    if (gofer_unlikely(self->sticky))
        m->sticky_count--;
    if (gofer_unlikely(m->locked == self)) {
        m->locked = NULL;
        m->ends = !m->is_main_thread && m->sticky_count == 0;
    }
    count_goroutine(p, -1);
    gofer_state_set(self, GOFER_DEAD);
    if (gofer_unlikely(m->ends))
        gofer_switch_to(m, self, &m->g0);
    gofer_schedule_away(m, p);
    __builtin_unreachable();
}

/* ---- the caller's own --------------------------------------------------------------------- */

uint64_t go_goid(void)
{
    return gofer_m_attached()->g->id;
}

void go_lock_os_thread(void)
{
    gofer_m *m = gofer_m_attached();
    gofer_g *self = m->g;
    if (m->is_foreign || self->lock_depth++ > 0)
        return;
    self->home = m;
    m->locked = self;
    gofer_call_attention(m);
}

void go_unlock_os_thread(void)
{
    gofer_m *m = gofer_m_attached();
    gofer_g *self = m->g;
    if (m->is_foreign || self->lock_depth == 0 || --self->lock_depth > 0)
        return;
    m->locked = NULL;
    if (!self->sticky)
        self->home = NULL;
}

/* Making goroutines and ending them.
 *
 * A new goroutine's stack begins with the captured call, which its first instructions replay.
 * Free goroutines stay with their stacks: a few on each processor, the rest in free_gs. */
#include "sched/internal.h"

#include "panic/panic.h"
#include "stack/stack.h"

enum { FREE_BATCH = 32, FREE_SPILL = GOFER_FREE_MOST / 2, ID_BATCH = 16 };

static struct {
    gofer_spin lock;
    gofer_list list;
} free_gs;

#ifdef GOFER_TSAN
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
#endif
#ifdef GOFER_ASAN
void __asan_unpoison_memory_region(void const volatile *address, size_t size);
#endif

/* ---- free goroutines ---------------------------------------------------------------------- */

static gofer_cold void spill(gofer_p *p)
{
    gofer_spin_lock(&free_gs.lock);
    for (int i = 0; i < FREE_SPILL; i++)
        gofer_list_push_front(&free_gs.list, p->free[i]);
    gofer_spin_unlock(&free_gs.lock);
    p->free_count -= FREE_SPILL; /* the coldest went; the others move down */
    memmove(p->free, p->free + FREE_SPILL, p->free_count * sizeof *p->free);
}

static gofer_cold gofer_g *refill(gofer_p *p)
{
    gofer_g *g = NULL;
    if (gofer_list_count(&free_gs.list)) {
        gofer_spin_lock(&free_gs.lock);
        g = gofer_list_pop(&free_gs.list);
        for (int i = 1; p && g && i < FREE_BATCH; i++) {
            gofer_g *more = gofer_list_pop(&free_gs.list);
            if (!more)
                break;
            p->free[p->free_count++] = more;
        }
        gofer_spin_unlock(&free_gs.lock);
    }
    if (g)
        return g;
    gofer_monitor_need();
    return gofer_stack_new();
}

void gofer_recycle(gofer_m *m, gofer_g *g)
{
#ifdef GOFER_TSAN
    __tsan_destroy_fiber(g->tsan_fiber);
#endif
    if (g->stack_base) {
        gofer_stack_free_own(g);
        return;
    }
#ifdef GOFER_ASAN
    __asan_unpoison_memory_region(g->stack_low, (size_t)(g->stack_high - g->stack_low));
#endif
    atomic_store_explicit(&g->on_cpu, 0, memory_order_relaxed);
    gofer_p *p = m->held;
    if (p) {
        if (gofer_unlikely(p->free_count == GOFER_FREE_MOST))
            spill(p);
        p->free[p->free_count++] = g;
        return;
    }
    gofer_spin_lock(&free_gs.lock);
    gofer_list_push_front(&free_gs.list, g);
    gofer_spin_unlock(&free_gs.lock);
}

/* For the monitor: gives back the memory that free goroutines beyond a batch have touched. */
void gofer_trim_free(void)
{
    gofer_list list = { 0 };
    gofer_spin_lock(&free_gs.lock);
    for (gofer_g *g; gofer_list_count(&free_gs.list) > FREE_BATCH;) {
        g = gofer_list_pop(&free_gs.list);
        gofer_list_push(&list, g);
    }
    gofer_spin_unlock(&free_gs.lock);
    for (gofer_g *g; (g = gofer_list_pop(&list));) {
        if (!g->trimmed)
            gofer_stack_trim(g);
        g->trimmed = true;
        gofer_spin_lock(&free_gs.lock);
        gofer_list_push(&free_gs.list, g);
        gofer_spin_unlock(&free_gs.lock);
    }
}

/* ---- starting ----------------------------------------------------------------------------- */

/* A new goroutine's first frame. */
static void goroutine_main(void *argument)
{
    gofer_call *call = argument;
    gofer_switched();
    gofer_m *m = gofer_m_self();
    gofer_g *self = m->g;
    self->unstarted = false;
    GOFER_TSAN_ACQUIRE(self);
    GOFER_TSAN_ACQUIRE(&self->stack_low); /* the stack's user before has ended */
    if (gofer_unlikely(self->sticky)) {
        self->home = m;
        m->sticky_count++;
    }
    gofer_leave(m);
    gofer_replay(call, call + 1);
    gofer_goroutine_end();
}

static void give_id(gofer_g *g, gofer_p *p)
{
    if (!p) {
        g->id = atomic_fetch_add_explicit(&gofer_sched.id_next, 1, memory_order_relaxed);
        return;
    }
    if (gofer_unlikely(p->id_next == p->id_end)) {
        p->id_next =
            atomic_fetch_add_explicit(&gofer_sched.id_next, ID_BATCH, memory_order_relaxed);
        p->id_end = p->id_next + ID_BATCH;
    }
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

/* Not instrumented: the stack part is read from above the caller's frame. */
__attribute__((no_sanitize("address", "thread"))) static void copy_words(void *to, const void *from,
                                                                         size_t size)
{
    uint64_t *out = to;
    const volatile uint64_t *in = from;
    for (size_t i = 0; i < size / 8; i++)
        out[i] = in[i];
}

static void set_first_call(gofer_g *g, const gofer_call *call, const void *stack)
{
    size_t size = sizeof *call + call->stack_size;
    char *at = (char *)((uintptr_t)((char *)g - size) & ~(uintptr_t)15);
    copy_words(at, call, sizeof *call);
    if (call->stack_size)
        copy_words(at + sizeof *call, stack, call->stack_size);
    g->sp = gofer_context_make(at, goroutine_main, at);
}

static void set_origin(gofer_g *g, const gofer_site *site, const go_options *options)
{
    gofer_m *m = gofer_m_self();
    g->site = site;
    g->name = options ? options->name : NULL;
    g->sticky = (options && options->sticky) || gofer_sched.all_sticky;
    g->creator = m ? m->g->id : 0;
}

static gofer_g *take_free(gofer_p *p, const go_options *options)
{
    if (gofer_unlikely(options && options->stack > gofer_sched.stack_size))
        return gofer_stack_new_own(options->stack);
    return gofer_likely(p && p->free_count) ? p->free[--p->free_count] : refill(p);
}

gofer_g *gofer_try_spawn(const gofer_call *call, const void *stack, const gofer_site *site,
                         const go_options *options)
{
    if (gofer_unlikely(!call->fn))
        gofer_fatal("go of nil func value");
    gofer_m *m = gofer_m_attached();
    gofer_p *p = gofer_enter(&m);
    gofer_g *g = take_free(p, options);
    if (gofer_unlikely(!g)) {
        if (p)
            gofer_leave(m);
        return NULL;
    }
    give_id(g, p);
    count_goroutine(p, 1);
    if (p)
        gofer_leave(m);
    g->defers = NULL;
    g->panics = NULL;
    g->running = NULL;
    g->exceptions[0] = g->exceptions[1] = NULL;
    g->saved_errno = 0;
    g->home = NULL;
    g->lock_depth = g->blocking_depth = 0;
    g->run = NULL;
    g->trimmed = false;
    g->panic_on_fault = false;
    g->unstarted = true;
    g->fn = call->fn;
    set_origin(g, site, options);
    set_first_call(g, call, stack);
#ifdef GOFER_ASAN
    g->asan_fake_stack = NULL;
#endif
#ifdef GOFER_TSAN
    g->tsan_fiber = __tsan_create_fiber(0);
#endif
    GOFER_TSAN_RELEASE(g);
    return g;
}

gofer_g *gofer_spawn(const gofer_call *call, const void *stack, const gofer_site *site,
                     const go_options *options)
{
    gofer_g *g = gofer_try_spawn(call, stack, site, options);
    if (gofer_unlikely(!g))
        gofer_fatal("runtime: cannot allocate memory for a goroutine's stack");
    return g;
}

void gofer_deliver_spawn(gofer_call *call, const void *stack)
{
    gofer_spawn_record *record = gofer_container(call, gofer_spawn_record, call);
    int error = gofer_start();
    if (gofer_unlikely(error))
        gofer_fatal("runtime: cannot start: %s", strerror(error));
    gofer_enqueue(gofer_spawn(call, stack, record->site, record->options), true);
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

_Noreturn void gofer_goroutine_end(void)
{
    gofer_check_ended(gofer_m_self()->g, __builtin_frame_address(0));
    gofer_locals_free(gofer_m_self()->g);
    gofer_m *m = gofer_m_self();
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

/* The runtime's start, go_run, and the program's own main. */
#include "sched/internal.h"

#include "debug/options.h"
#include "panic/panic.h"
#include "park/park.h"
#include "stack/stack.h"

#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

enum { DEFAULT_STACK = 256 * 1024, LEAST_STACK = 16 * 1024 };
#define MAIN_STACK ((size_t)1 << 30)
#define MOST_STACK ((int64_t)1 << 40)

void gofer_faults_install(void);
void *gofer_hooks_find(void); /* src/io/hooks.c */
void gofer_hooks_attach(void *found);

/* ---- start -------------------------------------------------------------------------------- */

static size_t stack_size_wanted(void)
{
    size_t size = (size_t)gofer_number_from("GOFER_STACK", MOST_STACK);
    return size < LEAST_STACK ? DEFAULT_STACK : size;
}

static int start(void *hooks)
{
    pthread_sigmask(SIG_BLOCK, NULL, &gofer_sched.signal_mask);
    gofer_debug_start();
    gofer_threads_begin();
    gofer_sched.migrates = gofer_debug.migrate;
    const char *sticky = getenv("GOFER_STICKY");
    gofer_sched.all_sticky = sticky && strcmp(sticky, "1") == 0;
    gofer_stack_size = stack_size_wanted();
    atomic_store_explicit(&gofer_sched.id_next, 1, memory_order_relaxed);
    atomic_store_explicit(&gofer_sched.coarse_now, gofer_nanotime(), memory_order_relaxed);
    gofer_procs_start();
    if (atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed) == 0)
        return ENOMEM;
    gofer_fork_prepare();
    gofer_faults_install();
    gofer_hooks_attach(hooks);
    return 0;
}

int gofer_start(void)
{
    if (gofer_likely(atomic_load_explicit(&gofer_life.started, memory_order_acquire)))
        return 0;
    gofer_fork_check();
    /* Not under the lock: it takes the loader's, whose owner may be in a constructor that waits for
     * ours. */
    void *hooks = gofer_hooks_find();
    pthread_mutex_lock(&gofer_life.lock);
    int error = atomic_load_explicit(&gofer_life.started, memory_order_relaxed) ? 0 : start(hooks);
    if (!error)
        atomic_store_explicit(&gofer_life.started, true, memory_order_seq_cst);
    pthread_mutex_unlock(&gofer_life.lock);
    return error;
}

/* ---- go_run ------------------------------------------------------------------------------- */

struct gofer_run {
    int (*fn)(int, char **);
    int argc;
    char **argv;
    int result;
    bool returned;
    gofer_g *waiter;
};

static void run_main(void *argument)
{
    struct gofer_run *run = argument;
    run->result = run->fn(run->argc, run->argv);
    run->returned = true;
}

/* The goroutine ends, by return or by Goexit; run is gone once the waiter is ready. */
void gofer_run_finish(gofer_g *g)
{
    struct gofer_run *run = g->run;
    g->run = NULL;
    gofer_ready(run->waiter);
}

static int fail(int error)
{
    *gofer_errno() = error;
    return -1;
}

int go_run(int (*fn)(int, char **), int argc, char **argv)
{
    gofer_m *m = gofer_m_attached();
    int error = gofer_visit(m);
    if (error)
        return fail(error);
    if (m->is_foreign && (error = gofer_thread_need()) != 0) {
        gofer_visit_end(m);
        return fail(error);
    }
    gofer_g *self = m->g;
    struct gofer_run run = { .fn = fn, .argc = argc, .argv = argv, .waiter = self };
    gofer_call call = { .fn = (void (*)(void))run_main };
    call.integer[0] = (uint64_t)(uintptr_t)&run;
    go_options options = { .stack = MAIN_STACK / 16, .name = "go_run" };
    gofer_g *g = gofer_try_spawn(&call, &options);
    if (!g) {
        gofer_visit_end(m);
        return fail(ENOMEM);
    }
    g->run = &run;
    gofer_prepare_park(self, GOFER_WAIT_RUN);
    gofer_enqueue(g, true);
    gofer_visit_end(m);
    gofer_park(self);
    return run.returned ? run.result : fail(ECANCELED);
}

/* ---- the library's own main --------------------------------------------------------------- */

static int main_argc;
static char **main_argv;
static int (*main_fn)(int, char **);

static void main_goroutine(void)
{
    int status = main_fn(main_argc, main_argv);
    gofer_let_end();
    gofer_cut_off();
    exit(status);
}

/* After exit's handlers and the program's destructors, which may wait for goroutines that print.
 * The C library flushes after it, and without the lock: a line that another thread was printing
 * came out twice. Keeps the lock. */
__attribute__((destructor(101))) static void stop_printing(void)
{
    if (gofer_sched.main_owns_process)
        gofer_lock_stdout();
}

/* Go does not buffer its output and C does; at least whole lines shall be out when a program
 * crashes. Left alone where the program chose a buffer before. */
static void buffer_lines(void)
{
    if (__fbufsize(stdout) == 0 && !isatty(1))
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

static gofer_g *make_main_goroutine(void)
{
    gofer_call call = { .fn = main_goroutine };
    size_t size = MAIN_STACK;
    do {
        go_options options = { .stack = size };
        gofer_g *g = gofer_try_spawn(&call, &options);
        if (g)
            return g;
        size /= 2;
    } while (size >= gofer_stack_size);
    gofer_fatal("runtime: cannot allocate memory for main's stack");
}

/* Under main: runs fn as main's goroutine on the calling thread, and never returns. */
GOFER_API int gofer_main(int argc, char **argv, int (*fn)(int, char **))
{
    if (!fn) /* in one file go_main is weak: tools/amalgamate.py */
        gofer_fatal("runtime: the program has neither go_main nor main");
    main_argc = argc;
    main_argv = argv;
    main_fn = fn;
    int saved = errno;
    buffer_lines();
    errno = saved;
    gofer_sched.main_owns_process = true;
    gofer_m *m = gofer_m_new();
    if (!m || gofer_start() != 0)
        gofer_fatal("runtime: cannot start: out of memory");
    m->is_main_thread = true;
    gofer_g *g = make_main_goroutine();
    gofer_sched.main_g = g;
    gofer_m_bind_worker(m);
    gofer_spin_lock(&gofer_sched.lock);
    gofer_sched.thread_count++;
    gofer_p *p = gofer_take_idle_p();
    gofer_spin_unlock(&gofer_sched.lock);
    gofer_state_set(g, GOFER_RUNNABLE);
    if (p) {
        gofer_hold(m, p);
        m->resume = g;
    } else {
        gofer_enqueue_global(g); /* a constructor's goroutines hold them all */
    }
    gofer_g0_loop(m);
    for (;;)
        pause();
}

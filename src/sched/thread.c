/* Threads: making the runtime's own, giving plain ones a descriptor, telling them apart.
 *
 * A gofer_m of a goroutine thread lives until go_shutdown has joined the thread; all_ms is a list
 * that only grows.
 * A plain thread's descriptor is freed by its thread-specific destructor. */
#include "sched/internal.h"

#include "base/own_thread.h"
#include "io/poller.h"
#include "panic/panic.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* used: with LTO only assembly names it. */
__thread gofer_m *gofer_tls __attribute__((tls_model("initial-exec"), used));
__thread bool gofer_thread_ends __attribute__((tls_model("initial-exec")));

/* C++: where this thread's exception state lives. Absent in a program without C++. */
void *__cxa_get_globals(void) __attribute__((weak));
#ifdef GOFER_TSAN
void *__tsan_get_current_fiber(void);
#endif
void gofer_faults_thread_start(gofer_m *m);
void gofer_faults_thread_stop(gofer_m *m);
void gofer_reader_row_give(gofer_m *m);

enum { THREAD_STACK = 256 * 1024 };

static gofer_spin list_lock; /* guards foreign_ms and their is_ignored */
static gofer_m *foreign_ms;
static pthread_key_t foreign_key, worker_key;
static pthread_mutex_t key_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool keys_made; /* written under key_lock */
static pid_t ignored[256];     /* those that were there before main */
static int ignored_count;
_Atomic pid_t gofer_monitor_tid;

gofer_m *gofer_m_new(void)
{
    gofer_m *m = NULL;
    if (posix_memalign((void **)&m, GOFER_CACHE_LINE, sizeof *m) != 0)
        return NULL;
    memset(m, 0, sizeof *m);
    m->random = (uint32_t)((uintptr_t)m >> 6) * 2654435761u | 1;
    m->g = &m->g0;
    m->previous = &m->g0;
    m->g0.is_system = true;
    GOFER_TSAN_RELEASE(m);
    return m;
}

/* The thread's own stack, for ASan and for the overflow report. */
static void find_stack(gofer_m *m)
{
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    void *low = NULL;
    size_t size = 0;
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    m->g0.stack_low = low;
    m->g0.stack_high = (char *)low + size;
}

void gofer_m_bind(gofer_m *m)
{
    if (pthread_getcpuclockid(pthread_self(), &m->cpu_clock) != 0)
        m->cpu_clock = CLOCK_MONOTONIC; /* without clocks of threads all look busy */
    m->tid = (pid_t)syscall(SYS_gettid);
    m->thread = pthread_self();
    m->errno_address = __errno_location();
    m->exceptions = __cxa_get_globals ? __cxa_get_globals() : NULL;
#ifdef GOFER_TSAN
    m->g0.tsan_fiber = __tsan_get_current_fiber();
#endif
    find_stack(m);
    GOFER_TSAN_RELEASE(m); /* with the thread-locals that TSan saw this thread set up */
    gofer_tls = m;
}

/* ---- threads that end ------------------------------------------------------------------------ */

/* A plain thread ends. */
static void detach(void *argument)
{
    gofer_m *m = argument;
    gofer_spin_lock(&list_lock);
    gofer_m **at = &foreign_ms;
    while (*at != m)
        at = &(*at)->all_link;
    *at = m->all_link;
    gofer_spin_unlock(&list_lock);
    /* what pthread_exit has not unwound is left behind: nothing of it runs or is looked at again */
    m->g0.defers = NULL;
    m->g0.running = NULL;
    m->g0.panics = NULL;
    gofer_locals_free(&m->g0);
    gofer_faults_thread_stop(m);
    gofer_reader_row_give(m);
    gofer_tls = NULL;
    free(m);
}

/* A thread of the runtime's ends although it did not return: with it its goroutine would be gone.
 */
static void die_of_exit(void *argument)
{
    const gofer_g *g = ((gofer_m *)argument)->g;
    const char *name = g->site && g->site->name ? g->site->name : g->name;
    if (g == gofer_sched.main_g)
        name = "go_main";
    gofer_fatal("pthread_exit in goroutine %llu (main.%s)", (unsigned long long)g->id,
                name ? name : "?");
}

static void make_keys(void)
{
    if (atomic_load_explicit(&keys_made, memory_order_acquire))
        return;
    pthread_mutex_lock(&key_lock);
    if (!keys_made && (pthread_key_create(&foreign_key, detach) != 0 ||
                       pthread_key_create(&worker_key, die_of_exit) != 0))
        gofer_fatal("no thread-specific key left for gofer: too many pthread_key_create");
    atomic_store_explicit(&keys_made, true, memory_order_release);
    pthread_mutex_unlock(&key_lock);
}

/* dlclose after go_shutdown, or exit. No thread that ends later may call into what is unmapped; at
 * exit others may still run, and make the keys anew. */
__attribute__((destructor)) static void unload(void)
{
    if (!atomic_load_explicit(&keys_made, memory_order_acquire) || gofer_sched.forked ||
        atomic_load_explicit(&gofer_life.started, memory_order_acquire))
        return;
    pthread_mutex_lock(&key_lock);
    atomic_store_explicit(&keys_made, false, memory_order_relaxed);
    pthread_key_delete(foreign_key);
    pthread_key_delete(worker_key);
    pthread_mutex_unlock(&key_lock);
    if (gofer_tls && gofer_tls->is_foreign)
        detach(gofer_tls);
}

/* Of the thread that started the runtime: whoever starts another thread, the monitor with a name of
 * its own among them, that one is called so. Written before there are any. */
static char program_name[16];
static int program_slack; /* nanoseconds by which timers may be late where they are not ours */

void gofer_threads_begin(void)
{
    prctl(PR_GET_NAME, program_name, 0UL, 0UL, 0UL);
    if (program_slack == 0) /* later it may be a thread of ours that starts the runtime again */
        program_slack = prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
}

void gofer_sleepers_on_time(bool on_time)
{
    unsigned long slack = on_time ? 1 : program_slack > 0 ? (unsigned long)program_slack : 0;
    prctl(PR_SET_TIMERSLACK, slack, 0UL, 0UL, 0UL);
}

/* ---- the runtime's own threads ------------------------------------------------------------ */

static void list_m(gofer_m *m)
{
    m->all_link = atomic_load_explicit(&gofer_sched.all_ms, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&gofer_sched.all_ms, &m->all_link, m,
                                                  memory_order_release, memory_order_relaxed))
        ;
    /* pairs with gofer_call_attention_of_all: it finds m, or m sees what led to it */
    atomic_thread_fence(memory_order_seq_cst);
}

void gofer_m_bind_worker(gofer_m *m)
{
    make_keys();
    if (gofer_tls) { /* the program's first thread, which has made main's goroutine */
        pthread_setspecific(foreign_key, NULL);
        detach(gofer_tls);
    }
    gofer_m_bind(m);
    gofer_sleepers_on_time(true);
    gofer_faults_thread_start(m);
    pthread_setspecific(worker_key, m); /* no memory: pthread_exit goes unnoticed */
    list_m(m);
}

/* The calling thread's last act but for the program's thread-specific destructors, which find a
 * plain thread. Each joins the one that ended before it, so at most one is left that nobody has
 * joined; go_shutdown joins that. */
static void end_thread(gofer_m *m)
{
    gofer_spin_lock(&gofer_sched.lock);
    gofer_m *before = gofer_sched.last_ended;
    gofer_sched.last_ended = m;
#ifdef GOFER_TSAN /* which reports the one that is left at the process's end */
    if (!gofer_sched.stopping) {
        gofer_sched.last_ended = before;
        before = NULL;
        pthread_detach(pthread_self());
    }
#endif
    GOFER_TSAN_RELEASE(&gofer_sched.thread_count); /* the lock's order, which TSan does not see */
    bool last = --gofer_sched.thread_count == 0;
    gofer_spin_unlock(&gofer_sched.lock);
    if (last)
        gofer_say_quiet();
    if (before) /* not sooner: its destructors may wait for go_shutdown, which waits for `last` */
        pthread_join(before->thread, NULL);
    atomic_store_explicit(&m->gone, 1, memory_order_release);
}

static void *thread_main(void *argument)
{
    gofer_m *m = argument;
    prctl(PR_SET_NAME, program_name, 0UL, 0UL, 0UL);
    gofer_m_bind_worker(m);
    /* the creator's may be another: the monitor's and the signals' thread block what they can */
    pthread_sigmask(SIG_SETMASK, &gofer_sched.signal_mask, NULL);
    gofer_p *p = m->next_p;
    m->next_p = NULL;
    gofer_hold(m, p);
    gofer_g0_loop(m);
    gofer_faults_thread_stop(m);
    gofer_reader_row_give(m);
    pthread_setspecific(worker_key, NULL);
    gofer_tls = NULL;
    gofer_thread_ends = true;
    end_thread(m);
    return NULL;
}

static gofer_cold _Noreturn void fail_thread(int count, int error)
{
    char line[128];
    snprintf(line, sizeof line,
             "runtime: failed to create new OS thread (have %d already; errno=%d)\n", count, error);
    gofer_fatal_after(line, "newosproc");
}

static gofer_cold _Noreturn void fail_limit(void)
{
    char line[80];
    snprintf(line, sizeof line, "runtime: program exceeds %d-thread limit\n",
             gofer_sched.max_threads);
    gofer_fatal_after(line, "thread exhaustion");
}

static int create_thread(gofer_p *p, bool spinning)
{
    gofer_m *m = gofer_m_new();
    if (!m)
        return ENOMEM;
    m->next_p = p;
    m->wake_spinning = spinning;
    pthread_t thread;
    int error = gofer_own_thread(&thread, THREAD_STACK, thread_main, m);
    if (error)
        free(m);
    return error;
}

static int count_one(void)
{
    gofer_spin_lock(&gofer_sched.lock);
    int count = ++gofer_sched.thread_count;
    gofer_spin_unlock(&gofer_sched.lock);
    return count;
}

void gofer_thread_start(gofer_p *p, bool spinning)
{
    int count = count_one();
    if (count > gofer_sched.max_threads)
        fail_limit();
    int error = create_thread(p, spinning);
    if (error)
        fail_thread(count - 1, error);
}

int gofer_thread_need(void)
{
    gofer_spin_lock(&gofer_sched.lock);
    gofer_p *p = gofer_sched.thread_count == 0 ? gofer_take_idle_p() : NULL;
    gofer_sched.thread_count += p != NULL;
    gofer_spin_unlock(&gofer_sched.lock);
    int error = p ? create_thread(p, false) : 0;
    if (error) {
        gofer_spin_lock(&gofer_sched.lock);
        gofer_sched.thread_count--;
        gofer_give_back_p(p);
        bool work = gofer_list_count(&gofer_sched.global) != 0;
        gofer_spin_unlock(&gofer_sched.lock);
        if (work) /* of another go_run, which found the processor taken */
            gofer_wake_one();
    }
    return error;
}

int go_set_max_threads(int n)
{
    gofer_spin_lock(&gofer_sched.lock);
    int before = gofer_sched.max_threads;
    if (n > 0)
        gofer_sched.max_threads = n;
    gofer_spin_unlock(&gofer_sched.lock);
    return before;
}

/* ---- plain threads ------------------------------------------------------------------------ */

static gofer_cold _Noreturn void fail_attach(void)
{
    gofer_fatal("out of memory attaching a thread");
}

void gofer_attach_as(gofer_m *m)
{
    make_keys();
    if (pthread_setspecific(foreign_key, m) != 0)
        fail_attach();
    m->is_foreign = true;
    m->g0.is_thread = true;
    m->g0.is_system = false;
    gofer_state_set(&m->g0, GOFER_RUNNING);
    gofer_m_bind(m);
    gofer_faults_thread_start(m);
    gofer_spin_lock(&list_lock);
    m->all_link = foreign_ms;
    foreign_ms = m;
    gofer_spin_unlock(&list_lock);
}

gofer_cold gofer_m *gofer_attach(void)
{
    gofer_m *m = gofer_m_new();
    if (!m)
        fail_attach();
    gofer_attach_as(m);
    return m;
}

/* ---- whose thread is it? ------------------------------------------------------------------ */

void gofer_thread_set_ignored(gofer_m *m, bool ignored)
{
    gofer_spin_lock(&list_lock);
    m->is_ignored = ignored;
    gofer_spin_unlock(&list_lock);
}

void go_thread_ignore(void)
{
    gofer_thread_set_ignored(gofer_m_attached(), true);
}

static void *note_own_tid(void *tid)
{
    *(pid_t *)tid = (pid_t)syscall(SYS_gettid);
    return NULL;
}

void __tsan_init(void) __attribute__((weak));
void __asan_init(void) __attribute__((weak));

/* qemu's user emulation shows its own threads among the program's. */
static bool is_emulated(void)
{
    char name[16] = "";
    prctl(PR_GET_NAME, name, 0UL, 0UL, 0UL);
    return strncmp(name, "qemu-", 5) == 0;
}

/* Threads that a sanitizer or an emulator started before main: they wake nobody. TSan starts its
 * own with the program's first thread, so that it gets one here, which the kernel may still list.
 */
__attribute__((constructor)) static void ignore_early_threads(void)
{
    pid_t first = 0;
    pthread_t thread;
    if (!__tsan_init && !__asan_init && !is_emulated())
        return;
    if (__tsan_init && pthread_create(&thread, NULL, note_own_tid, &first) == 0)
        pthread_join(thread, NULL);
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        if (tid > 0 && tid != getpid() && tid != first && ignored_count < 256)
            ignored[ignored_count++] = tid;
    }
    closedir(tasks);
}

static bool is_io_uring_worker(pid_t tid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", (int)tid);
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT || errno == ESRCH; /* it has ended meanwhile */
    if (!fgets(name, sizeof name, file))
        name[0] = 0;
    fclose(file);
    return strncmp(name, "iou-wrk-", 8) == 0 || strncmp(name, "iou-sqp-", 8) == 0;
}

/* The program's first thread is listed until the process ends, although it has left by
 * pthread_exit. */
static bool has_ended(pid_t tid)
{
    char path[64], line[128] = "";
    if (tid != getpid())
        return false;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    line[fread(line, 1, sizeof line - 1, file)] = 0;
    fclose(file);
    const char *name_end = strrchr(line, ')');
    return name_end && (strncmp(name_end, ") Z", 3) == 0 || strncmp(name_end, ") X", 3) == 0);
}

static bool cannot_wake(pid_t tid)
{
    if (tid == atomic_load_explicit(&gofer_monitor_tid, memory_order_relaxed) ||
        tid == gofer_poller_thread())
        return true;
    for (gofer_m *m = atomic_load_explicit(&gofer_sched.all_ms, memory_order_acquire); m;
         m = m->all_link)
        if (m->tid == tid && !atomic_load_explicit(&m->gone, memory_order_acquire))
            return true; /* the number of one that is gone may be a new thread's */
    bool found = false;
    gofer_spin_lock(&list_lock);
    for (int i = 0; i < ignored_count && !found; i++)
        found = ignored[i] == tid;
    for (gofer_m *m = foreign_ms; m && !found; m = m->all_link)
        found = m->tid == tid && (m->is_ignored || gofer_state_of(&m->g0) == GOFER_WAITING);
    gofer_spin_unlock(&list_lock);
    return found || has_ended(tid) || is_io_uring_worker(tid);
}

/* Those that have ever waited: for what it waited last a thread may count yet after it woke. One in
 * go_run waits for a goroutine. */
bool gofer_plain_threads_wait(void)
{
    bool found = false;
    atomic_thread_fence(memory_order_acquire); /* pairs with gofer_prepare_park */
    gofer_spin_lock(&list_lock);
    for (gofer_m *m = foreign_ms; m && !found; m = m->all_link) {
        uint8_t reason = atomic_load_explicit(&m->g0.reason, memory_order_relaxed);
        found = reason != GOFER_WAIT_NONE && reason != GOFER_WAIT_RUN;
    }
    gofer_spin_unlock(&list_lock);
    return found;
}

/* How many threads are listed, if none of them could wake anybody; else -1. */
static int count_harmless(void)
{
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return -1; /* nobody can tell: no report */
    int count = 0;
    for (struct dirent *entry; count >= 0 && (entry = readdir(tasks));) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        if (tid > 0)
            count = cannot_wake(tid) ? count + 1 : -1;
    }
    closedir(tasks);
    return count ? count : -1; /* the caller's own at least is listed */
}

/* A list that is read while a thread ends may stop there and lack the threads after it: only two
 * alike are believed. */
bool gofer_foreign_threads(void)
{
    int count = count_harmless();
    return count < 0 || count_harmless() != count;
}

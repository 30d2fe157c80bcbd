/* How many processors there are: the environment, affinity, the cgroup's quota, GOMAXPROCS.
 *
 * Processors live until go_shutdown; those beyond GOMAXPROCS rest until it grows again. */
#include "sched/internal.h"

#include "panic/panic.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static int affinity_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

/* A small file as a text, cut where it does not fit; false: there is none. Without stdio, which is
 * the program's: the monitor reads here at any time, at exit too. */
static bool read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, size - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

/* cpu.max of one cgroup as whole processors, rounded up; 0: no limit. */
static long quota_at(const char *directory)
{
    char path[512], text[64], quota[32];
    long period;
    snprintf(path, sizeof path, "%.480s/cpu.max", directory);
    if (!read_text(path, text, sizeof text) || sscanf(text, "%31s %ld", quota, &period) != 2)
        return 0;
    long microseconds = atol(quota);
    if (microseconds <= 0 || period <= 0)
        return 0;
    return (microseconds + period - 1) / period;
}

/* The tightest quota from this process's cgroup (version 2) up to the root. */
static long quota_count(void)
{
    char text[4096], directory[300];
    if (!read_text("/proc/self/cgroup", text, sizeof text))
        return 0;
    char *line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
    if (!line)
        return 0;
    line += *line == '\n';
    line[strcspn(line, "\n")] = 0;
    snprintf(directory, sizeof directory, "/sys/fs/cgroup%s", line + 3);
    long least = 0;
    for (char *slash; (slash = strrchr(directory, '/')) > directory + 4; *slash = 0) {
        long n = quota_at(directory);
        if (n > 0 && (least == 0 || n < least))
            least = n;
    }
    return least;
}

int gofer_cpu_count(void)
{
    int n = affinity_count();
    long quota = quota_count();
    if (quota > 0 && quota < 2)
        quota =
            2; /* one processor alone would let a garbage of blocking calls stall it: Go's rule */
    return quota > 0 && quota < n ? (int)quota : n;
}

int go_num_cpu(void)
{
    static int count;
    if (!count)
        count = affinity_count();
    return count;
}

static gofer_p *make_p(int index)
{
    gofer_p *p = NULL;
    if (posix_memalign((void **)&p, GOFER_CACHE_LINE, sizeof *p) != 0)
        return NULL;
    memset(p, 0, sizeof *p);
    p->index = index;
    p->is_resting = true;
    GOFER_TSAN_RELEASE(p);
    return p;
}

/* sched.lock. Makes processors up to n, as far as memory goes; returns how many there are. */
static int make_ps(int n)
{
    int have = atomic_load_explicit(&gofer_sched.p_count, memory_order_relaxed);
    while (have < n && (gofer_sched.ps[have] = make_p(have)))
        have++;
    atomic_store_explicit(&gofer_sched.p_count, have, memory_order_release);
    return have < n ? have : n;
}

/* sched.lock. Of the first n processors, those that nobody holds become idle. */
static void unrest(int n)
{
    for (int i = n - 1; i >= 0; i--) {
        gofer_p *p = gofer_sched.ps[i];
        if (p->is_resting)
            gofer_put_idle_p(p);
        p->is_resting = false;
    }
}

/* sched.lock. Idle processors from n on rest. */
static void unlist_beyond(int n)
{
    for (gofer_p **at = &gofer_sched.idle_ps; *at;) {
        gofer_p *p = *at;
        if (p->index < n) {
            at = &p->idle_link;
            continue;
        }
        *at = p->idle_link;
        p->is_resting = true;
        atomic_fetch_sub_explicit(&gofer_sched.idle_p_count, 1, memory_order_relaxed);
    }
}

void gofer_call_attention_of_all(void)
{
    /* After what they shall see. Pairs with the one in list_m: who is not found here sees it. */
    atomic_thread_fence(memory_order_seq_cst);
    for (gofer_m *m = atomic_load_explicit(&gofer_sched.all_ms, memory_order_acquire); m;
         m = m->all_link)
        gofer_call_attention(m);
}

/* GOMAXPROCS follows affinity and quota: neither the environment nor a call has set it. */
static bool automatic; /* sched.lock */

/* sched.lock */
static void set_procs(int n)
{
    n = make_ps(n < GOFER_MAX_PROCS ? n : GOFER_MAX_PROCS);
    unlist_beyond(n);
    atomic_store_explicit(&gofer_sched.nprocs, n, memory_order_release);
    gofer_call_attention_of_all();
    unrest(n);
}

void gofer_procs_refresh(void)
{
    int n = gofer_cpu_count();
    gofer_spin_lock(&gofer_sched.lock);
    bool changes =
        automatic && n != atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed);
    if (changes)
        set_procs(n);
    gofer_spin_unlock(&gofer_sched.lock);
    if (changes)
        gofer_wake_one();
}

int go_gomaxprocs(int n)
{
    gofer_m *m = gofer_m_attached();
    if (gofer_visit(m) != 0)
        gofer_fatal("runtime: cannot start: out of memory");
    gofer_spin_lock(&gofer_sched.lock);
    int before = atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed);
    if (n >= 1)
        automatic = false;
    if (n >= 1 && n != before)
        set_procs(n);
    gofer_spin_unlock(&gofer_sched.lock);
    gofer_wake_one();
    gofer_visit_end(m);
    return before;
}

/* Its work goes to the global queue. A processor that was wanted again meanwhile stays. */
void gofer_procs_retire(gofer_m *m)
{
    gofer_p *p = m->held;
    gofer_spin_lock(&gofer_sched.lock);
    if (p->index < atomic_load_explicit(&gofer_sched.nprocs, memory_order_relaxed)) {
        gofer_spin_unlock(&gofer_sched.lock);
        return;
    }
    gofer_g *g = atomic_load_explicit(&p->next, memory_order_relaxed);
    atomic_store_explicit(&p->next, NULL, memory_order_relaxed);
    if (g)
        gofer_list_push(&gofer_sched.global, g);
    while ((g = gofer_runq_pop(p)) || (g = gofer_list_pop(&p->woken)) ||
           (g = gofer_list_pop(&p->fresh)) || (g = gofer_list_pop(&p->backlog)))
        gofer_list_push(&gofer_sched.global, g);
    gofer_release_p(m);
    atomic_store_explicit(&p->m, NULL, memory_order_relaxed);
    atomic_fetch_sub_explicit(&gofer_sched.busy_p_count, 1, memory_order_relaxed);
    p->is_resting = true;
    gofer_spin_unlock(&gofer_sched.lock);
    gofer_wake_one();
}

void gofer_procs_free(void)
{
    int n = atomic_load_explicit(&gofer_sched.p_count, memory_order_relaxed);
    atomic_store_explicit(&gofer_sched.p_count, 0, memory_order_relaxed);
    atomic_store_explicit(&gofer_sched.nprocs, 0, memory_order_relaxed);
    atomic_store_explicit(&gofer_sched.idle_p_count, 0, memory_order_relaxed);
    atomic_store_explicit(&gofer_sched.busy_p_count, 0, memory_order_relaxed);
    atomic_store_explicit(&gofer_sched.spinning, 0, memory_order_relaxed);
    gofer_sched.idle_ps = NULL;
    while (n > 0)
        free(gofer_sched.ps[--n]);
}

int gofer_procs_at_start(void)
{
    int n = (int)gofer_number_from("GOMAXPROCS", INT32_MAX);
    if (n == 0)
        n = gofer_cpu_count();
    return n < GOFER_MAX_PROCS ? n : GOFER_MAX_PROCS;
}

void gofer_procs_start(void)
{
    automatic = gofer_number_from("GOMAXPROCS", INT32_MAX) == 0;
    int n = make_ps(gofer_procs_at_start());
    unrest(n);
    atomic_store_explicit(&gofer_sched.nprocs, n, memory_order_release);
}

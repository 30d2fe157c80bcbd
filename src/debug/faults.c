/* Real faults and SIGQUIT: Go's texts.
 *
 * Handlers run on each thread's alternate stack, since a goroutine's own may be what overflowed.
 * They are installed only where the program has none and no sanitizer wants the signals. */
#include "debug/dump.h"
#include "panic/panic.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { ALTERNATE_STACK = 128 * 1024, GUARD_REACH = 65536 };

void gofer_faults_install(void);
void gofer_faults_thread_start(gofer_m *m);
void gofer_faults_thread_stop(gofer_m *m);

static uintptr_t pc_of(const void *context)
{
    const ucontext_t *user = context;
#if defined __x86_64__
    return (uintptr_t)user->uc_mcontext.gregs[REG_RIP];
#elif defined __aarch64__
    return (uintptr_t)user->uc_mcontext.pc;
#else
    (void)user;
    return 0;
#endif
}

/* A fault just below a goroutine's stack: it grew into its guard. */
static bool is_overflow(const gofer_g *g, const void *address)
{
    const char *low = g ? gofer_low(g) : NULL;
    return low && (const char *)address < low && (const char *)address >= low - GUARD_REACH;
}

static _Noreturn void report_overflow(const gofer_g *g, uintptr_t pc)
{
    char line[256];
    snprintf(line, sizeof line,
             "runtime: goroutine stack exceeds %zu-byte limit\n"
             "runtime: goroutine %llu%s%.60s; give it more with go_with or GOFER_STACK\n",
             (size_t)(g->stack_high - gofer_low(g)), (unsigned long long)g->id,
             g->name || (g->site && g->site->name) ? " " : "",
             g->name                    ? g->name
             : g->site && g->site->name ? g->site->name
                                        : "");
    gofer_die_of_signal(line, "fatal error: stack overflow\n", pc);
}

static const char *text_of(int number)
{
    switch (number) {
    case SIGFPE:
        return "panic: runtime error: integer divide by zero\n";
    case SIGBUS:
        return "fatal error: unexpected signal during runtime execution\n";
    default:
        return "panic: runtime error: invalid memory address or nil pointer dereference\n";
    }
}

static const char *name_of(int number)
{
    switch (number) {
    case SIGFPE:
        return "SIGFPE: floating-point exception";
    case SIGBUS:
        return "SIGBUS: bus error";
    default:
        return "SIGSEGV: segmentation violation";
    }
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    char line[160];
    gofer_m *m = gofer_m_self();
    if (number == SIGSEGV && m && is_overflow(m->g, info->si_addr))
        report_overflow(m->g, pc_of(context));
    snprintf(line, sizeof line, "[signal %s code=0x%x addr=0x%lx pc=0x%lx]\n", name_of(number),
             (unsigned)info->si_code, (unsigned long)(uintptr_t)info->si_addr,
             (unsigned long)pc_of(context));
    gofer_die_of_signal(text_of(number), line, pc_of(context));
}

static void on_quit(int number, siginfo_t *info, void *context)
{
    char line[80];
    (void)number;
    (void)info;
    snprintf(line, sizeof line, "PC=0x%lx m=0 sigcode=0\n", (unsigned long)pc_of(context));
    gofer_die_of_quit(line, pc_of(context));
}

#if defined GOFER_ASAN || defined GOFER_TSAN
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

static void install(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction now, action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    if (sigaction(number, NULL, &now) != 0 || now.sa_handler != SIG_DFL)
        return;
    action.sa_sigaction = handler;
    sigaction(number, &action, NULL);
}

void gofer_faults_install(void)
{
    install(SIGQUIT, on_quit);
    if (sanitized)
        return;
    install(SIGSEGV, on_fault);
    install(SIGBUS, on_fault);
    install(SIGFPE, on_fault);
}

void gofer_faults_thread_start(gofer_m *m)
{
    if (sanitized)
        return;
    void *memory = mmap(NULL, ALTERNATE_STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return; /* a stack overflow on this thread dies without a report */
    stack_t stack = { .ss_sp = memory, .ss_size = ALTERNATE_STACK };
    if (sigaltstack(&stack, NULL) == 0)
        m->alternate_stack = memory;
    else
        munmap(memory, ALTERNATE_STACK);
}

void gofer_faults_thread_stop(gofer_m *m)
{
    stack_t none = { .ss_flags = SS_DISABLE };
    if (!m->alternate_stack)
        return;
    sigaltstack(&none, NULL);
    munmap(m->alternate_stack, ALTERNATE_STACK);
}

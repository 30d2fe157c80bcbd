/* Real faults and SIGQUIT: Go's texts, or panics for those who asked.
 *
 * Handlers run on each thread's alternate stack, since a goroutine's own may be what overflowed.
 * They are installed only where the program has none and no sanitizer wants the signals;
 * go_set_panic_on_fault puts them in front of the program's, to which all goes on that is not its
 * business. */
#include "arch/fault.h"
#include "debug/dump.h"
#include "debug/faults.h"
#include "panic/panic.h"
#include "signal/caught.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ALTERNATE_STACK = 128 * 1024, GUARD_REACH = 65536 };

void gofer_faults_install(void);
void gofer_faults_thread_start(gofer_m *m);
void gofer_faults_thread_stop(gofer_m *m);

/* ---- what it is --------------------------------------------------------------------------- */

enum fault { FAULT_NIL, FAULT_ADDRESS, FAULT_DIVIDE, FAULT_OVERFLOW, FAULT_FLOAT };

static const char *const texts[] = {
    [FAULT_NIL] = "runtime error: invalid memory address or nil pointer dereference",
    [FAULT_ADDRESS] = "runtime error: invalid memory address or nil pointer dereference",
    [FAULT_DIVIDE] = "runtime error: integer divide by zero",
    [FAULT_OVERFLOW] = "runtime error: integer overflow",
    [FAULT_FLOAT] = "runtime error: floating point error",
};

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

static enum fault fault_of(int number, const siginfo_t *info)
{
    if (number == SIGFPE)
        return info->si_code == FPE_INTDIV   ? FAULT_DIVIDE
               : info->si_code == FPE_INTOVF ? FAULT_OVERFLOW
                                             : FAULT_FLOAT;
    bool has_address = number == SIGBUS
                           ? info->si_code == BUS_ADRERR
                           : info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR;
    return has_address && (uintptr_t)info->si_addr < GOFER_NIL_PAGE ? FAULT_NIL : FAULT_ADDRESS;
}

struct line {
    char text[160];
};

/* Go's second line. Division by zero has none: there it is a comparison of the compiler's. */
static struct line signal_line(int number, const siginfo_t *info, uintptr_t pc)
{
    struct line line = { "" };
    if (number != SIGFPE || info->si_code != FPE_INTDIV)
        snprintf(line.text, sizeof line.text, "[signal %s code=0x%x addr=0x%lx pc=0x%lx]\n",
                 name_of(number), (unsigned)info->si_code, (unsigned long)(uintptr_t)info->si_addr,
                 (unsigned long)pc);
    return line;
}

/* ---- reports ------------------------------------------------------------------------------ */

/* A fault just below the stack: it grew into its guard. */
static bool is_overflow(const gofer_g *g, const void *address)
{
    return g && g->stack_low && (const char *)address < g->stack_low &&
           (const char *)address >= g->stack_low - GUARD_REACH;
}

static _Noreturn void report_overflow(const gofer_g *g, uintptr_t pc)
{
    char line[256];
    size_t size = (size_t)(g->stack_high - g->stack_low);
    const char *name = g->name ? g->name : g->site && g->site->name ? g->site->name : "";
    if (g->is_thread)
        snprintf(line, sizeof line, "runtime: thread stack exceeds %zu-byte limit\n", size);
    else
        snprintf(line, sizeof line,
                 "runtime: goroutine stack exceeds %zu-byte limit\n"
                 "runtime: goroutine %llu%s%.60s; give it more with go_with or GOFER_STACK\n",
                 size, (unsigned long long)g->id, *name ? " " : "", name);
    gofer_die_of_signal(line, "fatal error: stack overflow\n", false, pc);
}

/* Somebody sent the signal: nothing failed here. */
static _Noreturn void report_sent(int number, const siginfo_t *info, uintptr_t pc)
{
    char first[80], second[120];
    snprintf(first, sizeof first, "%s\n", name_of(number));
    snprintf(second, sizeof second, "PC=0x%lx m=0 sigcode=%d addr=0x%lx\n", (unsigned long)pc,
             info->si_code, (unsigned long)(uintptr_t)info->si_addr);
    gofer_die_of_signal(first, second, true, pc);
}

/* `begin`: where the trace does. */
static _Noreturn void report_fault(int number, const siginfo_t *info, uintptr_t pc, uintptr_t begin)
{
    char first[128];
    struct line second = signal_line(number, info, pc);
    enum fault fault = fault_of(number, info);
    if (fault == FAULT_ADDRESS)
        snprintf(first, sizeof first, "unexpected fault address 0x%lx\nfatal error: fault\n",
                 (unsigned long)(uintptr_t)info->si_addr);
    else
        snprintf(first, sizeof first, "panic: %s\n", texts[fault]);
    gofer_die_of_signal(first, second.text, fault == FAULT_ADDRESS, begin);
}

/* ---- panics ------------------------------------------------------------------------------- */

#if defined GOFER_ASAN || defined GOFER_TSAN
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

/* Whether the fault is one of the goroutine's own code, and it asked for panics. */
static bool becomes_panic(const gofer_m *m, const siginfo_t *info)
{
    return m && m->g->panic_on_fault && !m->g->is_system && info->si_code > 0 &&
           atomic_load_explicit(&m->inside, memory_order_relaxed) == 0;
}

/* On the goroutine's stack again, with the signal mask of the instruction that failed. */
void gofer_fault_panic(int fault, uintptr_t address, uintptr_t pc)
{
    siginfo_t info = { .si_signo = fault & 0xff, .si_code = fault >> 8 };
    info.si_addr = (void *)address;
    struct line line = signal_line(info.si_signo, &info, pc);
    gofer_panic_fault(texts[fault_of(info.si_signo, &info)],
                      info.si_signo == SIGFPE ? NULL : info.si_addr, line.text);
}

/* ---- handlers ----------------------------------------------------------------------------- */

/* The handlers found in front of which ours were put; written before they can be called. */
static struct sigaction earlier[NSIG];
static gofer_spin install_lock;
static bool installed[NSIG];

/* The thread's fault that was last passed on, and where: see pass_on. */
static __thread struct {
    const void *context;
    const char *frame;
} passed __attribute__((tls_model("initial-exec")));

void gofer_bypass_tsan(int number, void (*handler)(int, siginfo_t *, void *))
{
#ifdef GOFER_TSAN
    struct {
        void (*handler)(int, siginfo_t *, void *);
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action;
    if (syscall(SYS_rt_sigaction, number, NULL, &action, sizeof action.mask) != 0)
        return;
    action.handler = handler;
    syscall(SYS_rt_sigaction, number, &action, NULL, sizeof action.mask);
#else
    (void)number;
    (void)handler;
#endif
}

bool gofer_call_handler(const struct sigaction *action, int number, siginfo_t *info, void *context)
{
    if (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN)
        return false;
    sigset_t mask = action->sa_mask;
    if (!(action->sa_flags & SA_NODEFER))
        sigaddset(&mask, number);
    pthread_sigmask(SIG_BLOCK, &mask, NULL); /* the return from ours undoes it */
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(number, info, context);
    else
        action->sa_handler(number);
    return true;
}

/* False: there is nobody behind. A handler that once replaced ours and calls it for what is not its
 * own may now be behind ours: from there the same fault comes again, in a deeper frame. Where a
 * handler jumps out, a later fault's context may lie at the same place, but then so does the frame.
 */
static bool pass_on(int number, siginfo_t *info, void *context)
{
    const char *frame = __builtin_frame_address(0);
    if (passed.context == context && frame < passed.frame)
        return false;
    passed.context = context;
    passed.frame = frame;
    return gofer_call_handler(&earlier[number], number, info, context);
}

/* A call or a jump led to the address that failed. */
static bool is_bad_call(int number, const siginfo_t *info, uintptr_t pc)
{
    return number == SIGSEGV && info->si_code > 0 && (uintptr_t)info->si_addr == pc;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    gofer_m *m = gofer_m_self();
    uintptr_t pc = gofer_fault_pc(context);
    bool overflow = number == SIGSEGV && m && info->si_code > 0 && is_overflow(m->g, info->si_addr);
    bool panics = !overflow && becomes_panic(m, info);
    if (!panics && pass_on(number, info, context))
        return;
    uintptr_t begin = pc;
    if (m && is_bad_call(number, info, pc))
        begin = gofer_fault_undo_call(context, m->g->stack_low, m->g->stack_high);
    if (panics) {
        gofer_fault_redirect(context, number | info->si_code << 8, (uintptr_t)info->si_addr, pc);
        return;
    }
    if (overflow)
        report_overflow(m->g, pc);
    if (info->si_code <= 0)
        report_sent(number, info, pc);
    report_fault(number, info, pc, begin);
}

static void on_quit(int number, siginfo_t *info, void *context)
{
    char line[80];
    (void)number;
    (void)info;
    uintptr_t pc = gofer_fault_pc(context);
    snprintf(line, sizeof line, "PC=0x%lx m=0 sigcode=0\n", (unsigned long)pc);
    gofer_die_of_signal("SIGQUIT: quit\n", line, true, pc);
}

static bool is_ours(const struct sigaction *action)
{
    return action->sa_sigaction == on_fault || action->sa_sigaction == on_quit;
}

/* Whether a signal comes to ours: the program may have put its own there since. */
static bool is_in_front(int number, const struct sigaction *now)
{
    return is_ours(now) || (installed[number] && gofer_signals_is_catcher(now));
}

/* `in_front`: where the program has a handler too. */
static void install(int number, void (*handler)(int, siginfo_t *, void *), bool in_front)
{
    struct sigaction now, action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    gofer_spin_lock(&install_lock);
    if (sigaction(number, NULL, &now) == 0 && !is_in_front(number, &now) &&
        (in_front || now.sa_handler == SIG_DFL)) {
        earlier[number] = now;
        action.sa_sigaction = handler;
        installed[number] = sigaction(number, &action, NULL) == 0;
        gofer_bypass_tsan(number, handler);
    }
    gofer_spin_unlock(&install_lock);
}

static void install_faults(bool in_front)
{
    if (sanitized)
        return;
    install(SIGSEGV, on_fault, in_front);
    install(SIGBUS, on_fault, in_front);
    install(SIGFPE, on_fault, in_front);
}

void gofer_faults_install(void)
{
    install(SIGQUIT, on_quit, false);
    install_faults(false);
}

/* A handler that the program put in front of ours stays, and may call ours. */
void gofer_faults_uninstall(void)
{
    gofer_spin_lock(&install_lock);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction now;
        if (installed[number] && sigaction(number, NULL, &now) == 0 && is_ours(&now))
            sigaction(number, &earlier[number], NULL);
        installed[number] = false;
    }
    gofer_spin_unlock(&install_lock);
}

int go_set_panic_on_fault(int on)
{
    gofer_g *self = gofer_m_attached()->g;
    int before = self->panic_on_fault;
    if (on)
        install_faults(true);
    self->panic_on_fault = on != 0;
    return before;
}

/* ---- alternate stacks --------------------------------------------------------------------- */

/* A thread that has one of its own keeps it. */
void gofer_faults_thread_start(gofer_m *m)
{
    stack_t now;
    if (sanitized || sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE))
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
    stack_t now, none = { .ss_flags = SS_DISABLE };
    if (!m->alternate_stack)
        return;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == m->alternate_stack)
        sigaltstack(&none, NULL); /* else the program has put its own there since */
    munmap(m->alternate_stack, ALTERNATE_STACK);
}

/* The CPU's part: the context switch, the capture stub, a thread-local that is never cached.
 * One file a CPU beside this one (switch_x86_64.S, switch_aarch64.S); no other file of the
 * library knows a register. */
#ifndef GOFER_SRC_ARCH_H
#define GOFER_SRC_ARCH_H

#include "base/base.h"
#include "gofer/capture.h"

struct gofer_m;

/* Saves the current context on its stack and the stack pointer in *save, then goes on in the
 * context saved at `to`. Returns when somebody switches back. Inlined: the compiler saves just the
 * registers it uses, and there is one return less that the CPU cannot foresee. The function around
 * keeps a frame pointer, by which unwinders find the rest: whatever the flags, for its address is
 * asked for.
 *
 * A suspended context is two words: sp+0 the address to go on at, sp+8 the frame pointer. */
#if defined __x86_64__
static gofer_inline void gofer_switch(void **save, void *to)
{
    __asm__ volatile("" : : "r"(__builtin_frame_address(0)));
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t" /* clear of the red zone */
                     "pushq %%rbp\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "movq %%rsp, (%0)\n\t"
                     "movq %1, %%rsp\n\t"
                     "popq %%rax\n\t"
                     "jmp *%%rax\n\t"
                     "1: endbr64\n\t"
                     "popq %%rbp\n\t"
                     "leaq 128(%%rsp), %%rsp"
                     : "+D"(save), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
                       "memory", "cc");
}
#elif defined __aarch64__
static gofer_inline void gofer_switch(void **save, void *to)
{
    __asm__ volatile("" : : "r"(__builtin_frame_address(0)));
    register void **x0 __asm__("x0") = save;
    register void *x1 __asm__("x1") = to;
    __asm__ volatile("adr x16, 1f\n\t"
                     "stp x16, x29, [sp, -16]!\n\t"
                     "mov x17, sp\n\t"
                     "str x17, [%0]\n\t"
                     "mov sp, %1\n\t"
                     "ldr x16, [sp]\n\t"
                     "br x16\n\t"
                     "1: hint 36\n\t" /* bti j */
                     "ldp x16, x29, [sp], 16"
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6",
                       "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",
                       "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                       "v29", "v30", "v31", "memory", "cc");
}
#endif

/* Makes a function jump back to its caller in a return's place, where the compiler can (gcc on
 * x86-64). For functions in which a goroutine waits: a CPU expects a return to go where the last
 * call came from, which by then was another goroutine's; a jump, where it went in like
 * circumstances. All functions from the switch to the user's should, or none, for a call that was
 * not returned from misleads the next return; so it is for waits that users meet in loops of their
 * own, not deep in other calls. */
#if defined __x86_64__ && defined __has_attribute
#if __has_attribute(function_return)
#define gofer_jumps_back __attribute__((function_return("thunk-extern")))
#endif
#endif
#ifndef gofer_jumps_back
#define gofer_jumps_back
#endif

/* Prepares a fresh stack whose top is `top` (16-aligned): the first switch to the returned
 * context calls entry(arg) with an ended frame chain. entry never returns. */
void *gofer_context_make(void *top, void (*entry)(void *), void *arg);

/* The outermost frame of every goroutine returns to one of the few instructions here. */
extern const char gofer_context_start[];
enum { GOFER_CONTEXT_START_SIZE = 64 };

/* Calls fn(arg) on top of the suspended context `sp`, whose frames then are fn's callers to any
 * unwinder; the context stays as it was. For dumps. */
void gofer_call_on(void *sp, void (*fn)(void *), void *arg);

/* How many vector registers 16 bytes of arguments may fill: two doubles; on aarch64 four floats. */
#if defined __aarch64__
enum { GOFER_VECTORS_A_SLOT = 4 };
#else
enum { GOFER_VECTORS_A_SLOT = 2 };
#endif

/* Copies whole words of a call, its stack part above all. Not instrumented: that is read from above
 * its caller's frame. */
__attribute__((no_sanitize("address", "thread"))) static inline void
gofer_copy_words(void *to, const void *from, size_t size)
{
    uint64_t *out = to;
    const volatile uint64_t *in = from;
    for (size_t i = 0; i < size / 8; i++)
        out[i] = in[i];
}

/* The same for whole pairs of words, which is faster, unless their words were only just written. */
static inline void gofer_copy_pairs(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i += 16) {
#if defined __x86_64__
        __asm__ volatile("movups (%1,%2), %%xmm0\n\tmovups %%xmm0, (%0,%2)"
                         :
                         : "r"(to), "r"(from), "r"(i)
                         : "xmm0", "memory");
#else
        gofer_copy_words((char *)to + i, (const char *)from + i, 16);
#endif
    }
}

/* Calls the captured call: copies `stack` (call->stack_size bytes) and loads the registers. Returns
 * what the call left in the first integer register of results. */
long gofer_replay(const gofer_call *call, const void *stack);

/* The address to which a function that gofer_replay called returns: tells go_recover that it
 * stands in the deferred call itself. */
extern const char gofer_replay_return[];

/* Goes back to a gofer_frame_save, which returns 1. */
_Noreturn void gofer_frame_restore(void **registers);

/* The thread's descriptor. The asm reads the thread-local itself each time, so no address of one
 * outlives a switch: a goroutine may wake on another thread. */
extern __thread struct gofer_m *gofer_tls __attribute__((tls_model("initial-exec")));

static inline struct gofer_m *gofer_m_self(void)
{
    struct gofer_m *m;
#if defined __x86_64__
    __asm__ volatile("movq gofer_tls@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0"
                     : "=r"(m)
                     :
                     : "memory");
#elif defined __aarch64__
    uintptr_t offset;
    __asm__ volatile("mrs %0, tpidr_el0\n\t"
                     "adrp %1, :gottprel:gofer_tls\n\t"
                     "ldr %1, [%1, #:gottprel_lo12:gofer_tls]\n\t"
                     "ldr %0, [%0, %1]"
                     : "=&r"(m), "=&r"(offset)
                     :
                     : "memory");
#else
#error "gofer: this CPU has no switch yet; see docs/hacking.md"
#endif
    return m;
}

#endif

/* What the fault handlers need of a signal's context: where it came, and how to go on elsewhere. */
#ifndef GOFER_SRC_FAULT_H
#define GOFER_SRC_FAULT_H

#include "base/base.h"

#include <ucontext.h>

/* The program counter at the signal. */
static inline uintptr_t gofer_fault_pc(const void *context)
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

/* Nothing is known of frames at an address that was called by mistake: the context becomes that of
 * the call, unless the stack pointer is not on the stack given. Returns its program counter. */
static inline uintptr_t gofer_fault_undo_call(void *context, const char *low, const char *high)
{
    ucontext_t *user = context;
#if defined __x86_64__
    greg_t *registers = user->uc_mcontext.gregs;
    const uintptr_t *top = (const uintptr_t *)(uintptr_t)registers[REG_RSP];
    if ((const char *)top >= low && (const char *)(top + 1) <= high) {
        registers[REG_RIP] = (greg_t)(*top - 1);
        registers[REG_RSP] = (greg_t)(uintptr_t)(top + 1);
    }
#elif defined __aarch64__
    (void)low;
    (void)high;
    user->uc_mcontext.pc = user->uc_mcontext.regs[30] - 4;
#else
    (void)low;
    (void)high;
#endif
    return gofer_fault_pc(user);
}

/* gofer_fault_start calls gofer_fault_panic on the faulting stack; its caller, to any unwinder, is
 * the instruction that failed, at pc. */
_Noreturn void gofer_fault_panic(int fault, uintptr_t address, uintptr_t pc);
extern const char gofer_fault_start[];

/* Makes the handler return to a panic instead of the instruction that failed; the panic tells pc.
 */
static inline void gofer_fault_redirect(void *context, int fault, uintptr_t address, uintptr_t pc)
{
    ucontext_t *user = context;
#if defined __x86_64__
    enum { RED_ZONE = 128, DIRECTION_FLAG = 0x400 };
    greg_t *registers = user->uc_mcontext.gregs;
    uintptr_t *stack = (uintptr_t *)((((uintptr_t)registers[REG_RSP] - RED_ZONE) & ~(uintptr_t)15) -
                                     2 * sizeof(uintptr_t));
    stack[0] = (uintptr_t)registers[REG_RSP];
    stack[1] = (uintptr_t)registers[REG_RIP];
    registers[REG_RSP] = (greg_t)(uintptr_t)stack;
    registers[REG_RIP] = (greg_t)(uintptr_t)gofer_fault_start;
    registers[REG_RDI] = fault;
    registers[REG_RSI] = (greg_t)address;
    registers[REG_RDX] = (greg_t)pc;
    registers[REG_EFL] &= ~(greg_t)DIRECTION_FLAG;
#elif defined __aarch64__
    /* No red zone; the caller is one that stands behind the instruction, as after a call. */
    user->uc_mcontext.regs[2] = pc;
    user->uc_mcontext.regs[30] = user->uc_mcontext.pc + 4;
    user->uc_mcontext.pc = (uintptr_t)gofer_fault_panic;
    user->uc_mcontext.regs[0] = (unsigned long long)fault;
    user->uc_mcontext.regs[1] = address;
#else
    (void)user;
    (void)fault;
    (void)address;
    (void)pc;
#endif
}

#endif

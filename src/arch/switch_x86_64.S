/* x86-64, System V ABI: fresh and borrowed contexts, call capture and replay, frame marks.
 *
 * The switch itself is inline (arch.h says how a suspended context looks). gofer_context_make makes
 * one, gofer_call_on borrows one; the CFI says the same, so unwinders walk through. Not shadow-stack aware: no SHSTK note; endbr64 for IBT. */

#define FUNC(name) .globl name; .hidden name; .type name, @function; .p2align 4; name: .cfi_startproc; endbr64
#define PUBLIC(name) .globl name; .type name, @function; .p2align 4; name: .cfi_startproc; endbr64
#define END(name) .cfi_endproc; .size name, . - name

    .text

/* void *gofer_context_make(void *top, void (*entry)(void *), void *arg) */
FUNC(gofer_context_make)
    leaq -48(%rdi), %rax
    leaq gofer_context_start(%rip), %rcx
    movq %rcx, (%rax)
    movq $0, 8(%rax)            /* the frame chain ends here */
    movq %rsi, 16(%rax)
    movq %rdx, 24(%rax)
    ret
END(gofer_context_make)

    .globl gofer_context_start
    .hidden gofer_context_start
    .type gofer_context_start, @function
    .p2align 4
gofer_context_start:
    .cfi_startproc
    .cfi_undefined rip          /* the outermost frame: unwinders stop */
    endbr64
    popq %rbp
    popq %rax
    popq %rdi                   /* rsp is top - 16 now: aligned for the call */
    call *%rax
    ud2
END(gofer_context_start)

/* void gofer_call_on(void *sp, void (*fn)(void *), void *arg) */
FUNC(gofer_call_on)
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    movq %rsi, %rax
    movq %rsp, %rcx
    movq %rdi, %rsi
    movq %rdx, %rdi
    leaq -256(%rsi), %rsp
    andq $-16, %rsp
    movq %rcx, (%rsp)           /* our own stack pointer */
    movq %rsi, 8(%rsp)          /* the context's */
    movq 8(%rsi), %rbp
    /* The frame suspended there is our caller: CFA = *(rsp+8) + 8, below it the address to go on
     * at, at it the frame pointer. DW_CFA_def_cfa_expression {breg7 8; deref; plus_uconst 8} */
    .cfi_escape 0x0f, 0x05, 0x77, 0x08, 0x06, 0x23, 0x08
    .cfi_offset rip, -8
    .cfi_offset rbp, 0
    call *%rax
    movq (%rsp), %rsp
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
END(gofer_call_on)

/* The capture stub: called in a function's place with that function's arguments and, as static
 * chain in r10, a gofer_call. Stores the argument registers and passes the record on. */
FUNC(gofer_capture_stub)
    movq %rdi, 24(%r10)
    movq %rsi, 32(%r10)
    movq %rdx, 40(%r10)
    movq %rcx, 48(%r10)
    movq %r8, 56(%r10)
    movq %r9, 64(%r10)
    movzbl %al, %eax
    movq %rax, 72(%r10)         /* al: the number of vector registers, for variadic functions */
    movups %xmm0, 96(%r10)
    movups %xmm1, 112(%r10)
    movups %xmm2, 128(%r10)
    movups %xmm3, 144(%r10)
    movups %xmm4, 160(%r10)
    movups %xmm5, 176(%r10)
    movups %xmm6, 192(%r10)
    movups %xmm7, 208(%r10)
    movq %r10, %rdi
    leaq 8(%rsp), %rsi
    jmp *8(%r10)                /* call->deliver(call, stack) */
END(gofer_capture_stub)

/* void gofer_replay(const gofer_call *call, const void *stack) */
FUNC(gofer_replay)
    .cfi_personality 0x1b, gofer_personality    /* src/panic/exception.c; relative to the place */
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    movq %rsp, %rbp
    .cfi_def_cfa_register rbp
    movq %rdi, %r10
    xorl %eax, %eax             /* al of a call without vector registers */
    movq 16(%r10), %rcx         /* a multiple of 16 */
    testq %rcx, %rcx
    jz 1f
    subq %rcx, %rsp
2:  movq -8(%rsi,%rcx), %rax    /* by words, as they were written: a wide load would wait for both */
    movq %rax, -8(%rsp,%rcx)
    subq $8, %rcx
    jnz 2b
    movq 72(%r10), %rax
    movups 96(%r10), %xmm0
    movups 112(%r10), %xmm1
    movups 128(%r10), %xmm2
    movups 144(%r10), %xmm3
    movups 160(%r10), %xmm4
    movups 176(%r10), %xmm5
    movups 192(%r10), %xmm6
    movups 208(%r10), %xmm7
1:  movq 24(%r10), %rdi
    movq 32(%r10), %rsi
    movq 40(%r10), %rdx
    movq 48(%r10), %rcx
    movq 56(%r10), %r8
    movq 64(%r10), %r9
    call *(%r10)
    .globl gofer_replay_return
    .hidden gofer_replay_return
gofer_replay_return:
    movq %rbp, %rsp
    popq %rbp
    .cfi_def_cfa rsp, 8
    ret
END(gofer_replay)

/* int gofer_frame_save(void **registers): 0 now, 1 after gofer_frame_restore */
PUBLIC(gofer_frame_save)
    movq (%rsp), %rax
    leaq 8(%rsp), %rdx
    movq %rbx, (%rdi)
    movq %rbp, 8(%rdi)
    movq %r12, 16(%rdi)
    movq %r13, 24(%rdi)
    movq %r14, 32(%rdi)
    movq %r15, 40(%rdi)
    movq %rdx, 48(%rdi)
    movq %rax, 56(%rdi)
    xorl %eax, %eax
    ret
END(gofer_frame_save)

FUNC(gofer_frame_restore)
    movq (%rdi), %rbx
    movq 8(%rdi), %rbp
    movq 16(%rdi), %r12
    movq 24(%rdi), %r13
    movq 32(%rdi), %r14
    movq 40(%rdi), %r15
    movq 48(%rdi), %rsp
    movl $1, %eax
    jmp *56(%rdi)
END(gofer_frame_restore)

/* Where a fault goes on that becomes a panic: gofer_fault_redirect stored the stack pointer at
 * rsp+0 and the program counter at rsp+8, and all other registers are as they were, so unwinders see
 * the instruction that failed, exactly, as the caller. */
    .globl gofer_fault_start
    .hidden gofer_fault_start
    .type gofer_fault_start, @function
    .p2align 4
gofer_fault_start:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_escape 0x0f, 0x03, 0x77, 0x00, 0x06    /* CFA = *(rsp) {breg7 0; deref} */
    .cfi_escape 0x10, 0x10, 0x02, 0x77, 0x08    /* rip is stored at rsp+8 {breg7 8} */
    endbr64
    call gofer_fault_panic
    ud2
END(gofer_fault_start)

/* Jumps to rcx by one of 2^bits jumps, which bits of r8 choose. */
    .macro jump_by bits
    .if \bits
    testl $1 << (12 - \bits), %r8d
    jnz .Lother\@
    jump_by (\bits - 1)
.Lother\@:
    jump_by (\bits - 1)
    .else
    notrack jmp *%rcx
    .endif
    .endm

/* How a function that gofer_jumps_back ends. The compilers' name: weak, for who has it too. CPUs
 * foresee well which way a branch goes, and where a jump goes that always goes to one place; badly
 * where one goes that has several in turn. So branches by the place's hash lead to a jump that few
 * others share. The hash is of the place's low 12 bits, which loading leaves alone. */
    .weak __x86_return_thunk
    .hidden __x86_return_thunk
    .type __x86_return_thunk, @function
    .p2align 4
__x86_return_thunk:
    .cfi_startproc
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    imull $0x9e3779b1, %ecx, %r8d
    jump_by 4
END(__x86_return_thunk)

    .section .data.rel.ro, "aw"
    .globl gofer_capture
    .type gofer_capture, @object
    .size gofer_capture, 8
    .p2align 3
gofer_capture:
    .quad gofer_capture_stub

    .section .note.GNU-stack, "", @progbits

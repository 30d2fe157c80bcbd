/* aarch64, AAPCS64: fresh and borrowed contexts, call capture and replay, frame marks.
 *
 * The switch itself is inline (arch.h says how a suspended context looks). gofer_context_make makes
 * one, gofer_call_on borrows one; the CFI says the same, so unwinders walk through. Every entry has
 * a BTI landing pad, written as the hint that older CPUs skip, and jumps go by x16, which those
 * pads let in. No return address is signed here. x18 is the platform's: only the capture stub
 * reads it, where the compiler passes the static chain in it. */

#define LANDING_PAD hint 34     /* bti c */
#define FUNC(name) .globl name; .hidden name; .type name, %function; .p2align 4; name: .cfi_startproc; LANDING_PAD
#define PUBLIC(name) .globl name; .type name, %function; .p2align 4; name: .cfi_startproc; LANDING_PAD
#define END(name) .cfi_endproc; .size name, . - name

    .text

/* void *gofer_context_make(void *top, void (*entry)(void *), void *arg) */
FUNC(gofer_context_make)
    adrp x9, gofer_context_start
    add x9, x9, :lo12:gofer_context_start
    stp x9, xzr, [x0, -32]!     /* the frame chain ends here */
    stp x1, x2, [x0, 16]
    ret
END(gofer_context_make)

    .globl gofer_context_start
    .hidden gofer_context_start
    .type gofer_context_start, %function
    .p2align 4
gofer_context_start:
    .cfi_startproc
    .cfi_undefined x30          /* the outermost frame: unwinders stop */
    LANDING_PAD
    ldp x16, x29, [sp], 16
    ldp x16, x0, [sp], 16
    blr x16
    brk 1
END(gofer_context_start)

/* void gofer_call_on(void *sp, void (*fn)(void *), void *arg) */
FUNC(gofer_call_on)
    stp x29, x30, [sp, -16]!
    mov x9, sp
    mov sp, x0
    stp x9, x0, [sp, -16]!      /* our own stack pointer, the context's */
    ldr x29, [x0, 8]
    /* The frame suspended there is our caller: CFA = *(sp+8) + 16, below it the address to go on
     * at and the frame pointer. DW_CFA_def_cfa_expression {breg31 8; deref; plus_uconst 16} */
    .cfi_escape 0x0f, 0x05, 0x8f, 0x08, 0x06, 0x23, 0x10
    .cfi_offset x30, -16
    .cfi_offset x29, -8
    mov x0, x2
    blr x1
    ldr x9, [sp]
    mov sp, x9
    ldp x29, x30, [sp], 16
    ret
END(gofer_call_on)

/* The capture stub: called in a function's place with that function's arguments and, as static
 * chain, a gofer_call. Stores the argument registers and passes the record on. */
.macro CAPTURE chain
    stp x0, x1, [\chain, 24]
    stp x2, x3, [\chain, 40]
    stp x4, x5, [\chain, 56]
    stp x6, x7, [\chain, 72]
    stp q0, q1, [\chain, 96]
    stp q2, q3, [\chain, 128]
    stp q4, q5, [\chain, 160]
    stp q6, q7, [\chain, 192]
    mov x0, \chain
    mov x1, sp
    ldr x16, [x0, 8]
    br x16                      /* call->deliver(call, stack) */
.endm

FUNC(gofer_capture_stub)
    CAPTURE x18
END(gofer_capture_stub)

FUNC(gofer_capture_x15_stub)
    CAPTURE x15
END(gofer_capture_x15_stub)

/* void gofer_replay(const gofer_call *call, const void *stack) */
FUNC(gofer_replay)
    .cfi_personality 0x1b, gofer_personality    /* src/panic/exception.c; relative to the place */
    stp x29, x30, [sp, -16]!
    .cfi_adjust_cfa_offset 16
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    mov x29, sp
    .cfi_def_cfa_register x29
    mov x9, x0
    ldr x10, [x9, 16]           /* a multiple of 16 */
    cbz x10, 2f
    sub sp, sp, x10
1:  sub x10, x10, 16
    add x11, x1, x10
    ldp x12, x13, [x11]
    add x11, sp, x10
    stp x12, x13, [x11]
    cbnz x10, 1b
    ldp x6, x7, [x9, 72]
    ldp q0, q1, [x9, 96]
    ldp q2, q3, [x9, 128]
    ldp q4, q5, [x9, 160]
    ldp q6, q7, [x9, 192]
2:  ldp x0, x1, [x9, 24]
    ldp x2, x3, [x9, 40]
    ldp x4, x5, [x9, 56]
    ldr x16, [x9]
    blr x16
    .globl gofer_replay_return
    .hidden gofer_replay_return
gofer_replay_return:
    mov sp, x29
    ldp x29, x30, [sp], 16
    .cfi_def_cfa sp, 0
    .cfi_restore x29
    .cfi_restore x30
    ret
END(gofer_replay)

/* int gofer_frame_save(void **registers): 0 now, 1 after gofer_frame_restore */
PUBLIC(gofer_frame_save)
    mov x9, sp
    stp x19, x20, [x0]
    stp x21, x22, [x0, 16]
    stp x23, x24, [x0, 32]
    stp x25, x26, [x0, 48]
    stp x27, x28, [x0, 64]
    stp x29, x30, [x0, 80]
    stp d8, d9, [x0, 96]
    stp d10, d11, [x0, 112]
    stp d12, d13, [x0, 128]
    stp d14, d15, [x0, 144]
    str x9, [x0, 160]
    mov w0, 0
    ret
END(gofer_frame_save)

FUNC(gofer_frame_restore)
    ldp x19, x20, [x0]
    ldp x21, x22, [x0, 16]
    ldp x23, x24, [x0, 32]
    ldp x25, x26, [x0, 48]
    ldp x27, x28, [x0, 64]
    ldp x29, x30, [x0, 80]
    ldp d8, d9, [x0, 96]
    ldp d10, d11, [x0, 112]
    ldp d12, d13, [x0, 128]
    ldp d14, d15, [x0, 144]
    ldr x9, [x0, 160]
    mov sp, x9
    mov w0, 1
    ret
END(gofer_frame_restore)

.macro POINTER name, target
    .globl \name
    .type \name, %object
    .size \name, 8
    .p2align 3
\name:
    .xword \target
.endm

    .section .data.rel.ro, "aw"
    POINTER gofer_capture, gofer_capture_stub
    POINTER gofer_capture_x15, gofer_capture_x15_stub

    .section .note.GNU-stack, "", %progbits

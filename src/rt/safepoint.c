/*
 * tern_safepoint_keeping: tern_safepoint for whoever cannot lose a register. To the compiler of
 * generated code a call destroys half of the registers, and what lives in a loop with a safepoint
 * would be kept in the other half or in memory, for the sake of a call that is hardly ever made. So
 * that code says nothing of a call, and this keeps them all: also when the stack has been put back
 * meanwhile, for they lie on it. What the call said is in the flags: zero for 0.
 */
#include "rt/suspend.h"

#if defined(__x86_64__)
#include <cpuid.h>

/*
 * XSAVE keeps vector registers of any width (components 1, 2, 5, 6, 7: SSE, AVX, AVX-512; the area
 * for them has at most 2,696 bytes), and FXSAVE those of SSE where there is no XSAVE.
 */
__attribute__((visibility("hidden"))) uint8_t safepoint_has_xsave;

__attribute__((constructor)) static void look_for_xsave(void)
{
    unsigned a, b, c, d;

    safepoint_has_xsave = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE);
}

/* clang-format off */
__asm__(
    "    .text\n"
    "    .p2align 4\n"
    "    .globl tern_safepoint_keeping\n"
    "    .type tern_safepoint_keeping, @function\n"
    "tern_safepoint_keeping:\n"
    "    pushq %rbp\n"
    "    movq %rsp, %rbp\n"
    "    pushq %rax\n"
    "    pushq %rcx\n"
    "    pushq %rdx\n"
    "    pushq %rsi\n"
    "    pushq %rdi\n"
    "    pushq %r8\n"
    "    pushq %r9\n"
    "    pushq %r10\n"
    "    pushq %r11\n"
    "    pushq $0\n" /* -80(%rbp): the answer */
    "    subq $2816, %rsp\n"
    "    andq $-64, %rsp\n"
    "    xorl %eax, %eax\n" /* the header of the area */
    "    movq %rax, 512(%rsp)\n"
    "    movq %rax, 520(%rsp)\n"
    "    movq %rax, 528(%rsp)\n"
    "    movq %rax, 536(%rsp)\n"
    "    movq %rax, 544(%rsp)\n"
    "    movq %rax, 552(%rsp)\n"
    "    movq %rax, 560(%rsp)\n"
    "    movq %rax, 568(%rsp)\n"
    "    xorl %edx, %edx\n"
    "    movl $0xe6, %eax\n"
    "    cmpb $0, safepoint_has_xsave(%rip)\n"
    "    je 1f\n"
    "    xsave64 (%rsp)\n"
    "    jmp 2f\n"
    "1:  fxsave64 (%rsp)\n"
    "2:  xorl %edi, %edi\n"
    "    call tern_safepoint@PLT\n"
    "    movl %eax, -80(%rbp)\n"
    "    xorl %edx, %edx\n"
    "    movl $0xe6, %eax\n"
    "    cmpb $0, safepoint_has_xsave(%rip)\n"
    "    je 3f\n"
    "    xrstor64 (%rsp)\n"
    "    jmp 4f\n"
    "3:  fxrstor64 (%rsp)\n"
    "4:  movq -72(%rbp), %r11\n"
    "    movq -64(%rbp), %r10\n"
    "    movq -56(%rbp), %r9\n"
    "    movq -48(%rbp), %r8\n"
    "    movq -40(%rbp), %rdi\n"
    "    movq -32(%rbp), %rsi\n"
    "    movq -24(%rbp), %rdx\n"
    "    movq -16(%rbp), %rcx\n"
    "    movq -8(%rbp), %rax\n"
    "    cmpl $0, -80(%rbp)\n"
    "    leave\n" /* leaves the flags, too */
    "    ret\n"
    "    .size tern_safepoint_keeping, . - tern_safepoint_keeping\n");

#elif defined(__aarch64__)

/* x16 and x30 belong to whoever calls. */
__asm__(
    "    .text\n"
    "    .p2align 4\n"
    "    .globl tern_safepoint_keeping\n"
    "    .type tern_safepoint_keeping, %function\n"
    "tern_safepoint_keeping:\n"
    "    stp x29, x30, [sp, #-16]!\n"
    "    mov x29, sp\n"
    "    sub sp, sp, #672\n" /* 0: x0 to x18, the answer; 160: q0 to q31 */
    "    stp x0, x1, [sp]\n"
    "    stp x2, x3, [sp, #16]\n"
    "    stp x4, x5, [sp, #32]\n"
    "    stp x6, x7, [sp, #48]\n"
    "    stp x8, x9, [sp, #64]\n"
    "    stp x10, x11, [sp, #80]\n"
    "    stp x12, x13, [sp, #96]\n"
    "    stp x14, x15, [sp, #112]\n"
    "    stp x17, x18, [sp, #128]\n"
    "    stp q0, q1, [sp, #160]\n"
    "    stp q2, q3, [sp, #192]\n"
    "    stp q4, q5, [sp, #224]\n"
    "    stp q6, q7, [sp, #256]\n"
    "    stp q8, q9, [sp, #288]\n"
    "    stp q10, q11, [sp, #320]\n"
    "    stp q12, q13, [sp, #352]\n"
    "    stp q14, q15, [sp, #384]\n"
    "    stp q16, q17, [sp, #416]\n"
    "    stp q18, q19, [sp, #448]\n"
    "    stp q20, q21, [sp, #480]\n"
    "    stp q22, q23, [sp, #512]\n"
    "    stp q24, q25, [sp, #544]\n"
    "    stp q26, q27, [sp, #576]\n"
    "    stp q28, q29, [sp, #608]\n"
    "    stp q30, q31, [sp, #640]\n"
    "    mov x0, #0\n"
    "    bl tern_safepoint\n"
    "    mov w16, w0\n"
    "    ldp x0, x1, [sp]\n"
    "    ldp x2, x3, [sp, #16]\n"
    "    ldp x4, x5, [sp, #32]\n"
    "    ldp x6, x7, [sp, #48]\n"
    "    ldp x8, x9, [sp, #64]\n"
    "    ldp x10, x11, [sp, #80]\n"
    "    ldp x12, x13, [sp, #96]\n"
    "    ldp x14, x15, [sp, #112]\n"
    "    ldp x17, x18, [sp, #128]\n"
    "    ldp q0, q1, [sp, #160]\n"
    "    ldp q2, q3, [sp, #192]\n"
    "    ldp q4, q5, [sp, #224]\n"
    "    ldp q6, q7, [sp, #256]\n"
    "    ldp q8, q9, [sp, #288]\n"
    "    ldp q10, q11, [sp, #320]\n"
    "    ldp q12, q13, [sp, #352]\n"
    "    ldp q14, q15, [sp, #384]\n"
    "    ldp q16, q17, [sp, #416]\n"
    "    ldp q18, q19, [sp, #448]\n"
    "    ldp q20, q21, [sp, #480]\n"
    "    ldp q22, q23, [sp, #512]\n"
    "    ldp q24, q25, [sp, #544]\n"
    "    ldp q26, q27, [sp, #576]\n"
    "    ldp q28, q29, [sp, #608]\n"
    "    ldp q30, q31, [sp, #640]\n"
    "    mov sp, x29\n"
    "    ldp x29, x30, [sp], #16\n"
    "    cmp w16, #0\n"
    "    ret\n"
    "    .size tern_safepoint_keeping, . - tern_safepoint_keeping\n");
#endif

/*
 * trap - runs a program on a stack of its own, and turns traps, faults and stack overflow of
 * generated code into one report.
 *
 * Life     trap_init once; trap_add_memory per memory; then trap_run any number of times, not
 *          nested in itself from a signal handler (nested calls by host functions are fine).
 * Does     SIGSEGV and SIGBUS inside a memory's reservation are TERN_TRAP_MEMORY, on the guard
 *          of the program's stack TERN_TRAP_STACK; anything else is our bug and ends the
 *          process by that signal.
 * Stack    The program's is large and mapped lazily. A program that stopped at a safepoint has left
 *          its frames there; they are copied aside first, and put back if it goes on.
 * Needs    libc only.
 */
#ifndef TERN_RT_TRAP_H
#define TERN_RT_TRAP_H

#include "rt/tern_rt.h"

#include <stdbool.h>

struct trap_info {
    enum tern_trap_kind kind;
    bool by_fault; /* found by the memory management unit: pc says where, not func, offset */
    uint32_t func;
    uint32_t offset; /* of the instruction, in the module */
    uintptr_t pc;
};

/* Installs handlers and the native stack. 0, or an errno. */
int trap_init(size_t stack_bytes);
void trap_add_memory(const struct tern_memory *memory);

enum trap_end {
    TRAP_TRAPPED,
    TRAP_RETURNED,
    TRAP_STOPPED, /* at a safepoint: see rt/suspend.h */
};

/*
 * Calls run(context) on the program's stack. *info is filled after a trap. May be called again
 * from inside (a host function that calls back), then on the same stack: the program cannot stop
 * meanwhile.
 */
enum trap_end trap_run(void (*run)(void *context), void *context, struct trap_info *info);

/* After TRAP_STOPPED with the stack kept: goes on in the code that stopped, as if it had not. */
enum trap_end trap_go_on(struct trap_info *info);

/* The program has been left from inside trap_run, by a jump, for good: its stack is empty. */
void trap_forget(void);

/* For suspend.c. Whether the program may stop here. */
bool trap_may_stop(void);
/* Keeps the stack as it is now. True at once, and false when trap_go_on has put it back. */
bool trap_mark(void);

/* The specification's words: "out of bounds memory access" ... */
const char *trap_text(enum tern_trap_kind kind);

#endif

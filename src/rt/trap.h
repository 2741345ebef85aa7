/*
 * trap - turns traps, faults and stack overflow of generated code into one report.
 *
 * Life     trap_init once; trap_add_memory per memory; then trap_run any number of times, not
 *          nested in itself from a signal handler (nested calls by host functions are fine).
 * Does     SIGSEGV and SIGBUS inside a memory's reservation are TERN_TRAP_MEMORY, on the guard
 *          of the program's stack TERN_TRAP_STACK; anything else is our bug and ends the
 *          process by that signal.
 * Stack    The program runs on a stack of its own (trap_stack_new), large and mapped lazily.
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

/*
 * Calls run(context) on the program's stack. True if it returned; false after a trap, with *info
 * filled. May be called again from inside (a host function that calls back), then on the same
 * stack.
 */
bool trap_run(void (*run)(void *context), void *context, struct trap_info *info);

/* The specification's words: "out of bounds memory access" ... */
const char *trap_text(enum tern_trap_kind kind);

#endif

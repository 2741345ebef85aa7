/*
 * program - the compiled module: loads it, makes an instance of it, runs it.
 *
 * Errors   What cannot be loaded ends the process with a REFUSED report that says why.
 */
#ifndef TERN_RUNNER_PROGRAM_H
#define TERN_RUNNER_PROGRAM_H

#include "runner/host.h"

struct program {
    const struct tern_module *module;
    const uint8_t *source; /* the WebAssembly module */
    struct tern_instance *in;
};

/* Everything up to the first instruction. Sets h->memory. */
void program_load(struct program *p, struct host *h);

/* The start function, then _start; with the end of the program the process ends. */
_Noreturn void program_run(const struct program *p, uint32_t stack_cells);

#endif

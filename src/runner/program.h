/*
 * program - the compiled module: loads it, makes an instance of it, runs it.
 *
 * Errors   What cannot be loaded ends the process with a REFUSED report that says why.
 */
#ifndef TERN_RUNNER_PROGRAM_H
#define TERN_RUNNER_PROGRAM_H

#include "runner/host.h"
#include "wire/state.h"

struct program {
    uint8_t phase; /* enum state_phase */
    const struct tern_module *module;
    const uint8_t *source; /* the WebAssembly module */
    struct tern_instance *in;
    struct tern_memory *memory; /* its own; NULL: none was made yet */
    struct host *host;
    const struct tern_continuations *continuations; /* of a program that goes on, else NULL */
    struct state state;                             /* likewise */
    struct arena arena;                             /* what it hangs in */
};

/* Everything up to the first instruction. Sets h->memory. */
void program_load(struct program *p, struct host *h);

/* The same module once more, in the same memory, with nothing of what ran before. */
void program_again(struct program *p, struct host *h);

/*
 * The start function, then _start, or on from where the program stopped; with the end of the
 * program the process ends.
 */
_Noreturn void program_run(struct program *p, struct host *h);

#endif

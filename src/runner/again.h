/*
 * again - another program of the same module in the same runner: docs/design/0012.
 *
 * Does     When a program has exited, everything that was its own is made anew: memory, globals,
 *          tables, segments, native stack, descriptors, counters, clocks, random numbers, ticket.
 *          What stays is what it could not change: the loaded object, the module's bytes, the walls.
 * When     The ticket allows it, and the program was never stopped. The limits of memory and stack
 *          are those of the first ticket; a limit of processor time there is not.
 * Life     again_keep_streams before the walls; again_run instead of program_run.
 * Errors   End the process: the parent starts another one.
 */
#ifndef TERN_RUNNER_AGAIN_H
#define TERN_RUNNER_AGAIN_H

#include "runner/program.h"

/* Those that later programs begin with, whatever the first one does to its own. ends_by_pipe: as
 * fds_add_standard has it. */
void again_keep_streams(bool ends_by_pipe);

_Noreturn void again_run(struct program *p, struct host *h, struct ticket *t);

#endif

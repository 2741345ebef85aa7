/*
 * stop - the talk with the parent about stopping: enum control in wire/ticket.h.
 */
#ifndef TERN_RUNNER_STOP_H
#define TERN_RUNNER_STOP_H

#include "runner/program.h"

/*
 * From now on SIGUSR1 asks the program to stop at its next safepoint, which the parent is told, and
 * writes to its memory (NULL: it has none) are tracked where the kernel can. What asks programs to
 * end is left to the parent. `loaded`: the memory is one that the parent fills; waits until it may
 * be used.
 */
void stop_listen(struct tern_memory *memory, bool loaded);

/* Asks the parent for a checkpoint, some time soon. */
void stop_wish(void);

/*
 * The program has stopped: writes its state, says so, and waits to be told. Comes back if it goes
 * on, also when it cannot be stopped now; else the process ends.
 */
void stop_and_wait(const struct program *p, struct host *h);

#endif

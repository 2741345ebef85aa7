/*
 * sandbox - the walls around a program, put up after it is loaded and before it runs.
 *
 * Does     No new privileges, no capabilities; of the file system (Landlock) only what lies
 *          beneath the ticket's directories, written to only where the ticket says so; no TCP, no
 *          signals and abstract sockets to outside; then the ticket's system call filter.
 * Lacking  What this kernel has no notion of is left out. What it has and refuses to do ends the
 *          runner: better no run than one without walls.
 */
#ifndef TERN_RUNNER_SANDBOX_H
#define TERN_RUNNER_SANDBOX_H

#include "wire/ticket.h"

/* dirs[i] is the open directory of t->dirs[i]. */
void sandbox_enter(const struct ticket *t, const int *dirs);

#endif

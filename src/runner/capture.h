/*
 * capture - the instance and the frames of a stopped program as struct state, and back.
 *
 * Not here  Descriptors, clocks and counters (hold.h).
 */
#ifndef TERN_RUNNER_CAPTURE_H
#define TERN_RUNNER_CAPTURE_H

#include "runner/program.h"

/* Fills frames, instances and phase; lists live in the arena. False: no memory. */
bool capture_save(const struct program *p, struct state *out, struct arena *arena);

/* Globals, tables and dropped segments from p->state; ends the process if they do not fit. */
void capture_restore(struct program *p);

/* The frames of p->state with their continuations, outermost first, for suspend.h. */
const struct tern_resumed *capture_frames(struct program *p);

#endif

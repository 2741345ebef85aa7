/*
 * state_draw - states at random, sound but of no program: for what writes and reads them.
 *
 * Memory   One state at a time: the next draw overwrites it.
 */
#ifndef TERN_TESTS_STATE_DRAW_H
#define TERN_TESTS_STATE_DRAW_H

#include "wire/state.h"

/* Below `below`. */
uint64_t draw(uint64_t below);
/* instances: how many it has at least, 0 or 1. */
const struct state *draw_state(uint32_t instances);

#endif

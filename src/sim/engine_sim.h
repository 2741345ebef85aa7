/*
 * engine_sim - runs the programs of program_sim.h in virtual time: drive/engine.h.
 *
 * Does     Takes time for preparing, steps and checkpoints; writes, reads, waits for input; puts
 *          checkpoints and files into the store as chunks. Sometimes a program breaks, or cannot be
 *          checkpointed, by the dice.
 * Strict   What should be in the store before prepare and is not, or a program that is none, ends
 *          the task (END_REFUSED), and is counted: the simulator sees to it that it cannot happen.
 * Checkpoint As store/checkpoint_root.h: no settings, the module, an image of one leaf (the state),
 *          one list of the pages; a page that was not written has the name that it had.
 */
#ifndef TERN_SIM_ENGINE_SIM_H
#define TERN_SIM_ENGINE_SIM_H

#include "drive/engine.h"
#include "sim/sim.h"

struct engine_sim_config {
    struct sim *sim;
    const char *name; /* for the trace; lives as long as it */
    struct chunks *chunks;
    struct prng *dice;
    uint32_t speed;            /* 1000: as the program's arguments say */
    uint32_t breaks;           /* in a million steps or checkpoints: the program breaks */
    uint32_t not_checkpointed; /* in a million checkpoints */
    bool echoes;               /* planted: says a line again when it goes on from a checkpoint */
    uint64_t *strict;          /* counts what should not be */
};

struct engine_sim;

struct engine_sim *engine_sim_new(const struct engine_sim_config *config);
void engine_sim_free(struct engine_sim *e); /* also while it runs: nothing is told any more */
struct engine *engine_sim_engine(struct engine_sim *e);
void engine_sim_pause(struct engine_sim *e, bool paused);

#endif

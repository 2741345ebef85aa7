/*
 * small_depot - a depot for tests: answers what depots are asked, believes everybody, can be told
 *               to fail; over the virtual network.
 */
#ifndef TERN_TESTS_SMALL_DEPOT_H
#define TERN_TESTS_SMALL_DEPOT_H

#include "drive/links.h"
#include "sim/chunks_mem.h"
#include "sim/world_sim.h"

struct small_depot {
    struct sim_part *part;
    struct world world;
    struct links *links;
    struct chunks_mem *store;
    struct chunks *chunks;
    char endpoint[64];
    unsigned puts, commits, probes, gets;
    unsigned fail_after; /* it dies with that many puts; 0: never */
    bool silent;         /* answers nothing */
    struct bytes tail[2]; /* provisional output of the newest attempt, in order */
    uint64_t tail_from[2], tail_of[2];
};

void small_depot_start(struct small_depot *d, struct sim_host *host, const char *name);
void small_depot_stop(struct small_depot *d);
void small_depot_kill(struct small_depot *d); /* its store stays */
/* A leaf in it, held. */
struct store_name small_depot_give(struct small_depot *d, const char *domain, struct view bytes);

#endif

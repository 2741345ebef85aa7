/*
 * pool_slot - the process of a slot in the simulated pool: what ships, over an engine that counts.
 */
#ifndef TERN_SIM_POOL_SLOT_H
#define TERN_SIM_POOL_SLOT_H

#include "sim/pool_inner.h"

struct slot_part;

/* Joined to its node; *at_node is the node's end. */
struct slot_part *slot_part_new(struct pool_node *n, uint32_t index, link_id *at_node);
void slot_part_free(struct slot_part *s); /* kills it, if it has not ended; NULL is fine */
bool slot_part_over(const struct slot_part *s);
void slot_part_pause(struct slot_part *s, bool paused);

#endif

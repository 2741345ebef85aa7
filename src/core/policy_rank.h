/*
 * policy_rank - of the nodes that could run a task, which one is best? The least cost is.
 *
 * Costs are expected slowness in units of their own: what a node of speed 1000 with nothing to do
 * would take is 1,000,000. Equal costs are told apart by the node's name.
 */
#ifndef TERN_CORE_POLICY_RANK_H
#define TERN_CORE_POLICY_RANK_H

#include <stdbool.h>
#include <stdint.h>

struct rank_node {
    uint32_t speed;    /* as in NodeAd; 0 counts as 1000 */
    uint32_t foreign;  /* as in Load */
    uint32_t slots;
    uint32_t assigned; /* attempts that it has */
};

/* Of one more task on it: in a free slot, or behind those that it has. */
uint64_t policy_rank_cost(const struct rank_node *node);
/* The same if the task's data, so many bytes, is near it or is not. */
uint64_t policy_rank_with_data(uint64_t cost, uint64_t bytes, bool near);

#endif

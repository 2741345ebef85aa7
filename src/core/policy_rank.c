#include "core/policy_rank.h"

enum { COST_ONE = 1000000 };

uint64_t policy_rank_cost(const struct rank_node *node)
{
    const uint64_t speed = node->speed ? node->speed : 1000;
    /* A machine that is busy with other work still gives something. */
    const uint64_t left = node->foreign < 950 ? 1000 - node->foreign : 50;
    const uint64_t cost = (uint64_t)COST_ONE * 1000 * 1000 / (speed * left);
    const uint64_t slots = node->slots ? node->slots : 1;

    if (node->assigned < slots) /* slots of one machine share memory and caches: a fifth at most */
        return cost + cost * node->assigned / slots / 5;
    return cost * (1 + node->assigned / slots) + cost * (node->assigned % slots) / slots;
}

uint64_t policy_rank_with_data(uint64_t cost, uint64_t bytes, bool near)
{
    const uint64_t worth = UINT64_C(256) << 20; /* fetching so much is like twice the work */
    const uint64_t fetched = bytes < worth ? bytes : worth;

    return near ? cost : cost + cost * (fetched >> 10) / (worth >> 10);
}

/*
 * node - decides which of the attempts it was given each slot runs, and what it owes the agent.
 *
 * Does     Queues attempts that were leased ahead; gives them to slots (processes, peers of
 *          PART_SLOT) as these become free; passes orders on; keeps each report until the agent has
 *          stored it; starts slots, and again when they die; ends everything when its lease is
 *          over; empties itself when it is to leave (orders itself to MOVE everything).
 * Not here Running programs, data: the slots do that (drive/slot.h).
 * Life     node_new, then node_step for ever. Nothing survives its restart but what is in depots
 *          and with the agent: a node that comes back has an empty list of holdings.
 * Agent    One peer of PART_AGENT at a time. On each new connection it says NodeAd with all that it
 *          holds, then all reports that are not stored yet, in order.
 * Lease    Counts from when a beat was sent (the drive tells by BEAT_SENT); lease_over ends all.
 * Memory   NODE_ATTEMPTS_MAX attempts, and two reports for each; what is more is RETURNED.
 * Replay   Equal start and equal events give equal actions, bit for bit.
 */
#ifndef TERN_CORE_NODE_H
#define TERN_CORE_NODE_H

#include "core/core.h"

enum { NODE_SLOTS_MAX = 256, NODE_ATTEMPTS_MAX = 65536 };

struct node_config {
    const char *name;
    uint32_t slots;
    uint32_t ahead;           /* attempts that one slot is given at a time: 32 */
    int64_t beat_ns;          /* 500 ms */
    Tern__NodeAd ad;          /* all but holdings, leaving and load: borrowed for ever */
};

struct node;

struct node *node_new(const struct node_config *config);
void node_free(struct node *n);
void node_step(struct node *n, const struct core_event *ev, struct core_out *out);
/* What the machine does besides, for the next beat. */
void node_load(struct node *n, uint32_t foreign_thousandths, uint64_t memory_free);
void node_check(const struct node *n);

#endif

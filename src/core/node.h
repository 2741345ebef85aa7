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
 *          holds, then all reports that are not stored yet, in order. It holds an attempt until the
 *          last report of it is stored.
 * Lease    Counts from when the beat was sent that the agent's Beat answers (event.sent_ns), or from
 *          when it was last known that no agent runs (CORE_ABSENT): then nobody gives our work to
 *          others. When it is over all slots that have work are killed, and what they had is
 *          forgotten. An agent that is connected nevertheless is let go, so that it learns of it.
 * Slots    Started as they are needed, with one to spare, and kept. Each is given one attempt, or
 *          more ahead (node_config.ahead) where they turn out to be short. What is ahead in one
 *          slot goes to another that has nothing to do. When a slot dies, the attempt that it was
 *          at is reported as END_BROKEN; those behind it wait for another slot.
 * Stopped  A slot that does not end what it was told to stop is killed.
 * Memory   NODE_ATTEMPTS_MAX attempts, and three reports for each; what is more is RETURNED.
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
    int64_t lease_ns;         /* until an agent has said how long: 2 s */
    int64_t stop_ns;          /* that a slot has to stop what it is told to: 5 s */
    int64_t leave_ns;         /* most that leaving takes: 60 s */
    Tern__NodeAd ad;          /* all but holdings, leaving and load: borrowed for ever */
};

/* Name and ad are empty, one slot. */
extern const struct node_config node_default;

struct node;

struct node *node_new(const struct node_config *config); /* NULL: no memory */
void node_free(struct node *n);
void node_step(struct node *n, const struct core_event *ev, struct core_out *out);
/* What the machine does besides, for the next beat. */
void node_load(struct node *n, uint32_t foreign_thousandths, uint64_t memory_free);
/* For a beat that is sent now. */
void node_beat(const struct node *n, Tern__Load *out);
/* Invariants, by looking at everything; for tests and the simulator. */
void node_check(const struct node *n);

#endif

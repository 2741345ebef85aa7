/*
 * owed - reports of a node that the agent has not stored yet, in order.
 *
 * Does     Numbers them from 1 on, keeps each until a Stored has passed it, says which of them have
 *          not been sent on this connection.
 * Memory   A copy of each (packed.h).
 */
#ifndef TERN_CORE_OWED_H
#define TERN_CORE_OWED_H

#include "core/core.h"

struct owed_report;

struct owed {
    struct owed_report *first, *last;
    struct owed_report *unsent; /* the first one that has not been sent to this agent */
    uint64_t count, last_n;
};

void owed_release(struct owed *o);
/* A copy; its number. */
uint64_t owed_add(struct owed *o, const Tern__Report *report);
/* Lets go of one, if it is still there: a later one says more. */
void owed_drop(struct owed *o, uint64_t n);
/* All up to n. */
void owed_stored(struct owed *o, uint64_t n);
/* A new connection: everything is unsent. */
void owed_again(struct owed *o);
/* Sends what is unsent, in messages of moderate size. */
void owed_send(struct owed *o, struct core_out *out, uint32_t peer);

#endif

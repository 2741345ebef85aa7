/*
 * agent_pool - a small pool on the bench, for tests of single rules: two depots "a" and "b", a node
 *              "n", a client "ann" whose program is in the depots.
 */
#ifndef AGENT_POOL_H
#define AGENT_POOL_H

#include "agent_rig.h"

struct pool {
    struct rig *rig;
    uint32_t client, depot[2], node;
};

struct pool pool_new(uint32_t slots, const struct agent_config *config); /* 0 slots: no node */
void pool_free(struct pool *p);

/* The answer to a request of its client. */
Tern__Envelope *pool_ask(struct pool *p, Tern__Envelope *e);
bool pool_refused(const Tern__Envelope *e, enum tern_err err, const char *words);
/* Submits tasks with these requirements and priority (labels may be NULL). */
uint64_t pool_submit(struct pool *p, size_t tasks, int32_t priority, const char *label,
                     const char *node);
Tern__Fence pool_placed(struct pool *p, uint32_t node, size_t n);
/* Placed on its node and begun. */
Tern__Fence pool_running(struct pool *p);
void pool_report(struct pool *p, uint32_t node, const Tern__Fence *fence,
                 Tern__Report__WhatCase what);
/* A node comes back with what it holds. */
uint32_t pool_node_back(struct pool *p, const char *name, const Tern__Fence *held, size_t count);
void pool_beat(struct pool *p, uint32_t node);
Tern__Envelope *pool_watch(struct pool *p, uint64_t task, uint64_t job, bool ends_only);
Tern__Envelope *pool_cancel(struct pool *p, uint64_t task, uint64_t job);
Tern__Envelope *pool_move(struct pool *p, uint64_t task, const char *node);
Tern__Envelope *pool_drain(struct pool *p, const char *node, bool back);
Tern__Envelope *pool_query(struct pool *p, Tern__QueryKind kind, uint64_t after, uint32_t count);
Tern__TaskState pool_state(struct pool *p, uint64_t task);

#endif

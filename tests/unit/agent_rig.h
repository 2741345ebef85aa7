/*
 * agent_rig - an agent's core on a bench: events go in by short calls, what comes out is kept.
 *
 * Each step's facts are encoded, decoded and kept as a journal has them; each message that is sent
 * is encoded and decoded, too; agent_check looks at everything. rig_restart makes a new agent out
 * of the journal, rig_snapshot replaces the journal by a snapshot.
 */
#ifndef AGENT_RIG_H
#define AGENT_RIG_H

#include "core/agent.h"

struct rig_sent {
    uint32_t peer;
    bool closed; /* the peer was closed */
    Tern__Envelope *message;
};

struct rig {
    struct agent *agent;
    struct agent_config config;
    int64_t now_ns;
    int64_t wake_ns;
    uint32_t peer_next;
    uint64_t number; /* of the last request */
    struct bytes *facts;
    size_t fact_count, fact_room;
    struct arena arena; /* of what was sent in the last step */
    struct rig_sent *sent;
    size_t sent_count, sent_room;
    bool ended;
    const char *instance; /* 8 bytes that parts say which come up; NULL: none */
    bool unchecked; /* agent_check is left to the test */
    bool forgetful; /* facts are not kept */
};

void rig_init(struct rig *r, const struct agent_config *config);
void rig_release(struct rig *r);
void rig_restart(struct rig *r);
void rig_snapshot(struct rig *r);

void rig_event(struct rig *r, const struct core_event *ev);
/* Steps at once as long as the core wants to. Keeps what all of them sent. */
void rig_settle(struct rig *r);
/* Time passes, step by step as the core asks to be woken. */
void rig_pass(struct rig *r, int64_t ns);

uint32_t rig_up(struct rig *r, Tern__Part part, const char *name, const char *owner,
                uint64_t session);
void rig_down(struct rig *r, uint32_t peer);
/* Gives it a number if it is a request; returns it. */
uint64_t rig_say(struct rig *r, uint32_t peer, Tern__Envelope *e);

/* Of the last call: the n-th (from 0) message of this kind to this peer, or NULL. */
Tern__Envelope *rig_got(const struct rig *r, uint32_t peer, Tern__Envelope__BodyCase what,
                        size_t n);
Tern__Envelope *rig_answer(const struct rig *r, uint32_t peer, uint64_t number);
/* The n-th order of this kind, over all messages. */
Tern__Order *rig_order(const struct rig *r, uint32_t peer, Tern__OrderKind kind, size_t n);
bool rig_closed(const struct rig *r, uint32_t peer);

/* ---- whole stories ---- */

uint32_t rig_node(struct rig *r, const char *name, uint32_t slots);
uint32_t rig_depot(struct rig *r, const char *name);
uint32_t rig_client(struct rig *r, const char *owner);
/* Names the module "program" (a blob of its own for each letter), so that depots have it. */
void rig_module(struct rig *r, uint32_t client, uint8_t letter);
/* The number of the first task; fails the test if it is refused. */
uint64_t rig_submit(struct rig *r, uint32_t client, size_t tasks);
void rig_submit_message(Tern__Envelope *e, uint8_t letter, size_t tasks, struct arena *arena);
uint64_t rig_report(struct rig *r, uint32_t node, const Tern__Fence *fence,
                    Tern__Report *report);
void rig_begun(struct rig *r, uint32_t node, const Tern__Fence *fence);
void rig_end(struct rig *r, uint32_t node, const Tern__Fence *fence, Tern__EndKind kind, int code);
void rig_checkpoint(struct rig *r, uint32_t node, const Tern__Fence *fence, uint64_t n,
                    const char *depot_a, const char *depot_b);
/* What the agent says of it; fails the test if it is not known. */
Tern__TaskDetail *rig_task(struct rig *r, uint32_t client, uint64_t task);

#endif

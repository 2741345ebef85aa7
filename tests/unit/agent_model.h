/*
 * agent_model - nodes, depots and clients that behave as they may, around an agent's core.
 *
 * What travels lies in queues; a connection that breaks loses what is in them. Nodes keep their
 * reports until they are stored, clients repeat what was not answered. Whatever happens, a task
 * that was accepted ends once: model_verify.
 */
#ifndef AGENT_MODEL_H
#define AGENT_MODEL_H

#include "agent_rig.h"
#include "base/prng.h"

enum {
    MODEL_NODES = 3, MODEL_DEPOTS = 2, MODEL_CLIENTS = 2, MODEL_TASKS = 4096, MODEL_HELD = 256, MODEL_SLOTS = 4 };

struct mail { /* encoded envelopes, first in first out */
    struct bytes *item;
    size_t first, count, room;
};

struct party {
    uint32_t peer; /* 0: not connected */
    const char *name;
    Tern__Part part;
    struct mail to_agent, from_agent;
};

struct held { /* an attempt at a node */
    Tern__Fence fence;
    bool prepare, begun, over;
    uint64_t last_report, checkpoint;
};

struct model_node {
    struct party party;
    struct held held[MODEL_HELD];
    size_t held_count;
    struct mail owed; /* Reports of one report each */
    uint64_t owed_n[4096], report;
    int64_t cut_ns; /* since when it has not been connected */
};

struct model_ask {
    uint64_t number;
    struct bytes message;
    bool answered;
};

struct model_client {
    struct party party;
    const char *owner;
    uint64_t session, number;
    struct model_ask ask[1024];
    size_t ask_count;
};

struct model_task {
    bool accepted, ended;
    size_t client;
    int32_t code;
    Tern__TaskState state;
};

struct model_end { /* that a node reported */
    Tern__Fence fence;
    int32_t code;
};

enum { MODEL_ENDS = 16384 };

struct model {
    struct rig rig;
    struct prng prng;
    struct model_node node[MODEL_NODES];
    struct party depot[MODEL_DEPOTS];
    struct model_client client[MODEL_CLIENTS];
    struct model_task task[MODEL_TASKS];
    struct model_end end[MODEL_ENDS];
    size_t end_count;
    uint64_t task_most, ends_seen;
    bool healing;
};

void model_init(struct model *m, uint64_t seed);
void model_release(struct model *m);
/* Something happens; at the end nothing bad does any more, until all have ended. */
void model_event(struct model *m);
bool model_heal(struct model *m);
/* Exactly one end of each accepted task on the journal, as clients were told. */
void model_verify(const struct model *m);

#endif

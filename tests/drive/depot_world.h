/*
 * depot_world - an agent, two depots and a client in the simulator's world, for tests of depots and
 *               transfers: real links, virtual network, chunks in memory.
 *
 * The agent is the test itself: it has the depots' keys, makes capabilities, and keeps what it was
 * told last.
 */
#ifndef TERN_TESTS_DRIVE_DEPOT_WORLD_H
#define TERN_TESTS_DRIVE_DEPOT_WORLD_H

#include "drive/blob.h"
#include "drive/depot_drive.h"
#include "sim/chunks_mem.h"
#include "sim/world_sim.h"

enum { WORLD_DEPOTS = 2, WORLD_LOST = 16, WORLD_TAIL_BYTES = 1 << 20 };

struct depot_there {
    struct sim_host *host;
    struct sim_part *part;
    struct world world;
    struct chunks_mem *mem;
    struct chunks *chunks;
    struct depot_drive *drive;
    uint8_t key[CAPABILITY_KEY_BYTES];
    char name[8], endpoint[32];
    const char *endpoints[1];
    link_id at_agent; /* the agent's link to it */
    unsigned ads;
};

struct depot_world {
    struct sim sim;
    struct sim_net *net;
    struct depot_there depot[WORLD_DEPOTS];
    /* The agent. */
    struct sim_part *agent_part;
    struct world agent_world;
    struct links *agent;
    struct store_name lost[WORLD_LOST];
    unsigned lost_count, held_count, copied_count;
    uint32_t copied_error;
    /* The client. */
    struct sim_part *part;
    struct world world;
    struct links *links;
    struct transfer_peer peer[WORLD_DEPOTS];
    bool up[WORLD_DEPOTS];
    Tern__Capability capability;
    Tern__Fence fence;
    uint8_t mac[CAPABILITY_MAC_BYTES];
    struct upload *upload;
    struct fetch *fetch;
    bool done;
    enum tern_err err;
    char why[512];
    struct bytes got;
    enum tern_err refused; /* the last, of what is no transfer's */
    char refused_why[512];
    unsigned answers;
    Tern__Envelope__BodyCase answer;
    struct bytes chunk;
    uint8_t tail[2][WORLD_TAIL_BYTES];
    uint64_t tail_to[2], tail_bytes;
    uint64_t tail_attempt;
};

struct depot_world *depot_world_new(uint64_t seed);
void depot_world_free(struct depot_world *w);
/* Until the condition holds, or (false) a virtual minute passed. */
bool depot_world_until(struct depot_world *w, bool (*holds)(const struct depot_world *w));
void depot_world_run(struct depot_world *w, int64_t ns);
/* The client's link to it, up. */
void depot_world_dial(struct depot_world *w, unsigned depot);

/* A capability for that depot, in w->capability; the peer's, too. */
void depot_world_allow(struct depot_world *w, unsigned depot, const char *domain, uint32_t rights);
/* Asks the depot something as the client, and waits for the answer (w->answer, w->refused ...). */
void depot_world_ask(struct depot_world *w, unsigned depot, Tern__Envelope *e,
                     struct view attachment);
/* To a depot, as the agent. */
void depot_world_order(struct depot_world *w, unsigned depot, Tern__Envelope *e);

enum tern_err depot_world_upload(struct depot_world *w, unsigned depot,
                                 const struct transfer_source *from, struct chunks_root root,
                                 struct transfer_count *count);
/* Into w->got, or, with chunks, into these. */
enum tern_err depot_world_fetch(struct depot_world *w, unsigned depot, struct chunks_root root,
                                uint64_t offset, struct chunks *chunks, const char *domain,
                                struct transfer_count *count);
/* Of the orders of transfers that a test makes itself; context: the world. */
void depot_world_done(void *context, enum tern_err err, const char *why);
bool depot_world_is_done(const struct depot_world *w);

#endif

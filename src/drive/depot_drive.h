/*
 * depot_drive - a depot: keeps chunks for whoever shows a capability, roots as long as the agent wants.
 *
 * Does     Keeps the agent dialled and tells it what it is (DepotAd) and how much room it has.
 *          Probe, PutChunk, Commit, GetChunk: for those with the right, in their domain. Hold,
 *          CopyRoot: for the agent. Tail, Follow: relays provisional output, of which it keeps the
 *          last DEPOT_TAIL_BYTES of each stream.
 * Not here Chunks (chunks.h), connections (links.h), what the bytes mean.
 * Order    Answers to Probe, PutChunk and Commit in the order of these; those to GetChunk likewise.
 * Leases   Of roots, in agent time, which stands still while the agent is not there. A root of which
 *          nobody says until when it is to stay stays DEPOT_LEASE_NS; none longer than
 *          DEPOT_LEASE_MOST_NS unless the agent says so (Hold).
 * Fences   What was said to a task's newest attempt holds: an older one can write no more.
 * Damage   A chunk that is found damaged is given up; the agent is told of each root that it belongs
 *          to (Held, unasked), which it drops: another depot has a copy.
 * Pins     What an upload put or was told to be there stays until its Commit, or its connection ends.
 * Limits   Below; at each, a refusal in words. Whoever does not read what he asked for is not read
 *          from.
 */
#ifndef TERN_DRIVE_DEPOT_DRIVE_H
#define TERN_DRIVE_DEPOT_DRIVE_H

#include "drive/capability.h"
#include "drive/chunks.h"
#include "drive/links.h"

enum {
    DEPOT_GETS_MAX = 1024,         /* of a connection, not answered since it does not read */
    DEPOT_COPIES_MAX = 4096,       /* that were asked for and are not done */
    DEPOT_TAILS_MAX = 4096,        /* tasks */
    DEPOT_TAIL_BYTES = 64 << 10,   /* of each stream of each */
    DEPOT_TAILS_BYTES = 128 << 20, /* of all */
    DEPOT_FOLLOWERS_MAX = 4096,
    DEPOT_FENCES_MAX = 4096 /* tasks whose newest attempt is remembered */
};
#define DEPOT_LEASE_NS INT64_C(3600000000000)
#define DEPOT_LEASE_MOST_NS (24 * DEPOT_LEASE_NS)

struct depot_drive;

struct depot_drive_config {
    struct world *world;
    struct chunks *chunks;
    const char *name;
    const uint8_t *token; /* of the pool; NULL: this machine only */
    uint8_t key[CAPABILITY_KEY_BYTES];
    bool memory;                    /* what it keeps ends with it */
    const char *const *endpoints;   /* where it can be dialled */
    size_t endpoint_count;
    const char *const *agent;       /* endpoints of the agent */
    size_t agent_count;
    int64_t beat_ns;
    void *context;
    /* Something for a person; warn: something is wrong. May be NULL. */
    void (*told)(void *context, bool warn, const char *sentence);
    /* The agent has us. May be NULL. */
    void (*ready)(void *context);
};

/* All that the config points to is borrowed. NULL: no memory. */
struct depot_drive *depot_drive_new(const struct depot_drive_config *config);
void depot_drive_free(struct depot_drive *d); /* NULL is fine */
/* For the world's handlers (links_handlers). */
struct links *depot_drive_links(struct depot_drive *d);

struct depot_drive_count {
    uint64_t put_chunks, put_bytes, got_chunks, got_bytes, copies, refused, tail_bytes;
    uint64_t lost_roots, lapsed_roots;
};
struct depot_drive_count depot_drive_count(const struct depot_drive *d);

#endif

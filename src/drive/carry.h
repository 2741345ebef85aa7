/*
 * carry - a root to or from depots, whichever of them work: what a slot does with transfers.
 *
 * Does     Keeps links to depots that tasks named, dialled when needed, by their endpoints in turn.
 *          A fetch goes to one depot after the other until one has it all. An upload goes to as many
 *          at once as copies are wanted; where one fails the next in the list takes its place.
 * Stalls   A depot from which nothing comes for CARRY_STALL_NS while it owes an answer is let go.
 * Life     carry_depot for each DepotAt of a task; carry_fetch and carry_upload, each until `done`
 *          is told, once, or carry_free. Of links: carry_up, carry_message, carry_down and
 *          carry_drained for each link that is not the owner's own. carry_tick when carry_wake has
 *          come.
 * Calls    `done` is never told from within carry_fetch, carry_upload: from the others.
 */
#ifndef TERN_DRIVE_CARRY_H
#define TERN_DRIVE_CARRY_H

#include "drive/transfer.h"

enum { CARRY_LEGS = 16, CARRY_WHY_BYTES = 256 };
#define CARRY_STALL_NS INT64_C(15000000000)

struct depots; /* all links */
struct depot;  /* one of them; stays until depots_free */
struct carry;

struct depots *depots_new(struct links *l); /* NULL: no memory */
void depots_free(struct depots *d);

/* What is said of it is copied; its capability counts from now on. NULL: no memory. */
struct depot *carry_depot(struct depots *d, const Tern__DepotAt *at);
const char *carry_depot_name(const struct depot *depot);
const Tern__Capability *carry_depot_capability(const struct depot *depot);
/* Its link if it is up, else 0; dials it if it is not. */
link_id carry_depot_link(struct depots *d, struct depot *depot);

struct carry_order {
    struct depot *const *depots; /* in order of preference; the list is copied */
    size_t count, wanted;        /* copies; of a fetch: 1 */
    struct chunks *chunks;       /* as in transfer.h */
    const char *domain;          /* outlives it */
    struct chunks_root root;
    uint64_t size;
    /* Fetch, chunks NULL: of a blob, from offset on, a multiple of 1 MiB. */
    enum tern_err (*bytes)(void *context, struct view bytes, const char **why);
    uint64_t offset;
    void *context;
    /* err: of the last depot that failed, if there are fewer copies than wanted. */
    void (*done)(void *context, struct carry *c, enum tern_err err, const char *why);
};

/* NULL: no memory. */
struct carry *carry_fetch(struct depots *d, const struct carry_order *order);
struct carry *carry_upload(struct depots *d, const struct carry_order *order);
void carry_free(struct depots *d, struct carry *c); /* NULL is fine; also from within done */
void carry_free_all(struct depots *d);
void carry_hold(struct carry *c, bool held);
/* Depots that it is at now, complete; at most CARRY_LEGS. */
size_t carry_done_at(const struct carry *c, struct depot *out[CARRY_LEGS]);
/* Sent or got, all depots together. */
uint64_t carry_bytes(const struct carry *c);

bool carry_up(struct depots *d, link_id link);
bool carry_message(struct depots *d, link_id link, const Tern__Envelope *e, struct view attachment);
bool carry_down(struct depots *d, link_id link, enum tern_err err, const char *why);
void carry_drained(struct depots *d, link_id link);
/* Begins what was ordered; watches for stalls. */
void carry_tick(struct depots *d);
int64_t carry_wake(const struct depots *d);

#endif

/*
 * courier - carries blobs to depots and from them, and lets output be followed there: dials those
 *           that are needed, and goes to the next one where one fails.
 *
 * Does     One link for each depot, as long as the courier lives. Over it uploads and fetches
 *          (transfer.h), and Follow for provisional output.
 * Put      To as many of the depots as are wanted, side by side; done when each has it or has
 *          failed. It is no error if some failed, as long as one has it: errand_at says which.
 * Get      From the first depot that has it; where one breaks off, the next one goes on from the
 *          byte that was reached.
 * Owner    Has the links, and passes on what they tell: each courier_... for a link returns false if
 *          that is none of the courier's.
 * Calls    `done` is told once, from the loop (the errand may be freed there) or from within
 *          courier_put and courier_get (then not yet). After errand_free nothing is told.
 */
#ifndef TERN_DRIVE_COURIER_H
#define TERN_DRIVE_COURIER_H

#include "drive/transfer.h"

struct courier;
struct errand; /* an errand */
struct tail;  /* a stream of provisional output */

struct courier *courier_new(struct links *links); /* NULL: no memory */
void courier_free(struct courier *c);             /* with all errands; nothing is told */

bool courier_up(struct courier *c, link_id link);
bool courier_message(struct courier *c, link_id link, const Tern__Envelope *e,
                     struct view attachment);
bool courier_drained(struct courier *c, link_id link);
bool courier_down(struct courier *c, link_id link, enum tern_err err, const char *why);

struct errand_order {
    Tern__DepotAt *const *depots; /* in order of preference; copied */
    size_t depot_count;
    struct chunks_root root;
    uint64_t size; /* of the blob */
    /* Put. */
    struct transfer_source source;
    size_t copies; /* at most so many depots; at least 1 */
    /* Get: as fetch_order has it, but from any byte on. */
    enum tern_err (*bytes)(void *context, struct view bytes, const char **why);
    uint64_t offset;

    void *context;
    void (*done)(void *context, enum tern_err err, const char *why);
};

/* NULL: no memory. */
struct errand *courier_put(struct courier *c, const struct errand_order *order);
struct errand *courier_get(struct courier *c, const struct errand_order *order);
void errand_free(struct errand *c); /* NULL is fine */
/* Put: the i-th depot that has it now; NULL: there are no more. */
const char *errand_at(const struct errand *c, size_t i);
/* Bytes that have travelled. */
uint64_t errand_bytes(const struct errand *c);

struct tail_order {
    const Tern__DepotAt *depot;
    uint64_t task;
    uint64_t from[2];
    void *context;
    /* stream 0 or 1. */
    void (*bytes)(void *context, int stream, uint64_t offset, uint64_t attempt, struct view bytes);
    /* There is no more from this one. The tail is to be freed then, there or later. */
    void (*lost)(void *context, const char *why);
};

struct tail *courier_follow(struct courier *c, const struct tail_order *order);
void tail_free(struct tail *t); /* NULL is fine */

#endif

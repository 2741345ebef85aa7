/*
 * courier_inner - what the sources of the courier share. For them only.
 */
#ifndef TERN_DRIVE_COURIER_INNER_H
#define TERN_DRIVE_COURIER_INNER_H

#include "drive/courier.h"

enum { COURIER_WHY_BYTES = 512 };

struct post { /* that is dialled, or up */
    struct post *next;
    struct courier *courier;
    struct arena arena; /* of `at` and the capability */
    Tern__DepotAt *at;
    size_t endpoint; /* the next to dial */
    link_id link;    /* 0: not dialled */
    bool up;
    unsigned round;   /* of dialling: what belongs to an earlier one is lost */
    unsigned drained; /* times */
    struct transfer_peer peer;
    struct part *parts;
    struct tail *tails;
};

struct part { /* an errand at one depot */
    struct part *next; /* of that depot */
    struct post *depot;
    struct errand *errand;
    struct upload *upload;
    struct fetch *fetch;
    unsigned round, drained; /* of the depot, when it last went on */
    bool begun, over, held; /* held: put, and the depot has it all now */
};

struct errand {
    struct errand *next;
    struct courier *courier;
    bool put;
    struct errand_order order;
    struct arena arena; /* of the depots */
    Tern__DepotAt **depots;
    size_t depot_count, depot_next; /* next: get: the one to try then */
    struct part parts[LIMIT_COPIES];
    size_t part_count, parts_over;
    uint64_t reached, skip, before; /* get: offset of the next byte; bytes to leave out; put: - */
    enum tern_err err;
    char why[COURIER_WHY_BYTES];
};

struct tail {
    struct tail *next; /* of its depot */
    struct post *depot;
    struct tail_order order;
    unsigned round;
    uint64_t number; /* of Follow */
    uint64_t used;   /* of the credit, since it was last given */
};

struct courier {
    struct links *links;
    struct post *depots;
    struct errand *carries;
};

/* courier.c: the depot, dialled; NULL: no memory. */
struct post *post_reach(struct courier *c, const Tern__DepotAt *at);
/* courier_errand.c */
void part_go(struct part *p);
bool part_message(struct part *p, const Tern__Envelope *e, struct view attachment);
void part_drained(struct part *p);
void part_lost(struct part *p, enum tern_err err, const char *why);
void part_leave(struct part *p); /* takes it from its depot's list */
/* courier_tail.c */
void tail_go(struct tail *t);
bool tail_message(struct tail *t, const Tern__Envelope *e, struct view attachment);
void tail_lost(struct tail *t, const char *why);

#endif

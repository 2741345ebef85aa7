/* carry_inner - what carry.c and depots.c share. For them only. */
#ifndef TERN_DRIVE_CARRY_INNER_H
#define TERN_DRIVE_CARRY_INNER_H

#include "drive/carry.h"

struct depot {
    struct depot *next;
    char name[LIMIT_NAME + 1];
    struct arena arena; /* of the text below */
    Tern__DepotAt *at;
    size_t endpoint; /* that is tried, or was */
    link_id link;
    bool up;
    char why[CARRY_WHY_BYTES]; /* it is not */
    struct transfer_peer peer;
};

enum leg_state { LEG_IDLE, LEG_WAITING, LEG_GOING, LEG_DONE, LEG_FAILED };

struct leg {
    struct carry *carry;
    struct depot *depot;
    enum leg_state state;
    struct upload *upload;
    struct fetch *fetch;
    int64_t heard_ns;
};

struct carry {
    struct carry *next;
    struct depots *depots;
    struct carry_order order;
    struct transfer_domain from; /* of an upload */
    bool up;     /* an upload */
    bool told, held;
    struct leg leg[CARRY_LEGS];
    size_t legs;
    uint64_t offset; /* fetch of bytes: the next that is needed */
    uint64_t bytes;  /* of legs that are over */
    enum tern_err err, given_up; /* of the last leg that failed; of the owner's function */
    char why[CARRY_WHY_BYTES];
};

struct depots {
    struct links *links;
    struct depot *depots;
    struct carry *carries;
};

/* depots.c */
struct depot *depots_of_link(const struct depots *d, link_id link);
/* carry.c: for all legs at it. */
void carry_depot_up(struct depots *d, struct depot *depot);
void carry_depot_down(struct depots *d, struct depot *depot, enum tern_err err);

#endif

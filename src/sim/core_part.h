/*
 * core_part - a core with links and, if it keeps facts, a journal: the least drive there can be.
 *
 * For cores that are looked at alone. Holds back what a core sends behind a fact until that is on
 * the disk, as the drives that ship do.
 */
#ifndef TERN_SIM_CORE_PART_H
#define TERN_SIM_CORE_PART_H

#include "core/core.h"
#include "drive/journal.h"
#include "drive/links.h"
#include "sim/world_sim.h"

struct core_part;

struct core_part_config {
    struct sim *sim;
    struct sim_part *part;
    struct links_config links; /* world, context and what is told are set here */
    struct journal *journal;   /* NULL: it stores nothing */
    int64_t lease_ns;          /* said in answers to beats; 0: of no meaning */
    int64_t time_from_ns;      /* the core's time begins at this */
    void *context;             /* of all that follows */
    void (*step)(void *context, const struct core_event *ev, struct core_out *out);
    void (*note)(void *context, const struct note *note);
    void (*slot)(void *context, enum core_action_kind kind, uint32_t index);
    /* Which slot a link leads to; NULL: there are none. */
    uint32_t (*slot_of)(void *context, link_id link);
    /* Of each message before it is sent: capabilities are sealed. NULL: there are none. */
    void (*seal)(void *context, ProtobufCMessage *m, struct core_out *out);
    void (*end)(void *context);
};

struct core_part *core_part_new(const struct core_part_config *config);
void core_part_free(struct core_part *p);
struct links *core_part_links(struct core_part *p);
int64_t core_part_now(const struct core_part *p);
/* Carries out what a first step gave. */
void core_part_begin(struct core_part *p, void (*first)(void *context, int64_t now_ns,
                                                        struct core_out *out));
/* An event from elsewhere: CORE_LEAVE, a slot that never came up. */
void core_part_event(struct core_part *p, struct core_event *ev);

#endif

/*
 * node_inner - what the sources of the node's core share. For them only.
 */
#ifndef TERN_CORE_NODE_INNER_H
#define TERN_CORE_NODE_INNER_H

#include "core/attempts.h"
#include "core/node.h"
#include "core/owed.h"

#define SLOT_AHEAD_NS INT64_C(20000000)       /* work that one slot is given at a time */
#define SLOT_PULL_NS INT64_C(50000000)        /* what waits longer than that behind another moves */
#define SLOT_DELAY_LEAST_NS INT64_C(10000000) /* before one is started again, doubled each time */
#define SLOT_DELAY_MOST_NS INT64_C(5000000000)

enum slot_state {
    SLOT_NONE,
    SLOT_STARTING,
    SLOT_UP,
    SLOT_DYING /* killed, and its peer is not down yet */
};

struct slot_entry {
    enum slot_state state;
    uint32_t peer;
    struct attempt_list work; /* in the order in which it was given; it does the first */
    uint32_t window;          /* attempts that it is given at a time */
    int64_t each_ns;          /* what one took lately; 0: not known */
    int64_t since_ns;         /* it has been at the first one */
    int64_t delay_ns;         /* before it is started again, after a death without any success */
    int64_t start_ns;         /* not before */
    Tern__SlotWork *told;     /* in this step */
    size_t told_room;
};

struct node {
    struct node_config config;
    int64_t now_ns;
    uint32_t agent; /* peer, or 0 */
    bool leaving, ended;
    int64_t leave_by_ns;
    int64_t lease_ns;   /* as the agent gave it last */
    int64_t lease_from_ns, lease_until_ns;
    uint32_t foreign;
    uint64_t memory_free;
    struct attempts held;
    struct attempt_list queue, over;
    struct owed owed;
    struct slot_entry *slot;
    uint32_t running; /* BEGUN */
};

/* node_slots.c */
void slots_up(struct node *n, const struct core_event *ev, struct core_out *out);
void slots_down(struct node *n, const struct core_event *ev, struct core_out *out);
void slots_reports(struct node *n, uint32_t index, const Tern__SlotAsk *ask, struct core_out *out);
/* Starts slots, gives them work, moves it between them, ends those that are stuck. */
void slots_go_on(struct node *n, struct core_out *out);
void slots_kill(struct node *n, uint32_t index, struct core_out *out);
/* An order for the slot that has it, beginning with an empty one. */
Tern__Order *slots_tell(struct node *n, const struct attempt *a, Tern__OrderKind kind,
                        struct core_out *out);
uint32_t slots_of_peer(const struct node *n, uint32_t peer); /* NODE_SLOTS_MAX: none */

/* node_orders.c */
void orders_take(struct node *n, const Tern__Orders *orders, struct core_out *out);

/* node.c: reports are added to those that are owed, the last one ends the attempt. */
uint64_t node_report(struct node *n, const struct attempt *a, const Tern__Report *report);
void node_over(struct node *n, struct attempt *a, Tern__AttemptState how,
               const Tern__Report *report);
void node_returned(struct node *n, struct attempt *a, const char *why);
void node_broken(struct node *n, struct attempt *a, const char *why);
void node_drop(struct node *n, struct attempt *a);

#endif

/*
 * node_drive - a node at work: its core (core/node.h) over links, with a process for each slot.
 *
 * Does     Keeps a connection to the agent; starts and ends slots as the core says; fills beats.
 * Life     node_drive_new, node_drive_begin, then everything comes through its links
 *          (node_drive_links, for the world's handlers) and `gone` of its slots, until `over`.
 *          node_drive_free, not from within `over`.
 * Slots    An interface: os/pool/slots_uv.h has processes, a simulator parts of its world. `gone` is
 *          told once for each start that succeeded, whoever ended it, never from within a call.
 * Refused  Before it was ever connected it ends with what the agent says; later it tries again. That
 *          another node has its name it believes only after some seconds: it may have just died.
 */
#ifndef TERN_DRIVE_NODE_DRIVE_H
#define TERN_DRIVE_NODE_DRIVE_H

#include "core/node.h"
#include "drive/links.h"

struct slots {
    const struct slots_calls *calls;
    void *self;
    /* Set by the owner. */
    void *context;
    void (*gone)(void *context, uint32_t index, const char *why);
};

struct slots_calls {
    /* Our end of what joins it to us: a link that the world is about to open. */
    enum tern_err (*start)(void *self, uint32_t index, link_id *link, struct problem *p);
    void (*kill)(void *self, uint32_t index); /* at once, with what it runs */
};

struct node_drive_config {
    struct world *world;
    const uint8_t *token; /* as links_config has it */
    struct node_config node;
    const char *const *agents; /* endpoints, in order of preference */
    size_t agent_count;
    struct slots *slots; /* its context and function are set here */
    void *context;
    /* Connected, or not any more, and why not; may be NULL. */
    void (*agent)(void *context, bool up, const char *why);
    void (*note)(void *context, const struct note *note); /* may be NULL */
    /* It has left (TERN_OK), or was refused. Told once. */
    void (*over)(void *context, enum tern_err err, const char *why);
    /* What the machine does besides; asked before each beat. May be NULL. */
    void (*load)(void *context, uint32_t *foreign_thousandths, uint64_t *memory_free);
};

struct node_drive;

struct node_drive *node_drive_new(const struct node_drive_config *config); /* NULL: no memory */
void node_drive_free(struct node_drive *d);
struct links *node_drive_links(struct node_drive *d);
void node_drive_begin(struct node_drive *d);
void node_drive_leave(struct node_drive *d);
/* For the simulator's checks. */
const struct node *node_drive_node(const struct node_drive *d);

#endif

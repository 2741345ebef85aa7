/*
 * slot - runs the attempts that a node gives it, one after the other, in a process of its own.
 *
 * Does     Fetches a program, its inputs and the checkpoint that it goes on from; has the engine run
 *          it; feeds standard input; keeps output; takes checkpoints at intervals and brings them to
 *          as many depots as are wanted; brings results there; reports to its node.
 * Not here Decisions beyond one program: the node makes these.
 * Life     slot_new, slot_begin, then everything comes through the links (slot_links, for the
 *          world's handlers) and the engine, until `over`. slot_free.
 * Order    Attempts are run in the order in which they were given. Nothing is asked of the node in
 *          between: short ones flow.
 * Counts   A Checkpoint is reported when the depots have committed it, an End when they have its
 *          results. With fewer depots than wanted it goes on, and says at which ones it is.
 * Output   Full MiB become chunks at once; the rest up to a checkpoint is in memory. What depots do
 *          not have yet is sent to the first one as Tail soon after it was written.
 * Moving   Checkpoints ahead while the program runs, as long as each is much smaller than the one
 *          before; then the last one.
 * Roots    In its own store: what was fetched stays for a while, for the next attempt; a checkpoint
 *          until the next one.
 */
#ifndef TERN_DRIVE_SLOT_H
#define TERN_DRIVE_SLOT_H

#include "drive/engine.h"
#include "drive/links.h"

struct slot_config {
    struct world *world;
    const uint8_t *token;  /* of the pool, as links_config has it */
    struct chunks *chunks; /* its own; what is in it of an earlier life is let go of */
    struct engine *engine; /* its context and functions are set here */
    int64_t every_ns;      /* most between two checkpoints, where a task says nothing: 30 s */
    void *context;
    void (*over)(void *context, const char *why); /* its node is gone: it is to end */
};

struct slot;

struct slot *slot_new(const struct slot_config *config); /* NULL: no memory */
void slot_free(struct slot *s);
struct links *slot_links(struct slot *s);
/* By which it is joined to its node. */
void slot_begin(struct slot *s, link_id node);

#endif

/*
 * checkpoint_walk - all chunks beneath a checkpoint's root and the root's own, one at a time.
 *
 * Does     Each once; one that is seen as two kinds twice.
 * Life     checkpoint_walk_begin, checkpoint_walk_next until *over, checkpoint_walk_release.
 * Errors   TERN_ENOMEM and those of store_get and chunk_children; w->at says of which chunk.
 */
#ifndef TERN_OS_CHECKPOINT_WALK_H
#define TERN_OS_CHECKPOINT_WALK_H

#include "store/names.h"

/* What a chunk is for. */
enum walk_use { WALK_ROOT, WALK_PART, WALK_PAGE };

struct walk_chunk {
    struct store_name name;
    unsigned kind;
    enum walk_use use;
};

struct checkpoint_walk {
    struct store *store;
    struct names seen;    /* all so far, and those to come; bit k: as kind k */
    struct bytes visits;  /* struct walk_chunk each: still to come */
    struct walk_chunk at; /* the one that was read last */
    struct bytes plain;   /* its bytes */
};

enum tern_err checkpoint_walk_begin(struct checkpoint_walk *w, struct store *s,
                                    const struct store_name *root);
enum tern_err checkpoint_walk_next(struct checkpoint_walk *w, bool *over);
void checkpoint_walk_release(struct checkpoint_walk *w);

#endif

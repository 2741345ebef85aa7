/*
 * checkpoint - a program in a store: reading what checkpoint_take wrote.
 *
 * Format   store/checkpoint_root.h, image.h.
 * Trust    checkpoint_open believes nothing; but whether the image fits to the module that lies
 *          beside it, and whether that module may run, is for the caller to find out.
 */
#ifndef TERN_OS_CHECKPOINT_H
#define TERN_OS_CHECKPOINT_H

#include "image/image.h"
#include "store/store.h"

struct checkpoint {
    struct store_root root;
    struct bytes settings, module, image_bytes;
    struct image image; /* decoded, not yet checked */
};

/* The n-th newest (0: the newest) of a store. */
enum tern_err checkpoint_open(struct store *s, unsigned n, struct checkpoint *out,
                              struct problem *p);
/* The one whose list is root->list; its number is for messages. */
enum tern_err checkpoint_open_root(struct store *s, const struct store_root *root,
                                   struct checkpoint *out, struct problem *p);
void checkpoint_release(struct checkpoint *c);

/*
 * The state into a memfd. Contents of files of its own are had by checkpoint_tree_load, before; the
 * memory is for fill.h.
 */
enum tern_err checkpoint_load_state(const struct checkpoint *c, int state, struct problem *p);
/* The sentence about a checkpoint that cannot be loaded; returns err. */
enum tern_err checkpoint_unloaded(const struct checkpoint *c, enum tern_err err, struct problem *p);

/* The chunk of that name into an empty *out; TERN_ECORRUPT if it is not of that size. */
enum tern_err checkpoint_get(struct store *s, const uint8_t *name, size_t size, struct bytes *out);

#endif

/*
 * checkpoint_tree - the contents of a private file tree into a store, and back.
 *
 * Does     Knows the names of the arena's pages that were in the last checkpoint: a page that was
 *          in that one and is in this one has not changed (runner/tree_pages.h), and is not read
 *          again.
 * Life     checkpoint_tree_new, for an arena; checkpoint_tree_load if the program goes on; then,
 *          for each checkpoint, _capture while the program is stopped, which costs a few
 *          nanoseconds a page, and _put at any time until it is stopped again.
 * Threads  None of its own. What _put looks at does not change while the program runs: it may be
 *          called on another thread, but not at the same time as anything else here.
 * Errors   As store.h; TERN_ECORRUPT: what is loaded is not what the image says.
 */
#ifndef TERN_OS_CHECKPOINT_TREE_H
#define TERN_OS_CHECKPOINT_TREE_H

#include "image/image.h"
#include "store/store.h"

struct checkpoint_tree;

struct checkpoint_tree *checkpoint_tree_new(int arena); /* NULL: no memory */
void checkpoint_tree_free(struct checkpoint_tree *k);   /* NULL is fine */

/* t: what the runner told when it stopped. */
enum tern_err checkpoint_tree_capture(struct checkpoint_tree *k, const struct state_tree *t);

struct checkpoint_tree_names {
    struct arena memory;
    struct image_file *files; /* one for each inode */
    struct bytes held; /* names of chunks of names of lists: all pages hang beneath these lists */
    uint64_t bytes;    /* of all contents */
};

/* Puts what is new of the tree that was captured last. *out is to be released also on failure. */
enum tern_err checkpoint_tree_put(struct checkpoint_tree *k, struct store *s,
                                  const struct state_tree *t, struct checkpoint_tree_names *out,
                                  struct problem *p);
/* From another thread: a _put that is going on may end early, by TERN_EBUSY. */
void checkpoint_tree_give_up(struct checkpoint_tree *k);
void checkpoint_tree_names_release(struct checkpoint_tree_names *n);

/*
 * Contents of the image's tree into the arena, which is empty, and into the tree where they lie
 * there (runs). The image has been checked. TERN_ETOOBIG: more than its limit.
 */
enum tern_err checkpoint_tree_load(struct checkpoint_tree *k, struct store *s,
                                   const struct image *image);

#endif

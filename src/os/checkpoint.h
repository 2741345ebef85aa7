/*
 * checkpoint - a stopped program into a store, and back: the node's side of stopping.
 *
 * Does     Reads the runner's state, cuts memory 0 into pages of 4 KiB, puts those that are new
 *          into the store, commits a root. What was committed before is not touched.
 * Format   The root chunk: "TERNCHK1", the u32 counts of names that follow (settings, module,
 *          image, memory lists), the names, 32 bytes each. Settings (the caller's), module and
 *          image are runs of chunks of at most STORE_CHUNK_MAX; memory lists and pages are as
 *          image.h says.
 * Trust    checkpoint_open believes nothing; but whether the image fits to the module that lies
 *          beside it, and whether that module may run, is for the caller to find out.
 */
#ifndef TERN_OS_CHECKPOINT_H
#define TERN_OS_CHECKPOINT_H

#include "image/image.h"
#include "store/store.h"

struct checkpoint_order {
    struct store *store;
    struct view settings; /* kept beside the image, for whoever resumes */
    struct view module;
    const uint8_t *module_sha256;
    int memory; /* memfd of memory 0 */
    int state;  /* memfd that holds the runner's struct state */
    uint32_t limits_memory_pages;
    uint32_t limits_stack_cells;
    unsigned keep; /* checkpoints that stay */
};

struct checkpoint_done {
    struct store_root root;
    uint32_t frames;
    uint64_t memory_bytes; /* in use, zero pages not counted */
};

/* The program must be stopped meanwhile. */
enum tern_err checkpoint_take(const struct checkpoint_order *o, struct checkpoint_done *out,
                              struct problem *p);

struct checkpoint {
    struct store_root root;
    struct bytes settings, module, image_bytes;
    struct image image; /* decoded, not yet checked */
};

/* The n-th newest (0: the newest) of a store. */
enum tern_err checkpoint_open(struct store *s, unsigned n, struct checkpoint *out,
                              struct problem *p);
void checkpoint_release(struct checkpoint *c);

/* Memory 0 into a memfd that is all zero and large enough, the state into another. */
enum tern_err checkpoint_load(struct store *s, const struct checkpoint *c, int memory, int state,
                              struct problem *p);

/* What hangs beneath a chunk of a checkpoint, for the store. */
store_children checkpoint_children;

/* The chunk of that name into an empty *out; TERN_ECORRUPT if it is not of that size. */
enum tern_err checkpoint_get(struct store *s, const uint8_t *name, size_t size, struct bytes *out);

#endif

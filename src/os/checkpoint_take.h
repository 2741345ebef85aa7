/*
 * checkpoint_take - a program into a store, checkpoint after checkpoint: the node's side of it.
 *
 * Steps    take_ahead while the program runs: stores most of what changed. take_stopped while it is
 *          stopped: reads the runner's state, copies the rest. take_store while it runs again:
 *          stores that, commits a root. What was committed before is not touched.
 * Failure  Leaves the checkpoints that there are; the next one is taken as if it were the first.
 * Threads  One call at a time, from any thread; only take_give_up may come between.
 */
#ifndef TERN_OS_CHECKPOINT_TAKE_H
#define TERN_OS_CHECKPOINT_TAKE_H

#include "os/checkpoint_sync.h"
#include "os/checkpoint_tree.h"
#include "os/pages.h"

struct take_order {
    struct store *store;
    struct view settings; /* kept beside the image, for whoever resumes */
    struct view module;
    const uint8_t *module_sha256;
    struct checkpoint_sync *sync; /* what has to be on the disk before the commit; may be NULL */
    int memory;                   /* memfd of memory 0, of limits_memory_pages */
    int state;                    /* memfd that holds the runner's struct state */
    uint32_t limits_memory_pages;
    uint32_t limits_stack_cells;
    bool deterministic;
    uint64_t limits_files_bytes;
    struct checkpoint_tree *tree; /* NULL: the program has no files of its own */
    unsigned keep;                /* checkpoints that stay */
};

struct take_done {
    struct store_root root;
    uint32_t frames;
    uint64_t input_bytes, cpu_ns; /* as in struct state */
    struct pages_count pages;
    uint64_t files_bytes; /* contents of its own files, holes not counted */
};

struct take;

/* The order's views and descriptors are borrowed. */
enum tern_err take_new(const struct take_order *o, struct take **out, struct problem *p);
void take_free(struct take *t); /* NULL is fine */
struct pages *take_pages(struct take *t);

enum tern_err take_ahead(struct take *t, struct problem *p);
/* *still: the program stays stopped until take_store has been; it becomes true if it must. */
enum tern_err take_stopped(struct take *t, bool *still, struct problem *p);
enum tern_err take_store(struct take *t, struct take_done *out, struct problem *p);

/* From another thread: what is going on may end early, by TERN_EBUSY. */
void take_give_up(struct take *t);

#endif

/*
 * task_tree - a task's inputs as the private file tree that its program begins with, and declared
 * outputs out of the tree that it leaves, as blobs.
 *
 * Inputs   Each at its path, from the root of the tree; folders on the way are made. Equal tasks
 *          begin with equal trees: inodes in the order of the inputs, all times 0.
 * Outputs  Files only, found as tree_out.h finds them. What is optional and not there is left out.
 *          The blobs are put and pinned: their owner has to make roots of them.
 * Refusal  TERN_EINVALID: a path that no file can have, or two that do not go together;
 *          TERN_ETOOBIG: more than the program's files may take; TERN_ENOENT, TERN_ECORRUPT: an
 *          input that is not in the store, or damaged there. *p has the sentence.
 */
#ifndef TERN_OS_POOL_TASK_TREE_H
#define TERN_OS_POOL_TASK_TREE_H

#include "drive/engine.h"
#include "wire/state_tree.h"

/* Whether the task has files at all. */
bool task_tree_wanted(const struct engine_order *o);
/* An input at this path is standard input, and none of the tree. */
bool task_tree_is_stream(const Tern__Input *input);

/* Appends the tree, encoded; contents go into the arena, from its page 1 on. */
enum tern_err task_tree_begin(const Tern__Task *task, struct store *s, int arena,
                              uint32_t pages_max, struct bytes *tree, struct problem *p);

struct task_files { /* zeroed is none */
    struct engine_file *list;
    size_t count;
};

/* TERN_ENOENT: an output is not there, TERN_EINVALID: it is a folder; others as store_put. *out is
 * to be released in any case. Paths are borrowed from the task. */
enum tern_err task_tree_leave(const Tern__Task *task, struct store *s,
                              const struct state_tree *tree, int arena, struct task_files *out,
                              struct problem *p);
void task_files_release(struct task_files *f);

#endif

/*
 * tree_out - what a program leaves in its private file tree, put where the host wants it.
 *
 * Does     A file or a folder of the tree, found by its path (symbolic links are followed, within
 *          the tree), is written beside its place under another name, brought to the disk, and
 *          then renamed: the place has all of it, or what it had before. A file replaces a file.
 *          A folder replaces nothing but an empty folder. In a folder symbolic links are kept as
 *          they stand, hard links become copies. Rights are those of any new file.
 * Kept     What was written and could not be renamed stays, and the problem says where.
 * Trust    The tree has passed state_tree_check; its names and sizes are the program's.
 * Errors   TERN_ENOENT: the tree has no such path; TERN_EEXIST, TERN_EACCES, TERN_EIO,
 *          TERN_ETOOBIG (deeper than TREE_OUT_DEPTH_MAX).
 */
#ifndef TERN_OS_TREE_OUT_H
#define TERN_OS_TREE_OUT_H

#include "base/error.h"
#include "wire/state_tree.h"

enum { TREE_OUT_DEPTH_MAX = 256 };

struct tree_out {
    char *path; /* in the tree, from its root; with or without '/' in front */
    char *host;
};

/* Before the program begins: whether the place can take something at all. */
enum tern_err tree_out_check(const struct tree_out *o, struct problem *p);

enum tern_err tree_out_write(const struct state_tree *t, int arena, const struct tree_out *o,
                             struct problem *p);

/* What a path leads to; NULL: nothing. */
const struct state_node *tree_out_find(const struct state_tree *t, const char *path);

#endif

/*
 * tree_import - a folder of the host's as the private file tree of a program.
 *
 * Does     Reads the folder once, as it is now: files with their holes, folders, symbolic links as
 *          they stand, hard links within the folder. Contents go into the arena, page by page; file
 *          systems that can share blocks share them. Equal folders give equal trees: names are
 *          taken in the order of their bytes, and of times only those of change.
 * Left out Sockets, pipes, devices: each is told by warn.
 * Errors   TERN_ETOOBIG: more than pages_max, or deeper than TREE_IMPORT_DEPTH_MAX; TERN_EACCES,
 *          TERN_ENOENT, TERN_EIO; *p says of which file.
 */
#ifndef TERN_OS_TREE_IMPORT_H
#define TERN_OS_TREE_IMPORT_H

#include "base/bytes.h"
#include "base/error.h"
#include "wire/state_tree.h"

enum { TREE_IMPORT_DEPTH_MAX = 256 };

struct tree_import {
    const char *folder;
    int arena; /* empty; its page 0 stays so */
    uint32_t pages_max;
    void (*warn)(const char *text);
};

/* Appends the tree, encoded. */
enum tern_err tree_import(const struct tree_import *order, struct bytes *out, struct problem *p);

#endif

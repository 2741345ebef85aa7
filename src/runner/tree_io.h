/*
 * tree_io - contents of files in a private file tree, read from the arena and written to it.
 *
 * Does     What pread, pwrite, ftruncate and fallocate do. Bytes behind a file's end, in its last
 *          page, are always 0; so is what lies in a hole.
 * Errors   NOSPC: the tree's limit, or the disk of the arena, is full; a write may have done a part
 *          before. FBIG: beyond TREE_FILE_BYTES_MAX. NOMEM, IO. What failed has changed nothing.
 * Not here Offsets of descriptors, rights.
 */
#ifndef TERN_RUNNER_TREE_IO_H
#define TERN_RUNNER_TREE_IO_H

#include "runner/tree.h"
#include "runner/vectors.h"

enum wasi_errno tree_read(const struct tree *t, const struct tree_node *n, const struct vectors *to,
                          uint64_t offset, uint64_t *done);
enum wasi_errno tree_write(struct tree *t, struct tree_node *n, const struct vectors *from,
                           uint64_t offset, uint64_t now_ns, uint64_t *done);
enum wasi_errno tree_resize(struct tree *t, struct tree_node *n, uint64_t size, uint64_t now_ns);
/* The space is there afterwards; the file is at least so long. */
enum wasi_errno tree_allocate(struct tree *t, struct tree_node *n, uint64_t offset, uint64_t size,
                              uint64_t now_ns);

#endif

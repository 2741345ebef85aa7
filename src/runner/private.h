/*
 * private - the program's private file tree: had at the start, told when it stops or ends, and what
 * the operations on its descriptors (private_fd.c, private_path.c, descriptor.h) share.
 */
#ifndef TERN_RUNNER_PRIVATE_H
#define TERN_RUNNER_PRIVATE_H

#include "runner/descriptor.h"
#include "runner/tree.h"

/* The tree that a program begins with, encoded, as its first directory; what makes no sense ends
 * the process. */
void private_begin(struct host *h, struct view encoded);
/* The tree of a program that goes on. Its descriptors are for hold_restore. */
void private_restore(struct host *h, const struct state *s);
/* What the state says of the tree. False: no memory. */
bool private_save(const struct host *h, struct state *s, struct arena *arena);

/* The program has exited: its tree is told if that is wanted, and the process ends. */
_Noreturn void private_exit(struct host *h, uint32_t code);

uint8_t private_filetype(const struct tree_node *n);
void private_stat_node(const struct tree_node *n, uint8_t to[FILESTAT_BYTES]);
void private_set_node_times(const struct host *h, struct tree_node *n,
                            const struct timespec times[2]);

#endif

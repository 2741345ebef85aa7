/*
 * arena - memory that is given back all at once.
 *
 * Memory   arena_new returns zeroed memory, aligned for any type, that lives until
 *          arena_release. A limit bounds the sum; 0 means none. arena_clear keeps one block, for
 *          those who fill and empty an arena all the time.
 * Errors   NULL when the limit or memory is exhausted, or count * size overflows.
 */
#ifndef TERN_BASE_ARENA_H
#define TERN_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used_bytes; /* sum of all that was asked for, rounded up */
    size_t limit_bytes;
};

void *arena_new(struct arena *a, size_t count, size_t size);
void arena_clear(struct arena *a);
void arena_release(struct arena *a);

#endif

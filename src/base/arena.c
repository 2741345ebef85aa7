#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char data[];
};

static struct arena_block *block_with_room(struct arena *a, size_t bytes)
{
    struct arena_block *b = a->blocks;
    size_t size = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;

    if (b && b->size - b->used >= bytes)
        return b;
    b = calloc(1, sizeof *b + size);
    if (!b)
        return NULL;
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *arena_new(struct arena *a, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *b;
    size_t bytes;
    void *out;

    if (size && count > (SIZE_MAX / 4) / size)
        return NULL;
    bytes = (count * size + align - 1) / align * align;
    if (bytes == 0)
        bytes = align;
    if (a->limit_bytes && bytes > a->limit_bytes - a->used_bytes)
        return NULL;
    b = block_with_room(a, bytes);
    if (!b)
        return NULL;
    out = b->data + b->used;
    b->used += bytes;
    a->used_bytes += bytes;
    return out;
}

void arena_clear(struct arena *a)
{
    struct arena_block *b = a->blocks;

    if (b && b->size == ARENA_BLOCK_BYTES) {
        a->blocks = b->next;
        arena_release(a);
        memset(b->data, 0, b->used);
        b->used = 0;
        b->next = NULL;
        a->blocks = b;
    } else {
        arena_release(a);
    }
}

void arena_release(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
    a->used_bytes = 0;
}

/*
 * reader - numbers and lists as the formats of this folder have them: private to their sources.
 *
 * Does     Little-endian numbers; counts that are checked against the bytes that are left before
 *          anything is allocated. After the first thing that is wrong everything else reads as 0,
 *          and lists as empty.
 */
#ifndef TERN_WIRE_READER_H
#define TERN_WIRE_READER_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/little.h"

/* ---- Writing ---- */

static inline void put(struct bytes *out, uint64_t value, size_t size)
{
    uint8_t number[8];

    little_put(number, value, sizeof number);
    bytes_append(out, number, size);
}

/* ---- Reading ---- */

struct reader {
    struct view rest;
    struct arena *arena;
    enum tern_err err;
};

static inline void refuse(struct reader *r, enum tern_err err)
{
    if (!r->err)
        r->err = err;
    r->rest.size = 0;
}

static inline const uint8_t *take(struct reader *r, size_t size)
{
    const uint8_t *at = r->rest.data;

    if (r->err || size > r->rest.size) {
        refuse(r, TERN_EPROTO);
        return NULL;
    }
    if (size > 0)
        r->rest = view_of(at + size, r->rest.size - size);
    return at;
}

static inline uint64_t get(struct reader *r, size_t size)
{
    const uint8_t *from = take(r, size);

    return from ? little_get(from, size) : 0;
}

static inline uint32_t get_u32(struct reader *r)
{
    return (uint32_t)get(r, 4);
}

static inline uint8_t get_u8(struct reader *r)
{
    return (uint8_t)get(r, 1);
}

static inline bool get_bool(struct reader *r)
{
    const uint8_t byte = get_u8(r);

    if (byte > 1)
        refuse(r, TERN_EPROTO);
    return byte == 1;
}

/* How many things of at least `size` bytes follow. */
static inline uint32_t get_count(struct reader *r, uint32_t max, size_t size)
{
    const uint32_t count = get_u32(r);

    if (count <= max && (uint64_t)count * size <= r->rest.size)
        return count;
    refuse(r, TERN_EPROTO);
    return 0;
}

static inline const uint8_t *take_many(struct reader *r, uint32_t count, size_t size)
{
    return take(r, (size_t)count * size);
}

/* NULL, and *count 0, if there is no memory. */
static inline void *new_list(struct reader *r, uint32_t *count, size_t size)
{
    void *list = arena_new(r->arena, *count, size);

    if (!list) {
        refuse(r, TERN_ENOMEM);
        *count = 0;
    }
    return list;
}

#endif

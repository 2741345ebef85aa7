#include "wire/record.h"

#include "base/check.h"
#include "base/little.h"
#include "base/xxh64.h"

#include <string.h>

/*
 * The contents of a CALL: at 0 sequence, 8 at_ns, 16 took_ns, 24 read_hash, 32 moved, 36 number,
 * 38 answer, 40 stream, 41 arg_count, 42 kept_count, 43 a zero, 44 range_count; from 48 on the
 * arguments, u64 each; what is kept: u32 size, u16 size of the part, the part; the ranges: u32 at,
 * u32 size; the bytes of the ranges.
 */
enum { MAGIC_BYTES = 8, FIXED_BYTES = 48, KEPT_HEAD_BYTES = 6, RANGE_BYTES = 8 };

static const uint8_t record_magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'R', 'E', 'C', '1'};

static void put(uint8_t **to, uint64_t value, size_t size)
{
    little_put(*to, value, size);
    *to += size;
}

/* ---- Writing ---- */

void record_encode_header(uint8_t out[RECORD_HEADER_BYTES])
{
    memset(out, 0, RECORD_HEADER_BYTES);
    memcpy(out, record_magic, MAGIC_BYTES);
}

void record_encode_broken(uint32_t error, uint8_t out[4])
{
    put(&out, error, 4);
}

static uint32_t head_check(uint64_t kind, uint64_t size, uint64_t hash)
{
    uint8_t bytes[20], *to = bytes;

    put(&to, kind, 4);
    put(&to, size, 8);
    put(&to, hash, 8);
    return (uint32_t)xxh64_of(bytes, sizeof bytes, 0);
}

void record_encode_head(enum record_kind kind, uint64_t size, uint64_t hash,
                        uint8_t out[RECORD_HEAD_BYTES])
{
    put(&out, (uint64_t)kind, 4);
    put(&out, head_check((uint64_t)kind, size, hash), 4);
    put(&out, size, 8);
    put(&out, hash, 8);
}

static void put_kept(uint8_t **to, const struct record_kept *k)
{
    check(k->part.size <= RECORD_PATH_KEPT_BYTES && k->part.size <= k->size);
    put(to, k->size, 4);
    put(to, k->part.size, 2);
    if (k->part.size > 0)
        memcpy(*to, k->part.data, k->part.size);
    *to += k->part.size;
}

size_t record_encode_call(const struct record_call *c, const struct record_range *ranges,
                          uint8_t out[RECORD_CALL_BYTES_MAX])
{
    uint8_t *to = out;

    check(c->arg_count <= RECORD_ARGS_MAX && c->kept_count <= RECORD_KEPT_MAX &&
          c->range_count <= RECORD_RANGES_MAX);
    put(&to, c->sequence, 8);
    put(&to, c->at_ns, 8);
    put(&to, c->took_ns, 8);
    put(&to, c->read_hash, 8);
    put(&to, c->moved, 4);
    put(&to, c->number, 2);
    put(&to, c->answer, 2);
    put(&to, c->stream, 1);
    put(&to, c->arg_count, 1);
    put(&to, c->kept_count, 1);
    put(&to, 0, 1);
    put(&to, c->range_count, 4);
    for (uint32_t i = 0; i < c->arg_count; i++)
        put(&to, c->args[i], 8);
    for (uint32_t i = 0; i < c->kept_count; i++)
        put_kept(&to, &c->kept[i]);
    for (uint32_t i = 0; i < c->range_count; i++) {
        put(&to, ranges[i].at, 4);
        put(&to, ranges[i].size, 4);
    }
    return (size_t)(to - out);
}

/* ---- Blocks ---- */

enum tern_err record_begin(struct record_reader *r, struct view all)
{
    *r = (struct record_reader){.all = all, .at = RECORD_HEADER_BYTES};
    if (all.size < RECORD_HEADER_BYTES || memcmp(all.data, record_magic, MAGIC_BYTES) != 0 ||
        little_get(all.data + RECORD_BROKEN_AT + 4, 4))
        return TERN_EPROTO;
    r->broken = (uint32_t)little_get(all.data + RECORD_BROKEN_AT, 4);
    return TERN_OK;
}

/* After a power cut the end of a file can be longer than what was written. */
static bool all_zeros(const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (from[i])
            return false;
    }
    return true;
}

static enum record_read next(struct record_reader *r, bool trusting, struct record_block *out)
{
    const uint8_t *head = r->all.data + r->at;
    const uint64_t left = r->all.size - r->at;
    uint64_t kind, size, hash;

    if (left == 0)
        return RECORD_READ_OVER;
    if (left < RECORD_HEAD_BYTES || all_zeros(head, RECORD_HEAD_BYTES))
        return RECORD_READ_CUT;
    kind = little_get(head, 4);
    size = little_get(head + 8, 8);
    hash = little_get(head + 16, 8);
    if (kind < RECORD_START || kind > RECORD_END ||
        little_get(head + 4, 4) != head_check(kind, size, hash))
        return RECORD_READ_DAMAGED;
    if (size > left - RECORD_HEAD_BYTES)
        return RECORD_READ_CUT;
    if (!trusting && xxh64_of(head + RECORD_HEAD_BYTES, size, kind) != hash)
        return RECORD_READ_DAMAGED;
    *out = (struct record_block){(enum record_kind)kind, view_of(head + RECORD_HEAD_BYTES, size)};
    r->at += RECORD_HEAD_BYTES + size;
    return RECORD_READ_BLOCK;
}

enum record_read record_next(struct record_reader *r, struct record_block *out)
{
    return next(r, false, out);
}

enum record_read record_skip(struct record_reader *r, struct record_block *out)
{
    return next(r, true, out);
}

/* ---- Calls ---- */

/* The next `size` bytes, or NULL. */
static const uint8_t *take(struct view *rest, uint64_t size)
{
    const uint8_t *at = rest->data;

    if (size > rest->size)
        return NULL;
    *rest = view_of(at + size, rest->size - size);
    return at;
}

static bool take_fixed(struct record_call *c, struct view *rest)
{
    const uint8_t *from = take(rest, FIXED_BYTES);

    if (!from)
        return false;
    *c = (struct record_call){
        .sequence = little_get(from, 8),
        .at_ns = little_get(from + 8, 8),
        .took_ns = little_get(from + 16, 8),
        .read_hash = little_get(from + 24, 8),
        .moved = (uint32_t)little_get(from + 32, 4),
        .number = (uint16_t)little_get(from + 36, 2),
        .answer = (uint16_t)little_get(from + 38, 2),
        .stream = from[40],
        .arg_count = from[41],
        .kept_count = from[42],
        .range_count = (uint32_t)little_get(from + 44, 4),
    };
    return from[43] == 0 && c->answer <= RECORD_ERRNO_MAX && c->stream <= 2 &&
           c->range_count <= RECORD_RANGES_MAX;
}

static uint32_t kept_count(const struct call *what)
{
    uint32_t count = 0;

    for (const struct call_param *p = what->params; p->kind != CALL_NONE; p++)
        count += call_param_kept(p->kind);
    return count;
}

static bool take_args(struct record_call *c, struct view *rest)
{
    const struct call *what = call_find(c->number);

    if (!what || c->arg_count != call_arg_count(what) || c->kept_count != kept_count(what))
        return false;
    for (uint32_t i = 0; i < c->arg_count; i++) {
        const uint8_t *from = take(rest, 8);

        if (!from)
            return false;
        c->args[i] = little_get(from, 8);
        if (what->signature[i] == 'i' && c->args[i] > UINT32_MAX)
            return false;
    }
    return true;
}

static bool take_kept(struct record_call *c, struct view *rest)
{
    for (uint32_t i = 0; i < c->kept_count; i++) {
        const uint8_t *head = take(rest, KEPT_HEAD_BYTES), *part;
        uint32_t size;

        if (!head)
            return false;
        size = (uint32_t)little_get(head + 4, 2);
        part = take(rest, size);
        if (!part || size > RECORD_PATH_KEPT_BYTES || size > little_get(head, 4))
            return false;
        c->kept[i] = (struct record_kept){(uint32_t)little_get(head, 4), view_of(part, size)};
    }
    return true;
}

struct record_range record_range_get(const struct record_call *c, uint32_t i)
{
    const uint8_t *from = c->ranges + (size_t)i * RANGE_BYTES;

    return (struct record_range){(uint32_t)little_get(from, 4), (uint32_t)little_get(from + 4, 4)};
}

static bool take_ranges(struct record_call *c, struct view *rest)
{
    uint64_t sum = 0;

    c->ranges = take(rest, (uint64_t)c->range_count * RANGE_BYTES);
    if (!c->ranges)
        return false;
    for (uint32_t i = 0; i < c->range_count; i++)
        sum += record_range_get(c, i).size;
    c->filled = *rest;
    return sum == rest->size && sum <= record_filled_bytes_max;
}

enum tern_err record_decode_call(struct record_call *c, struct view contents)
{
    struct view rest = contents;

    if (take_fixed(c, &rest) && take_args(c, &rest) && take_kept(c, &rest) && take_ranges(c, &rest))
        return TERN_OK;
    *c = (struct record_call){0};
    return TERN_EPROTO;
}

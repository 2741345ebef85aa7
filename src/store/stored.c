/*
 * Chunks as they travel: looked through before they are believed, and kept as they came; given as
 * they lie, or plain to who lacks what they are stored against.
 */
#include "store/store_inner.h"

#include "base/check.h"
#include "store/chunk.h"
#include "store/digest.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)CODEC_PLAIN == (int)RECORD_PLAIN && (int)CODEC_ZSTD == (int)RECORD_ZSTD &&
                   (int)CODEC_LIKE == (int)RECORD_LIKE,
               "they travel as they are stored");

static bool has_name(struct view plain, const struct store_name *name)
{
    const struct store_name is = store_name_of(plain);

    return memcmp(&is, name, sizeof is) == 0;
}

/* Into the store's room for one plain chunk. */
static uint8_t *plain_room(struct store *s)
{
    if (!s->plain)
        s->plain = malloc(STORE_CHUNK_MAX);
    return s->plain;
}

static enum tern_err unpack(struct store *s, const struct store_stored *from, struct view prefix,
                            struct view *plain)
{
    uint8_t *to = plain_room(s);
    size_t size;

    if (!to)
        return TERN_ENOMEM;
    if (prefix.size && ZSTD_isError(ZSTD_DCtx_refPrefix(s->decompress, prefix.data, prefix.size)))
        return TERN_ENOMEM;
    size = ZSTD_decompressDCtx(s->decompress, to, from->plain_size, from->bytes.data,
                               from->bytes.size);
    if (ZSTD_isError(size) || size != from->plain_size)
        return TERN_ECORRUPT;
    *plain = view_of(to, size);
    return TERN_OK;
}

/* ---- Putting ---- */

static enum tern_err put_as_is(struct store *s, const struct store_name *name,
                               const struct store_stored *from, struct problem *p)
{
    struct record_chunk c = {.plain_bytes = from->plain_size,
                             .stored_bytes = (uint32_t)from->bytes.size,
                             .codec = from->codec};

    digest_stored(from->bytes, c.digest);
    return store_append(s, from->bytes, name, &c, p);
}

/* The difference as it came, if it is one from what is stored whole; else another, or the whole. */
static enum tern_err put_difference(struct store *s, const struct store_name *name,
                                    const struct store_stored *from, bool whole_base,
                                    struct view plain, struct problem *p)
{
    struct record_chunk c = {.plain_bytes = from->plain_size,
                             .stored_bytes = (uint32_t)(STORE_NAME_BYTES + from->bytes.size),
                             .codec = RECORD_LIKE};
    struct store_name is;

    if (!whole_base)
        return store_put_like(s, plain, &from->like, &is, p);
    if (!store_is_new(s, name) || c.stored_bytes > STORE_DIFFERENCE_MAX)
        return store_put_named(s, plain, name, p);
    memcpy(s->scratch, from->like.bytes, STORE_NAME_BYTES);
    memcpy(s->scratch + STORE_NAME_BYTES, from->bytes.data, from->bytes.size);
    digest_stored(view_of(s->scratch, c.stored_bytes), c.digest);
    return store_append(s, view_of(s->scratch, c.stored_bytes), name, &c, p);
}

static enum tern_err put_like(struct store *s, const struct store_name *name,
                              const struct store_stored *from, struct problem *p)
{
    struct bytes other = {.limit = STORE_CHUNK_MAX};
    struct view base, plain = {0};
    enum tern_err err = store_get_base(s, &from->like, &base);
    const bool whole_base = !err;

    if (err == TERN_ECORRUPT) {
        err = store_get(s, &from->like, &other);
        base = bytes_view(&other);
    }
    if (!err)
        err = unpack(s, from, base, &plain);
    if (!err && !has_name(plain, name))
        err = TERN_ECORRUPT;
    if (!err)
        err = put_difference(s, name, from, whole_base, plain, p);
    else
        problem_set(p, err, "a chunk that is stored against another one cannot be unpacked: %s",
                    tern_err_text(err));
    bytes_release(&other);
    return err == TERN_ENOENT ? TERN_ECORRUPT : err;
}

enum tern_err store_put_stored(struct store *s, const struct store_name *name,
                               const struct store_stored *stored, struct problem *p)
{
    struct view plain = stored->bytes;
    enum tern_err err = TERN_OK;
    STORE_LOCKED(s);

    check(!s->read_only);
    if (!chunk_is_possible(stored))
        return problem_set(p, TERN_EPROTO, "a chunk of that size and codec cannot be");
    if (store_has(s, name))
        return TERN_OK;
    if (stored->codec == CODEC_LIKE)
        return put_like(s, name, stored, p);
    if (stored->codec == CODEC_ZSTD)
        err = unpack(s, stored, view_of(NULL, 0), &plain);
    if (!err && !has_name(plain, name))
        err = TERN_ECORRUPT;
    if (err)
        return problem_set(p, err, "a chunk is not what its name says");
    return put_as_is(s, name, stored, p);
}

/* ---- Getting ---- */

/* Plain, and packed again if that is worth it. */
static enum tern_err get_plain(struct store *s, const struct store_name *name,
                               struct store_stored *out, struct bytes *room)
{
    struct bytes plain = {.limit = STORE_CHUNK_MAX};
    enum tern_err err = store_get(s, name, &plain);

    if (!err)
        err = chunk_pack(bytes_view(&plain), out, room);
    if (!err && out->codec == CODEC_PLAIN) {
        bytes_append(room, plain.data, plain.size);
        out->bytes = view_of(room->data + room->size - plain.size, plain.size);
        err = bytes_ok(room) ? TERN_OK : TERN_ENOMEM;
    }
    bytes_release(&plain);
    return err;
}

enum tern_err store_get_stored(struct store *s, const struct store_name *name,
                               const struct store_name *has, struct store_stored *out,
                               struct bytes *room)
{
    struct record_chunk c;
    enum tern_err err;
    size_t head = 0;
    STORE_LOCKED(s);

    err = store_fetch(s, name, &c);
    if (err)
        return err;
    if (c.codec == RECORD_LIKE) {
        if (!has || memcmp(s->scratch, has->bytes, STORE_NAME_BYTES) != 0)
            return get_plain(s, name, out, room);
        head = STORE_NAME_BYTES;
    }
    bytes_append(room, s->scratch + head, c.stored_bytes - head);
    if (!bytes_ok(room))
        return TERN_ENOMEM;
    *out = (struct store_stored){
        .codec = c.codec,
        .plain_size = c.plain_bytes,
        .bytes = view_of(room->data + room->size - (c.stored_bytes - head), c.stored_bytes - head)};
    if (head)
        out->like = *has;
    return TERN_OK;
}

bool store_like(struct store *s, const struct store_name *name, struct store_name *base)
{
    struct record_chunk c;
    STORE_LOCKED(s);

    return store_find(s, name, &c) == TERN_OK && c.codec == RECORD_LIKE &&
           store_base_of(s, &c, base) == TERN_OK;
}

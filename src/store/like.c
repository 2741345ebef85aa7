/*
 * Chunks stored as what differs from another, their base: its name, then a zstd frame made with its
 * plain bytes as prefix. A base is always stored whole, so that one more read is all it ever takes;
 * and it is held by whatever is held that needs it (gc.c).
 */
#include "store/store_inner.h"

#include "store/digest.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEVEL = 3,
    WORTH = 4, /* a difference is at most this part of the plain bytes */
};
_Static_assert((int)STORE_DIFFERENCE_MAX == (int)STORE_NAME_BYTES + (int)STORE_CHUNK_MAX / WORTH,
               "the largest");

enum tern_err store_base_of(struct store *s, const struct record_chunk *c, struct store_name *base)
{
    enum tern_err err = store_read_stored(s, c);

    if (!err)
        memcpy(base->bytes, s->scratch, sizeof base->bytes);
    return err;
}

/* Its plain bytes, which stay until the next chunk that is like another. */
enum tern_err store_get_base(struct store *s, const struct store_name *base, struct view *out)
{
    struct record_chunk c;
    enum tern_err err = store_fetch(s, base, &c);

    if (!err && c.codec == RECORD_LIKE)
        err = TERN_ECORRUPT;
    if (!err && !s->base)
        s->base = malloc(STORE_CHUNK_MAX);
    if (!err && !s->base)
        err = TERN_ENOMEM;
    if (!err)
        err = store_decode(s, &c, s->scratch, s->base);
    if (err)
        return err == TERN_ENOENT ? TERN_ECORRUPT : err;
    *out = view_of(s->base, c.plain_bytes);
    return TERN_OK;
}

/* ---- Getting ---- */

enum tern_err store_decode_like(struct store *s, const struct record_chunk *c, uint8_t *to)
{
    const size_t size = c->stored_bytes - STORE_NAME_BYTES;
    struct store_name name;
    struct view base;
    enum tern_err err;
    size_t got;

    if (c->stored_bytes > STORE_DIFFERENCE_MAX)
        return TERN_ECORRUPT;
    if (!s->difference)
        s->difference = malloc(STORE_DIFFERENCE_MAX);
    if (!s->difference)
        return TERN_ENOMEM;
    memcpy(name.bytes, s->scratch, sizeof name.bytes);
    memcpy(s->difference, s->scratch + sizeof name.bytes, size);
    err = store_get_base(s, &name, &base);
    if (err)
        return err;
    if (ZSTD_isError(ZSTD_DCtx_refPrefix(s->decompress, base.data, base.size)))
        return TERN_ENOMEM;
    got = ZSTD_decompressDCtx(s->decompress, to, c->plain_bytes, s->difference, size);
    return ZSTD_isError(got) || got != c->plain_bytes ? TERN_ECORRUPT : TERN_OK;
}

/* ---- Putting ---- */

/* What `like` is stored against, or itself, if it is stored whole. */
static bool find_base(struct store *s, const struct store_name *like, struct store_name *base)
{
    struct record_chunk c;

    *base = *like;
    if (store_find(s, like, &c))
        return false;
    return c.codec != RECORD_LIKE || store_base_of(s, &c, base) == TERN_OK;
}

/* Into the scratch; false: it is not worth it, or cannot be done. */
static bool encode(struct store *s, struct view plain, const struct store_name *like,
                   struct record_chunk *out)
{
    const size_t room = plain.size / WORTH;
    struct store_name base;
    struct view prefix;
    size_t size;

    if (room <= STORE_NAME_BYTES || !find_base(s, like, &base) || store_get_base(s, &base, &prefix))
        return false;
    if (ZSTD_isError(ZSTD_CCtx_setParameter(s->compress, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_refPrefix(s->compress, prefix.data, prefix.size)))
        return false;
    size = ZSTD_compress2(s->compress, s->scratch + STORE_NAME_BYTES, room - STORE_NAME_BYTES,
                          plain.data, plain.size);
    if (ZSTD_isError(size)) {
        ZSTD_CCtx_reset(s->compress, ZSTD_reset_session_only); /* it forgets the prefix */
        return false;
    }
    memcpy(s->scratch, base.bytes, STORE_NAME_BYTES);
    *out = (struct record_chunk){.plain_bytes = (uint32_t)plain.size,
                                 .stored_bytes = (uint32_t)(STORE_NAME_BYTES + size),
                                 .codec = RECORD_LIKE};
    digest_stored(view_of(s->scratch, out->stored_bytes), out->digest);
    return true;
}

bool store_is_new(struct store *s, const struct store_name *name)
{
    struct record_chunk c;

    return !names_find(&s->bad, name) && !names_find(&s->pending, name) &&
           store_find(s, name, &c) == TERN_ENOENT;
}

enum tern_err store_put_like(struct store *s, struct view plain, const struct store_name *like,
                             struct store_name *name, struct problem *p)
{
    struct record_chunk c;
    struct store_name n;
    enum tern_err err;
    STORE_LOCKED(s);

    if (!like || plain.size > STORE_CHUNK_MAX)
        return store_put(s, plain, name, p);
    n = store_name_of(plain);
    if (!store_is_new(s, &n) || !encode(s, plain, like, &c))
        err = store_put_named(s, plain, &n, p);
    else
        err = store_append(s, view_of(s->scratch, c.stored_bytes), &n, &c, p);
    if (!err)
        *name = n;
    return err;
}

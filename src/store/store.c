#define OPENSSL_SUPPRESS_DEPRECATED  /* the plain function, not EVP: that fetches providers first  \
                                      */

#include "store/store_inner.h"

#include "base/check.h"
#include "store/digest.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

/*
 * Of zstd's levels the one that gives up little room for much time: the negative ones leave out the
 * entropy coding of literals, which is what costs in a page, both ways. docs/design/0007.
 */
enum { LEVEL = -1, TRIES_MAX = 16, SHORT_BYTES = 32, WORTH = 16 };

_Static_assert((int)STORE_NAME_BYTES == (int)SHA256_DIGEST_LENGTH, "SHA-256");

struct store_name store_name_of(struct view plain)
{
    struct store_name name;

    SHA256(plain.size ? plain.data : (const uint8_t *)"", plain.size, name.bytes);
    return name;
}

enum tern_err store_pack_failed(const struct store *s, int error, const char *doing,
                                struct problem *p)
{
    bool full = error == -ENOSPC || error == -EDQUOT;
    char name[PACK_NAME_BYTES] = ".";

    if (s->packs.failed)
        pack_name(s->packs.failed, name);
    return problem_set(p,
                       error == -ENOMEM ? TERN_ENOMEM
                       : full           ? TERN_ENOSPACE
                                        : TERN_EIO,
                       "cannot %s %s/%s: %s%s", doing, s->path, name, strerror(-error),
                       full ? "; nothing is lost: make room and try again" : "");
}

enum tern_err store_find(struct store *s, const struct store_name *name, struct record_chunk *out)
{
    const struct record_chunk *pending = names_find(&s->pending, name);
    const uint32_t *bad = names_find(&s->bad, name);
    struct store_name found;
    struct record key;
    struct view value;
    enum tern_err err;

    if (pending && pending->codec != RECORD_LOST) {
        *out = *pending;
        return TERN_OK;
    }
    if (bad && *bad)
        return TERN_ENOENT;
    record_chunk_key(&key, name);
    err = index_get(&s->index, &key, &value);
    if (err)
        return err;
    if (!record_get_chunk(view_of(key.key, key.key_bytes), value, &found, out))
        return TERN_ECORRUPT;
    return TERN_OK;
}

/* A chunk whose pack is gone or too short is not there: putting it again heals that. */
static bool is_there(struct store *s, const struct record_chunk *c)
{
    const struct pack *p;

    if (s->read_only || c->stored_bytes == 0)
        return true;
    p = packs_find(&s->packs, c->pack);
    return p && c->offset <= p->size && c->stored_bytes <= p->size - c->offset;
}

bool store_has(struct store *s, const struct store_name *name)
{
    STORE_LOCKED(s);
    struct record_chunk c;

    return store_find(s, name, &c) == TERN_OK && is_there(s, &c);
}

static struct view encode(struct store *s, struct view plain, struct record_chunk *c)
{
    struct view stored = plain;

    *c = (struct record_chunk){.plain_bytes = (uint32_t)plain.size, .codec = RECORD_PLAIN};
    if (plain.size >= SHORT_BYTES) {
        /* No room for what does not get shorter by a part worth having: that is an error. */
        const size_t size =
            ZSTD_compressCCtx(s->compress, s->scratch, plain.size - plain.size / WORTH, plain.data,
                              plain.size, LEVEL);

        if (!ZSTD_isError(size)) {
            stored = view_of(s->scratch, size);
            c->codec = RECORD_ZSTD;
        }
    }
    digest_stored(stored, c->digest);
    c->stored_bytes = (uint32_t)stored.size;
    return stored;
}

enum tern_err store_append(struct store *s, struct view stored, const struct store_name *n,
                           struct record_chunk *c, struct problem *p)
{
    struct record_chunk *slot;
    uint32_t *bad;
    bool fresh;

    if (stored.size) {
        int error = packs_append(&s->packs, stored, &c->pack, &c->offset);

        if (error)
            return store_pack_failed(s, error, "write", p);
    }
    slot = names_add(&s->pending, n, &fresh);
    if (!slot)
        return problem_set(p, TERN_ENOMEM, "out of memory for the names of new chunks");
    *slot = *c;
    bad = names_find(&s->bad, n);
    if (bad)
        *bad = 0;
    return TERN_OK;
}

enum tern_err store_put_named(struct store *s, struct view plain, const struct store_name *n,
                              struct problem *p)
{
    struct record_chunk c;
    struct view stored;

    check(!s->read_only);
    if (store_has(s, n))
        return TERN_OK;
    stored = encode(s, plain, &c);
    return store_append(s, stored, n, &c, p);
}

enum tern_err store_put(struct store *s, struct view plain, struct store_name *name,
                        struct problem *p)
{
    STORE_LOCKED(s);
    struct store_name n;
    enum tern_err err;

    if (plain.size > STORE_CHUNK_MAX)
        return problem_set(p, TERN_ETOOBIG, "a chunk of %zu bytes is larger than %d", plain.size,
                           STORE_CHUNK_MAX);
    n = store_name_of(plain);
    err = store_put_named(s, plain, &n, p);
    if (!err)
        *name = n;
    return err;
}

enum tern_err store_read_stored(struct store *s, const struct record_chunk *c)
{
    int error = 0;

    if (c->stored_bytes > STORE_CHUNK_MAX)
        return TERN_ECORRUPT;
    if (c->stored_bytes)
        error = packs_read(&s->packs, c->pack, c->offset, s->scratch, c->stored_bytes);
    if (error == -ENOENT || error == -ENODATA)
        return TERN_ECORRUPT;
    if (error)
        return error == -ENOMEM ? TERN_ENOMEM : TERN_EIO;
    return store_digest_fits(c, s->scratch) ? TERN_OK : TERN_ECORRUPT;
}

bool store_digest_fits(const struct record_chunk *c, const uint8_t *stored)
{
    uint8_t digest[RECORD_DIGEST_BYTES];

    digest_stored(view_of(stored, c->stored_bytes), digest);
    return memcmp(digest, c->digest, sizeof digest) == 0;
}

enum tern_err store_decode(struct store *s, const struct record_chunk *c, const uint8_t *stored,
                           uint8_t *to)
{
    size_t size = c->stored_bytes;

    if (c->codec == RECORD_ZSTD)
        size = ZSTD_decompressDCtx(s->decompress, to, c->plain_bytes, stored, c->stored_bytes);
    else if (size)
        memcpy(to, stored, size);
    return ZSTD_isError(size) || size != c->plain_bytes ? TERN_ECORRUPT : TERN_OK;
}

static bool same_place(const struct record_chunk *a, const struct record_chunk *b)
{
    return a->pack == b->pack && a->offset == b->offset;
}

/* A reader may look up a place just before the writer moves the chunk and removes the pack. */
enum tern_err store_fetch(struct store *s, const struct store_name *name, struct record_chunk *c)
{
    enum tern_err err = store_find(s, name, c);

    for (unsigned tries = 0; !err; tries++) {
        struct record_chunk before = *c;

        err = store_read_stored(s, c);
        if (err != TERN_ECORRUPT || !s->read_only || tries == TRIES_MAX)
            break;
        if (store_find(s, name, c) || same_place(c, &before))
            break;
        err = TERN_OK;
    }
    return err;
}

enum tern_err store_get(struct store *s, const struct store_name *name, struct bytes *out)
{
    STORE_LOCKED(s);
    struct record_chunk c;
    struct store_name is;
    enum tern_err err = store_fetch(s, name, &c);
    uint8_t *to;

    if (err)
        return err;
    to = bytes_reserve(out, c.plain_bytes);
    if (!to)
        return TERN_ENOMEM;
    err =
        c.codec == RECORD_LIKE ? store_decode_like(s, &c, to) : store_decode(s, &c, s->scratch, to);
    if (err)
        return err;
    is = store_name_of(view_of(to, c.plain_bytes));
    if (memcmp(&is, name, sizeof is) != 0)
        return TERN_ECORRUPT;
    out->size += c.plain_bytes;
    return TERN_OK;
}

enum tern_err store_add_stored(struct store *s, const struct store_name *name, uint64_t *bytes)
{
    STORE_LOCKED(s);
    struct record_chunk c;
    enum tern_err err = store_find(s, name, &c);

    if (!err)
        *bytes += c.stored_bytes;
    return err;
}

enum tern_err store_root(struct store *s, unsigned n, struct store_root *out)
{
    STORE_LOCKED(s);

    return index_root(&s->index, n, out);
}

struct counting {
    struct store_usage usage;
};

static void count(void *to, struct view key, struct view value)
{
    struct counting *c = to;
    struct store_name name;
    struct record_chunk chunk;

    if (record_get_chunk(key, value, &name, &chunk)) {
        c->usage.chunks++;
        c->usage.held_bytes += chunk.stored_bytes;
    } else if (key.size && key.data[0] == 'r') {
        c->usage.roots++;
    } else if (key.size && key.data[0] == 'h') {
        c->usage.held_roots++;
    }
}

/* What is on the disk now: a reader is not told when the writer makes packs. */
static enum tern_err look_again(struct store *s)
{
    struct packs now;
    int error;

    packs_init(&now, &s->io, s->dir, s->limits.pack_bytes);
    error = packs_load(&now);
    packs_release(error ? &now : &s->packs);
    if (!error)
        s->packs = now;
    return error == -ENOMEM ? TERN_ENOMEM : error ? TERN_EIO : TERN_OK;
}

enum tern_err store_usage(struct store *s, struct store_usage *out)
{
    STORE_LOCKED(s);
    struct counting c = {0};
    enum tern_err err = s->read_only ? look_again(s) : TERN_OK;

    if (!err)
        err = index_each(&s->index, count, &c);
    if (err)
        return err;
    for (size_t i = 0; i < s->packs.count; i++)
        c.usage.disk_bytes += s->packs.at[i].size;
    *out = c.usage;
    return TERN_OK;
}

uint64_t store_disk_bytes(struct store *s)
{
    uint64_t bytes;
    STORE_LOCKED(s);

    bytes = index_bytes(&s->index);
    for (size_t i = 0; i < s->packs.count; i++)
        bytes += s->packs.at[i].size;
    return bytes;
}

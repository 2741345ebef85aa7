#define OPENSSL_SUPPRESS_DEPRECATED  /* the plain function, not EVP: that fetches providers first  \
                                      */

#include "store/store_inner.h"

#include "base/check.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

enum { LEVEL = 1, TRIES_MAX = 16, SHORT_BYTES = 32 };

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
    return problem_set(p, error == -ENOMEM ? TERN_ENOMEM : TERN_EIO, "cannot %s %s/%s: %s%s", doing,
                       s->path, name, strerror(-error),
                       full ? "; nothing is lost: make room and try again" : "");
}

enum tern_err store_find(struct store *s, const struct store_name *name, struct record_chunk *out)
{
    const struct record_chunk *pending = names_find(&s->pending, name);
    struct store_name found;
    struct record key;
    struct view value;
    enum tern_err err;

    if (pending && pending->codec != RECORD_LOST) {
        *out = *pending;
        return TERN_OK;
    }
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
    struct record_chunk c;

    return store_find(s, name, &c) == TERN_OK && is_there(s, &c);
}

static struct view encode(struct store *s, struct view plain, const struct store_name *name,
                          struct record_chunk *c)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    size_t size;

    *c = (struct record_chunk){.plain_bytes = (uint32_t)plain.size,
                               .stored_bytes = (uint32_t)plain.size,
                               .codec = RECORD_PLAIN};
    memcpy(c->digest, name->bytes, sizeof c->digest);
    if (plain.size < SHORT_BYTES)
        return plain;
    /* No room for more than one byte less: what does not get shorter is an error. */
    size =
        ZSTD_compressCCtx(s->compress, s->scratch, plain.size - 1, plain.data, plain.size, LEVEL);
    if (ZSTD_isError(size))
        return plain;
    SHA256(s->scratch, size, digest);
    memcpy(c->digest, digest, sizeof c->digest);
    c->stored_bytes = (uint32_t)size;
    c->codec = RECORD_ZSTD;
    return view_of(s->scratch, size);
}

enum tern_err store_put(struct store *s, struct view plain, struct store_name *name,
                        struct problem *p)
{
    struct record_chunk c, *slot;
    struct store_name n;
    struct view stored;
    bool fresh;

    check(!s->read_only);
    if (plain.size > STORE_CHUNK_MAX)
        return problem_set(p, TERN_ETOOBIG, "a chunk of %zu bytes is larger than %d", plain.size,
                           STORE_CHUNK_MAX);
    n = store_name_of(plain);
    if (store_has(s, &n)) {
        *name = n;
        return TERN_OK;
    }
    stored = encode(s, plain, &n, &c);
    if (stored.size) {
        int error = packs_append(&s->packs, stored, &c.pack, &c.offset);

        if (error)
            return store_pack_failed(s, error, "write", p);
    }
    slot = names_add(&s->pending, &n, &fresh);
    if (!slot)
        return problem_set(p, TERN_ENOMEM, "out of memory for the names of new chunks");
    *slot = c;
    *name = n;
    return TERN_OK;
}

enum tern_err store_read_stored(struct store *s, const struct record_chunk *c)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    int error = 0;

    if (c->stored_bytes > STORE_CHUNK_MAX)
        return TERN_ECORRUPT;
    if (c->stored_bytes)
        error = packs_read(&s->packs, c->pack, c->offset, s->scratch, c->stored_bytes);
    if (error == -ENOENT || error == -ENODATA)
        return TERN_ECORRUPT;
    if (error)
        return error == -ENOMEM ? TERN_ENOMEM : TERN_EIO;
    SHA256(s->scratch, c->stored_bytes, digest);
    return memcmp(digest, c->digest, sizeof c->digest) == 0 ? TERN_OK : TERN_ECORRUPT;
}

/* Into room for plain_bytes. */
static enum tern_err decode(struct store *s, const struct record_chunk *c, uint8_t *to)
{
    size_t size = c->stored_bytes;

    if (c->codec == RECORD_ZSTD)
        size = ZSTD_decompressDCtx(s->decompress, to, c->plain_bytes, s->scratch, c->stored_bytes);
    else
        memcpy(to, s->scratch, size);
    return ZSTD_isError(size) || size != c->plain_bytes ? TERN_ECORRUPT : TERN_OK;
}

static bool same_place(const struct record_chunk *a, const struct record_chunk *b)
{
    return a->pack == b->pack && a->offset == b->offset;
}

/* A reader may look up a place just before the writer moves the chunk and removes the pack. */
static enum tern_err fetch(struct store *s, const struct store_name *name, struct record_chunk *c)
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
    struct record_chunk c;
    struct store_name is;
    enum tern_err err = fetch(s, name, &c);
    uint8_t *to;

    if (err)
        return err;
    to = bytes_reserve(out, c.plain_bytes);
    if (!to)
        return TERN_ENOMEM;
    err = decode(s, &c, to);
    if (err)
        return err;
    is = store_name_of(view_of(to, c.plain_bytes));
    if (memcmp(&is, name, sizeof is) != 0)
        return TERN_ECORRUPT;
    out->size += c.plain_bytes;
    return TERN_OK;
}

enum tern_err store_root(struct store *s, unsigned n, struct store_root *out)
{
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

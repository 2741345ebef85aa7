#include "store/chunk.h"

#include "base/check.h"
#include "store/checkpoint_root.h"

#include <string.h>
#include <zstd.h>

/* As store.c has it: what saves less than a part of that is not worth unpacking. */
enum { LEVEL = -1, WORTH = 16, SHORT_BYTES = 32 };

static const char magic[] = "TERNLST1";
static const struct store_name nothing;

typedef enum tern_err yield_name(void *to, unsigned kind, const struct store_name *name);

bool chunk_kind_is_known(unsigned kind)
{
    return kind <= CHUNK_LIST || kind == CHUNK_LEAF;
}

/* ---- What hangs beneath ---- */

/* A name that is all 0 has no chunk. */
static enum tern_err yield_all(const uint8_t *names, size_t count, unsigned kind, yield_name *yield,
                               void *to)
{
    enum tern_err err = TERN_OK;
    struct store_name name;

    for (size_t i = 0; i < count && !err; i++) {
        memcpy(name.bytes, names + i * STORE_NAME_BYTES, STORE_NAME_BYTES);
        if (memcmp(&name, &nothing, sizeof name) != 0)
            err = yield(to, kind, &name);
    }
    return err;
}

static enum tern_err yield_checkpoint(struct view plain, yield_name *yield, void *to)
{
    static const unsigned kinds[ROOT_PARTS] = {CHUNK_LEAF, CHUNK_LEAF, CHUNK_LEAF, CHUNK_PAGES,
                                               CHUNK_PAGE_LISTS};
    enum tern_err err = TERN_OK;
    struct root r;

    if (!root_decode(&r, plain))
        return TERN_ECORRUPT;
    for (int i = 0; i < ROOT_PARTS && !err; i++)
        err = yield_all(r.names[i], r.count[i], kinds[i], yield, to);
    return err;
}

static enum tern_err yield_list(struct view plain, yield_name *yield, void *to)
{
    const int count = chunk_list_count(plain);
    enum tern_err err = count < 0 ? TERN_ECORRUPT : TERN_OK;

    for (int i = 0; i < count && !err; i++) {
        struct store_name name;
        const unsigned kind = chunk_list_at(plain, (unsigned)i, &name);

        err = chunk_kind_is_known(kind) ? yield(to, kind, &name) : TERN_ECORRUPT;
    }
    return err;
}

enum tern_err chunk_children(void *context, unsigned kind, struct view plain, yield_name *yield,
                             void *to)
{
    (void)context;
    switch (kind) {
    case CHUNK_CHECKPOINT: return yield_checkpoint(plain, yield, to);
    case CHUNK_LIST: return yield_list(plain, yield, to);
    case CHUNK_LEAF: return TERN_OK;
    case CHUNK_PAGES:
    case CHUNK_PAGE_LISTS:
        if (plain.size % STORE_NAME_BYTES)
            return TERN_ECORRUPT;
        return yield_all(plain.data, plain.size / STORE_NAME_BYTES,
                         kind == CHUNK_PAGES ? CHUNK_LEAF : CHUNK_PAGES, yield, to);
    default: return TERN_ECORRUPT;
    }
}

/* ---- Lists ---- */

void chunk_list_begin(struct bytes *list)
{
    check(list->size == 0);
    list->limit = STORE_CHUNK_MAX;
    bytes_append(list, magic, CHUNK_LIST_HEAD);
}

void chunk_list_add(struct bytes *list, unsigned kind, const struct store_name *name)
{
    check(chunk_kind_is_known(kind));
    bytes_append_byte(list, (uint8_t)kind);
    bytes_append(list, name->bytes, sizeof name->bytes);
}

int chunk_list_count(struct view list)
{
    if (list.size < CHUNK_LIST_HEAD || list.size > STORE_CHUNK_MAX ||
        memcmp(list.data, magic, CHUNK_LIST_HEAD) != 0 ||
        (list.size - CHUNK_LIST_HEAD) % CHUNK_ENTRY_BYTES)
        return -1;
    return (int)((list.size - CHUNK_LIST_HEAD) / CHUNK_ENTRY_BYTES);
}

unsigned chunk_list_at(struct view list, unsigned i, struct store_name *name)
{
    const uint8_t *entry = list.data + CHUNK_LIST_HEAD + (size_t)i * CHUNK_ENTRY_BYTES;

    memcpy(name->bytes, entry + 1, sizeof name->bytes);
    return entry[0];
}

/* ---- As they travel ---- */

bool chunk_is_possible(const struct store_stored *c)
{
    if (c->plain_size > STORE_CHUNK_MAX)
        return false;
    switch (c->codec) {
    case CODEC_PLAIN: return c->bytes.size == c->plain_size;
    case CODEC_ZSTD: return c->bytes.size > 0 && c->bytes.size < c->plain_size;
    case CODEC_LIKE: return c->bytes.size > 0 && c->bytes.size + STORE_NAME_BYTES < c->plain_size;
    default: return false;
    }
}

static bool has_name(struct view plain, const struct store_name *name)
{
    const struct store_name is = store_name_of(plain);

    return memcmp(&is, name, sizeof is) == 0;
}

enum tern_err chunk_unpack(const struct store_stored *c, const struct store_name *name,
                           struct bytes *out)
{
    uint8_t *to;
    size_t size = c->plain_size;

    if (!chunk_is_possible(c) || c->codec == CODEC_LIKE)
        return TERN_EPROTO;
    to = bytes_reserve(out, c->plain_size);
    if (!to)
        return TERN_ENOMEM;
    if (c->codec == CODEC_ZSTD)
        size = ZSTD_decompress(to, c->plain_size, c->bytes.data, c->bytes.size);
    else if (size)
        memcpy(to, c->bytes.data, size);
    if (ZSTD_isError(size) || size != c->plain_size || !has_name(view_of(to, size), name))
        return TERN_ECORRUPT;
    out->size += size;
    return TERN_OK;
}

enum tern_err chunk_pack(struct view plain, struct store_stored *out, struct bytes *room)
{
    uint8_t *to;
    size_t size;

    check(plain.size <= STORE_CHUNK_MAX);
    *out = (struct store_stored){
        .codec = CODEC_PLAIN, .plain_size = (uint32_t)plain.size, .bytes = plain};
    if (plain.size < SHORT_BYTES)
        return TERN_OK;
    to = bytes_reserve(room, plain.size);
    if (!to)
        return TERN_ENOMEM;
    size = ZSTD_compress(to, plain.size - plain.size / WORTH, plain.data, plain.size, LEVEL);
    if (ZSTD_isError(size))
        return TERN_OK; /* no room for it: it is not worth it */
    out->codec = CODEC_ZSTD;
    out->bytes = view_of(to, size);
    room->size += size;
    return TERN_OK;
}

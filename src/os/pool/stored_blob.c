#include "os/pool/stored_blob.h"

#include <string.h>

enum { DEPTH_MAX = 3 }; /* of lists: more than any blob has that fits into 64 bits */

/* ---- Reading ---- */

struct reading {
    struct store *store;
    uint64_t left; /* bytes that are still to come */
    stored_blob_take *take;
    void *context;
};

static enum tern_err read_beneath(struct reading *r, const struct store_name *name, unsigned kind,
                                  int depth);

static enum tern_err read_list(struct reading *r, struct view list, int depth)
{
    const int count = chunk_list_count(list);
    enum tern_err err = count < 0 || depth == 0 ? TERN_ECORRUPT : TERN_OK;

    for (int i = 0; i < count && !err; i++) {
        struct store_name name;
        const unsigned kind = chunk_list_at(list, (unsigned)i, &name);

        err = read_beneath(r, &name, kind, depth - 1);
    }
    return err;
}

static enum tern_err read_leaf(struct reading *r, struct view bytes)
{
    if (bytes.size > r->left)
        return TERN_ECORRUPT;
    r->left -= bytes.size;
    return r->take(r->context, bytes);
}

static enum tern_err read_beneath(struct reading *r, const struct store_name *name, unsigned kind,
                                  int depth)
{
    struct bytes plain = {.limit = STORE_CHUNK_MAX};
    enum tern_err err = store_get(r->store, name, &plain);

    if (!err && kind == CHUNK_LEAF)
        err = read_leaf(r, bytes_view(&plain));
    else if (!err)
        err = kind == CHUNK_LIST ? read_list(r, bytes_view(&plain), depth) : TERN_ECORRUPT;
    bytes_release(&plain);
    return err;
}

enum tern_err stored_blob_read(struct store *s, const Tern__Blob *blob, stored_blob_take *take,
                               void *context)
{
    struct reading r = {.store = s, .left = blob->size, .take = take, .context = context};
    struct store_name name;
    enum tern_err err;

    if (blob->sha256.len != sizeof name.bytes)
        return TERN_ECORRUPT;
    memcpy(name.bytes, blob->sha256.data, sizeof name.bytes);
    err = read_beneath(&r, &name, blob->kind, DEPTH_MAX);
    return !err && r.left > 0 ? TERN_ECORRUPT : err;
}

static enum tern_err append(void *context, struct view bytes)
{
    struct bytes *out = context;

    bytes_append(out, bytes.data, bytes.size);
    return bytes_ok(out) ? TERN_OK : TERN_ETOOBIG;
}

enum tern_err stored_blob_get(struct store *s, const Tern__Blob *blob, struct bytes *out)
{
    return stored_blob_read(s, blob, append, out);
}

/* ---- Making ---- */

static enum tern_err put_chunk(struct stored_blob *b, struct store *s, struct view plain,
                               struct problem *p)
{
    struct store_name name;
    enum tern_err err = store_put(s, plain, &name, p);

    if (!err)
        bytes_append(&b->names, &name, sizeof name);
    return !err && !bytes_ok(&b->names) ? problem_set(p, TERN_ENOMEM, "out of memory") : err;
}

enum tern_err stored_blob_add(struct stored_blob *b, struct store *s, struct view piece,
                              struct problem *p)
{
    return put_chunk(b, s, piece, p);
}

/* What was names of `kind` becomes fewer names, of lists of these. */
static enum tern_err put_lists(struct stored_blob *b, struct store *s, unsigned kind,
                               struct problem *p)
{
    struct bytes below = b->names;
    const size_t count = below.size / STORE_NAME_BYTES;
    enum tern_err err = TERN_OK;

    b->names = (struct bytes){0};
    for (size_t at = 0; at < count && !err;) {
        struct bytes list = {.limit = STORE_CHUNK_MAX};

        chunk_list_begin(&list);
        for (size_t i = 0; i < CHUNK_LIST_MAX && at < count; i++, at++) {
            struct store_name name;

            memcpy(&name, below.data + at * sizeof name, sizeof name);
            chunk_list_add(&list, kind, &name);
        }
        err = bytes_ok(&list) ? put_chunk(b, s, bytes_view(&list), p)
                              : problem_set(p, TERN_ENOMEM, "out of memory");
        bytes_release(&list);
    }
    bytes_release(&below);
    return err;
}

enum tern_err stored_blob_end(struct stored_blob *b, struct store *s, struct store_name *name,
                              unsigned *kind, struct problem *p)
{
    enum tern_err err = TERN_OK;

    *kind = CHUNK_LEAF;
    if (b->names.size == 0)
        err = put_chunk(b, s, view_of(NULL, 0), p);
    while (!err && b->names.size > sizeof *name) {
        err = put_lists(b, s, *kind, p);
        *kind = CHUNK_LIST;
    }
    if (!err)
        memcpy(name, b->names.data, sizeof *name);
    return err;
}

void stored_blob_release(struct stored_blob *b)
{
    bytes_release(&b->names);
}

#include "drive/stream.h"

#include "base/check.h"

#include <string.h>

void stream_begin(struct stream *s, struct chunks *chunks, const char *domain)
{
    *s = (struct stream){.chunks = chunks, .domain = domain};
}

void stream_release(struct stream *s)
{
    bytes_release(&s->leaves);
    bytes_release(&s->rest);
    *s = (struct stream){0};
}

enum tern_err stream_put(struct chunks *chunks, const char *domain, struct view plain,
                         struct store_name *name)
{
    const struct store_name is = store_name_of(plain);
    struct store_stored stored;
    struct bytes room = {0};
    enum tern_err err = chunk_pack(plain, &stored, &room);

    if (!err)
        err = chunks->calls->put(chunks->self, domain, &is, &stored);
    if (!err)
        *name = is;
    bytes_release(&room);
    return err;
}

static enum tern_err put(struct stream *s, struct view plain, struct store_name *name)
{
    return stream_put(s->chunks, s->domain, plain, name);
}

static enum tern_err plain(struct stream *s, const struct store_name *name, struct bytes *out)
{
    return s->chunks->calls->plain(s->chunks->self, s->domain, name, out);
}

/* ---------------------------------------------------------------- adding */

static enum tern_err full_leaf(struct stream *s)
{
    struct store_name name;
    enum tern_err err = put(s, bytes_view(&s->rest), &name);

    if (err)
        return err;
    bytes_append(&s->leaves, &name, sizeof name);
    bytes_clear(&s->rest);
    return bytes_ok(&s->leaves) ? TERN_OK : TERN_ENOMEM;
}

enum tern_err stream_add(struct stream *s, struct view bytes)
{
    while (bytes.size) {
        const size_t room = STREAM_LEAF - s->rest.size;
        const size_t take = bytes.size < room ? bytes.size : room;

        bytes_append(&s->rest, bytes.data, take);
        if (!bytes_ok(&s->rest))
            return TERN_ENOMEM;
        s->bytes += take;
        bytes.data += take;
        bytes.size -= take;
        if (s->rest.size == STREAM_LEAF) {
            const enum tern_err err = full_leaf(s);

            if (err)
                return err;
        }
    }
    return TERN_OK;
}

/* ---------------------------------------------------------------- reading */

static size_t leaf_count(const struct stream *s)
{
    return s->leaves.size / sizeof(struct store_name);
}

static struct store_name leaf(const struct stream *s, size_t i)
{
    struct store_name name;

    memcpy(&name, s->leaves.data + i * sizeof name, sizeof name);
    return name;
}

enum tern_err stream_read(struct stream *s, uint64_t from, struct bytes *out)
{
    const size_t i = (size_t)(from / STREAM_LEAF), skip = (size_t)(from % STREAM_LEAF);
    struct bytes whole = {0};
    enum tern_err err = TERN_OK;

    check(from < s->bytes);
    if (i == leaf_count(s)) {
        bytes_append(out, s->rest.data + skip, s->rest.size - skip);
    } else {
        struct store_name name = leaf(s, i);

        err = plain(s, &name, &whole);
        if (!err && whole.size != STREAM_LEAF)
            err = TERN_ECORRUPT;
        if (!err)
            bytes_append(out, whole.data + skip, whole.size - skip);
        bytes_release(&whole);
    }
    return err ? err : bytes_ok(out) ? TERN_OK : TERN_ENOMEM;
}

/* ---------------------------------------------------------------- a blob of it */

/* Entries of `kind` into one list, or into lists of lists as there are more. */
static enum tern_err put_lists(struct stream *s, const struct bytes *names, unsigned kind,
                               struct chunks_root *root)
{
    const size_t count = names->size / sizeof(struct store_name);
    struct bytes above = {0};
    enum tern_err err = TERN_OK;

    for (size_t i = 0; i < count && !err; i += CHUNK_LIST_MAX) {
        struct bytes list = {0};
        struct store_name name;

        chunk_list_begin(&list);
        for (size_t k = i; k < count && k < i + CHUNK_LIST_MAX; k++) {
            memcpy(&name, names->data + k * sizeof name, sizeof name);
            chunk_list_add(&list, kind, &name);
        }
        err = bytes_ok(&list) ? put(s, bytes_view(&list), &name) : TERN_ENOMEM;
        bytes_append(&above, &name, sizeof name);
        bytes_release(&list);
    }
    if (!err && above.size > sizeof(struct store_name))
        err = put_lists(s, &above, CHUNK_LIST, root);
    else if (!err)
        *root = (struct chunks_root){.name = *(struct store_name *)above.data, .kind = CHUNK_LIST};
    bytes_release(&above);
    return err;
}

/* The last leaf of the first `size` bytes, shorter than the others. */
static enum tern_err put_part(struct stream *s, uint64_t size, struct store_name *name)
{
    const size_t part = (size_t)(size % STREAM_LEAF);
    struct bytes bytes = {0};
    enum tern_err err = part ? stream_read(s, size - part, &bytes) : TERN_OK;

    if (!err)
        err = put(s, view_of(bytes.data, part), name);
    bytes_release(&bytes);
    return err;
}

enum tern_err stream_blob(struct stream *s, uint64_t size, struct stream_blob *out)
{
    const size_t full = (size_t)(size / STREAM_LEAF);
    struct bytes names = {0};
    struct store_name name;
    enum tern_err err = TERN_OK;

    check(size <= s->bytes);
    *out = (struct stream_blob){.root.kind = CHUNK_LEAF, .size = size};
    bytes_append(&names, s->leaves.data, full * sizeof name);
    if (size % STREAM_LEAF || !size) {
        err = put_part(s, size, &name);
        bytes_append(&names, &name, sizeof name);
    }
    if (!err && !bytes_ok(&names))
        err = TERN_ENOMEM;
    if (!err && names.size == sizeof name)
        memcpy(&out->root.name, names.data, sizeof name);
    else if (!err)
        err = put_lists(s, &names, CHUNK_LEAF, &out->root);
    bytes_release(&names);
    return err;
}

/* ---------------------------------------------------------------- as it was at a checkpoint */

static enum tern_err load_list(struct stream *s, const struct store_name *name, unsigned depth);

static enum tern_err load_entry(struct stream *s, unsigned kind, const struct store_name *name,
                                unsigned depth)
{
    struct bytes bytes = {0};
    enum tern_err err;

    if (kind == CHUNK_LIST)
        return depth < 4 ? load_list(s, name, depth + 1) : TERN_ECORRUPT;
    if (kind != CHUNK_LEAF || s->rest.size)
        return TERN_ECORRUPT; /* a short leaf in the middle */
    /* Only the last one can be short: the others need not be read. */
    if (s->bytes - leaf_count(s) * (uint64_t)STREAM_LEAF >= STREAM_LEAF) {
        bytes_append(&s->leaves, name, sizeof *name);
        return bytes_ok(&s->leaves) ? TERN_OK : TERN_ENOMEM;
    }
    err = plain(s, name, &bytes);
    if (!err)
        bytes_append(&s->rest, bytes.data, bytes.size);
    bytes_release(&bytes);
    return err;
}

static enum tern_err load_list(struct stream *s, const struct store_name *name, unsigned depth)
{
    struct bytes list = {0};
    enum tern_err err = plain(s, name, &list);
    int count = err ? 0 : chunk_list_count(bytes_view(&list));

    if (count < 0)
        err = TERN_ECORRUPT;
    for (int i = 0; i < count && !err; i++) {
        struct store_name entry;
        const unsigned kind = chunk_list_at(bytes_view(&list), (unsigned)i, &entry);

        err = load_entry(s, kind, &entry, depth);
    }
    bytes_release(&list);
    return err;
}

enum tern_err stream_load(struct stream *s, const Tern__Content *content, uint64_t bytes)
{
    struct store_name name;
    enum tern_err err;

    if (!bytes)
        return TERN_OK;
    if (!content)
        return TERN_ECORRUPT;
    s->bytes = bytes;
    if (!content->blob) {
        bytes_append(&s->rest, content->here.data, content->here.len);
    } else {
        if (content->blob->sha256.len != sizeof name)
            return TERN_EPROTO;
        memcpy(&name, content->blob->sha256.data, sizeof name);
        err = load_entry(s, content->blob->kind, &name, 0);
        if (err)
            return err;
    }
    return leaf_count(s) * (uint64_t)STREAM_LEAF + s->rest.size == bytes ? TERN_OK : TERN_ECORRUPT;
}

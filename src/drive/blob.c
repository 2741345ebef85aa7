#include "drive/blob.h"

#include "base/check.h"
#include "store/names.h"

#include <stdlib.h>
#include <string.h>

enum { LEAF_BYTES = STORE_CHUNK_MAX };

struct list { /* of names, which is a chunk itself */
    struct store_name name;
    struct bytes plain;
};

struct blob {
    struct blob_input input;
    struct names leaves; /* uint64_t: the offset of one of that name */
    struct list *lists;
    size_t list_count;
    struct bytes open; /* the list that leaves are added to */
    uint64_t named;    /* bytes */
    struct chunks_root root;
    uint8_t *leaf; /* room */
    bool over;
};

struct blob *blob_new(const struct blob_input *input)
{
    struct blob *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->input = *input;
    b->leaves.value_bytes = sizeof(uint64_t);
    b->leaf = malloc(LEAF_BYTES);
    chunk_list_begin(&b->open);
    if (b->leaf)
        return b;
    blob_free(b);
    return NULL;
}

void blob_free(struct blob *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->list_count; i++)
        bytes_release(&b->lists[i].plain);
    free(b->lists);
    names_release(&b->leaves);
    bytes_release(&b->open);
    free(b->leaf);
    free(b);
}

/* The open list becomes one of the lists; the next begins. */
static enum tern_err close_list(struct blob *b, struct bytes *open)
{
    struct list *grown = realloc(b->lists, (b->list_count + 1) * sizeof *grown);

    if (!grown || !bytes_ok(open))
        return TERN_ENOMEM;
    b->lists = grown;
    grown[b->list_count++] = (struct list){.name = store_name_of(bytes_view(open)), .plain = *open};
    *open = (struct bytes){0};
    chunk_list_begin(open);
    return TERN_OK;
}

/* A list of all lists that there are, unless there is just one. */
static enum tern_err close_all(struct blob *b)
{
    struct bytes top = {0};
    enum tern_err err = TERN_OK;

    if (b->open.size > CHUNK_LIST_HEAD)
        err = close_list(b, &b->open);
    if (!err && b->list_count > CHUNK_LIST_MAX)
        return TERN_ETOOBIG;
    if (!err && b->list_count > 1) {
        const size_t count = b->list_count;

        chunk_list_begin(&top);
        for (size_t i = 0; i < count; i++)
            chunk_list_add(&top, CHUNK_LIST, &b->lists[i].name);
        err = close_list(b, &top);
        bytes_release(&top);
    }
    if (!err)
        b->root =
            (struct chunks_root){.name = b->lists[b->list_count - 1].name, .kind = CHUNK_LIST};
    return err;
}

static enum tern_err name_leaf(struct blob *b, size_t size, struct store_name *name)
{
    enum tern_err err = b->input.read(b->input.context, b->named, b->leaf, size);
    uint64_t *offset;
    bool fresh;

    if (err)
        return err;
    *name = store_name_of(view_of(b->leaf, size));
    offset = names_add(&b->leaves, name, &fresh);
    if (!offset)
        return TERN_ENOMEM;
    if (fresh)
        *offset = b->named;
    b->named += size;
    return TERN_OK;
}

static enum tern_err step(struct blob *b)
{
    const uint64_t left = b->input.size - b->named;
    struct store_name name;
    enum tern_err err = name_leaf(b, left < LEAF_BYTES ? (size_t)left : LEAF_BYTES, &name);

    if (err)
        return err;
    b->over = b->named == b->input.size;
    if (b->input.size <= LEAF_BYTES) {
        b->root = (struct chunks_root){.name = name, .kind = CHUNK_LEAF};
        return TERN_OK;
    }
    chunk_list_add(&b->open, CHUNK_LEAF, &name);
    if (chunk_list_count(bytes_view(&b->open)) == CHUNK_LIST_MAX)
        err = close_list(b, &b->open);
    return !err && b->over ? close_all(b) : err;
}

enum tern_err blob_step(struct blob *b, bool *over, struct problem *p)
{
    enum tern_err err = b->over ? TERN_OK : step(b);

    *over = b->over;
    return err ? problem_set(p, err, "cannot read at byte %llu: %s", (unsigned long long)b->named,
                             tern_err_text(err))
               : TERN_OK;
}

struct chunks_root blob_root(const struct blob *b)
{
    check(b->over);
    return b->root;
}

/* ---- As a source ---- */

static const struct list *find_list(const struct blob *b, const struct store_name *name)
{
    for (size_t i = 0; i < b->list_count; i++)
        if (memcmp(&b->lists[i].name, name, sizeof *name) == 0)
            return &b->lists[i];
    return NULL;
}

/* Borrowed: of a list, or in the room for a leaf. */
static enum tern_err read_chunk(struct blob *b, const struct store_name *name, struct view *out)
{
    const struct list *list = find_list(b, name);
    const uint64_t *offset = names_find(&b->leaves, name);
    enum tern_err err;
    size_t size;

    if (list) {
        *out = bytes_view(&list->plain);
        return TERN_OK;
    }
    if (!offset)
        return TERN_ENOENT;
    size = b->input.size - *offset < LEAF_BYTES ? (size_t)(b->input.size - *offset) : LEAF_BYTES;
    err = b->input.read(b->input.context, *offset, b->leaf, size);
    if (!err)
        *out = view_of(b->leaf, size);
    return err;
}

static enum tern_err source_plain(void *context, const struct store_name *name, struct bytes *out)
{
    struct view plain;
    enum tern_err err = read_chunk(context, name, &plain);

    if (err)
        return err;
    bytes_append(out, plain.data, plain.size);
    return bytes_ok(out) ? TERN_OK : TERN_ENOMEM;
}

static enum tern_err source_stored(void *context, const struct store_name *name,
                                   const struct store_name *has, struct store_stored *out,
                                   struct bytes *room)
{
    struct blob *b = context;
    struct view plain;
    enum tern_err err = read_chunk(b, name, &plain);

    (void)has;
    if (err)
        return err;
    if (b->input.compress)
        return chunk_pack(plain, out, room);
    *out = (struct store_stored){.plain_size = (uint32_t)plain.size, .bytes = plain};
    return TERN_OK;
}

struct transfer_source blob_source(struct blob *b)
{
    check(b->over);
    return (struct transfer_source){.context = b, .plain = source_plain, .stored = source_stored};
}

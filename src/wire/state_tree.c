#include "wire/state_tree.h"

#include "wire/reader.h"

#include <string.h>

/* Sizes of the parts as they are written, without what has a count of its own. */
enum {
    MAGIC_BYTES = 8,
    ENTRY_BYTES = 8 + 8 + 4,
    RUN_BYTES = 4 + 4 + 4,
    NODE_BYTES = 8 + 1 + 4 + 3 * 8 + 8 + 8 + 4 + 4 + 4,
};

static const uint8_t tree_magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'T', 'R', 'E', '1'};

uint64_t state_tree_pages(uint64_t size)
{
    return size / TREE_PAGE_BYTES + (size % TREE_PAGE_BYTES != 0);
}

const struct state_node *state_tree_find(const struct state_tree *t, uint64_t number)
{
    uint32_t from = 0, to = t->node_count;

    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;

        if (t->nodes[middle].number == number)
            return &t->nodes[middle];
        if (t->nodes[middle].number < number)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* ---- Encoding ---- */

static void put_text(struct bytes *out, struct view text)
{
    put(out, text.size, 4);
    bytes_append(out, text.data, text.size);
}

static void put_node(struct bytes *out, const struct state_node *n)
{
    put(out, n->number, 8);
    put(out, n->kind, 1);
    put(out, n->links, 4);
    put(out, n->atime_ns, 8);
    put(out, n->mtime_ns, 8);
    put(out, n->ctime_ns, 8);
    put(out, n->size, 8);
    put(out, n->next_cookie, 8);
    put_text(out, n->target);
    put(out, n->entry_count, 4);
    for (uint32_t i = 0; i < n->entry_count; i++) {
        put(out, n->entries[i].cookie, 8);
        put(out, n->entries[i].inode, 8);
        put_text(out, n->entries[i].name);
    }
    put(out, n->run_count, 4);
    for (uint32_t i = 0; i < n->run_count; i++) {
        put(out, n->runs[i].page, 4);
        put(out, n->runs[i].count, 4);
        put(out, n->runs[i].arena, 4);
    }
}

enum tern_err state_tree_encode(const struct state_tree *t, struct bytes *out)
{
    bytes_append(out, tree_magic, sizeof tree_magic);
    put(out, t->next_number, 8);
    put(out, t->node_count, 4);
    for (uint32_t i = 0; i < t->node_count; i++)
        put_node(out, &t->nodes[i]);
    return bytes_ok(out) ? TERN_OK : TERN_ENOMEM;
}

/* ---- Decoding ---- */

struct totals {
    uint64_t entries, text_bytes, pages;
};

static struct view get_text(struct reader *r, uint32_t max, struct totals *sum)
{
    const uint32_t size = get_count(r, max, 1);
    const uint8_t *data = take(r, size);

    sum->text_bytes += size;
    return view_of(data, data ? size : 0);
}

static void get_entries(struct reader *r, struct state_node *n, struct totals *sum)
{
    n->entry_count = get_count(r, TREE_ENTRIES_MAX, ENTRY_BYTES);
    n->entries = new_list(r, &n->entry_count, sizeof *n->entries);
    for (uint32_t i = 0; i < n->entry_count; i++) {
        n->entries[i].cookie = get(r, 8);
        n->entries[i].inode = get(r, 8);
        n->entries[i].name = get_text(r, TREE_NAME_BYTES_MAX, sum);
    }
    sum->entries += n->entry_count;
}

static void get_runs(struct reader *r, struct state_node *n, struct totals *sum)
{
    n->run_count = get_count(r, TREE_PAGES_MAX, RUN_BYTES);
    n->runs = new_list(r, &n->run_count, sizeof *n->runs);
    for (uint32_t i = 0; i < n->run_count; i++) {
        n->runs[i].page = get_u32(r);
        n->runs[i].count = get_u32(r);
        n->runs[i].arena = get_u32(r);
        sum->pages += n->runs[i].count;
    }
}

static void get_node(struct reader *r, struct state_node *n, struct totals *sum)
{
    n->number = get(r, 8);
    n->kind = get_u8(r);
    n->links = get_u32(r);
    n->atime_ns = get(r, 8);
    n->mtime_ns = get(r, 8);
    n->ctime_ns = get(r, 8);
    n->size = get(r, 8);
    n->next_cookie = get(r, 8);
    n->target = get_text(r, TREE_TARGET_BYTES_MAX, sum);
    get_entries(r, n, sum);
    get_runs(r, n, sum);
}

static bool totals_fit(const struct totals *sum)
{
    return sum->entries <= TREE_ENTRIES_MAX && sum->text_bytes <= TREE_TEXT_BYTES_MAX &&
           sum->pages <= TREE_PAGES_MAX;
}

enum tern_err state_tree_decode(struct state_tree *t, struct view bytes, struct arena *arena)
{
    struct reader r = {bytes, arena, TERN_OK};
    struct totals sum = {0};
    const uint8_t *magic = take(&r, MAGIC_BYTES);

    *t = (struct state_tree){0};
    if (!magic || memcmp(magic, tree_magic, MAGIC_BYTES) != 0)
        return TERN_EPROTO;
    t->next_number = get(&r, 8);
    t->node_count = get_count(&r, TREE_NODES_MAX, NODE_BYTES);
    t->nodes = new_list(&r, &t->node_count, sizeof *t->nodes);
    for (uint32_t i = 0; i < t->node_count && !r.err; i++)
        get_node(&r, &t->nodes[i], &sum);
    if (!r.err && (r.rest.size > 0 || !totals_fit(&sum)))
        r.err = TERN_EPROTO;
    if (r.err)
        *t = (struct state_tree){0};
    return r.err;
}

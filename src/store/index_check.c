#include "store/index_check.h"

#include "store/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_BYTES = 16, /* of a page: number 8, unused 2, flags 2, lower 2, upper 2 (or pages 4) */
    NODE_BYTES = 8,    /* of a node: size 4 (or child), flags 2, key size 2; then key and value */
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
    PAGE_META = 8,
    NODE_BIG = 1, /* the value stands in pages of its own */
    KEY_BYTES_MAX = 511,
    DEPTH_MAX = 32,
    META_PAGES = 2,
    META_BYTES = HEADER_BYTES + 24 + 2 * 48 + 16,
    FLAG_INTEGER_KEY = 0x08,
    FLAG_NO_SUBDIR = 0x4000,
    PAGE_BYTES_MIN = 512,
    PAGE_BYTES_MAX = 32768,
};
static const uint64_t NO_ROOT = UINT64_MAX;
static const uint64_t PAGES_MAX = 1ULL << 28;
static const uint32_t MAGIC = 0xBEEFC0DE;

struct tree { /* struct MDB_db */
    uint32_t page_bytes;
    uint16_t flags, depth;
    uint64_t counts[3], entries;
    uint64_t root;
};
_Static_assert(sizeof(struct tree) == 48, "as LMDB has it");

struct meta { /* struct MDB_meta */
    uint32_t magic, version;
    uint64_t address, map_bytes;
    struct tree free, main;
    uint64_t last_page, transaction;
};
_Static_assert(sizeof(struct meta) == META_BYTES - HEADER_BYTES, "as LMDB has it");

struct walk {
    const struct index_walk *given;
    struct meta meta;
    uint32_t page_bytes;
    uint64_t file_bytes;
    uint8_t *used;  /* a bit for each page */
    uint8_t *pages; /* one for each level */
    const struct tree *tree;
    bool is_free; /* walking the tree of free pages */
    uint8_t last[KEY_BYTES_MAX], floor[KEY_BYTES_MAX];
    size_t last_bytes, floor_bytes; /* the last key seen; the least that may come */
    const char *why;
};

static uint16_t u16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* The first four bytes of a node: the lower half of a number, then the upper. */
static uint64_t node_number(const uint8_t *node)
{
    uint32_t value;

    memcpy(&value, node, sizeof value); /* the halves stand as the machine has its words */
    return value;
}

static uint64_t u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static enum tern_err bad(struct walk *w, const char *why)
{
    w->why = why;
    return TERN_ECORRUPT;
}

static enum tern_err read_at(const struct store_io *io, int fd, void *to, size_t size, uint64_t at)
{
    int error = store_io_read_all(io, fd, to, size, at);

    return error == -ENODATA ? TERN_ECORRUPT : error ? TERN_EIO : TERN_OK;
}

static bool meta_is_sane(const uint8_t *page, uint64_t number, const struct meta *m)
{
    uint32_t bytes = m->free.page_bytes;

    return u64(page) == number && u16(page + 10) == PAGE_META && m->magic == MAGIC &&
           m->version == 1 && bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX &&
           (bytes & (bytes - 1)) == 0 && m->free.flags == (FLAG_INTEGER_KEY | FLAG_NO_SUBDIR) &&
           m->main.flags == 0 && m->last_page >= META_PAGES - 1 && m->last_page < PAGES_MAX;
}

/* Transactions alternate between the two pages: any other pair of numbers is damage. */
static bool metas_fit(const struct meta m[META_PAGES])
{
    uint64_t even = m[0].transaction, odd = m[1].transaction;

    if (m[0].free.page_bytes != m[1].free.page_bytes)
        return false;
    if (even == 0 && odd == 0)
        return true;
    return even % 2 == 0 && odd % 2 == 1 && (even + 1 == odd || odd + 1 == even);
}

static enum tern_err read_metas_once(const struct store_io *io, int fd, struct meta m[META_PAGES])
{
    uint8_t page[META_BYTES];
    uint64_t at = 0;

    for (unsigned i = 0; i < META_PAGES; i++) {
        enum tern_err err = read_at(io, fd, page, sizeof page, at);

        if (err)
            return err;
        memcpy(&m[i], page + HEADER_BYTES, sizeof m[i]);
        if (!meta_is_sane(page, i, &m[i]))
            return TERN_ECORRUPT;
        at = m[i].free.page_bytes;
    }
    return metas_fit(m) ? TERN_OK : TERN_ECORRUPT;
}

/* Another process may write one while we read the other: look again before calling it damage. */
static enum tern_err read_metas(const struct store_io *io, int fd, struct meta m[META_PAGES])
{
    enum tern_err err = TERN_ECORRUPT;

    for (unsigned tries = 0; tries < 8 && err == TERN_ECORRUPT; tries++)
        err = read_metas_once(io, fd, m);
    return err;
}

static bool is_foreign(const struct store_io *io, int fd)
{
    uint32_t magic = 0;

    return read_at(io, fd, &magic, sizeof magic, HEADER_BYTES) == TERN_OK &&
           magic == __builtin_bswap32(MAGIC);
}

enum tern_err index_check_head(const struct store_io *io, int fd, struct index_head *out,
                               const char **why)
{
    struct meta m[META_PAGES];
    enum tern_err err = read_metas(io, fd, m);
    const struct meta *newer = &m[m[1].transaction > m[0].transaction];

    *why = "its head is damaged";
    if (err && is_foreign(io, fd))
        *why = "it is of a machine of the other byte order: take over what tern image export "
               "writes there";
    if (err)
        return err;
    *out =
        (struct index_head){.page_bytes = newer->free.page_bytes,
                            .pages = (m[0].last_page > m[1].last_page ? m[0] : m[1]).last_page + 1,
                            .transaction = newer->transaction};
    return TERN_OK;
}

/* Each page has one use. */
static bool take(struct walk *w, uint64_t first, uint64_t count)
{
    if (first < META_PAGES || first > w->meta.last_page || count > w->meta.last_page - first + 1)
        return false;
    for (uint64_t i = first; i < first + count; i++) {
        if (w->used[i / 8] >> (i % 8) & 1)
            return false;
        w->used[i / 8] |= (uint8_t)(1U << (i % 8));
    }
    return true;
}

static int compare(const struct walk *w, struct view a, const uint8_t *b, size_t b_bytes)
{
    size_t common = a.size < b_bytes ? a.size : b_bytes;
    int order;

    if (w->is_free)
        return (u64(a.data) > u64(b)) - (u64(a.data) < u64(b));
    order = memcmp(a.data, b, common);
    return order ? order : (a.size > b_bytes) - (a.size < b_bytes);
}

/* Keys rise, also across pages, and stand where the branches above say. */
static bool key_rises(struct walk *w, struct view key, bool in_branch)
{
    if (key.size == 0 || key.size > KEY_BYTES_MAX || (w->is_free && key.size != 8))
        return false;
    if (w->last_bytes && compare(w, key, w->last, w->last_bytes) <= 0)
        return false;
    if (w->floor_bytes && compare(w, key, w->floor, w->floor_bytes) < 0)
        return false;
    memcpy(in_branch ? w->floor : w->last, key.data, key.size);
    *(in_branch ? &w->floor_bytes : &w->last_bytes) = key.size;
    return true;
}

/* A list of free pages: how many, then their numbers, falling. */
static enum tern_err check_free(struct walk *w, struct view key, struct view list)
{
    uint64_t count = list.size >= 8 ? u64(list.data) : UINT64_MAX;
    uint64_t last = UINT64_MAX;

    if (count > list.size / 8 - 1 || u64(key.data) > w->meta.transaction)
        return bad(w, "a list of free pages is damaged");
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page = u64(list.data + 8 * i);

        if (page >= last || !take(w, page, 1))
            return bad(w, "a page is free and in use");
        last = page;
    }
    return TERN_OK;
}

static enum tern_err check_big(struct walk *w, struct view key, uint64_t number, size_t size)
{
    uint64_t pages = (HEADER_BYTES - 1 + size) / w->page_bytes + 1;
    uint64_t bytes = HEADER_BYTES + size, at = number * w->page_bytes;
    enum tern_err err;
    uint8_t *value;

    if (!take(w, number, pages) || at > w->file_bytes || bytes > w->file_bytes - at)
        return bad(w, "a list of free pages is outside");
    value = malloc(bytes);
    if (!value)
        return TERN_ENOMEM;
    err = read_at(w->given->io, w->given->fd, value, bytes, at);
    if (!err) {
        uint32_t has;

        memcpy(&has, value + 12, sizeof has);
        if (u64(value) != number || u16(value + 10) != PAGE_OVERFLOW || has != pages)
            err = bad(w, "a list of free pages is damaged");
        else
            err = check_free(w, key, view_of(value + HEADER_BYTES, size));
    }
    free(value);
    return err;
}

static enum tern_err check_leaf_node(struct walk *w, const uint8_t *node, size_t room)
{
    size_t size = node_number(node);
    uint16_t flags = u16(node + 4);
    struct view key = view_of(node + NODE_BYTES, u16(node + 6));
    const uint8_t *value = key.data + key.size;

    if (NODE_BYTES + key.size + (flags & NODE_BIG ? 8 : size) > room || flags > NODE_BIG ||
        !key_rises(w, key, false))
        return bad(w, "an entry is damaged");
    if (w->is_free)
        return flags ? check_big(w, key, u64(value), size)
                     : check_free(w, key, view_of(value, size));
    if (flags || !record_is_whole(key, view_of(value, size)))
        return bad(w, "a record is damaged");
    if (w->given->seen)
        w->given->seen(w->given->to, key, view_of(value, size));
    return TERN_OK;
}

static enum tern_err check_page(struct walk *w, uint64_t number, unsigned depth);

static enum tern_err check_branch_node(struct walk *w, const uint8_t *node, bool first,
                                       unsigned depth)
{
    uint64_t child = node_number(node) | (uint64_t)u16(node + 4) << 32;

    /* The key of the first is not looked at by LMDB and may be anything. */
    if (!first && !key_rises(w, view_of(node + NODE_BYTES, u16(node + 6)), true))
        return bad(w, "a branch is damaged");
    return check_page(w, child, depth + 1);
}

/* Where nodes lie: behind `upper`, one after the other, together no more than there is room. */
static bool nodes_fit(const struct walk *w, const uint8_t *page, bool branch)
{
    size_t lower = u16(page + 12), upper = u16(page + 14), sum = 0;

    if (lower < HEADER_BYTES || lower % 2 || lower > upper || upper > w->page_bytes)
        return false;
    for (size_t at = HEADER_BYTES; at < lower; at += 2) {
        size_t node = u16(page + at), bytes = NODE_BYTES;

        if (node < upper || node + NODE_BYTES > w->page_bytes || node % 2)
            return false;
        bytes += u16(page + node + 6);
        if (!branch && u16(page + node + 4) & NODE_BIG)
            bytes += 8;
        else if (!branch)
            bytes += node_number(page + node);
        if (bytes > w->page_bytes - node)
            return false;
        sum += bytes + bytes % 2;
    }
    return sum <= w->page_bytes - upper;
}

static enum tern_err check_page(struct walk *w, uint64_t number, unsigned depth)
{
    uint8_t *page = w->pages + (size_t)depth * w->page_bytes;
    bool branch = depth + 1 < w->tree->depth;
    size_t count;
    enum tern_err err;

    if (!take(w, number, 1))
        return bad(w, "a page is used twice or outside");
    err = read_at(w->given->io, w->given->fd, page, w->page_bytes, number * w->page_bytes);
    if (err)
        return err == TERN_ECORRUPT ? bad(w, "it ends too early") : err;
    if (u64(page) != number || u16(page + 10) != (branch ? PAGE_BRANCH : PAGE_LEAF) ||
        !nodes_fit(w, page, branch))
        return bad(w, "a page is damaged");
    count = (size_t)(u16(page + 12) - HEADER_BYTES) / 2;
    if (count < (branch ? 2 : 1))
        return bad(w, "a page is empty");
    for (size_t i = 0; i < count && !err; i++) {
        const uint8_t *node = page + u16(page + HEADER_BYTES + 2 * i);
        size_t room = w->page_bytes - (size_t)(node - page);

        err = branch ? check_branch_node(w, node, i == 0, depth) : check_leaf_node(w, node, room);
    }
    return err;
}

static enum tern_err check_one(struct walk *w, const struct tree *tree, bool is_free)
{
    w->tree = tree;
    w->is_free = is_free;
    w->last_bytes = w->floor_bytes = 0;
    if (tree->root == NO_ROOT && tree->depth == 0)
        return TERN_OK;
    if (tree->depth == 0 || tree->depth > DEPTH_MAX)
        return bad(w, "a tree has no depth");
    return check_page(w, tree->root, 0);
}

static enum tern_err check_both(struct walk *w)
{
    enum tern_err err;

    w->page_bytes = w->meta.free.page_bytes;
    w->used = calloc(w->meta.last_page / 8 + 1, 1);
    w->pages = malloc((size_t)DEPTH_MAX * w->page_bytes);
    if (!w->used || !w->pages)
        return TERN_ENOMEM;
    err = check_one(w, &w->meta.main, false);
    if (!err && w->given->with_free)
        err = check_one(w, &w->meta.free, true);
    return err;
}

enum tern_err index_check_tree(const struct index_walk *given, const char **why)
{
    struct walk w = {.given = given, .why = "its head is damaged"};
    struct meta m[META_PAGES];
    int64_t size = given->io->size(given->io->context, given->fd);
    enum tern_err err = size < 0 ? TERN_EIO : read_metas(given->io, given->fd, m);

    if (!err) {
        w.file_bytes = (uint64_t)size;
        w.meta = m[given->transaction % META_PAGES];
        err = w.meta.transaction == given->transaction ? check_both(&w) : TERN_EBUSY;
    }
    free(w.used);
    free(w.pages);
    *why = w.why;
    return err;
}

_Static_assert(sizeof(size_t) == 8, "LMDB's file has the machine's words");

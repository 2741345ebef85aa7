/*
 * Forgetting: what hangs beneath the roots that stay, and packs that have become half empty.
 */
#include "store/store_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct visit {
    struct store_name name;
    unsigned kind;
};

struct mark {
    struct names *held; /* bit k: visited as kind k */
    struct visit *stack;
    size_t count, capacity;
};

static bool push(struct mark *m, unsigned kind, const struct store_name *name)
{
    if (m->count == m->capacity) {
        size_t wanted = m->capacity ? 2 * m->capacity : 256;
        struct visit *grown =
            wanted <= NAMES_MAX ? realloc(m->stack, wanted * sizeof *grown) : NULL;

        if (!grown)
            return false;
        m->stack = grown;
        m->capacity = wanted;
    }
    m->stack[m->count++] = (struct visit){*name, kind};
    return true;
}

/* The same bytes may be a list here and a leaf there: each kind is visited once. */
static enum tern_err yield(void *to, unsigned kind, const struct store_name *name)
{
    struct mark *m = to;
    uint32_t *kinds;
    bool fresh;

    check(kind <= STORE_LEAF);
    kinds = names_add(m->held, name, &fresh);
    if (!kinds)
        return TERN_ENOMEM;
    if (*kinds >> kind & 1)
        return TERN_OK;
    *kinds |= 1U << kind;
    return kind == STORE_LEAF || push(m, kind, name) ? TERN_OK : TERN_ENOMEM;
}

static enum tern_err mark_kinds(struct mark *m, uint32_t kinds, const struct store_name *name)
{
    enum tern_err err = TERN_OK;

    for (unsigned kind = 0; kind <= STORE_LEAF && !err; kind++)
        if (kinds >> kind & 1)
            err = yield(m, kind, name);
    return err;
}

/* Roots by name, and what is pinned. */
static enum tern_err mark_names(struct store *s, struct mark *m)
{
    enum tern_err err = TERN_OK;

    for (size_t i = 0; i < s->roots.count && !err; i++) {
        const struct record_held *h = names_value(&s->roots, i);

        err = mark_kinds(m, h->kinds, names_at(&s->roots, i));
    }
    for (size_t i = 0; i < s->pins.count && !err; i++)
        err = mark_kinds(m, store_pinned_kinds(s, names_value(&s->pins, i)), names_at(&s->pins, i));
    return err;
}

static enum tern_err mark_roots(struct store *s, const struct store_look *look, struct mark *m)
{
    enum tern_err err = look->list ? yield(m, 0, look->list) : TERN_OK;

    for (unsigned n = 0; n < look->kept && !err; n++) {
        struct store_root root;

        err = index_root(&s->index, n, &root);
        if (err == TERN_ENOENT) {
            err = TERN_OK;
            break;
        }
        if (!err)
            err = yield(m, 0, &root.list);
    }
    return err ? err : mark_names(s, m);
}

/* ---- What is stored as a difference needs what it differs from ---- */

struct bases {
    struct store *store;
    struct names *held;
    bool tolerant;
    enum tern_err err;
};

static void hold_base(struct bases *b, const struct record_chunk *c)
{
    struct store_name base;
    bool fresh;

    b->err = store_base_of(b->store, c, &base);
    if (b->err == TERN_ECORRUPT && b->tolerant) {
        b->err = TERN_OK; /* the damaged one will be found out when it is read */
        return;
    }
    if (!b->err && !names_add(b->held, &base, &fresh))
        b->err = TERN_ENOMEM;
}

static void hold_base_of(void *to, struct view key, struct view value)
{
    struct bases *b = to;
    struct store_name name;
    struct record_chunk c;

    if (!b->err && record_get_chunk(key, value, &name, &c) && c.codec == RECORD_LIKE &&
        names_find(b->held, &name))
        hold_base(b, &c);
}

/* Bases are whole: theirs are none. */
static enum tern_err hold_bases(struct store *s, bool tolerant, struct names *held)
{
    struct bases b = {.store = s, .held = held, .tolerant = tolerant};
    enum tern_err err = index_each(&s->index, hold_base_of, &b);

    for (size_t i = 0; i < s->pending.count && !b.err; i++) {
        const struct record_chunk *c = names_value(&s->pending, i);

        if (c->codec == RECORD_LIKE && names_find(held, names_at(&s->pending, i)))
            hold_base(&b, c);
    }
    return err ? err : b.err;
}

static bool can_be_borne(const struct store_look *look, enum tern_err err)
{
    return look->tolerant && (err == TERN_ENOENT || err == TERN_ECORRUPT);
}

enum tern_err store_mark(struct store *s, const struct store_look *look, struct names *held)
{
    struct mark m = {.held = held};
    struct bytes plain = {.limit = STORE_CHUNK_MAX};
    enum tern_err err = mark_roots(s, look, &m);

    while (!err && m.count) {
        struct visit v = m.stack[--m.count];

        bytes_clear(&plain);
        err = store_get(s, &v.name, &plain);
        if (!err)
            err = look->children(look->context, v.kind, bytes_view(&plain), yield, &m);
        if (can_be_borne(look, err))
            err = TERN_OK;
    }
    bytes_release(&plain);
    free(m.stack);
    return err ? err : hold_bases(s, look->tolerant, held);
}

struct move {
    struct store_name name;
    struct record_chunk chunk;
};

struct moves {
    struct store *store;
    struct move *at;
    size_t count, capacity;
    size_t first, last; /* those of one pack: [first, last) */
    bool failed;
};

static bool is_due(const struct pack *p)
{
    return p->live < p->size - p->live;
}

static void collect(void *to, struct view key, struct view value)
{
    struct moves *m = to;
    struct move move;
    struct pack *p;

    if (m->failed || !record_get_chunk(key, value, &move.name, &move.chunk))
        return;
    p = move.chunk.stored_bytes ? packs_find(&m->store->packs, move.chunk.pack) : NULL;
    if (!p || !is_due(p))
        return;
    if (m->count == m->capacity) {
        size_t wanted = m->capacity ? 2 * m->capacity : 256;
        struct move *grown = wanted <= NAMES_MAX ? realloc(m->at, wanted * sizeof *grown) : NULL;

        m->failed = !grown;
        if (!grown)
            return;
        m->at = grown;
        m->capacity = wanted;
    }
    m->at[m->count++] = move;
}

static int by_place(const void *a, const void *b)
{
    const struct record_chunk *x = &((const struct move *)a)->chunk;
    const struct record_chunk *y = &((const struct move *)b)->chunk;

    if (x->pack != y->pack)
        return x->pack > y->pack ? 1 : -1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int change(void *context, MDB_txn *txn, MDB_dbi dbi)
{
    const struct moves *m = context;
    struct record r;
    int rc;

    for (size_t i = m->first; i < m->last; i++) {
        record_of_chunk(&r, &m->at[i].name, &m->at[i].chunk);
        rc = index_put(txn, dbi, &r);
        if (rc)
            return rc;
    }
    record_of_state(&r, &m->store->state);
    return index_put(txn, dbi, &r);
}

/* Copies, checked on the way; a damaged chunk stays where it is, and so does its whole pack. */
static bool copy(struct moves *m)
{
    struct store *s = m->store;

    for (size_t i = m->first; i < m->last; i++) {
        struct record_chunk *c = &m->at[i].chunk;

        if (store_read_stored(s, c) ||
            packs_append(&s->packs, view_of(s->scratch, c->stored_bytes), &c->pack, &c->offset))
            return false;
    }
    return packs_sync(&s->packs) == 0;
}

/* The copies of a move that came to nothing: nobody knows of them. */
static void give_back(struct packs *ps, uint64_t newest, uint64_t size)
{
    while (ps->count && ps->at[ps->count - 1].number > newest)
        if (packs_remove(ps, ps->at[ps->count - 1].number))
            return;
    if (ps->count && ps->at[ps->count - 1].size > size) {
        packs_retire(ps);
        packs_cut(ps, &ps->at[ps->count - 1], size);
    }
}

static void count_moved(struct moves *m)
{
    for (size_t i = m->first; i < m->last; i++) {
        const struct record_chunk *c = &m->at[i].chunk;
        struct pack *p = packs_find(&m->store->packs, c->pack);

        check(p);
        p->live += c->stored_bytes;
        if (p->end < c->offset + c->stored_bytes)
            p->end = c->offset + c->stored_bytes;
    }
}

/* All that lives in one pack to the newest; then that pack goes. */
static bool move_pack(struct moves *m)
{
    struct packs *ps = &m->store->packs;
    uint64_t from = m->at[m->first].chunk.pack;
    uint64_t newest = ps->at[ps->count - 1].number, size = ps->at[ps->count - 1].size;

    if (!copy(m)) {
        give_back(ps, newest, size);
        return true; /* the next one may do */
    }
    m->store->state.next_pack = ps->next;
    if (index_write(&m->store->index, change, m, NULL))
        return false; /* perhaps it came through: leave both */
    count_moved(m);
    return packs_remove(ps, from) == 0;
}

/* True: there are more, but that was enough for now. */
static bool move_some(struct moves *m, uint64_t bytes_max)
{
    uint64_t moved = 0;

    qsort(m->at, m->count, sizeof *m->at, by_place);
    for (m->first = 0; m->first < m->count; m->first = m->last) {
        uint64_t pack = m->at[m->first].chunk.pack;

        if (moved >= bytes_max)
            return true;

        for (m->last = m->first; m->last < m->count && m->at[m->last].chunk.pack == pack;)
            moved += m->at[m->last++].chunk.stored_bytes;
        if (!move_pack(m))
            return false;
    }
    return false;
}

bool store_reclaim(struct store *s, uint64_t bytes_max)
{
    struct moves m = {.store = s};
    bool any = false, more = false;

    for (size_t i = s->packs.count; i-- > 0;)
        if (s->packs.at[i].live == 0)
            packs_remove(&s->packs, s->packs.at[i].number);
    for (size_t i = 0; i < s->packs.count; i++) {
        if (!is_due(&s->packs.at[i]))
            continue;
        s->packs.at[i].closed = any = true; /* nothing is moved into one that goes */
        if (i + 1 == s->packs.count)
            packs_retire(&s->packs);
    }
    if (any && index_each(&s->index, collect, &m) == TERN_OK && !m.failed && m.count)
        more = move_some(&m, bytes_max);
    free(m.at);
    return more;
}

/*
 * Many chunks at once: looked up in the order of their names, by one cursor, then read in the order
 * in which they lie, whole stretches of a pack at a time, and decoded straight to where they are
 * wanted.
 */
#include "store/store_inner.h"

#include <stdlib.h>
#include <string.h>

enum {
    STRETCH_BYTES = 1 << 20,
    GAP_BYTES = 32 << 10, /* read over, rather than begun anew behind */
};

struct place {
    struct record_chunk chunk;
    const struct store_want *want;
    bool there; /* in a pack, and as usual */
};

struct getting {
    struct store *store;
    const struct store_want *wants;
    struct place *places;
    size_t count;
    uint8_t *stretch;
};

static int by_name(const void *a, const void *b)
{
    const struct store_want *x = a, *y = b;

    return memcmp(&x->name, &y->name, sizeof x->name);
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->there != y->there)
        return x->there ? -1 : 1;
    if (x->chunk.pack != y->chunk.pack)
        return x->chunk.pack > y->chunk.pack ? 1 : -1;
    return (x->chunk.offset > y->chunk.offset) - (x->chunk.offset < y->chunk.offset);
}

/* ---- Where they are ---- */

static void wanted(void *context, size_t i, struct record *key)
{
    const struct getting *g = context;

    record_chunk_key(key, &g->wants[i].name);
}

static enum tern_err found(void *context, size_t i, struct view value)
{
    struct getting *g = context;
    struct place *p = &g->places[i];
    struct store_name name;
    struct record key;

    *p = (struct place){.want = &g->wants[i]};
    record_chunk_key(&key, &p->want->name);
    p->there = !names_find(&g->store->pending, &p->want->name) && value.size &&
               record_get_chunk(view_of(key.key, key.key_bytes), value, &name, &p->chunk) &&
               p->chunk.codec <= RECORD_ZSTD && p->chunk.stored_bytes > 0 &&
               p->chunk.plain_bytes == p->want->size;
    return TERN_OK;
}

/* ---- What is there ---- */

static enum tern_err get_alone(struct store *s, const struct store_want *w)
{
    struct bytes plain = {.limit = STORE_CHUNK_MAX};
    enum tern_err err = store_get(s, &w->name, &plain);

    if (!err && plain.size != w->size)
        err = TERN_ECORRUPT;
    if (!err && plain.size)
        memcpy(w->to, plain.data, plain.size);
    bytes_release(&plain);
    return err;
}

/* Where one stretch ends that begins with this place. */
static size_t stretch_from(const struct getting *g, size_t first)
{
    const struct record_chunk *c = &g->places[first].chunk;
    const uint64_t begin = c->offset;
    uint64_t end = begin + c->stored_bytes;
    size_t i = first + 1;

    for (; i < g->count && g->places[i].there; i++) {
        const struct record_chunk *next = &g->places[i].chunk;
        const uint64_t next_end = next->offset + next->stored_bytes;

        if (next->pack != c->pack || next->offset > end + GAP_BYTES ||
            (next_end > end ? next_end : end) - begin > STRETCH_BYTES)
            break;
        end = next_end > end ? next_end : end;
    }
    return i;
}

static uint64_t end_of(const struct getting *g, size_t first, size_t last)
{
    uint64_t end = 0;

    for (size_t i = first; i < last; i++) {
        const struct record_chunk *c = &g->places[i].chunk;

        if (c->offset + c->stored_bytes > end)
            end = c->offset + c->stored_bytes;
    }
    return end;
}

/* Whatever is not as it should be is tried once more by itself, which tells why. */
static enum tern_err get_stretch(struct getting *g, size_t first, size_t last,
                                 const struct store_want **bad)
{
    const struct record_chunk *from = &g->places[first].chunk;
    const size_t size = (size_t)(end_of(g, first, last) - from->offset);
    const bool fine = packs_read(&g->store->packs, from->pack, from->offset, g->stretch, size) == 0;
    enum tern_err err = TERN_OK;

    for (size_t i = first; i < last && !err; i++) {
        const struct place *p = &g->places[i];
        const uint8_t *stored = g->stretch + (p->chunk.offset - from->offset);

        if (!fine || !store_digest_fits(&p->chunk, stored) ||
            store_decode(g->store, &p->chunk, stored, p->want->to))
            err = get_alone(g->store, p->want);
        if (err)
            *bad = p->want;
    }
    return err;
}

static enum tern_err get_all(struct getting *g, const struct store_want **bad)
{
    enum tern_err err = index_get_many(&g->store->index, g->count, wanted, found, g);
    size_t next;

    if (err)
        return err;
    qsort(g->places, g->count, sizeof *g->places, by_place);
    for (size_t i = 0; i < g->count && !err; i = next) {
        next = i + 1;
        if (g->places[i].there) {
            next = stretch_from(g, i);
            err = get_stretch(g, i, next, bad);
        } else {
            err = get_alone(g->store, g->places[i].want);
            if (err)
                *bad = g->places[i].want;
        }
    }
    return err;
}

enum tern_err store_get_many(struct store *s, struct store_want *wants, size_t count,
                             const struct store_want **bad)
{
    struct getting g = {.store = s, .wants = wants, .count = count};
    const struct store_want *which = NULL;
    enum tern_err err = TERN_ENOMEM;
    STORE_LOCKED(s);

    if (count == 0)
        return TERN_OK;
    g.places = calloc(count, sizeof *g.places);
    g.stretch = malloc(STRETCH_BYTES + STORE_CHUNK_MAX);
    qsort(wants, count, sizeof *wants, by_name);
    if (g.places && g.stretch)
        err = get_all(&g, &which);
    if (bad)
        *bad = which;
    free(g.places);
    free(g.stretch);
    return err;
}

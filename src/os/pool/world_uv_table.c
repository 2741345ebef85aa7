#include "os/pool/world_uv_inner.h"

#include "base/check.h"

#include <stdlib.h>

enum { TABLE_LEAST = 64 };

static struct link **bucket(const struct world_uv *w, link_id id)
{
    return &w->table[(id * UINT32_C(2654435769)) & (w->table_size - 1)];
}

static void put(struct world_uv *w, struct link *l)
{
    struct link **at = bucket(w, l->id);

    l->chain = *at;
    *at = l;
}

static void grow(struct world_uv *w)
{
    const size_t before = w->table_size;
    struct link **old = w->table;

    w->table_size = before ? 2 * before : TABLE_LEAST;
    w->table = calloc(w->table_size, sizeof(struct link *));
    check(w->table);
    for (size_t i = 0; i < before; i++)
        for (struct link *l = old[i], *next; l; l = next) {
            next = l->chain;
            put(w, l);
        }
    free(old);
}

struct link *link_find(const struct world_uv *w, link_id id)
{
    struct link *l = w->table_size ? *bucket(w, id) : NULL;

    while (l && l->id != id)
        l = l->chain;
    return l;
}

struct link *link_new(struct world_uv *w)
{
    struct link *l = calloc(1, sizeof *l);

    check(l);
    l->world = w;
    l->id = ++w->last;
    l->state = LINK_DIALLING;
    if (w->count == w->table_size)
        grow(w);
    put(w, l);
    w->count++;
    w->holds++;
    return l;
}

void link_forget(struct link *l)
{
    struct world_uv *w = l->world;
    struct link **at = bucket(w, l->id);

    while (*at != l)
        at = &(*at)->chain;
    *at = l->chain;
    w->count--;
    tls_link_free(l->tls);
    if (l->addresses)
        uv_freeaddrinfo(l->addresses);
    bytes_release(&l->out);
    bytes_release(&l->wire);
    free(l);
    world_put(w);
}

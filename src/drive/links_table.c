#include "drive/links_inner.h"

#include "base/check.h"

#include <stdlib.h>

enum { TABLE_LEAST = 16 };

static size_t bucket(const struct links *l, link_id id)
{
    return (id * UINT32_C(2654435769)) & (l->table_size - 1);
}

struct conn *conn_find(const struct links *l, link_id id)
{
    struct conn *c = l->table_size ? l->table[bucket(l, id)] : NULL;

    while (c && c->id != id)
        c = c->chain;
    return c;
}

static void put(struct links *l, struct conn *c)
{
    struct conn **at = &l->table[bucket(l, c->id)];

    c->chain = *at;
    *at = c;
}

static bool grow(struct links *l)
{
    const size_t before = l->table_size;
    struct conn **old = l->table;
    struct conn **table = calloc(before ? 2 * before : TABLE_LEAST, sizeof(struct conn *));

    if (!table)
        return false;
    l->table = table;
    l->table_size = before ? 2 * before : TABLE_LEAST;
    for (size_t i = 0; i < before; i++)
        for (struct conn *c = old[i], *next; c; c = next) {
            next = c->chain;
            put(l, c);
        }
    free(old);
    return true;
}

static void link_in(struct links *l, struct conn *c, enum conn_list list)
{
    c->list = list;
    c->behind = NULL;
    c->before = l->list[list].last;
    if (c->before)
        c->before->behind = c;
    else
        l->list[list].first = c;
    l->list[list].last = c;
    l->list[list].count++;
}

static void link_out(struct links *l, struct conn *c)
{
    if (c->before)
        c->before->behind = c->behind;
    else
        l->list[c->list].first = c->behind;
    if (c->behind)
        c->behind->before = c->before;
    else
        l->list[c->list].last = c->before;
    l->list[c->list].count--;
}

struct conn *conn_add(struct links *l, link_id id, enum conn_list list)
{
    struct conn *c;

    check(id && !conn_find(l, id));
    if (l->count == l->table_size && !grow(l))
        return NULL;
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct conn){.id = id, .in_next = 1, .out_next = 1, .heard_ns = links_time(l)};
    put(l, c);
    link_in(l, c, list);
    l->count++;
    return c;
}

void conn_move(struct links *l, struct conn *c, enum conn_list list)
{
    link_out(l, c);
    link_in(l, c, list);
}

void conn_free(struct links *l, struct conn *c)
{
    struct conn **at = &l->table[bucket(l, c->id)];

    while (*at != c)
        at = &(*at)->chain;
    *at = c->chain;
    link_out(l, c);
    l->count--;
    bytes_release(&c->in);
    free(c);
}

#include "drive/courier_inner.h"

#include <stdlib.h>
#include <string.h>

struct courier *courier_new(struct links *links)
{
    struct courier *c = calloc(1, sizeof *c);

    if (c)
        c->links = links;
    return c;
}

void courier_free(struct courier *c)
{
    if (!c)
        return;
    while (c->carries)
        errand_free(c->carries);
    while (c->depots) {
        struct post *d = c->depots;

        c->depots = d->next;
        while (d->tails)
            tail_free(d->tails);
        arena_release(&d->arena);
        free(d);
    }
    free(c);
}

/* ---- depots ---- */

static struct post *find_name(struct courier *c, const char *name)
{
    struct post *d = c->depots;

    while (d && strcmp(d->at->name, name) != 0)
        d = d->next;
    return d;
}

static struct post *find_link(struct courier *c, link_id link)
{
    struct post *d = c->depots;

    while (d && d->link != link)
        d = d->next;
    return d;
}

/* The newest word on it counts: its endpoints may have changed, and rights expire. */
static bool set_at(struct post *d, const Tern__DepotAt *at)
{
    struct arena arena = {0};
    Tern__DepotAt *copy = message_copy(&at->base, &arena);

    if (!copy) {
        arena_release(&arena);
        return false;
    }
    arena_release(&d->arena);
    d->arena = arena;
    d->at = copy;
    d->peer.capability = copy->capability;
    d->peer.name = copy->name;
    return true;
}

static struct post *add(struct courier *c, const Tern__DepotAt *at)
{
    struct post *d = calloc(1, sizeof *d);

    if (!d || !set_at(d, at)) {
        free(d);
        return NULL;
    }
    d->courier = c;
    d->peer.links = c->links;
    d->next = c->depots;
    c->depots = d;
    return d;
}

/* False: there are no more endpoints to try. */
static bool dial_next(struct post *d)
{
    const Tern__Endpoints *to = d->at->endpoints;

    if (!to || d->endpoint >= to->n_at)
        return false;
    d->link = links_dial(d->courier->links, to->at[d->endpoint++]);
    return true;
}

struct post *post_reach(struct courier *c, const Tern__DepotAt *at)
{
    struct post *d = find_name(c, at->name);

    if (d && !set_at(d, at))
        return NULL;
    if (!d)
        d = add(c, at);
    if (d && !d->link) {
        d->endpoint = 0;
        dial_next(d);
    }
    return d;
}

/* ---- from the links ---- */

/* Whatever a part does may end it, and others: the list is looked at anew each time. */
static struct part *next_part(const struct post *d)
{
    struct part *p = d->parts;

    while (p && p->begun)
        p = p->next;
    return p;
}

static struct part *next_drained(const struct post *d)
{
    struct part *p = d->parts;

    while (p && p->drained == d->drained)
        p = p->next;
    return p;
}

bool courier_up(struct courier *c, link_id link)
{
    struct post *d = find_link(c, link);
    struct part *p;

    if (!d)
        return false;
    d->up = true;
    d->peer.link = link;
    d->peer.number = 0;
    while ((p = next_part(d)))
        part_go(p);
    for (struct tail *t = d->tails; t; t = t->next)
        tail_go(t);
    return true;
}

bool courier_message(struct courier *c, link_id link, const Tern__Envelope *e,
                     struct view attachment)
{
    struct post *d = find_link(c, link);

    if (!d)
        return false;
    for (struct tail *t = d->tails; t; t = t->next)
        if (tail_message(t, e, attachment))
            return true;
    for (struct part *p = d->parts; p; p = p->next)
        if (part_message(p, e, attachment))
            return true; /* which may be gone now */
    return true;
}

bool courier_drained(struct courier *c, link_id link)
{
    struct post *d = find_link(c, link);
    struct part *p;

    if (!d)
        return false;
    d->drained++;
    while ((p = next_drained(d))) {
        p->drained = d->drained;
        part_drained(p);
    }
    return true;
}

static struct part *lost_part(const struct post *d)
{
    struct part *p = d->parts;

    while (p && p->round == d->round)
        p = p->next;
    return p;
}

static struct tail *lost_tail(const struct post *d)
{
    struct tail *t = d->tails;

    while (t && t->round == d->round)
        t = t->next;
    return t;
}

/* All that were on it are told; what they do meanwhile may end others, or begin new ones. */
static void lose(struct post *d, enum tern_err err, const char *why)
{
    struct part *p;
    struct tail *t;

    d->round++;
    while ((p = lost_part(d)))
        part_lost(p, err, why);
    while ((t = lost_tail(d)))
        tail_lost(t, why);
}

bool courier_down(struct courier *c, link_id link, enum tern_err err, const char *why)
{
    struct post *d = find_link(c, link);
    bool was_up;

    if (!d)
        return false;
    was_up = d->up;
    d->up = false;
    d->link = 0;
    d->peer.link = 0;
    if (was_up || !dial_next(d))
        lose(d, err ? err : TERN_EIO, why);
    return true;
}

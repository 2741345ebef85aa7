/*
 * Roots from other depots: one link to each, on which one copy after the other is fetched. The link
 * goes when nothing is left to be had there.
 */
#include "drive/depot_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct copy {
    struct copy *next;
    uint64_t number; /* of the agent's request */
    struct arena memory;
    const Tern__CopyRoot *order;
    struct chunks_root root;
};

struct source { /* another depot */
    struct source *next;
    struct depot_copies *all;
    struct copy *first, *last; /* the first one is going on, if `up` */
    link_id link;
    bool up;
    size_t endpoint; /* of the first copy's: which is being dialled */
    struct transfer_peer peer;
    struct fetch *fetch;
    char name[LIMIT_NAME + 1];
};

struct depot_copies {
    struct depot_drive *d;
    struct source *sources;
    size_t count;
};

struct depot_copies *depot_copies_new(struct depot_drive *d)
{
    struct depot_copies *cs = calloc(1, sizeof *cs);

    if (cs)
        cs->d = d;
    return cs;
}

static void next_copy(struct source *s);

static void copy_free(struct copy *c)
{
    arena_release(&c->memory);
    free(c);
}

/* The first one is done. */
static void answer(struct source *s, enum tern_err err)
{
    struct depot_drive *d = s->all->d;
    struct copy *c = s->first;
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Copied copied = TERN__COPIED__INIT;

    copied.domain = c->order->domain;
    copied.root = c->order->root;
    copied.error = err;
    e.answers = c->number;
    e.body_case = TERN__ENVELOPE__BODY_COPIED;
    e.copied = &copied;
    if (d->agent)
        (void)links_send(d->links, d->agent, &e, (struct view){0});
    d->count.copies += err == TERN_OK;
    s->first = c->next;
    s->last = s->first ? s->last : NULL;
    s->all->count--;
    copy_free(c);
}

static void remove_source(struct source *s)
{
    struct source **at = &s->all->sources;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    fetch_free(s->fetch);
    if (s->link)
        links_close(s->all->d->links, s->link);
    free(s);
}

/* ---- Fetching ---- */

static void done(void *context, enum tern_err err, const char *why)
{
    struct source *s = context;
    struct depot_drive *d = s->all->d;
    struct depot_conn *conn = depot_conn_find(d, s->link);

    if (err)
        depot_tell(d, true, "cannot copy from depot %s: %s", s->name, why);
    if (conn)
        depot_end_upload(d, conn);
    fetch_free(s->fetch);
    s->fetch = NULL;
    answer(s, err);
    next_copy(s);
}

static void next_copy(struct source *s)
{
    struct depot_drive *d = s->all->d;
    struct depot_conn *conn = depot_conn_find(d, s->link);
    struct copy *c = s->first;
    struct fetch_order order = {.peer = &s->peer, .chunks = d->chunks, .context = s, .done = done};

    if (!c || !conn) {
        remove_source(s);
        return;
    }
    order.domain = c->order->domain;
    order.root = c->root;
    s->peer.capability = c->order->from->capability;
    depot_begin_upload(d, conn);
    s->fetch = fetch_new(&order);
    if (s->fetch)
        fetch_go(s->fetch);
    else
        done(s, TERN_ENOMEM, "out of memory");
}

/* ---- Dialling ---- */

/* The next endpoint; when there is none, nothing can be had there. */
static void dial(struct source *s, const char *why)
{
    struct depot_drive *d = s->all->d;

    while (s->first) {
        const Tern__Endpoints *at = s->first->order->from->endpoints;

        if (at && s->endpoint < at->n_at) {
            s->link = links_dial(d->links, at->at[s->endpoint++]);
            if (s->link)
                return;
            continue;
        }
        depot_tell(d, true, "cannot copy from depot %s: %s", s->name, why);
        s->endpoint = 0;
        answer(s, TERN_EIO);
    }
    remove_source(s);
}

static struct source *find(struct depot_copies *cs, link_id link)
{
    struct source *s = cs->sources;

    while (s && s->link != link)
        s = s->next;
    return s;
}

static struct source *find_name(struct depot_copies *cs, const char *name)
{
    struct source *s = cs->sources;

    while (s && strcmp(s->name, name) != 0)
        s = s->next;
    return s;
}

static struct source *add_source(struct depot_copies *cs, const char *name)
{
    struct source *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->all = cs;
    s->next = cs->sources;
    snprintf(s->name, sizeof s->name, "%s", name);
    s->peer = (struct transfer_peer){.links = cs->d->links, .name = s->name};
    cs->sources = s;
    return s;
}

static struct copy *new_copy(struct depot_drive *d, const Tern__Envelope *e)
{
    const Tern__CopyRoot *m = e->copy_root;
    struct copy *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->number = e->number;
    c->order = message_copy(&m->base, &c->memory);
    c->root = (struct chunks_root){.kind = m->root->kind,
                                   .expires_ns = depot_lease(d, m->expires_ns, true)};
    if (c->order && depot_name_of(&m->root->sha256, &c->root.name))
        return c;
    copy_free(c);
    return NULL;
}

void depot_copy(struct depot_drive *d, const Tern__Envelope *e)
{
    struct depot_copies *cs = d->copies;
    const Tern__CopyRoot *m = e->copy_root;
    struct source *s = NULL;
    struct copy *c = NULL;

    if (!m->root || !m->from || !m->from->name || strlen(m->from->name) > LIMIT_NAME ||
        !chunk_kind_is_known(m->root->kind)) {
        depot_refuse(d, d->agent, e->number, TERN_EPROTO, "that is no root of a depot");
        return;
    }
    if (cs->count < DEPOT_COPIES_MAX) {
        s = find_name(cs, m->from->name);
        c = new_copy(d, e);
    }
    if (!c) {
        depot_refuse(d, d->agent, e->number, TERN_EBUSY, "too much is being copied already");
        return;
    }
    cs->count++;
    if (s) {
        s->last->next = c;
        s->last = c;
        return;
    }
    s = add_source(cs, m->from->name);
    check(s); /* as much memory as the copy had */
    s->first = s->last = c;
    dial(s, "it has no endpoint");
}

/* ---- What links tell ---- */

void depot_copy_up(struct depot_copies *cs, link_id link)
{
    struct source *s = find(cs, link);

    if (!s)
        return;
    s->up = true;
    s->peer.link = link;
    next_copy(s);
}

void depot_copy_down(struct depot_copies *cs, link_id link, const char *why)
{
    struct source *s = find(cs, link);

    if (!s)
        return;
    s->link = 0;
    fetch_free(s->fetch);
    s->fetch = NULL;
    s->peer.number = 0;
    if (s->up && s->first) { /* what it had promised to give; the agent may ask again */
        depot_tell(cs->d, true, "cannot copy from depot %s: %s", s->name, why);
        answer(s, TERN_EIO);
        s->endpoint = 0;
    }
    s->up = false;
    dial(s, why);
}

bool depot_copy_message(struct depot_copies *cs, link_id link, const Tern__Envelope *e,
                        struct view attachment)
{
    struct source *s = find(cs, link);

    if (!s)
        return false;
    if (s->fetch)
        (void)fetch_message(s->fetch, e, attachment);
    return true;
}

void depot_copy_drained(struct depot_copies *cs, link_id link)
{
    struct source *s = find(cs, link);

    if (s && s->fetch)
        fetch_drained(s->fetch);
}

/* What an agent asked that is gone is not answered any more; the next one asks again. */
void depot_copies_agent_down(struct depot_copies *cs)
{
    for (struct source *s = cs->sources; s; s = s->next)
        for (struct copy *c = s->first; c; c = c->next)
            c->number = 0;
}

void depot_copies_free(struct depot_copies *cs)
{
    if (!cs)
        return;
    while (cs->sources) {
        struct source *s = cs->sources;

        while (s->first) {
            struct copy *c = s->first;

            s->first = c->next;
            copy_free(c);
        }
        s->link = 0;
        remove_source(s);
    }
    free(cs);
}

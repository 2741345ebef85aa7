#include "drive/courier_inner.h"

#include <stdlib.h>
#include <string.h>

enum { CREDIT_BYTES = 256 << 10 };

static void follow(struct tail *t, uint64_t credit, bool stop)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Follow f = TERN__FOLLOW__INIT;
    struct post *d = t->depot;

    e.number = ++d->peer.number;
    e.body_case = TERN__ENVELOPE__BODY_FOLLOW;
    e.follow = &f;
    f.capability = d->at->capability;
    f.task = t->order.task;
    f.output_from = t->order.from[0];
    f.error_from = t->order.from[1];
    f.credit = credit;
    f.stop = stop;
    t->number = e.number;
    links_send(d->courier->links, d->link, &e, (struct view){0});
}

void tail_go(struct tail *t)
{
    follow(t, CREDIT_BYTES, false);
}

static void leave(struct tail *t)
{
    struct tail **at = t->depot ? &t->depot->tails : NULL;

    while (at && *at && *at != t)
        at = &(*at)->next;
    if (at && *at)
        *at = t->next;
    t->next = NULL;
    t->depot = NULL;
}

void tail_lost(struct tail *t, const char *why)
{
    leave(t);
    t->order.lost(t->order.context, why);
}

static void take(struct tail *t, const Tern__Tail *tail, struct view bytes)
{
    const int stream = (int)tail->stream - 1;
    uint64_t *from = &t->order.from[stream];

    t->used += bytes.size;
    if (tail->offset + bytes.size > *from)
        *from = tail->offset + bytes.size;
    if (t->used >= CREDIT_BYTES / 2) {
        follow(t, t->used, false);
        t->used = 0;
    }
    t->order.bytes(t->order.context, stream, tail->offset, tail->fence ? tail->fence->attempt : 0,
                   bytes);
}

bool tail_message(struct tail *t, const Tern__Envelope *e, struct view attachment)
{
    if (e->body_case == TERN__ENVELOPE__BODY_REFUSED && e->answers == t->number) {
        tail_lost(t, e->refused->text);
        return true;
    }
    if (e->body_case != TERN__ENVELOPE__BODY_TAIL || !e->tail->fence ||
        e->tail->fence->task != t->order.task || e->tail->stream < 1 || e->tail->stream > 2)
        return false;
    take(t, e->tail, attachment);
    return true;
}

struct tail *courier_follow(struct courier *c, const struct tail_order *order)
{
    struct tail *t = calloc(1, sizeof *t);
    struct post *d = t ? post_reach(c, order->depot) : NULL;

    if (!d || !d->link) {
        free(t);
        return NULL;
    }
    t->order = *order;
    t->order.depot = NULL; /* borrowed */
    t->depot = d;
    t->round = d->round;
    t->next = d->tails;
    d->tails = t;
    if (d->up)
        tail_go(t);
    return t;
}

void tail_free(struct tail *t)
{
    if (!t)
        return;
    if (t->depot && t->depot->up)
        follow(t, 0, true);
    leave(t);
    free(t);
}

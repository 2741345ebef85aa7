/* Connections: bytes from one end to the other, and how that comes to an end. */
#include "sim/net_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Memory ---- */

struct wire *wire_new(struct sim_net *n, bool local)
{
    struct wire *w = sim_new(1, sizeof *w);

    if (n->wire_count == n->wire_capacity)
        n->wires = sim_more(n->wires, &n->wire_capacity, sizeof *n->wires);
    w->net = n;
    w->local = local;
    w->end[0].wire = w->end[1].wire = w;
    w->index = n->wire_count;
    w->delay_ns = local
                      ? NET_LOCAL_NS
                      : prng_between(&n->delays, n->config.delay_least_ns, n->config.delay_most_ns);
    n->wires[n->wire_count++] = w;
    n->count.connections++;
    return w;
}

static void drop_all(struct segments *list)
{
    struct segment *s;

    while ((s = segments_pop(list)))
        free(s);
}

static void drop_unread(struct flow *f)
{
    struct segment *s;

    while ((s = segments_pop(&f->unread))) {
        f->window_bytes -= s->size;
        free(s);
    }
}

static void drop_unsent(struct flow *f)
{
    drop_all(&f->unsent);
    free(f->swapped);
    f->swapped = NULL;
    f->unsent_bytes = 0;
}

void wire_free(struct wire *w)
{
    struct sim_net *n = w->net;

    for (int side = 0; side < 2; side++) {
        drop_unsent(&w->end[side].out);
        drop_all(&w->end[side].out.flying);
        drop_all(&w->end[side].out.unread);
    }
    n->wires[w->index] = n->wires[--n->wire_count];
    n->wires[w->index]->index = w->index;
    free(w->endpoint);
    free(w);
}

/* Every event of a connection holds it, and lets go of it. */
void wire_event(struct end *e, int64_t at_ns, void (*run)(void *end, uint64_t arg))
{
    e->wire->refs++;
    sim_at(e->wire->net->sim, at_ns, run, e, 0);
}

void wire_release(struct wire *w)
{
    if (--w->refs == 0 && !w->end[0].part && !w->end[1].part)
        wire_free(w);
}

static struct end *other_of(struct end *e)
{
    return &e->wire->end[e == &e->wire->end[0]];
}

static struct sim *sim_of(const struct end *e)
{
    return e->wire->net->sim;
}

/* ---- Sending ---- */

static void arrive(void *end, uint64_t unused);

static struct segment *gather(const struct view *parts, size_t count)
{
    struct segment *s;
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    s = sim_new(1, sizeof *s + size);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size)
            memcpy(s->data + s->size, parts[i].data, parts[i].size);
        s->size += parts[i].size;
    }
    return s;
}

/* When the last of it is there. */
static int64_t arrival(struct end *e, const struct segment *s)
{
    struct sim_net *n = e->wire->net;
    struct flow *f = &e->out;
    const int64_t start = f->busy_ns > n->sim->now_ns ? f->busy_ns : n->sim->now_ns;
    const uint64_t speed = e->wire->local ? 2000000000 : n->config.bytes_per_s;
    int64_t at;

    f->busy_ns = start + (int64_t)(s->size * 1000000000 / speed);
    at = f->busy_ns + e->wire->delay_ns;
    if (!e->wire->local && n->config.jitter_ns)
        at += prng_between(&n->delays, 0, n->config.jitter_ns);
    f->last_ns = at > f->last_ns ? at : f->last_ns; /* no piece overtakes another */
    return f->last_ns;
}

static void pump(struct end *e)
{
    struct flow *f = &e->out;

    while (f->unsent.first &&
           (f->window_bytes == 0 || f->window_bytes + f->unsent.first->size <= NET_WINDOW)) {
        struct segment *s = segments_pop(&f->unsent);

        f->unsent_bytes -= s->size;
        f->window_bytes += s->size;
        s->at_ns = arrival(e, s);
        segments_push(&f->flying, s);
        wire_event(other_of(e), s->at_ns, arrive);
    }
}

void wire_send(struct end *e, const struct view *parts, size_t count)
{
    if (e->out.ended)
        return;
    frames_send(e->wire, &e->out, gather(parts, count));
    pump(e);
}

/* ---- Arriving ---- */

static void reset(struct end *e)
{
    if (e->part)
        wire_break(e, e->wire->delay_ns, TERN_EIO, "the connection was reset by the other side");
}

static void arrived(struct end *e, struct flow *f, struct segment *s)
{
    struct end *from = other_of(e);

    if (e->part && !f->lost) {
        segments_push(&f->unread, s);
        return;
    }
    if (!f->lost && e->host && !e->host->failed && !s->end)
        reset(from); /* nobody knows this connection */
    f->window_bytes -= s->size;
    free(s);
}

static void arrive(void *end, uint64_t unused)
{
    struct end *e = end, *from = other_of(e);
    struct flow *f = &from->out;

    (void)unused;
    while (f->flying.first && f->flying.first->at_ns <= sim_of(e)->now_ns) {
        if (!f->lost && !e->wire->local && !net_reaches(e->wire->net, from->host, e->host)) {
            f->stalled = true;
            break;
        }
        arrived(e, f, segments_pop(&f->flying));
    }
    pump(from);
    wire_service(e);
    wire_release(e->wire);
}

void wire_unstall(struct wire *w)
{
    for (int side = 0; side < 2; side++) {
        struct end *from = &w->end[side], *to = &w->end[!side];

        if (!from->out.stalled || !net_reaches(w->net, from->host, to->host))
            continue;
        from->out.stalled = false;
        wire_event(to, w->net->sim->now_ns + 2 * w->delay_ns, arrive);
    }
}

/* ---- Telling the owner ---- */

static bool able(const struct end *e)
{
    return e->part && !e->part->paused && e->open;
}

static void tell_open(struct end *e)
{
    const struct sim_part *p = e->part;
    const struct end *other = other_of(e);
    struct world_peer peer = {.local = e->wire->local, .authentic = true, .text = e->peer};

    e->open = true;
    e->open_due = false;
    if (e->wire->local && other->owner) {
        peer.owner = other->owner;
        peer.stranger = strcmp(other->owner, p->owner) != 0;
        peer.uid = peer.stranger ? 1001 : 1000;
    }
    sim_tell(sim_of(e), TRACE_OPENED, p->name, e->id, 0, e->peer);
    p->handlers.opened(p->handlers.context, e->id, &peer);
}

static void forget(struct end *e)
{
    part_remove_end(e);
    e->part = NULL;
    e->out.ended = true;
    drop_unsent(&e->out);
    drop_unread(&other_of(e)->out);
}

static void tell_closed(struct end *e, enum tern_err err, const char *why)
{
    const struct sim_part *p = e->part;
    char text[NET_WHY_BYTES];

    snprintf(text, sizeof text, "%s", why);
    forget(e);
    sim_tell(sim_of(e), TRACE_CLOSED, p->name, e->id, err, text);
    p->handlers.closed(p->handlers.context, e->id, err, text);
}

static void tell_bytes(struct end *e, struct view bytes)
{
    const struct sim_part *p = e->part;

    sim_tell(sim_of(e), TRACE_RECEIVED, p->name, e->id, bytes.size, frames_name(bytes));
    e->wire->net->count.bytes += bytes.size;
    p->handlers.received(p->handlers.context, e->id, bytes);
}

static void put_back(struct segments *list, struct segment *s)
{
    s->next = list->first;
    list->first = s;
    if (!list->last)
        list->last = s;
}

/* The first segment, or a piece of it: then the rest comes a little later. */
static bool read_one(struct end *e)
{
    struct sim_net *n = e->wire->net;
    struct flow *f = &other_of(e)->out;
    struct segment *s = segments_pop(&f->unread);
    const size_t at = s->used, left = s->size - at;
    size_t size = left;

    if (s->end) {
        free(s);
        tell_closed(e, TERN_OK, "the other side closed the connection");
        return false;
    }
    if (left > 1 && n->config.split_reads && prng_chance(&n->reads, n->config.split_reads))
        size = (size_t)prng_between(&n->reads, 1, (int64_t)left - 1);
    tell_bytes(e, view_of(s->data + at, size));
    s->used += size;
    if (e->part && size < left) {
        put_back(&f->unread, s);
        wire_open_in(e, 1000);
        return false;
    }
    f->window_bytes -= s->size;
    free(s);
    return true;
}

void wire_service(struct end *e)
{
    struct wire *w = e->wire;

    w->refs++;
    if (e->part && !e->part->paused && e->open_due)
        tell_open(e);
    if (able(e) && e->close_due)
        tell_closed(e, e->err, e->why);
    while (able(e) && !e->held && !e->close_due && other_of(e)->out.unread.first)
        if (!read_one(e))
            break;
    pump(other_of(e));
    wire_release(w);
}

/* Any event behind which there may be something to tell. */
static void service(void *end, uint64_t unused)
{
    struct end *e = end;

    (void)unused;
    wire_service(e);
    wire_release(e->wire);
}

void wire_open_in(struct end *e, int64_t delay_ns)
{
    wire_event(e, sim_of(e)->now_ns + delay_ns, service);
}

/* ---- The end of it ---- */

void wire_attach(struct end *e, struct sim_part *p, const struct sim_part *peer)
{
    e->part = p;
    e->host = p->host;
    e->owner = p->owner;
    e->open_due = peer != NULL;
    snprintf(e->peer, sizeof e->peer, "%s", peer ? peer->name : e->wire->endpoint);
    part_add_end(p, e);
}

static void send_end(struct end *e)
{
    struct segment *s;

    if (e->out.ended)
        return;
    s = sim_new(1, sizeof *s);
    s->end = true;
    e->out.ended = true;
    if (e->out.swapped) {
        struct segment *swapped = e->out.swapped;

        e->out.swapped = NULL;
        e->out.unsent_bytes += swapped->size;
        segments_push(&e->out.unsent, swapped);
    }
    segments_push(&e->out.unsent, s);
    pump(e);
}

static void linger_over(void *end, uint64_t unused)
{
    struct end *e = end;

    (void)unused;
    if (e->out.unsent.first) {
        drop_unsent(&e->out);
        e->out.ended = false;
        send_end(e);
    }
    wire_release(e->wire);
}

void wire_close(struct end *e, bool rest_is_sent)
{
    part_remove_end(e);
    e->part = NULL;
    if (!rest_is_sent)
        drop_unsent(&e->out);
    drop_unread(&other_of(e)->out);
    e->wire->refs++;
    send_end(e);
    if (e->out.unsent.first)
        wire_event(e, sim_of(e)->now_ns + NET_LINGER_NS, linger_over);
    wire_release(e->wire);
}

void wire_vanish(struct end *e)
{
    e->wire->refs++;
    forget(e);
    wire_release(e->wire);
}

static void broken(void *end, uint64_t unused)
{
    struct end *e = end;

    (void)unused;
    e->close_due = e->open = true;
    wire_service(e);
    wire_release(e->wire);
}

void wire_break(struct end *e, int64_t delay_ns, enum tern_err err, const char *why)
{
    e->err = err;
    snprintf(e->why, sizeof e->why, "%s", why);
    wire_event(e, sim_of(e)->now_ns + delay_ns, broken);
}

void wire_lose(struct wire *w)
{
    w->end[0].out.lost = w->end[1].out.lost = true;
}

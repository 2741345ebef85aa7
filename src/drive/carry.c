#include "drive/carry_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- legs: one depot's part */

static void leg_stop(struct leg *leg)
{
    if (leg->upload)
        leg->carry->bytes += upload_count(leg->upload).sent_bytes;
    if (leg->fetch)
        leg->carry->bytes += fetch_count(leg->fetch).got_bytes;
    upload_free(leg->upload);
    fetch_free(leg->fetch);
    leg->upload = NULL;
    leg->fetch = NULL;
}

static void leg_over(struct leg *leg, enum tern_err err, const char *why)
{
    struct carry *c = leg->carry;

    leg_stop(leg);
    leg->state = err ? LEG_FAILED : LEG_DONE;
    if (!err)
        return;
    c->err = err;
    snprintf(c->why, sizeof c->why, "%s", why ? why : tern_err_text(err));
}

/* The rest is for carry_tick: a transfer is told nothing from within another one. */
static void on_done(void *context, enum tern_err err, const char *why)
{
    leg_over(context, err, why);
}

static enum tern_err on_bytes(void *context, struct view bytes, const char **why)
{
    struct carry *c = ((struct leg *)context)->carry;
    const enum tern_err err = c->order.bytes(c->order.context, bytes, why);

    if (err)
        c->given_up = err;
    else
        c->offset += bytes.size;
    return err;
}

static bool make_upload(struct leg *leg)
{
    struct carry *c = leg->carry;
    const Tern__Capability *may = leg->depot->at->capability;
    struct upload_order order = {.peer = &leg->depot->peer,
                                 .source = transfer_from_domain(&c->from),
                                 .root = c->order.root,
                                 .size = c->order.size,
                                 .context = leg,
                                 .done = on_done};

    order.root.expires_ns = may ? may->expires_ns : 0;
    leg->upload = upload_new(&order);
    return leg->upload != NULL;
}

static bool make_fetch(struct leg *leg)
{
    struct carry *c = leg->carry;
    const struct fetch_order order = {.peer = &leg->depot->peer,
                                      .root = c->order.root,
                                      .chunks = c->order.chunks,
                                      .domain = c->order.domain,
                                      .bytes = c->order.chunks ? NULL : on_bytes,
                                      .offset = c->offset,
                                      .context = leg,
                                      .done = on_done};

    leg->fetch = fetch_new(&order);
    if (leg->fetch)
        fetch_hold(leg->fetch, c->held);
    return leg->fetch != NULL;
}

static void leg_go(struct leg *leg)
{
    struct carry *c = leg->carry;

    leg->state = LEG_GOING;
    leg->heard_ns = links_now(c->depots->links);
    if (!(c->up ? make_upload(leg) : make_fetch(leg)))
        leg_over(leg, TERN_ENOMEM, "out of memory");
    else if (c->up)
        upload_go(leg->upload);
    else
        fetch_go(leg->fetch);
}

static void leg_begin(struct leg *leg)
{
    struct depots *d = leg->carry->depots;

    leg->state = LEG_WAITING;
    if (carry_depot_link(d, leg->depot))
        leg_go(leg);
    else if (!leg->depot->link)
        leg_over(leg, TERN_EUSAGE, "it has no endpoint");
}

/* ---------------------------------------------------------------- a carry */

static struct carry *begin(struct depots *d, const struct carry_order *order, bool up)
{
    struct carry *c = calloc(1, sizeof *c), **last = &d->carries;

    if (!c)
        return NULL;
    c->depots = d;
    c->order = *order;
    c->order.depots = NULL;
    c->offset = order->offset;
    c->up = up;
    c->from = (struct transfer_domain){.chunks = order->chunks, .domain = order->domain};
    for (; c->legs < order->count && c->legs < CARRY_LEGS; c->legs++)
        c->leg[c->legs] = (struct leg){.carry = c, .depot = order->depots[c->legs]};
    if (c->order.wanted > c->legs)
        c->order.wanted = c->legs;
    c->err = TERN_EUSAGE;
    snprintf(c->why, sizeof c->why, "no depot was named");
    while (*last)
        last = &(*last)->next;
    *last = c;
    return c;
}

struct carry *carry_fetch(struct depots *d, const struct carry_order *order)
{
    return begin(d, order, false);
}

struct carry *carry_upload(struct depots *d, const struct carry_order *order)
{
    return begin(d, order, true);
}

void carry_free(struct depots *d, struct carry *c)
{
    struct carry **at = &d->carries;

    if (!c)
        return;
    while (*at && *at != c)
        at = &(*at)->next;
    check(*at);
    *at = c->next;
    for (size_t i = 0; i < c->legs; i++)
        leg_stop(&c->leg[i]);
    free(c);
}

void carry_free_all(struct depots *d)
{
    while (d->carries)
        carry_free(d, d->carries);
}

void carry_hold(struct carry *c, bool held)
{
    c->held = held;
    for (size_t i = 0; i < c->legs; i++)
        if (c->leg[i].fetch)
            fetch_hold(c->leg[i].fetch, held);
}

static size_t count_in(const struct carry *c, enum leg_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < c->legs; i++)
        count += c->leg[i].state == state;
    return count;
}

size_t carry_done_at(const struct carry *c, struct depot *out[CARRY_LEGS])
{
    size_t count = 0;

    for (size_t i = 0; i < c->legs; i++)
        if (c->leg[i].state == LEG_DONE)
            out[count++] = c->leg[i].depot;
    return count;
}

uint64_t carry_bytes(const struct carry *c)
{
    uint64_t bytes = c->bytes;

    for (size_t i = 0; i < c->legs; i++) {
        if (c->leg[i].upload)
            bytes += upload_count(c->leg[i].upload).sent_bytes;
        if (c->leg[i].fetch)
            bytes += fetch_count(c->leg[i].fetch).got_bytes;
    }
    return bytes;
}

/* As many legs as are wanted are at it, or done, as long as there are any left. */
static void begin_legs(struct carry *c)
{
    size_t at_it = count_in(c, LEG_WAITING) + count_in(c, LEG_GOING) + count_in(c, LEG_DONE);

    for (size_t i = 0; i < c->legs && at_it < c->order.wanted && !c->given_up; i++) {
        if (c->leg[i].state != LEG_IDLE)
            continue;
        leg_begin(&c->leg[i]);
        at_it += c->leg[i].state != LEG_FAILED;
    }
}

static void let_stalled_go(struct depots *d, struct carry *c)
{
    const int64_t now = links_now(d->links);

    for (size_t i = 0; i < c->legs; i++) {
        struct leg *leg = &c->leg[i];

        if (leg->state != LEG_GOING || c->held || now < leg->heard_ns + CARRY_STALL_NS)
            continue;
        links_close(d->links, leg->depot->link); /* the others at it hear by `down` */
        leg_over(leg, TERN_ETIME, "nothing came from it for too long");
    }
}

static bool is_over(const struct carry *c)
{
    return c->given_up || count_in(c, LEG_DONE) == c->order.wanted ||
           !(count_in(c, LEG_WAITING) + count_in(c, LEG_GOING) + count_in(c, LEG_IDLE));
}

void carry_tick(struct depots *d)
{
    struct carry *c = d->carries;

    while (c) {
        struct carry *next = c->next;
        bool enough;

        if (!c->told) {
            let_stalled_go(d, c);
            begin_legs(c);
        }
        if (!c->told && is_over(c)) {
            c->told = true;
            enough = !c->given_up && c->legs && count_in(c, LEG_DONE) == c->order.wanted;
            c->order.done(c->order.context, c,
                          enough        ? TERN_OK
                          : c->given_up ? c->given_up
                                        : c->err,
                          enough ? "" : c->why);
            next = d->carries; /* the owner may have freed any of them, and begun others */
        }
        c = next;
    }
}

int64_t carry_wake(const struct depots *d)
{
    int64_t at = INT64_MAX;

    for (const struct carry *c = d->carries; c; c = c->next)
        for (size_t i = 0; i < c->legs; i++)
            if (c->leg[i].state == LEG_GOING && !c->held &&
                c->leg[i].heard_ns + CARRY_STALL_NS < at)
                at = c->leg[i].heard_ns + CARRY_STALL_NS;
    return at;
}

/* ---------------------------------------------------------------- what links tell */

void carry_depot_up(struct depots *d, struct depot *depot)
{
    for (struct carry *c = d->carries; c; c = c->next)
        for (size_t i = 0; i < c->legs; i++)
            if (c->leg[i].depot == depot && c->leg[i].state == LEG_WAITING)
                leg_go(&c->leg[i]);
}

void carry_depot_down(struct depots *d, struct depot *depot, enum tern_err err)
{
    for (struct carry *c = d->carries; c; c = c->next)
        for (size_t i = 0; i < c->legs; i++)
            if (c->leg[i].depot == depot &&
                (c->leg[i].state == LEG_WAITING || c->leg[i].state == LEG_GOING))
                leg_over(&c->leg[i], err ? err : TERN_EIO, depot->why);
}

static bool leg_message(struct leg *leg, const Tern__Envelope *e, struct view attachment)
{
    if (leg->state != LEG_GOING)
        return false;
    leg->heard_ns = links_now(leg->carry->depots->links);
    return leg->upload ? upload_message(leg->upload, e, attachment)
                       : fetch_message(leg->fetch, e, attachment);
}

bool carry_message(struct depots *d, link_id link, const Tern__Envelope *e, struct view attachment)
{
    const struct depot *depot = depots_of_link(d, link);

    for (struct carry *c = d->carries; c && depot; c = c->next)
        for (size_t i = 0; i < c->legs; i++)
            if (c->leg[i].depot == depot && leg_message(&c->leg[i], e, attachment))
                return true;
    return depot != NULL;
}

void carry_drained(struct depots *d, link_id link)
{
    const struct depot *depot = depots_of_link(d, link);

    for (struct carry *c = d->carries; c && depot; c = c->next) {
        for (size_t i = 0; i < c->legs; i++) {
            struct leg *leg = &c->leg[i];

            if (leg->depot == depot && leg->upload)
                upload_drained(leg->upload);
            else if (leg->depot == depot && leg->fetch)
                fetch_drained(leg->fetch);
        }
    }
}

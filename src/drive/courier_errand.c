#include "drive/courier_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF_BYTES = 1 << 20 };

/* ---- the end of an errand ---- */

static void unlink_errand(struct errand *c)
{
    struct errand **at = &c->courier->carries;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
}

void part_leave(struct part *p)
{
    struct part **at = p->depot ? &p->depot->parts : NULL;

    while (at && *at && *at != p)
        at = &(*at)->next;
    if (at && *at)
        *at = p->next;
    p->next = NULL;
    p->depot = NULL;
}

static void part_release(struct part *p)
{
    upload_free(p->upload);
    fetch_free(p->fetch);
    p->upload = NULL;
    p->fetch = NULL;
    part_leave(p);
}

void errand_free(struct errand *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->part_count; i++)
        part_release(&c->parts[i]);
    unlink_errand(c);
    arena_release(&c->arena);
    free(c);
}

/* The owner may free it: nothing may be done with it behind this. */
static void tell(struct errand *c, enum tern_err err, const char *why)
{
    c->order.done(c->order.context, err, why);
}

static void remember(struct errand *c, enum tern_err err, const char *why)
{
    if (c->err)
        return;
    c->err = err;
    snprintf(c->why, sizeof c->why, "%s", why ? why : tern_err_text(err));
}

/* ---- put ---- */

static void put_over(struct part *p, enum tern_err err, const char *why)
{
    struct errand *c = p->errand;
    bool any = false;

    p->over = true;
    p->held = !err;
    if (err)
        remember(c, err, why);
    if (++c->parts_over < c->part_count)
        return;
    for (size_t i = 0; i < c->part_count; i++)
        any |= c->parts[i].held;
    if (any)
        tell(c, TERN_OK, NULL);
    else
        tell(c, c->err, c->why);
}

/* ---- get ---- */

static void get_next(struct errand *c);

/* Some errors are those of our own side: another depot is no help. */
static bool is_ours(const struct errand *c, enum tern_err err)
{
    return c->err && c->err == err;
}

static void get_over(struct part *p, enum tern_err err, const char *why)
{
    struct errand *c = p->errand;

    p->over = true;
    if (!err) {
        tell(c, TERN_OK, NULL);
    } else if (is_ours(c, err) || c->depot_next == c->depot_count) {
        remember(c, err, why);
        tell(c, c->err, c->why);
    } else {
        get_next(c);
    }
}

static enum tern_err take(void *context, struct view bytes, const char **why)
{
    struct errand *c = ((struct part *)context)->errand;
    size_t skip = bytes.size < c->skip ? bytes.size : (size_t)c->skip;
    enum tern_err err;

    c->skip -= skip;
    if (bytes.size == skip)
        return TERN_OK;
    err = c->order.bytes(c->order.context, view_of(bytes.data + skip, bytes.size - skip), why);
    if (err)
        remember(c, err, *why);
    else
        c->reached += bytes.size - skip;
    return err;
}

/* ---- one depot ---- */

static void done(void *context, enum tern_err err, const char *why)
{
    struct part *p = context;
    struct upload *upload = p->upload;
    struct fetch *fetch = p->fetch;

    p->upload = NULL;
    p->fetch = NULL;
    part_leave(p);
    upload_free(upload);
    if (p->errand->put) {
        put_over(p, err, why);
    } else {
        char text[COURIER_WHY_BYTES]; /* why may lie in what is freed now */

        snprintf(text, sizeof text, "%s", why ? why : "");
        fetch_free(fetch);
        get_over(p, err, text);
    }
}

static void go_up(struct part *p)
{
    const struct errand_order *o = &p->errand->order;
    const struct upload_order order = {.peer = &p->depot->peer,
                                       .source = o->source,
                                       .root = o->root,
                                       .size = o->size,
                                       .context = p,
                                       .done = done};

    p->upload = upload_new(&order);
    if (p->upload)
        upload_go(p->upload);
    else
        done(p, TERN_ENOMEM, "out of memory");
}

static void go_down(struct part *p)
{
    struct errand *c = p->errand;
    const struct fetch_order order = {.peer = &p->depot->peer,
                                      .root = c->order.root,
                                      .bytes = take,
                                      .offset = c->reached / LEAF_BYTES * LEAF_BYTES,
                                      .context = p,
                                      .done = done};

    c->skip = c->reached - order.offset;
    p->fetch = fetch_new(&order);
    if (p->fetch)
        fetch_go(p->fetch);
    else
        done(p, TERN_ENOMEM, "out of memory");
}

void part_go(struct part *p)
{
    p->begun = true;
    if (p->errand->put)
        go_up(p);
    else
        go_down(p);
}

bool part_message(struct part *p, const Tern__Envelope *e, struct view attachment)
{
    if (p->upload)
        return upload_message(p->upload, e, attachment);
    return p->fetch && fetch_message(p->fetch, e, attachment);
}

void part_drained(struct part *p)
{
    if (p->upload)
        upload_drained(p->upload);
    else if (p->fetch)
        fetch_drained(p->fetch);
}

void part_lost(struct part *p, enum tern_err err, const char *why)
{
    done(p, err, why);
}

static void begin(struct errand *c, struct part *p, const Tern__DepotAt *at)
{
    struct post *d;

    *p = (struct part){.errand = c};
    d = post_reach(c->courier, at);
    if (!d || !d->link) {
        done(p, TERN_EIO, "the depot has no address that can be dialled");
        return;
    }
    p->depot = d;
    p->round = d->round;
    p->drained = d->drained;
    p->next = d->parts;
    d->parts = p;
    if (d->up)
        part_go(p);
}

static void get_next(struct errand *c)
{
    check(c->depot_next < c->depot_count);
    c->part_count = 1;
    begin(c, &c->parts[0], c->depots[c->depot_next++]);
}

/* ---- the beginning of an errand ---- */

static bool copy_depots(struct errand *c, const struct errand_order *order)
{
    c->depots = arena_new(&c->arena, order->depot_count + 1, sizeof *c->depots);
    for (; c->depots && c->depot_count < order->depot_count; c->depot_count++) {
        Tern__DepotAt *copy = message_copy(&order->depots[c->depot_count]->base, &c->arena);

        if (!copy)
            return false;
        c->depots[c->depot_count] = copy;
    }
    return c->depots;
}

static struct errand *new_errand(struct courier *courier, const struct errand_order *order,
                                 bool put)
{
    struct errand *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->courier = courier;
    c->put = put;
    c->order = *order;
    c->reached = order->offset;
    c->next = courier->carries;
    courier->carries = c;
    if (copy_depots(c, order))
        return c;
    errand_free(c);
    return NULL;
}

struct errand *courier_put(struct courier *courier, const struct errand_order *order)
{
    struct errand *c = new_errand(courier, order, true);
    size_t copies = order->copies < LIMIT_COPIES ? order->copies : LIMIT_COPIES;

    if (!c)
        return NULL;
    c->part_count = copies < c->depot_count ? copies : c->depot_count;
    if (c->part_count == 0)
        tell(c, TERN_EMISSING, "the pool has no depot to keep it in");
    for (size_t i = 0, count = c->part_count; i < count; i++)
        begin(c, &c->parts[i], c->depots[i]);
    return c;
}

struct errand *courier_get(struct courier *courier, const struct errand_order *order)
{
    struct errand *c = new_errand(courier, order, false);

    if (!c)
        return NULL;
    if (c->depot_count == 0)
        tell(c, TERN_ENOENT, "no depot has it any more");
    else
        get_next(c);
    return c;
}

const char *errand_at(const struct errand *c, size_t i)
{
    for (size_t k = 0; k < c->part_count; k++)
        if (c->parts[k].held && i-- == 0)
            return c->depots[k]->name;
    return NULL;
}

uint64_t errand_bytes(const struct errand *c)
{
    uint64_t most = 0;

    if (!c->put)
        return c->reached - c->order.offset;
    for (size_t i = 0; i < c->part_count; i++) {
        const struct part *p = &c->parts[i];
        uint64_t sent = p->held     ? c->order.size
                        : p->upload ? upload_count(p->upload).sent_bytes
                                    : 0;

        most = sent > most ? sent : most;
    }
    return most;
}

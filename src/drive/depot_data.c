/*
 * Chunks in and out.
 */
#include "drive/depot_inner.h"

#include <stdlib.h>
#include <string.h>

/* ---- Pins ---- */

static uint64_t oldest_pin(const struct depot_drive *d)
{
    uint64_t oldest = UINT64_MAX;

    for (size_t i = 0; i < CONN_TABLE; i++)
        for (const struct depot_conn *c = d->conn[i]; c; c = c->next)
            if (c->pin && c->pin < oldest)
                oldest = c->pin;
    return oldest;
}

void depot_begin_upload(struct depot_drive *d, struct depot_conn *c)
{
    if (!c->pin && d->chunks->calls->pins)
        c->pin = d->chunks->calls->pins(d->chunks->self, oldest_pin(d));
}

void depot_end_upload(struct depot_drive *d, struct depot_conn *c)
{
    if (!c->pin)
        return;
    c->pin = 0;
    (void)d->chunks->calls->pins(d->chunks->self, oldest_pin(d));
}

/* ---- In ---- */

void depot_probe(struct depot_drive *d, struct depot_conn *c, const Tern__Envelope *e)
{
    const Tern__Probe *p = e->probe;
    Tern__Envelope answer = TERN__ENVELOPE__INIT;
    Tern__Missing m = TERN__MISSING__INIT;

    if (!depot_allows(d, c->link, e->number, p->capability, CAPABILITY_WRITE))
        return;
    if (p->names.len != p->kinds.len * STORE_NAME_BYTES) {
        depot_refuse(d, c->link, e->number, TERN_EPROTO, "each name needs a kind");
        return;
    }
    depot_begin_upload(d, c);
    bytes_clear(&d->missing);
    for (size_t i = 0; i < p->kinds.len; i++) {
        const unsigned kind = p->kinds.data[i];
        struct store_name name;

        memcpy(name.bytes, p->names.data + i * STORE_NAME_BYTES, sizeof name.bytes);
        bytes_append_byte(
            &d->missing,
            !chunk_kind_is_known(kind) ||
                !d->chunks->calls->has(d->chunks->self, p->capability->domain, &name, kind));
    }
    if (!bytes_ok(&d->missing)) {
        depot_refuse(d, c->link, e->number, TERN_ENOMEM, "out of memory");
        return;
    }
    m.missing = (ProtobufCBinaryData){.len = d->missing.size, .data = d->missing.data};
    answer.answers = e->number;
    answer.body_case = TERN__ENVELOPE__BODY_MISSING;
    answer.missing = &m;
    (void)links_send(d->links, c->link, &answer, (struct view){0});
}

static void refuse_put(struct depot_drive *d, link_id link, uint64_t number, enum tern_err err)
{
    struct chunks_usage usage;

    if (err == TERN_ENOSPACE) {
        d->chunks->calls->usage(d->chunks->self, &usage);
        depot_refuse(d, link, number, err, "depot %s is full: all of its %llu MiB are in use",
                     d->config.name, (unsigned long long)(usage.space_bytes >> 20));
    } else if (err == TERN_ECORRUPT) {
        depot_refuse(d, link, number, err, "a chunk is not what its name says");
    } else {
        depot_refuse(d, link, number, err, "a chunk cannot be kept: %s", tern_err_text(err));
    }
}

void depot_put(struct depot_drive *d, struct depot_conn *c, const Tern__Envelope *e,
               struct view attachment)
{
    const Tern__PutChunk *p = e->put_chunk;
    struct store_stored stored = {
        .codec = p->codec, .plain_size = p->plain_size, .bytes = attachment};
    Tern__Envelope answer = TERN__ENVELOPE__INIT;
    Tern__PutDone done = TERN__PUT_DONE__INIT;
    struct store_name name;
    enum tern_err err = TERN_EPROTO;

    if (!depot_allows(d, c->link, e->number, p->capability, CAPABILITY_WRITE))
        return;
    depot_begin_upload(d, c);
    if (depot_name_of(&p->name, &name) && chunk_is_possible(&stored) &&
        (stored.codec != CODEC_LIKE || depot_name_of(&p->like, &stored.like)))
        err = d->chunks->calls->put(d->chunks->self, p->capability->domain, &name, &stored);
    if (err) {
        refuse_put(d, c->link, e->number, err);
        return;
    }
    d->count.put_chunks++;
    d->count.put_bytes += attachment.size;
    answer.answers = e->number;
    answer.body_case = TERN__ENVELOPE__BODY_PUT_DONE;
    answer.put_done = &done;
    (void)links_send(d->links, c->link, &answer, (struct view){0});
}

static void refuse_commit(struct depot_drive *d, link_id link, uint64_t number, enum tern_err err,
                          const char *why)
{
    if (err == TERN_ENOENT) {
        depot_refuse(d, link, number, err, "something that hangs beneath it is not there");
        return;
    }
    depot_tell(d, true, "cannot keep a root: %s", why);
    depot_refuse(d, link, number, err, "depot %s cannot keep it: %s", d->config.name,
                 tern_err_text(err));
}

void depot_commit(struct depot_drive *d, struct depot_conn *c, const Tern__Envelope *e)
{
    const Tern__Commit *m = e->commit;
    struct chunks_root root = {.kind = m->root ? m->root->kind : 0};
    Tern__Envelope answer = TERN__ENVELOPE__INIT;
    Tern__Committed done = TERN__COMMITTED__INIT;
    struct problem p = {0};
    enum tern_err err;

    if (!depot_allows(d, c->link, e->number, m->capability, CAPABILITY_WRITE))
        return;
    if (!m->root || !depot_name_of(&m->root->sha256, &root.name) ||
        !chunk_kind_is_known(root.kind)) {
        depot_refuse(d, c->link, e->number, TERN_EPROTO, "that is no root");
        return;
    }
    root.expires_ns = depot_lease(d, m->expires_ns, false);
    err = d->chunks->calls->commit(d->chunks->self, m->capability->domain, &root, &done.new_bytes,
                                   &p);
    if (err) {
        refuse_commit(d, c->link, e->number, err, p.text);
        depot_look_for_damage(d);
        return;
    }
    depot_end_upload(d, c);
    answer.answers = e->number;
    answer.body_case = TERN__ENVELOPE__BODY_COMMITTED;
    answer.committed = &done;
    (void)links_send(d->links, c->link, &answer, (struct view){0});
}

/* ---- Out ---- */

static void give(struct depot_drive *d, link_id link, const struct get_wait *g)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Chunk chunk = TERN__CHUNK__INIT;
    struct store_stored stored;
    enum tern_err err;

    bytes_clear(&d->room);
    err = d->chunks->calls->get(d->chunks->self, g->domain, &g->name, g->with_has ? &g->has : NULL,
                                &stored, &d->room);
    if (err) {
        depot_refuse(d, link, g->number, err,
                     err == TERN_ENOENT ? "it has no such chunk"
                     : err == TERN_ECORRUPT
                         ? "that chunk is damaged here: another depot may have it"
                         : "that chunk cannot be read here");
        if (err == TERN_ECORRUPT)
            depot_look_for_damage(d);
        return;
    }
    d->count.got_chunks++;
    d->count.got_bytes += stored.bytes.size;
    chunk.codec = stored.codec;
    chunk.plain_size = stored.plain_size;
    if (stored.codec == CODEC_LIKE)
        chunk.like =
            (ProtobufCBinaryData){.len = sizeof stored.like.bytes, .data = stored.like.bytes};
    e.answers = g->number;
    e.body_case = TERN__ENVELOPE__BODY_CHUNK;
    e.chunk = &chunk;
    (void)links_send(d->links, link, &e, stored.bytes);
}

static void hold(struct depot_drive *d, struct depot_conn *c, bool held)
{
    if (c->held == held)
        return;
    c->held = held;
    links_hold(d->links, c->link, held);
}

void depot_serve(struct depot_drive *d, struct depot_conn *c)
{
    while (c->first && !links_full(d->links, c->link)) {
        struct get_wait *g = c->first;

        c->first = g->next;
        c->last = c->first ? c->last : NULL;
        c->waiting--;
        give(d, c->link, g);
        free(g);
    }
    if (c->waiting < DEPOT_GETS_MAX / 2)
        hold(d, c, false);
}

static void wait_for_room(struct depot_drive *d, struct depot_conn *c, struct get_wait *g)
{
    g->next = NULL;
    if (c->last)
        c->last->next = g;
    else
        c->first = g;
    c->last = g;
    c->waiting++;
    if (c->waiting >= DEPOT_GETS_MAX)
        hold(d, c, true);
}

void depot_get(struct depot_drive *d, struct depot_conn *c, const Tern__Envelope *e)
{
    const Tern__GetChunk *m = e->get_chunk;
    struct get_wait *g;
    size_t domain;

    if (!depot_allows(d, c->link, e->number, m->capability, CAPABILITY_READ))
        return;
    domain = strlen(m->capability->domain) + 1;
    g = calloc(1, sizeof *g + domain);
    if (!g || !depot_name_of(&m->name, &g->name)) {
        depot_refuse(d, c->link, e->number, g ? TERN_EPROTO : TERN_ENOMEM,
                     g ? "that is no name of a chunk" : "out of memory");
        free(g);
        return;
    }
    g->number = e->number;
    g->with_has = depot_name_of(&m->has, &g->has);
    memcpy(g->domain, m->capability->domain, domain);
    wait_for_room(d, c, g);
    depot_serve(d, c);
}

void depot_data_down(struct depot_drive *d, struct depot_conn *c)
{
    while (c->first) {
        struct get_wait *g = c->first;

        c->first = g->next;
        free(g);
    }
    depot_end_upload(d, c);
}

#include "small_depot.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void answer(struct small_depot *d, link_id link, const Tern__Envelope *asked,
                   Tern__Envelope *e, struct view attachment)
{
    e->answers = asked->number;
    assert_int_equal(links_send(d->links, link, e, attachment), TERN_OK);
}

static void refuse(struct small_depot *d, link_id link, const Tern__Envelope *asked,
                   enum tern_err err)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Refused refused = TERN__REFUSED__INIT;

    refused.error = err;
    refused.text = (char *)tern_err_text(err);
    e.body_case = TERN__ENVELOPE__BODY_REFUSED;
    e.refused = &refused;
    answer(d, link, asked, &e, (struct view){0});
}

static struct store_name name_of(const ProtobufCBinaryData *b)
{
    struct store_name name;

    assert_int_equal(b->len, sizeof name);
    memcpy(&name, b->data, sizeof name);
    return name;
}

static void on_probe(struct small_depot *d, link_id link, const Tern__Envelope *asked)
{
    static uint8_t missing[LIMIT_PROBED];
    const Tern__Probe *p = asked->probe;
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Missing m = TERN__MISSING__INIT;

    d->probes++;
    for (size_t i = 0; i < p->kinds.len; i++) {
        struct store_name name;

        memcpy(&name, p->names.data + i * sizeof name, sizeof name);
        missing[i] =
            !d->chunks->calls->has(d->chunks->self, p->capability->domain, &name, p->kinds.data[i]);
    }
    m.missing = (ProtobufCBinaryData){.len = p->kinds.len, .data = missing};
    e.body_case = TERN__ENVELOPE__BODY_MISSING;
    e.missing = &m;
    answer(d, link, asked, &e, (struct view){0});
}

static void on_put(struct small_depot *d, link_id link, const Tern__Envelope *asked,
                   struct view attachment)
{
    const Tern__PutChunk *p = asked->put_chunk;
    const struct store_name name = name_of(&p->name);
    struct store_stored stored = {
        .codec = p->codec, .plain_size = p->plain_size, .bytes = attachment};
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__PutDone done = TERN__PUT_DONE__INIT;
    enum tern_err err;

    if (p->like.len)
        stored.like = name_of(&p->like);
    err = d->chunks->calls->put(d->chunks->self, p->capability->domain, &name, &stored);
    d->puts++;
    if (err) {
        refuse(d, link, asked, err);
        return;
    }
    e.body_case = TERN__ENVELOPE__BODY_PUT_DONE;
    e.put_done = &done;
    answer(d, link, asked, &e, (struct view){0});
}

static void on_commit(struct small_depot *d, link_id link, const Tern__Envelope *asked)
{
    const Tern__Commit *c = asked->commit;
    const struct chunks_root root = {
        .name = name_of(&c->root->sha256), .kind = c->root->kind, .expires_ns = c->expires_ns};
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Committed committed = TERN__COMMITTED__INIT;
    struct problem p;
    enum tern_err err = d->chunks->calls->commit(d->chunks->self, c->capability->domain, &root,
                                                 &committed.new_bytes, &p);

    if (err) {
        refuse(d, link, asked, err);
        return;
    }
    d->commits++;
    e.body_case = TERN__ENVELOPE__BODY_COMMITTED;
    e.committed = &committed;
    answer(d, link, asked, &e, (struct view){0});
}

static void on_get(struct small_depot *d, link_id link, const Tern__Envelope *asked)
{
    const Tern__GetChunk *g = asked->get_chunk;
    const struct store_name name = name_of(&g->name);
    struct store_stored stored;
    struct bytes room = {0};
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Chunk chunk = TERN__CHUNK__INIT;
    enum tern_err err =
        d->chunks->calls->get(d->chunks->self, g->capability->domain, &name, NULL, &stored, &room);

    d->gets++;
    if (err) {
        refuse(d, link, asked, err);
    } else {
        chunk.codec = stored.codec;
        chunk.plain_size = stored.plain_size;
        e.body_case = TERN__ENVELOPE__BODY_CHUNK;
        e.chunk = &chunk;
        answer(d, link, asked, &e, stored.bytes);
    }
    bytes_release(&room);
}

static void on_tail(struct small_depot *d, const Tern__Tail *t, struct view attachment)
{
    struct bytes *to = &d->tail[t->stream - 1];

    if (t->fence->attempt != d->tail_of[t->stream - 1])
        bytes_clear(to);
    d->tail_of[t->stream - 1] = t->fence->attempt;
    if (!to->size)
        d->tail_from[t->stream - 1] = t->offset;
    assert_int_equal(t->offset, d->tail_from[t->stream - 1] + to->size); /* no gap */
    bytes_append(to, attachment.data, attachment.size);
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attachment)
{
    struct small_depot *d = context;

    if (d->silent)
        return;
    if (d->fail_after && d->puts >= d->fail_after) {
        small_depot_kill(d);
        return;
    }
    switch ((int)e->body_case) {
    case TERN__ENVELOPE__BODY_PROBE: on_probe(d, link, e); break;
    case TERN__ENVELOPE__BODY_PUT_CHUNK: on_put(d, link, e, attachment); break;
    case TERN__ENVELOPE__BODY_COMMIT: on_commit(d, link, e); break;
    case TERN__ENVELOPE__BODY_GET_CHUNK: on_get(d, link, e); break;
    case TERN__ENVELOPE__BODY_TAIL: on_tail(d, e->tail, attachment); break;
    default: fail_msg("a depot was sent %s", message_name(e));
    }
}

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    (void)context;
    (void)link;
    (void)hello;
    (void)owner;
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    (void)context;
    (void)link;
    (void)err;
    (void)why;
}

void small_depot_start(struct small_depot *d, struct sim_host *host, const char *name)
{
    struct handlers handlers = links_handlers;
    struct links_config config = {.world = &d->world,
                                  .part = TERN__PART__PART_DEPOT,
                                  .name = name,
                                  .welcome = 1 << TERN__PART__PART_SLOT,
                                  .context = d,
                                  .up = on_up,
                                  .message = on_message,
                                  .down = on_down};

    *d = (struct small_depot){.part = sim_part_new(host, name, "anna")};
    d->world = sim_part_world(d->part);
    d->store = chunks_mem_new(0);
    d->chunks = chunks_mem_chunks(d->store);
    d->links = links_new(&config);
    assert_non_null(d->links);
    handlers.context = d->links;
    sim_part_handle(d->part, &handlers);
    snprintf(d->endpoint, sizeof d->endpoint, "unix:/%s", name);
    sim_part_listen(d->part, d->endpoint);
}

void small_depot_kill(struct small_depot *d)
{
    sim_part_kill(d->part);
}

void small_depot_stop(struct small_depot *d)
{
    links_free(d->links);
    chunks_mem_free(d->store);
    bytes_release(&d->tail[0]);
    bytes_release(&d->tail[1]);
}

struct store_name small_depot_give(struct small_depot *d, const char *domain, struct view bytes)
{
    const struct store_name name = store_name_of(bytes);
    const struct store_stored stored = {.plain_size = (uint32_t)bytes.size, .bytes = bytes};
    const struct chunks_root root = {.name = name, .kind = CHUNK_LEAF, .expires_ns = 1};
    uint64_t new_bytes;

    assert_int_equal(d->chunks->calls->put(d->chunks->self, domain, &name, &stored), TERN_OK);
    assert_int_equal(d->chunks->calls->commit(d->chunks->self, domain, &root, &new_bytes, NULL),
                     TERN_OK);
    return name;
}
